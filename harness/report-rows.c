// SPDX-License-Identifier: MIT
/*
 * See report-rows.h.
 */
#include "report-rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "report-boundary.h"

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

static void set(struct report_row *row, enum report_column column, bool ascii, const char *text)
{
	(void)text_clean(text, ascii, row->cell[column], sizeof(row->cell[column]));
}

/* in_guest: the whole result is a guest's, and its rows need not say so. */
static void fill(const json_t *scenario, const char *name, bool in_guest, bool ascii, struct report_row *row)
{
	const json_t *runs = json_object_get(scenario, "runs"), *run = NULL, *trigger = row_trigger(runs, name);
	const char *verdict = row_verdict(scenario, name);
	bool fails = !strcmp(verdict, "fail"), broken = !strcmp(verdict, "broken");
	char text[TEXT_MAX] = "";
	json_int_t duration = 0;
	size_t i;
	json_array_foreach (runs, i, run)
		duration += in_case(run, name) ? text_integer(run, "duration_ns", 0) : 0;
	text_add(text, sizeof(text), "%s%s%s", text_of(scenario, "name"), *name ? "/" : "", name);
	if (!in_guest)
		add_guest(trigger, text, sizeof(text));
	set(row, SCENARIO, ascii, text);
	set(row, VERDICT, ascii, fails ? "FAIL" : broken ? "BROKEN" : verdict);
	row->colour = fails || broken ? "red" : !strcmp(verdict, "pass") ? "green" : "yellow";
	set(row, PREDICTED, ascii, text_predicted(trigger, text, sizeof(text)));
	(void)text_outcome(trigger, text, sizeof(text));
	set(row, OBSERVED, ascii, !strcmp(text_of(trigger, "verdict"), "skip") ? "skipped" : text);
	set(row, REFUSED_BY, ascii, *text_cause(trigger, text, sizeof(text)) ? text : "-");
	marks(runs, name, "control", text, sizeof(text));
	set(row, CONTROL, ascii, text);
	marks(runs, name, "remedy", text, sizeof(text));
	set(row, REMEDY, ascii, text);
	set(row, TIME, ascii, number_format_duration(text, sizeof(text), (uint64_t)duration));
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

int report_rows(const json_t *result, bool ascii, struct report_row **ret, size_t *ret_count)
{
	bool in_guest = json_is_true(json_object_get(json_object_get(result, "host"), "guest"));
	json_auto_t *found = collect_rows(json_object_get(result, "scenarios"));
	const json_t *row = NULL;
	size_t i, count = json_array_size(found);
	struct report_row *rows = found ? calloc(count + 1, sizeof(*rows)) : NULL;
	if (!rows)
		return -ENOMEM;
	json_array_foreach (found, i, row)
		fill(json_object_get(row, "scenario"), text_of(row, "case"), in_guest, ascii, &rows[i]);
	*ret = rows;
	*ret_count = count;
	return 0;
}
