// SPDX-License-Identifier: MIT
/*
 * See report-boundary.h. Numbers are exact: a boundary may be off by one page of a terabyte.
 */
#include "report-boundary.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "report-text.h"
#include "table.h"

const json_t *boundary_of_case(const json_t *scenario, const char *name, const json_t *last)
{
	const json_t *boundary = NULL;
	bool after = !last;
	size_t i;
	json_array_foreach (json_object_get(scenario, "boundaries"), i, boundary) {
		if (after && !strcmp(text_of(boundary, "case"), name))
			return boundary;
		after |= boundary == last;
	}
	return NULL;
}

const char *boundary_verdict(const json_t *scenario, const char *name)
{
	static const char *const rising[] = {"pass", "skip", "broken", "fail"};
	const char *worst = "";
	for (size_t v = 0; v < ARRAY_SIZE(rising); v++)
		for (const json_t *b = boundary_of_case(scenario, name, NULL); b;
		     b = boundary_of_case(scenario, name, b))
			if (!strcmp(text_of(b, "verdict"), rising[v]))
				worst = rising[v];
	return worst;
}

static bool is_located(const json_t *boundary)
{
	return json_is_integer(json_object_get(boundary, "last_granted"));
}

char *text_boundary(const json_t *boundary, char *buf, size_t size)
{
	json_int_t tolerance = text_integer(boundary, "tolerance", 0), probes = text_integer(boundary, "probes", 0);
	buf[0] = '\0';
	if (!is_located(boundary)) {
		text_add(buf, size, "%s", text_of(boundary, "reason"));
		return buf;
	}
	text_add(buf, size,
		 "predicted %" JSON_INTEGER_FORMAT ", last granted %" JSON_INTEGER_FORMAT
		 ", first refused %" JSON_INTEGER_FORMAT ", difference %+" JSON_INTEGER_FORMAT,
		 text_integer(boundary, "predicted", 0), text_integer(boundary, "last_granted", 0),
		 text_integer(boundary, "first_refused", 0), text_integer(boundary, "difference", 0));
	if (tolerance)
		text_add(buf, size, " of at most %" JSON_INTEGER_FORMAT, tolerance);
	if (probes)
		text_add(buf, size, " (%" JSON_INTEGER_FORMAT " probes)", probes);
	return buf;
}

char *text_boundary_cell(const json_t *boundary, char *buf, size_t size)
{
	const char *verdict = text_of(boundary, "verdict");
	buf[0] = '\0';
	if (!boundary)
		text_add(buf, size, "-");
	else if (is_located(boundary))
		text_add(buf, size,
			 "%s%" JSON_INTEGER_FORMAT " (predicted %" JSON_INTEGER_FORMAT ", %+" JSON_INTEGER_FORMAT ")",
			 !strcmp(verdict, "fail") ? "FAIL " : "", text_integer(boundary, "last_granted", 0),
			 text_integer(boundary, "predicted", 0), text_integer(boundary, "difference", 0));
	else if (!strcmp(verdict, "pass"))
		text_add(buf, size, "within %" JSON_INTEGER_FORMAT, text_integer(boundary, "tolerance", 0));
	else
		text_add(buf, size, "%s",
			 !strcmp(verdict, "fail")     ? "FAIL"
			 : !strcmp(verdict, "broken") ? "BROKEN"
						      : verdict);
	return buf;
}

bool boundaries_any(const json_t *scenarios)
{
	const json_t *scenario = NULL;
	size_t i;
	json_array_foreach (scenarios, i, scenario)
		if (json_array_size(json_object_get(scenario, "boundaries")))
			return true;
	return false;
}

/* A number of it as text, "-" where it has none. */
static char *number(const json_t *boundary, const char *key, bool sign, char *buf, size_t size)
{
	const json_t *value = json_object_get(boundary, key);
	if (json_is_integer(value))
		(void)snprintf(buf, size, sign ? "%+" JSON_INTEGER_FORMAT : "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
	else
		(void)snprintf(buf, size, "-");
	return buf;
}

static int add_row(struct libscols_table *table, const char *scenario, const json_t *boundary, bool ascii)
{
	static const char *const keys[] = {"predicted",  "last_granted", "first_refused",
					   "difference", "tolerance",    "probes"};
	char name[TEXT_MAX] = "", clean[TEXT_MAX], text[ARRAY_SIZE(keys)][32];
	const char *verdict = text_of(boundary, "verdict"), *word = !strcmp(verdict, "fail")     ? "FAIL"
								    : !strcmp(verdict, "broken") ? "BROKEN"
												 : verdict;
	text_add(name, sizeof(name), "%s: %s", scenario, text_of(boundary, "name"));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		(void)number(boundary, keys[i], i == 3, text[i], sizeof(text[i]));
	const char *const cells[] = {
		word,   text_clean(name, ascii, clean, sizeof(clean)), text[0], text[1], text[2], text[3], text[4],
		text[5]};
	return table_add(table, cells);
}

/* Why those that have a tolerance have one; each reason once. */
static void put_reasons(const json_t *scenarios, bool ascii, FILE *out)
{
	json_auto_t *seen = json_object();
	const json_t *scenario = NULL, *boundary = NULL;
	char clean[2 * TEXT_MAX];
	size_t i, k;
	json_array_foreach (scenarios, i, scenario)
		json_array_foreach (json_object_get(scenario, "boundaries"), k, boundary) {
			const char *why = text_of(boundary, "why");
			if (!*why || json_object_get(seen, why))
				continue;
			(void)json_object_set_new(seen, why, json_true());
			(void)fprintf(out, "tolerance of %s: ",
				      text_clean(text_of(scenario, "name"), ascii, clean, sizeof(clean)));
			(void)fprintf(out, "%s\n", text_clean(why, ascii, clean, sizeof(clean)));
		}
}

int report_boundaries(const json_t *result, size_t width, bool ascii, FILE *out)
{
	static const char *const columns[] = {
		"",          "~BOUNDARY", "PREDICTED", "LAST GRANTED", "FIRST REFUSED", "DIFFERENCE",
		"TOLERANCE", "PROBES",    NULL};
	const json_t *scenario = NULL, *boundary = NULL;
	size_t i, k;
	if (!boundaries_any(json_object_get(result, "scenarios")))
		return 0;
	struct libscols_table *table = table_new(columns);
	if (!table)
		return -ENOMEM;
	int r = 0;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		json_array_foreach (json_object_get(scenario, "boundaries"), k, boundary)
			r |= add_row(table, text_of(scenario, "name"), boundary, ascii);
	(void)fputc('\n', out);
	int printed = table_print_to(table, width, out);
	if (r == 0 && printed >= 0)
		put_reasons(json_object_get(result, "scenarios"), ascii, out);
	return r < 0 || printed < 0 ? -ENOMEM : 0;
}

static json_t *row_of(json_t *rows, const char *name)
{
	json_t *row;
	size_t i;
	json_array_foreach (rows, i, row)
		if (!strcmp(text_of(row, "name"), name))
			return row;
	row = json_pack("{s:s, s:[]}", "name", name, "cells");
	(void)json_array_append_new(rows, row);
	return row;
}

/* A row has a cell of every result up to this one. */
static void put_cell(json_t *row, size_t result, const char *text)
{
	json_t *cells = json_object_get(row, "cells");
	while (json_array_size(cells) < result)
		(void)json_array_append_new(cells, json_string("-"));
	(void)json_array_append_new(cells, json_string(text));
}

json_t *boundary_rows(const json_t *results)
{
	json_t *rows = json_array(), *row;
	const json_t *result = NULL, *scenario = NULL, *boundary = NULL;
	char name[2 * TEXT_MAX], text[TEXT_MAX];
	size_t i, k, n, count = json_array_size(results);
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario)
			json_array_foreach (json_object_get(scenario, "boundaries"), n, boundary) {
				(void)snprintf(name, sizeof(name), "%s: %s", text_of(scenario, "name"),
					       text_of(boundary, "name"));
				put_cell(row_of(rows, name), i, text_boundary_cell(boundary, text, sizeof(text)));
			}
	json_array_foreach (rows, i, row)
		while (json_array_size(json_object_get(row, "cells")) < count)
			put_cell(row, count - 1, "-");
	return rows;
}
