// SPDX-License-Identifier: MIT
/*
 * The rows of the errno table. See errno-table.h.
 */
#include "errno-table.h"

#include <errno.h>
#include <string.h>

#include "cause.h"
#include "report-text.h"
#include "report.h"
#include "reported.h"

/* An object that can be NULL: json_object_set_new() takes that for an error. */
static int set(json_t *to, const char *key, json_t *value)
{
	return value ? json_object_set_new(to, key, value) : 0;
}

/* The call that was refused: the outcome's, or that of the moment at which the program was held and later died of it.
 */
static const json_t *refusal_of(const json_t *run)
{
	const json_t *outcome = json_object_get(run, "outcome"), *moment = json_object_get(run, "failing_moment");
	if (!strcmp(text_of(outcome, "kind"), "errno"))
		return outcome;
	return !strcmp(text_of(moment, "at"), "call") ? moment : NULL;
}

/* How it ended where that is not the errno: "SIGKILL (OOM)", "SIGSEGV", "stall", "panic". */
static json_t *end_of(const json_t *run)
{
	const json_t *outcome = json_object_get(run, "outcome");
	const char *kind = text_of(outcome, "kind");
	if (!strcmp(kind, "errno"))
		return NULL;
	if (strcmp(kind, "signal") != 0)
		return json_string(kind);
	return json_sprintf("%s%s", text_of(outcome, "signal"),
			    json_is_true(json_object_get(outcome, "oom")) ? " (OOM)" : "");
}

/* What identifies a row. */
static json_t *key_of(const json_t *run)
{
	const json_t *refusal = refusal_of(run);
	const char *cause = text_of2(run, "cause", "id");
	char text[TEXT_MAX];
	json_t *key = json_pack("{s:s}", "cause", *cause ? cause : cause_infos[CAUSE_UNKNOWN].name);
	int r = key ? 0 : -ENOMEM;
	if (r == 0 && refusal) {
		r |= set(key, "call", json_string(text_of(refusal, "call")));
		r |= set(key, "errno", json_string(text_value(json_object_get(refusal, "errno"), text, sizeof(text))));
	}
	if (r == 0)
		r = set(key, "outcome", end_of(run)) | set(key, "reported", reported_by(run));
	if (r == 0)
		return key;
	json_decref(key);
	return NULL;
}

/* Append a text unless it is there. */
static int add_label(json_t *list, const char *label)
{
	const json_t *known = NULL;
	size_t i;
	json_array_foreach (list, i, known)
		if (!strcmp(json_string_value(known), label))
			return 0;
	return json_array_append_new(list, json_string(label));
}

static int add_seen(json_t *row, const char *scenario, const char *name, const char *label)
{
	json_t *seen = json_object_get(row, "seen"), *place;
	size_t i;
	if (add_label(json_object_get(row, "kernels"), label) < 0)
		return -ENOMEM;
	json_array_foreach (seen, i, place)
		if (!strcmp(text_of(place, "scenario"), scenario) && !strcmp(text_of(place, "case"), name))
			return add_label(json_object_get(place, "kernels"), label);
	place = json_pack("{s:s, s:[s]}", "scenario", scenario, "kernels", label);
	if (!place || (*name && json_object_set_new(place, "case", json_string(name)) < 0)) {
		json_decref(place);
		return -ENOMEM;
	}
	return json_array_append_new(seen, place);
}

/* The row of this key, made if there is none; borrowed. NULL without memory. */
static json_t *row_of(json_t *rows, json_t *key)
{
	static const char *const members[] = {"cause", "call", "errno", "outcome", "reported"};
	json_t *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		bool same = true;
		for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
			json_t *a = json_object_get(row, members[m]), *b = json_object_get(key, members[m]);
			same &= a && b ? json_equal(a, b) : a == b;
		}
		if (same)
			return row;
	}
	row = json_copy(key);
	if (!row || set(row, "kernels", json_array()) < 0 || set(row, "seen", json_array()) < 0 ||
	    json_array_append(rows, row) < 0) {
		json_decref(row);
		return NULL;
	}
	json_decref(row);
	return row;
}

static int add_run(json_t *rows, const json_t *scenario, const json_t *run, const char *label)
{
	json_auto_t *key = key_of(run);
	json_t *row = key ? row_of(rows, key) : NULL;
	return row ? add_seen(row, text_of(scenario, "name"), text_of(run, "case"), label) : -ENOMEM;
}

/* The triggers of one result. The number of those that are left out, or -ENOMEM. */
static int add_result(json_t *rows, const json_t *result, const char *label)
{
	const json_t *scenario = NULL, *run = NULL;
	int left_out = 0;
	size_t i, k;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario) {
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			const char *verdict = text_of(run, "verdict");
			if (strcmp(text_of(run, "role"), "trigger") != 0 || !strcmp(verdict, "skip"))
				continue;
			if (strcmp(verdict, "pass") != 0)
				left_out++;
			else if (add_run(rows, scenario, run, label) < 0)
				return -ENOMEM;
		}
	}
	return left_out;
}

/* By cause, in the order of lib/cause.h; of one cause as they were found. */
static json_t *sorted(const json_t *rows)
{
	json_t *list = json_array(), *row;
	for (int id = 0; list && id <= CAUSE_COUNT; id++) {
		size_t i;
		json_array_foreach (rows, i, row) {
			int cause = cause_by_name(text_of(row, "cause"));
			if ((cause < 0 ? CAUSE_COUNT : cause) == id && json_array_append(list, row) < 0) {
				json_decref(list);
				return NULL;
			}
		}
	}
	return list;
}

json_t *errno_table_make(const json_t *results)
{
	json_auto_t *labels = results_labels(results), *rows = json_array();
	int left_out = 0;
	if (!labels || !rows)
		return NULL;
	for (size_t i = 0; i < json_array_size(results); i++) {
		int n = add_result(rows, json_array_get(results, i), json_string_value(json_array_get(labels, i)));
		if (n < 0)
			return NULL;
		left_out += n;
	}
	json_t *in_order = sorted(rows);
	return in_order ? json_pack("{s:O, s:i, s:o}", "kernels", labels, "left_out", left_out, "rows", in_order)
			: NULL;
}
