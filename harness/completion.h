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
 * The script for a shell, to `out`. Or what the scripts ask for when it is wanted, one a line: "scenarios" that may be
 * named, "SCENARIO/" its cases, "explain" all that can be explained, "kernels" of guests, "claims" and "guides"; and of
 * the first scenario among the words that were typed (ended by NULL) "case", "run" the triggers, and "parameters".
 * -EINVAL for any other word, -ENOENT after telling that there is no tree.
 */
int completion_write(const char *shell, const struct completion *c, char *const *typed, FILE *out);
