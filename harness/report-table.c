// SPDX-License-Identifier: MIT
/*
 * The table of the pretty report: one row per case of a scenario that ran at all.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "report-boundary.h"
#include "report-formats.h"
#include "report-text.h"

enum column { VERDICT, SCENARIO, PREDICTED, OBSERVED, REFUSED_BY, CONTROL, REMEDY, TIME, COLUMNS };

static const struct {
	const char *name;
	unsigned share; /* percent of what the fixed columns leave; 0: as wide as its content */
} columns[COLUMNS] = {
	[VERDICT] = {"", 0},
	[SCENARIO] = {"SCENARIO", 28},
	[PREDICTED] = {"PREDICTED", 20},
	[OBSERVED] = {"OBSERVED", 20},
	[REFUSED_BY] = {"REFUSED BY", 32},
	[CONTROL] = {"CONTROL", 0},
	[REMEDY] = {"REMEDY", 0},
	[TIME] = {"TIME", 0},
};

/* Verdict, control, time and the blanks between all columns; remedies vary and are measured. */
#define FIXED_WIDTH 30
#define LEAST_WIDTH 10

static void untable(struct libscols_table **table)
{
	scols_unref_table(*table);
}

struct table {
	struct libscols_table *t;
	size_t width[COLUMNS];
	bool ascii;
	bool in_guest; /* the whole result is a guest's: rows need not say so */
};

static int set_cell(const struct table *table, struct libscols_line *line, enum column column, const char *text,
		    const char *colour)
{
	char clean[TEXT_MAX], wrapped[2 * TEXT_MAX];
	(void)text_clean(text, table->ascii, clean, sizeof(clean));
	if (columns[column].share)
		(void)text_wrap(clean, table->width[column], wrapped, sizeof(wrapped));
	else
		(void)snprintf(wrapped, sizeof(wrapped), "%s", clean);
	if (scols_line_set_data(line, column, wrapped) < 0)
		return -ENOMEM;
	return colour && scols_cell_set_color(scols_line_get_cell(line, column), colour) < 0 ? -ENOMEM : 0;
}

static bool in_case(const json_t *run, const char *name)
{
	return !strcmp(text_of(run, "case"), name);
}

static bool is_folklore(const json_t *run)
{
	return json_is_false(json_object_get(run, "helps"));
}

/* "ok", "2 ok", "ok, FAIL", "skip"; folklore remedies that did not help, as predicted, are counted apart. */
static void marks(const json_t *runs, const char *name, const char *role, char *buf, size_t size)
{
	static const char *const verdict[] = {"pass", "fail", "broken", "skip"}, *const word[] = {"ok", "FAIL",
												  "BROKEN", "skip"};
	unsigned count[ARRAY_SIZE(verdict)] = {0}, folklore = 0;
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (runs, i, run) {
		if (!in_case(run, name) || strcmp(text_of(run, "role"), role) != 0)
			continue;
		bool passed = !strcmp(text_of(run, "verdict"), "pass");
		for (size_t v = 0; v < ARRAY_SIZE(verdict); v++)
			count[v] += !strcmp(text_of(run, "verdict"), verdict[v]) && !(passed && is_folklore(run));
		folklore += passed && is_folklore(run);
	}
	buf[0] = '\0';
	for (size_t v = 0; v < ARRAY_SIZE(verdict); v++) {
		if (!count[v])
			continue;
		text_add(buf, size, "%s", *buf ? ", " : "");
		if (count[v] > 1)
			text_add(buf, size, "%u ", count[v]);
		text_add(buf, size, "%s", word[v]);
	}
	if (folklore)
		text_add(buf, size, "%s%u folklore", *buf ? ", " : "", folklore);
	if (!*buf)
		text_add(buf, size, "-");
}

/* The trigger a row tells about: the first that did not pass, else the first. */
static const json_t *row_trigger(const json_t *runs, const char *name)
{
	const json_t *run = NULL, *first = NULL;
	size_t i;
	json_array_foreach (runs, i, run) {
		if (!in_case(run, name) || strcmp(text_of(run, "role"), "trigger") != 0 ||
		    json_is_true(json_object_get(run, "described")))
			continue;
		if (strcmp(text_of(run, "verdict"), "pass") != 0)
			return run;
		first = first ? first : run;
	}
	return first;
}

/* A control, a trigger and a remedy that helps: without each of them a case proves nothing. */
static bool is_proven(const json_t *runs, const char *name)
{
	static const char *const role[] = {"control", "trigger", "remedy"};
	for (size_t r = 0; r < ARRAY_SIZE(role); r++) {
		const json_t *run = NULL;
		bool passed = false;
		size_t i;
		json_array_foreach (runs, i, run)
			passed |= in_case(run, name) && !strcmp(text_of(run, "role"), role[r]) && !is_folklore(run) &&
				  !strcmp(text_of(run, "verdict"), "pass");
		if (!passed)
			return false;
	}
	return true;
}

/* The worst of a case, where a scenario has several; else the scenario's own. */
static const char *row_verdict(const json_t *scenario, const char *name)
{
	const json_t *run = NULL, *runs = json_object_get(scenario, "runs");
	const char *worst = *name ? "pass" : text_of(scenario, "verdict");
	size_t i;
	if (!*name)
		return worst;
	json_array_foreach (runs, i, run) {
		const char *verdict = text_of(run, "verdict");
		if (!in_case(run, name))
			continue;
		if (!strcmp(verdict, "fail") || (!strcmp(verdict, "broken") && strcmp(worst, "fail") != 0))
			worst = verdict;
	}
	const char *boundary = boundary_verdict(scenario, name);
	if (!strcmp(boundary, "fail") || (!strcmp(boundary, "broken") && strcmp(worst, "fail") != 0))
		worst = boundary;
	return !strcmp(worst, "pass") && !is_proven(runs, name) ? "skip" : worst;
}

/* " (guest 6.1)" for a row that was not made on this machine. */
static void add_guest(const json_t *trigger, char *buf, size_t size)
{
	const char *kernel = text_of2(trigger, "guest", "kernel");
	unsigned major = 0, minor = 0;
	if (sscanf(kernel, "%u.%u", &major, &minor) == 2)
		text_add(buf, size, " (guest %u.%u)", major, minor);
}

static int add_row(const struct table *table, const json_t *scenario, const char *name)
{
	const json_t *runs = json_object_get(scenario, "runs"), *run = NULL, *trigger = row_trigger(runs, name);
	const char *verdict = row_verdict(scenario, name);
	bool wrong = !strcmp(verdict, "fail") || !strcmp(verdict, "broken");
	char text[TEXT_MAX] = "";
	json_int_t duration = 0;
	size_t i;
	struct libscols_line *line = scols_table_new_line(table->t, NULL);
	if (!line)
		return -ENOMEM;
	json_array_foreach (runs, i, run)
		duration += in_case(run, name) ? text_integer(run, "duration_ns", 0) : 0;
	text_add(text, sizeof(text), "%s%s%s", text_of(scenario, "name"), *name ? "/" : "", name);
	if (!table->in_guest)
		add_guest(trigger, text, sizeof(text));
	int r = set_cell(table, line, SCENARIO, text, NULL);
	r |= set_cell(table, line, VERDICT, wrong ? (!strcmp(verdict, "fail") ? "FAIL" : "BROKEN") : verdict,
		      wrong                      ? "red"
		      : !strcmp(verdict, "pass") ? "green"
						 : "yellow");
	r |= set_cell(table, line, PREDICTED, text_predicted(trigger, text, sizeof(text)), NULL);
	(void)text_outcome(trigger, text, sizeof(text));
	r |= set_cell(table, line, OBSERVED, !strcmp(text_of(trigger, "verdict"), "skip") ? "skipped" : text, NULL);
	r |= set_cell(table, line, REFUSED_BY, *text_cause(trigger, text, sizeof(text)) ? text : "-", NULL);
	marks(runs, name, "control", text, sizeof(text));
	r |= set_cell(table, line, CONTROL, text, NULL);
	marks(runs, name, "remedy", text, sizeof(text));
	r |= set_cell(table, line, REMEDY, text, NULL);
	return r | set_cell(table, line, TIME, number_format_duration(text, sizeof(text), (uint64_t)duration), NULL);
}

/* Did anything of it happen? What did not is in the list of what was skipped. */
static bool ran(const json_t *scenario)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (strcmp(text_of(run, "verdict"), "skip") != 0)
			return true;
	return false;
}

/* The rows: each case of each scenario that ran, as {"scenario": ..., "case": name}. NULL without memory. */
static json_t *collect_rows(const json_t *scenarios)
{
	json_t *rows = json_array(), *scenario;
	const json_t *run = NULL;
	size_t i, k;
	json_array_foreach (scenarios, i, scenario) {
		json_auto_t *seen = json_object();
		if (!ran(scenario))
			continue;
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			const char *name = text_of(run, "case");
			if (json_object_get(seen, name))
				continue;
			if (json_object_set_new(seen, name, json_true()) < 0 ||
			    json_array_append_new(rows, json_pack("{s:O, s:s}", "scenario", scenario, "case", name)) <
				    0) {
				json_decref(rows);
				return NULL;
			}
		}
	}
	return rows;
}

static size_t remedy_width(const json_t *rows)
{
	const json_t *row = NULL;
	char text[TEXT_MAX];
	size_t i, widest = strlen(columns[REMEDY].name);
	json_array_foreach (rows, i, row) {
		marks(json_object_get(json_object_get(row, "scenario"), "runs"), text_of(row, "case"), "remedy", text,
		      sizeof(text));
		widest = strlen(text) > widest ? strlen(text) : widest;
	}
	return widest;
}

static int make_columns(struct table *table, size_t width, size_t remedy)
{
	size_t shared = width > FIXED_WIDTH + remedy ? width - FIXED_WIDTH - remedy : 0;
	for (unsigned c = 0; c < COLUMNS; c++) {
		int flags = columns[c].share ? SCOLS_FL_WRAP : c == TIME ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *column = scols_table_new_column(table->t, columns[c].name, 1, flags);
		if (!column)
			return -ENOMEM;
		size_t share = shared * columns[c].share / 100;
		table->width[c] = share > LEAST_WIDTH ? share : LEAST_WIDTH;
		if (columns[c].share &&
		    (scols_column_set_safechars(column, "\n") < 0 ||
		     scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) < 0))
			return -ENOMEM;
	}
	return 0;
}

int report_table(const json_t *result, const struct report_options *options, bool ascii, FILE *out)
{
	__attribute__((cleanup(untable))) struct libscols_table *t = scols_new_table();
	bool in_guest = json_is_true(json_object_get(json_object_get(result, "host"), "guest"));
	struct table table = {.t = t, .ascii = ascii, .in_guest = in_guest};
	unsigned width = options->width ? options->width : 120;
	json_auto_t *rows = collect_rows(json_object_get(result, "scenarios"));
	const json_t *row = NULL;
	size_t i;
	if (!t || !rows || make_columns(&table, width, remedy_width(rows)) < 0)
		return -ENOMEM;
	/* smartcols ignores COLUMNS when it does not write to a terminal. */
	scols_table_set_stream(t, out);
	scols_table_set_termforce(t, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t, width);
	scols_table_enable_colors(t, options->colour);
	json_array_foreach (rows, i, row)
		if (add_row(&table, json_object_get(row, "scenario"), text_of(row, "case")) < 0)
			return -ENOMEM;
	if (scols_table_is_empty(t))
		return 0;
	return scols_print_table(t) < 0 ? -ENOMEM : 0;
}
