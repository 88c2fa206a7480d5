// SPDX-License-Identifier: MIT
/*
 * Whose boxes a scenario's section has: those of one result, where all results name the same causes; else those of one
 * result of each set of causes.
 */
#include <stdint.h>
#include <string.h>

#include "html.h"
#include "report-html.h"
#include "report-matrix.h"
#include "report-text.h"

/* The causes of its triggers, by case: {"case": {"cause": true}}; empty where nothing was refused. */
static json_t *causes_of(const json_t *scenario)
{
	json_t *causes = json_object();
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *id = text_of2(run, "cause", "id"), *of_case = text_of(run, "case");
		if (!*id || strcmp(text_of(run, "role"), "trigger") != 0)
			continue;
		if (!json_object_get(causes, of_case))
			(void)json_object_set_new(causes, of_case, json_object());
		(void)json_object_set_new(json_object_get(causes, of_case), id, json_true());
	}
	return causes;
}

/* Cases that only one of them has made do not tell them apart. */
static bool agree(const json_t *a, const json_t *b)
{
	const json_t *of_case = NULL;
	const char *name;
	json_object_foreach ((json_t *)(uintptr_t)a, name, of_case) {
		const json_t *other = json_object_get(b, name);
		if (other && !json_equal(of_case, other))
			return false;
	}
	return !json_object_size(a) == !json_object_size(b);
}

static bool passes(const json_t *scenario)
{
	return !strcmp(text_of(scenario, "verdict"), "pass");
}

/* Sets of results that agree: {"causes", "at": the one that is shown, "labels"}. The last that passed is shown, else
 * the last. */
static void add_result(json_t *sets, const json_t *scenario, size_t at, const struct report_page *p, const json_t *key)
{
	json_auto_t *causes = causes_of(scenario);
	json_t *set = NULL, *found = NULL;
	size_t i;
	json_array_foreach (sets, i, set)
		if (!found && agree(json_object_get(set, "causes"), causes))
			found = set;
	if (!found) {
		found = json_pack("{s:O, s:I, s:[]}", "causes", causes, "at", (json_int_t)at, "labels");
		(void)json_array_append_new(sets, found);
	}
	(void)json_object_update_missing(json_object_get(found, "causes"), causes);
	(void)json_array_append(json_object_get(found, "labels"), json_array_get(p->labels, at));
	size_t shown = (size_t)text_integer(found, "at", 0);
	if (passes(scenario) || !passes(matrix_scenario(json_array_get(p->results, shown), key)))
		(void)json_object_set_new(found, "at", json_integer((json_int_t)at));
}

static void put_whose(const struct report_page *p, const json_t *set)
{
	const json_t *label = NULL, *shown = json_array_get(p->labels, (size_t)text_integer(set, "at", 0));
	size_t i;
	(void)fputs("<p class=\"note\">", p->out);
	html_format(p->out, "Of %s", json_string_value(shown));
	bool any = false, refused = json_object_size(json_object_get(set, "causes")) > 0;
	json_array_foreach (json_object_get(set, "labels"), i, label) {
		if (label == shown || !refused)
			continue;
		html_format(p->out, "%s %s", any ? "," : " (the same causes:", json_string_value(label));
		any = true;
	}
	(void)fputs(any ? "):</p>" : ":</p>", p->out);
}

void html_boxes(const struct report_page *p, const json_t *key)
{
	json_auto_t *sets = json_array();
	const json_t *result = NULL, *set = NULL;
	size_t i, refused = 0;
	json_array_foreach (p->results, i, result)
		if (matrix_scenario(result, key))
			add_result(sets, matrix_scenario(result, key), i, p, key);
	json_array_foreach (sets, i, set)
		refused += json_object_size(json_object_get(set, "causes")) > 0;
	json_array_foreach (sets, i, set) {
		/* Where one was refused, one that was not explains nothing. */
		if (refused && !json_object_size(json_object_get(set, "causes")))
			continue;
		result = json_array_get(p->results, (size_t)text_integer(set, "at", 0));
		const json_t *scenario = matrix_scenario(result, key);
		if (p->several)
			put_whose(p, set);
		(void)fputs("<div class=\"boxes\">", p->out);
		html_why(p->out, scenario, 3);
		html_reproduce(p->out, result, scenario, 3);
		html_fix(p->out, result, scenario, 3);
		(void)fputs("</div>", p->out);
	}
}
