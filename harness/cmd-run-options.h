// SPDX-License-Identifier: MIT
/*
 * The command line of `enomem run`.
 */
#pragma once

#include <jansson.h>

#include "guests.h"
#include "options.h"
#include "parameters.h"
#include "report.h"
#include "select.h"

struct run_options {
	const char *tree, *output, *baseline;
	const json_t *partly; /* for the baseline: scenarios of which not all is asked for, by name */
	const char *failed;   /* NULL; "" for what failed last time, or a stored result */
	struct select_filter filter;
	enum report_format format;
	bool format_said;
	struct report_options report;
	unsigned jobs;
	bool allow_machine, bisect, no_skip, triage, locate, quiet;
	bool in_guest, no_guest; /* --guest: everything there; --no-guest: nothing */
	struct guests_options guests;
	struct guest_bring bring; /* --bring */
	const char *root;         /* of a command; NULL: not said */
	struct parameters parameters;
	uint64_t deadline_ns; /* of a command; 0: not said */
	json_t *command;      /* as it was typed, for results; somebody else's */
	char profile[256];    /* what profiles, sysctls of guests and parameters are called in results; "" for none */
};

extern const struct option_row run_option_rows[];

/* 0; -1 when help was shown; else the exit status after telling what is wrong. */
int run_options_parse(const struct command *self, int argc, char **argv, struct run_options *ret);
void run_options_free(struct run_options *o);
