// SPDX-License-Identifier: MIT
/*
 * The list of scenarios. See list.h.
 */
#include "list.h"

#include <jansson.h>
#include <string.h>

#include "cleanup.h"
#include "guest-kernel.h"
#include "machine.h"
#include "manifest-internal.h"
#include "report-text.h"
#include "table.h"

const char *const list_format_names[LIST_FORMATS] = {"pretty", "json", "markdown"};

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

static int collect(const struct selection *selection, bool allow_machine, json_t *all)
{
	static struct machine machine;
	int r = machine_probe(allow_machine, &machine);
	for (size_t i = 0; r == 0 && i < selection->count; i++) {
		struct plan *plan = NULL;
		r = plan_make(selection->item[i], &machine, stderr, &plan);
		if (r == 0 && json_array_append_new(all, as_json(plan)) < 0)
			r = -ENOMEM;
		plan_free(plan);
	}
	return r;
}

/* "all 12", "3 of 12" */
static char *runs_here(const json_t *scenario, char *buf, size_t size)
{
	long long runs = text_integer(scenario, "runs", 0), here = text_integer(scenario, "runs_here", 0);
	(void)snprintf(buf, size, here == runs ? "all %lld" : "%lld of %lld", here, runs);
	return buf;
}

/* The scenarios of one class; its name stands above them, once. */
static int add_class(struct libscols_table *table, const json_t *all, const char *class_name)
{
	const json_t *scenario = NULL;
	bool any = false;
	size_t i;
	json_array_foreach (all, i, scenario) {
		char name[80], here[64];
		if (strcmp(text_of(scenario, "class"), class_name) != 0)
			continue;
		if (!any && table_add(table, (const char *const[]){class_name, NULL, NULL, NULL}) < 0)
			return -ENOMEM;
		any = true;
		(void)snprintf(name, sizeof(name), "  %s", text_of(scenario, "name"));
		if (table_add(table, (const char *const[]){name, text_of(scenario, "scope"),
							   runs_here(scenario, here, sizeof(here)),
							   text_of(scenario, "title")}) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Why runs cannot happen here goes below the table, whole sentences wrap badly in a column. */
static void print_reasons(const json_t *all)
{
	const json_t *scenario = NULL;
	struct guest_kernel kernel;
	bool any = false;
	size_t i;
	json_array_foreach (all, i, scenario) {
		const char *why = text_of(scenario, "why_not");
		if (!*why)
			continue;
		if (!any)
			printf("\nNot here\n");
		any = true;
		auto_free char *line = NULL;
		if (asprintf(&line, "  %s, %lld runs: %s\n", text_of(scenario, "name"),
			     (long long)(text_integer(scenario, "runs", 0) - text_integer(scenario, "runs_here", 0)),
			     why) < 0)
			continue;
		text_print_rows(line);
	}
	if (any && guest_kernel_default(&kernel) == 0)
		printf("\nWhat cannot run here runs in a guest with kernel %s by itself.\n", kernel.name);
}

static int print_pretty(const json_t *all)
{
	static const char *const columns[] = {"SCENARIO", "SCOPE", "RUNS HERE", "TITLE", NULL};
	struct libscols_table *table = table_new(columns);
	const char *class_name;
	int r = table ? 0 : -ENOMEM;
	for (unsigned i = 0; r == 0 && (class_name = words_class.at(i)); i++)
		r = add_class(table, all, class_name);
	if (r < 0) {
		scols_unref_table(table);
		return r;
	}
	r = table_print(table);
	if (r == 0)
		print_reasons(all);
	return r;
}

static int print_markdown(const json_t *all)
{
	const char *class_name;
	puts("| class | scenario | scope | runs here | title |\n|---|---|---|---|---|");
	for (unsigned c = 0; (class_name = words_class.at(c)); c++) {
		const json_t *scenario = NULL;
		bool any = false;
		size_t i;
		json_array_foreach (all, i, scenario) {
			char here[64];
			if (strcmp(text_of(scenario, "class"), class_name) != 0)
				continue;
			printf("| %s | %s | %s | %s | ", any ? "" : class_name, text_of(scenario, "name"),
			       text_of(scenario, "scope"), runs_here(scenario, here, sizeof(here)));
			text_put_markdown(stdout, text_of(scenario, "title"));
			puts(" |");
			any = true;
		}
	}
	return 0;
}

int list_scenarios(const struct selection *selection, bool allow_machine, enum list_format format)
{
	json_auto_t *all = json_array();
	int r = all ? collect(selection, allow_machine, all) : -ENOMEM;
	if (r < 0)
		return r;
	if (format == LIST_JSON)
		return json_dumpf(all, stdout, JSON_INDENT(1)) < 0 || puts("") < 0 ? -EIO : 0;
	return format == LIST_MARKDOWN ? print_markdown(all) : print_pretty(all);
}
