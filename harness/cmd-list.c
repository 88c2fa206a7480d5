// SPDX-License-Identifier: MIT
/*
 * enomem list: what there is, what can run here, and why not; and what results say about who refuses with which errno.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "errno-table.h"
#include "list.h"
#include "options.h"
#include "report.h"
#include "say.h"
#include "select.h"
#include "triage-table.h"

enum { OPT_ALLOW_MACHINE = 256, OPT_SCENARIOS, OPT_ERRNO_TABLE, OPT_TRIAGE_TABLE };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty, json or markdown"},
	SELECT_OPTION_ROWS,
	{"allow-machine", OPT_ALLOW_MACHINE, NULL, "as if `run --allow-machine` were meant"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{"errno-table", OPT_ERRNO_TABLE, NULL,
	 "of stored results instead: which limit refuses which call with which errno, and what the program said"},
	{"triage-table", OPT_TRIAGE_TABLE, NULL,
	 "of stored results of `run --triage` instead: how often triage, and the guides' five points, were right"},
	{NULL, 0, NULL, NULL},
};

static const char *const table_names[] = {"", "errno-table", "triage-table"};

struct list_options {
	const char *tree;
	enum list_format format;
	bool allow_machine;
	enum table { TABLE_NONE, TABLE_ERRNO, TABLE_TRIAGE } table;
	struct select_filter filter;
};

/* 0; -1 when help was shown; else the exit status. */
static int parse(const struct command *self, int argc, char **argv, struct list_options *o)
{
	const char *value;
	int r = 0;
	for (int letter; r == 0 && (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'h') {
			options_help(self);
			return -1;
		}
		if (letter == 'f')
			r = options_format(self, value, &o->format);
		else if (letter == OPT_ALLOW_MACHINE)
			o->allow_machine = true;
		else if (letter == OPT_SCENARIOS)
			o->tree = value;
		else if (letter == OPT_ERRNO_TABLE)
			o->table = TABLE_ERRNO;
		else if (letter == OPT_TRIAGE_TABLE)
			o->table = TABLE_TRIAGE;
		else if ((r = select_option(letter, value, &o->filter)) < 0)
			r = EXIT_USAGE;
	}
	if (r == 0 && o->table && (o->tree || o->allow_machine || select_any(&o->filter))) {
		(void)say_error(0, "--%s is made of results: no other option than --format goes with it",
				table_names[o->table]);
		r = EXIT_USAGE;
	}
	return r;
}

static int scenarios(const struct list_options *o, char *const *names, size_t count)
{
	struct selection selection;
	int code = select_chosen(o->tree, names, count, &o->filter, &selection);
	if (code != 0)
		return code;
	int r = list_scenarios(&selection, o->allow_machine, o->format);
	selection_free(&selection);
	return r == 0 ? EXIT_AS_PREDICTED : r == -EINVAL ? EXIT_USAGE : EXIT_BROKEN;
}

/* 0 with the results of all files, else the exit status after telling. */
static int load(enum table kind, char *const *files, size_t count, json_t **ret)
{
	json_auto_t *results = json_array();
	bool bad = false;
	if (count == 0) {
		(void)say_error(0, "--%s: name a result file", table_names[kind]);
		say_hint("enomem run %s-o result.json; enomem list --%s result.json",
			 kind == TABLE_TRIAGE ? "--triage " : "", table_names[kind]);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < count; i++) {
		json_auto_t *some = NULL;
		bad |= results_load(files[i], stderr, &some) < 0 || json_array_extend(results, some) < 0;
	}
	if (bad)
		return EXIT_USAGE;
	*ret = json_incref(results);
	return 0;
}

static int table_of(const struct list_options *o, char *const *files, size_t count)
{
	json_auto_t *results = NULL;
	int code = load(o->table, files, count, &results);
	if (code != 0)
		return code;
	json_auto_t *table = o->table == TABLE_ERRNO ? errno_table_make(results) : triage_table_make(results);
	if (!table) {
		(void)say_error(-ENOMEM, "the table could not be made");
		return EXIT_BROKEN;
	}
	if (json_array_size(json_object_get(table, "rows")) == 0) {
		(void)say_error(0, "nothing selected: no trigger of these results %s",
				o->table == TABLE_ERRNO ? "went as predicted" : "was looked at (enomem run --triage)");
		return EXIT_NOTHING_SELECTED;
	}
	int r = o->table == TABLE_ERRNO ? errno_table_write(table, o->format, 0, stdout)
					: triage_table_write(table, o->format, 0, stdout);
	return r < 0 ? say_unwritten(r, "the table could not be written") : EXIT_AS_PREDICTED;
}

static int cmd_list_main(const struct command *self, int argc, char **argv)
{
	struct list_options o = {.format = LIST_PRETTY};
	int r = parse(self, argc, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	char *const *operands = argv + options_operands();
	size_t count = (size_t)(argc - options_operands());
	return say_finish(o.table ? table_of(&o, operands, count) : scenarios(&o, operands, count));
}

const struct command cmd_list = {
	.name = "list",
	.arguments = "[OPTION...] [SCENARIO[/CASE]|PATTERN|DIRECTORY...] | --errno-table [--format=FMT] RESULT...",
	.examples = "  enomem list                                 all of them, by class, and what can run here\n"
		    "  enomem list --errno=SIGKILL --scope=cgroup  who is killed for its group\n",
	.blurb = "Show the scenarios, what of them can run on this machine, and why not.",
	.options = options,
	.formats = list_format_names,
	.format_count = LIST_FORMATS,
	.run = cmd_list_main,
};
