// SPDX-License-Identifier: MIT
/*
 * Options from one table per command: the same rows feed getopt_long(3) and --help. Abbreviated long options are
 * refused, they would freeze every prefix for ever.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct option_row {
	const char *name;
	int letter;           /* what options_next() returns: the short option, or a number above 255 for none */
	const char *argument; /* NULL: takes none */
	const char *help;
};

struct command {
	const char *name, *arguments, *blurb;
	const char *examples;             /* lines of --help, shown first; NULL for none */
	const struct option_row *options; /* ended by a row without name */
	const char *const *formats;       /* what --format may be, where there is such an option */
	unsigned format_count;
	int (*run)(const struct command *self, int argc, char **argv);
	bool hidden;
	bool takes_command; /* the first operand begins somebody else's command line; the standard streams are its own
			     */
};

/* -1 at the end of the options, '?' after a mistake that was told to the user, else the letter; *ret_argument as in
 * optarg. */
int options_next(const struct command *command, int argc, char **argv, const char **ret_argument);
/* Of --format, whose words are the command's: 0 and which one; EXIT_USAGE after telling */
int options_format(const struct command *command, const char *value, unsigned *ret);
/* Of --color: 0, EXIT_USAGE after telling */
int options_colour(const struct command *command, const char *value);
/* After a time was refused: a number alone wants a unit. Said only where it would be taken then, from least to most. */
void options_hint_time(const char *option, const char *value, uint64_t least_ns, uint64_t most_ns);
/* -o and a file that is read: EXIT_USAGE after telling when the one would replace the other, which may be all there is
 * of it. What to type instead says the caller. 0 */
int options_apart(const char *output, const char *read);
/* Index of the first operand, after options_next() returned -1. */
int options_operands(void);
void options_help(const struct command *command);
/* What `write` writes of its subject, to standard output: folded to the terminal. */
void options_print(void (*write)(FILE *out, const void *subject), const void *subject);
/* Of that, the options alone. */
void options_help_rows(const struct command *command, FILE *out);

/*
 * /dev/null in place of standard streams that are closed: what is opened next must not take their numbers. Once, at the
 * very start; which they were (1 << fd) is told again later.
 */
unsigned options_open_streams(void);
unsigned options_closed_streams(void);

/* What --color=WHEN means for standard output: always, never, or auto, which asks NO_COLOR, CLICOLOR_FORCE and the
 * terminal, in this order. */
bool options_want_colour(const char *when);

extern const struct command cmd_list, cmd_run, cmd_doctor, cmd_recover, cmd_compare, cmd_stage, cmd_triage, cmd_claims,
	cmd_why, cmd_inject, cmd_sweep, cmd_hold, cmd_grade, cmd_capture, cmd_explain, cmd_teach, cmd_report;
