// SPDX-License-Identifier: MIT
/*
 * enomem run SCENARIO -- COMMAND: any program in a scenario's place.
 */
#pragma once

#include "cmd-run-options.h"

/* What follows "--" on the command line, ended by NULL; NULL where there is none. */
char **command_words(int argc, char **argv);
/* Tell that the option goes with a command only. EXIT_USAGE */
int command_only(const char *option);

/* Run it; the exit status is the command's, or it dies of its signal. */
int run_command(const struct run_options *o, char **words, size_t count, char **command);
