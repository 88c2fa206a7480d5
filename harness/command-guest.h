// SPDX-License-Identifier: MIT
/*
 * enomem run --guest SCENARIO -- COMMAND: the command and what it links to in an image, and its run in a guest.
 */
#pragma once

#include "cmd-run-options.h"
#include "root-command.h"
#include "run-command.h"
#include "select.h"

struct command_in_guest {
	/* Given. */
	const struct run_options *options;
	struct run_command *command;     /* argv[0] becomes an absolute path */
	const struct root_command *root; /* where it was found; NULL: on this machine */
	const atomic_bool *interrupted;
	/* Found; evidence is the caller's also after an error. */
	json_t *evidence;
	char kernel[64], run[256];
};

/*
 * Find a program of this machine, which becomes an absolute path, and get one guest ready that has it. 0, or an exit
 * status after telling why there is none.
 */
int command_guests_open(struct guests_options *options, struct guest_bring *bring, char **program,
			const struct selection *selection, struct guests *ret);

/* 0 with evidence, or an exit status after telling why there is none. */
int command_in_guest(struct command_in_guest *c, struct scenario *s, const struct selection *selection,
		     const char *word, const char *rest);
