// SPDX-License-Identifier: MIT
/*
 * Completion scripts for bash, zsh and fish, made of the tables that options_next() and --help are made of: what a
 * shell offers and what a command takes cannot differ.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "options.h"

struct completion {
	const struct command *global;          /* the options before any command */
	const struct command *const *commands; /* hidden ones among them are not offered */
	size_t count;
};

/*
 * The script for a shell, to `out`. For "scenarios" the names that may be given to run and list, one a line, for
 * "SCENARIO/" its cases, for "explain" all that can be explained: the scripts ask when they are wanted. -EINVAL for any
 * other word, -ENOENT after telling that there is no tree.
 */
int completion_write(const char *shell, const struct completion *c, FILE *out);
