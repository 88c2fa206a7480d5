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

enum {
	OPT_ALLOW_MACHINE = 256,
	OPT_SCENARIOS,
	OPT_COLOR,
	OPT_EXIT,
	OPT_NO_SKIP,
	OPT_TRIAGE,
	OPT_BASELINE,
	OPT_GUEST,
	OPT_NO_GUEST,
	OPT_GUEST_MEMORY,
	OPT_GUEST_CPUS,
	OPT_GUEST_SWAP,
	OPT_GUEST_CGROUP,
	OPT_GUEST_APPEND,
	OPT_GUEST_COLD,
	OPT_SYSCTL,
	OPT_PROFILE,
	OPT_LOCATE,
	OPT_DEADLINE,
	OPT_BRING,
	OPT_ROOT,
	OPT_FAILED,
};

struct run_options {
	const char *tree, *output;
	struct baseline baseline;
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
	uint64_t deadline_ns;      /* of a command; 0: not said */
	json_t *command;           /* as it was typed, for results; somebody else's, but for that of failed_options() */
	uint64_t said[8];          /* the letters of the options that were given, as bits */
	char failed_kernels[1024]; /* of --failed: where it failed */
	char profile[256]; /* what profiles, sysctls of guests and parameters are called in results; "" for none */
};

extern const struct option_row run_option_rows[];

/* 0; -1 when help was shown; else the exit status after telling what is wrong. */
int run_options_parse(const struct command *self, int argc, char **argv, struct run_options *ret);
void run_options_free(struct run_options *o);

/* One option, as it is parsed. 0 or an exit status after telling. */
int run_options_one(int letter, const char *value, struct run_options *o);
bool run_options_said(const struct run_options *o, int letter);
/* Everything happens in guests of these kernels; NULL: of the default one. */
void run_options_in_guest(struct run_options *o, const char *kernels);

/*
 * Each option of a recorded command, with its value (NULL: none), as getopt_long() saw them: "enomem run ...". Ends
 * with the first value of each() that is not 0, and returns that.
 */
typedef int run_options_each_fn(const struct option_row *row, const char *value, void *data);
int run_options_each(const json_t *command, run_options_each_fn *each, void *data);

/*
 * Add what is recorded of a place where something failed (failed-place.h) and was not said: parameters and settings of
 * its command, and how its guests were set up. Of settings (--sysctl, --profile, --parameter) those that were said
 * stand for all. What was taken is in a command of its own then. The place has to live as long. 0 or an exit status
 * after telling.
 */
int run_options_recorded(const json_t *place, struct run_options *o);
