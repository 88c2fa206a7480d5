// SPDX-License-Identifier: MIT
/*
 * What became of a program in a scenario's place, from its evidence: for people and as JSON.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What the evidence does not know. */
struct command_story {
	const char *scenario, *run; /* names */
	const char *kernel;         /* of a guest; NULL: here */
	bool terminal;              /* a standard stream is one */
	int status;                 /* of wait(2), where it ended */
};

void command_print(const json_t *evidence, const struct command_story *story, FILE *out);
/* NULL for want of memory. */
json_t *command_json(const json_t *evidence, const struct command_story *story);
/* The status that wait(2) would have given: of "exit" of the evidence. -1 where it did not end. */
int command_status(const json_t *evidence);
/* Did enomem end it, because it could not be watched any longer? Its problem says why. */
bool command_was_ended(const json_t *evidence);
