// SPDX-License-Identifier: MIT
/*
 * The rows and cells of the table of scenarios by kernels.
 */
#include <errno.h>
#include <string.h>

#include "report-boundary.h"
#include "report-formats.h"
#include "report-matrix.h"
#include "report-text.h"

static bool in_row(const json_t *run, const json_t *row)
{
	return !strcmp(text_of(run, "case"), text_of(row, "case"));
}

static bool passed(const json_t *of)
{
	return !strcmp(text_of(of, "verdict"), "pass");
}

json_t *matrix_scenario(const json_t *result, const json_t *row)
{
	json_t *scenario;
	size_t i;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		if (!strcmp(text_of(scenario, "name"), text_of(row, "scenario")))
			return scenario;
	return NULL;
}

json_t *matrix_trigger(const json_t *scenario, const json_t *row)
{
	json_t *run, *first = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		if (!in_row(run, row) || strcmp(text_of(run, "role"), "trigger") != 0 ||
		    json_is_true(json_object_get(run, "described")))
			continue;
		if (!passed(run))
			return run;
		first = first ? first : run;
	}
	return first;
}

/* The worst of a case's runs, and "skip" while one of the three proofs is missing. */
static const char *case_verdict(const json_t *scenario, const json_t *row)
{
	bool control = false, trigger = false, remedy = false, failed = false, broken = false, any = false;
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *verdict = text_of(run, "verdict"), *role = text_of(run, "role");
		if (!in_row(run, row))
			continue;
		any = true;
		failed |= !strcmp(verdict, "fail");
		broken |= !strcmp(verdict, "broken");
		control |= passed(run) && !strcmp(role, "control");
		trigger |= passed(run) && !strcmp(role, "trigger");
		remedy |= passed(run) && !strcmp(role, "remedy") && !json_is_false(json_object_get(run, "helps"));
	}
	const char *boundary = boundary_verdict(scenario, text_of(row, "case"));
	failed |= !strcmp(boundary, "fail");
	broken |= !strcmp(boundary, "broken");
	if (failed || broken)
		return failed ? "fail" : "broken";
	return !any ? "" : control && trigger && remedy ? "pass" : "skip";
}

const char *matrix_verdict(const json_t *scenario, const json_t *row)
{
	const char *name = text_of(row, "case"), *of_case = case_verdict(scenario, row);
	bool whole = !strcmp(name, MATRIX_WHOLE) || !json_array_size(json_object_get(scenario, "runs"));
	if (!scenario)
		return "";
	return whole || (!*name && *of_case) ? text_of(scenario, "verdict") : of_case;
}

/* "ENOMEM", "SIGKILL", "panic": what the failure looks like, without the call. */
static void short_outcome(const json_t *run, char *buf, size_t size)
{
	const json_t *outcome = json_object_get(run, "outcome"), *name = json_object_get(outcome, "errno");
	const char *kind = text_of(outcome, "kind");
	buf[0] = '\0';
	if (!strcmp(kind, "errno"))
		(void)text_value(name, buf, size);
	else if (!strcmp(kind, "signal"))
		text_add(buf, size, "%s", text_of(outcome, "signal"));
	else if (outcome)
		(void)text_outcome(run, buf, size);
}

static json_t *cell(const json_t *result, const json_t *row)
{
	const json_t *scenario = matrix_scenario(result, row);
	const char *verdict = matrix_verdict(scenario, row);
	char outcome[TEXT_MAX] = "";
	if (strcmp(verdict, "skip") != 0 && scenario)
		short_outcome(matrix_trigger(scenario, row), outcome, sizeof(outcome));
	return json_sprintf("%s%s%s",
			    !*verdict                    ? "-"
			    : !strcmp(verdict, "fail")   ? "FAIL"
			    : !strcmp(verdict, "broken") ? "BROKEN"
							 : verdict,
			    *outcome ? " " : "", outcome);
}

/* One more row of a scenario, unless it is there. */
static int add_row(json_t *rows, const char *scenario, const char *name)
{
	const json_t *row = NULL;
	const char *separator = !*name ? "" : !strcmp(name, MATRIX_WHOLE) ? ": " : "/"; /* the latter can be typed */
	size_t i;
	json_array_foreach (rows, i, row)
		if (!strcmp(text_of(row, "scenario"), scenario) && !strcmp(text_of(row, "case"), name))
			return 0;
	return json_array_append_new(rows,
				     json_pack("{s:s, s:s, s:o, s:[]}", "scenario", scenario, "case", name, "name",
					       json_sprintf("%s%s%s", scenario, separator, name), "cells"));
}

/* Every case that any of the results has of this scenario; one row without a case where it ran nowhere. */
static int add_scenario(json_t *rows, const json_t *results, const char *name)
{
	json_auto_t *key = json_pack("{s:s}", "scenario", name);
	const json_t *result = NULL, *run = NULL;
	bool alone = false, any = false;
	size_t i, k;
	json_array_foreach (results, i, result) {
		const json_t *scenario = matrix_scenario(result, key), *runs = json_object_get(scenario, "runs");
		json_array_foreach (runs, k, run)
			if (add_row(rows, name, text_of(run, "case")) < 0)
				return -ENOMEM;
		any |= json_array_size(runs) > 0;
		alone |= json_array_size(runs) > 0 && *text_of(json_array_get(runs, 0), "case") &&
			 report_verdict_is_alone(scenario);
	}
	if (!any)
		return add_row(rows, name, "");
	return alone ? add_row(rows, name, MATRIX_WHOLE) : 0;
}

json_t *matrix_rows(const json_t *results, const json_t *labels)
{
	json_auto_t *rows = json_array(), *seen = json_object();
	const json_t *result = NULL, *scenario = NULL;
	json_t *row;
	size_t i, k;
	json_array_foreach (results, i, result) {
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			const char *name = text_of(scenario, "name");
			if (json_object_get(seen, name))
				continue;
			if (json_object_set_new(seen, name, json_true()) < 0 || add_scenario(rows, results, name) < 0)
				return NULL;
		}
	}
	json_array_foreach (rows, i, row) {
		json_array_foreach (results, k, result)
			if (json_array_append_new(json_object_get(row, "cells"), cell(result, row)) < 0)
				return NULL;
		if (matrix_explain(results, labels, row) < 0)
			return NULL;
	}
	return json_incref(rows);
}

bool matrix_repeats(const json_t *rows, size_t i, const char *key)
{
	const json_t *row = json_array_get(rows, i), *before = i ? json_array_get(rows, i - 1) : NULL;
	const json_t *notes = json_object_get(row, "notes"), *sentences = json_object_get(row, key);
	return before && json_array_size(sentences) && !strcmp(text_of(row, "scenario"), text_of(before, "scenario")) &&
	       json_equal(sentences, json_object_get(before, key)) &&
	       json_equal(notes, json_object_get(before, "notes"));
}
