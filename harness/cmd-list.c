// SPDX-License-Identifier: MIT
/*
 * enomem list: what there is, what can run here, and why not.
 */
#include <jansson.h>
#include <string.h>

#include "cleanup.h"
#include "guest-kernel.h"
#include "machine.h"
#include "options.h"
#include "say.h"
#include "select.h"
#include "table.h"

enum { OPT_ALLOW_MACHINE = 256, OPT_SCENARIOS };

static const struct option_row options[] = {
	{"format", 'f', "FMT", "pretty or json"},
	{"allow-machine", OPT_ALLOW_MACHINE, NULL, "as if `run --allow-machine` were meant"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

/* How many runs can happen here, and the first reason why others cannot. */
static size_t runnable(const struct plan *plan, const char **ret_why)
{
	size_t n = 0;
	*ret_why = plan->skip;
	for (size_t i = 0; !plan->skip && i < plan->run_count; i++) {
		n += plan->runs[i].skip == NULL;
		if (plan->runs[i].skip && !*ret_why)
			*ret_why = plan->runs[i].skip;
	}
	return n;
}

static json_t *as_json(const struct plan *plan)
{
	const struct scenario *s = plan->scenario;
	const char *why;
	size_t n = runnable(plan, &why);
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s*}", "name", s->name, "title", s->title, "class",
			 s->class_name, "scope", scope_names[s->scope], "runs", (json_int_t)plan->run_count,
			 "runs_here", (json_int_t)n, "why_not", why);
}

/* A row of the table; why runs cannot happen here goes below it, whole sentences wrap badly in a column. */
static int add_row(struct libscols_table *table, const struct plan *plan, FILE *reasons)
{
	const struct scenario *s = plan->scenario;
	char here[64];
	const char *why;
	size_t n = runnable(plan, &why);
	if (n == plan->run_count)
		(void)snprintf(here, sizeof(here), "all %zu", n);
	else
		(void)snprintf(here, sizeof(here), "%zu of %zu", n, plan->run_count);
	if (why)
		fprintf(reasons, "  %s, %zu runs: %s\n", s->name, plan->run_count - n, why);
	return table_add(table, (const char *const[]){s->name, s->class_name, scope_names[s->scope], s->title, here});
}

static int print_all(const json_t *all, struct libscols_table *table, const char *reasons)
{
	if (!table)
		return json_dumpf(all, stdout, JSON_INDENT(1)) < 0 || puts("") < 0 ? -EIO : 0;
	int r = table_print(table);
	struct guest_kernel kernel;
	if (r == 0 && reasons && reasons[0]) {
		printf("\nNot here\n%s", reasons);
		if (guest_kernel_default(&kernel) == 0)
			printf("\nWhat cannot run here runs in a guest with kernel %s by itself.\n", kernel.name);
	}
	return r;
}

static int list(const struct selection *selection, bool allow_machine, bool json)
{
	static const char *const columns[] = {"SCENARIO", "CLASS", "SCOPE", "TITLE", "RUNS HERE", NULL};
	static struct machine machine;
	struct libscols_table *table = json ? NULL : table_new(columns);
	json_auto_t *all = json_array();
	auto_free char *reasons = NULL;
	size_t size;
	auto_fclose FILE *stream = open_memstream(&reasons, &size);
	int r = stream ? machine_probe(allow_machine, &machine) : -ENOMEM;
	for (size_t i = 0; r == 0 && i < selection->count; i++) {
		struct plan *plan = NULL;
		r = plan_make(selection->item[i], &machine, stderr, &plan);
		if (r == 0 && json)
			r = json_array_append_new(all, as_json(plan));
		else if (r == 0)
			r = add_row(table, plan, stream);
		plan_free(plan);
	}
	if (r == 0 && fflush(stream) == 0)
		r = print_all(all, table, reasons);
	else if (table)
		scols_unref_table(table);
	return r == 0 ? EXIT_AS_PREDICTED : r == -EINVAL ? EXIT_USAGE : EXIT_BROKEN;
}

static int cmd_list_main(const struct command *self, int argc, char **argv)
{
	const char *value, *tree = NULL;
	bool allow_machine = false, json = false;
	struct selection selection;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		switch (letter) {
		case 'f':
			json = strcmp(value, "json") == 0;
			if (!json && strcmp(value, "pretty") != 0) {
				(void)say_error(0, "--format: %s is none of pretty, json", value);
				return EXIT_USAGE;
			}
			break;
		case OPT_ALLOW_MACHINE:
			allow_machine = true;
			break;
		case OPT_SCENARIOS:
			tree = value;
			break;
		case 'h':
			options_help(self);
			return say_finish(EXIT_AS_PREDICTED);
		default:
			return EXIT_USAGE;
		}
	}
	int first = options_operands();
	if (select_scenarios(tree, argv + first, (size_t)(argc - first), &selection) < 0)
		return EXIT_USAGE;
	int code = selection.count ? list(&selection, allow_machine, json) : EXIT_NOTHING_SELECTED;
	selection_free(&selection);
	return say_finish(code);
}

const struct command cmd_list = {
	.name = "list",
	.arguments = "[OPTION...] [SCENARIO|DIRECTORY...]",
	.blurb = "Show the scenarios, what of them can run on this machine, and why not.",
	.options = options,
	.run = cmd_list_main,
};
