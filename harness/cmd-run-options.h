// SPDX-License-Identifier: MIT
/*
 * The command line of `enomem run`.
 */
#pragma once

#include "guests.h"
#include "options.h"
#include "report.h"
#include "select.h"

struct run_options {
	const char *tree, *output, *baseline;
	struct select_filter filter;
	enum report_format format;
	struct report_options report;
	unsigned jobs;
	bool allow_machine, bisect, no_skip, triage, locate;
	bool in_guest, no_guest; /* --guest: everything there; --no-guest: nothing */
	struct guests_options guests;
	char profile[256]; /* what the profiles and sysctls of guests are called in results; "" for none */
};

extern const struct option_row run_option_rows[];

/* 0; -1 when help was shown; else the exit status after telling what is wrong. */
int run_options_parse(const struct command *self, int argc, char **argv, struct run_options *ret);
void run_options_free(struct run_options *o);
