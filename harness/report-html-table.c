// SPDX-License-Identifier: MIT
/*
 * The table at the top of the page, and the counts above it that filter it: cases of one result with numbers, or cases
 * by results.
 */
#include <inttypes.h>
#include <string.h>

#include "chart-scale.h"
#include "html.h"
#include "number.h"
#include "report-cause.h"
#include "report-html.h"
#include "report-matrix.h"
#include "report-text.h"

static const char *const verdicts[] = {"pass", "fail", "broken", "skip"};
#define VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

void html_verdict(FILE *out, const char *verdict)
{
	(void)fputs("<span class=\"verdict ", out);
	for (size_t i = 0; i < VERDICTS; i++)
		if (!strcmp(verdict, verdicts[i]))
			(void)fputs(verdicts[i], out);
	(void)fputs("\">", out);
	html_text(out, verdict);
	(void)fputs("</span>", out);
}

static bool differs(const json_t *row)
{
	return json_array_size(json_object_get(row, "differences")) > 0;
}

/* The verdicts of a row, each result's once. */
static bool row_has(const struct report_page *p, const json_t *row, const char *verdict)
{
	const json_t *result = NULL;
	size_t i;
	json_array_foreach (p->results, i, result)
		if (!strcmp(matrix_verdict(matrix_scenario(result, row), row), verdict))
			return true;
	return false;
}

static void put_chip(FILE *out, const char *word, size_t count, const char *what)
{
	(void)fprintf(out, "<li data-filter=\"%s\" class=\"chip %s\"><b>%zu</b> %s</li>", word, word, count, what);
}

static void put_chips(const struct report_page *p)
{
	const json_t *row = NULL;
	size_t i, count, different = 0;
	(void)fputs("<div id=\"filter\"><ul class=\"chips\" aria-label=\"Counts of the table's rows\">", p->out);
	put_chip(p->out, "all", json_array_size(p->rows), json_array_size(p->rows) == 1 ? "row" : "rows");
	for (size_t v = 0; v < VERDICTS; v++) {
		count = 0;
		json_array_foreach (p->rows, i, row)
			count += row_has(p, row, verdicts[v]);
		put_chip(p->out, verdicts[v], count, verdicts[v]);
	}
	json_array_foreach (p->rows, i, row)
		different += differs(row);
	if (p->several)
		put_chip(p->out, "differs", different, "differ");
	(void)fputs("</ul></div>\n", p->out);
}

static void begin_row(const struct report_page *p, const json_t *row)
{
	(void)fputs("<tr data-verdict=\"", p->out);
	for (size_t v = 0; v < VERDICTS; v++)
		if (row_has(p, row, verdicts[v]))
			(void)fprintf(p->out, "%s ", verdicts[v]);
	(void)fputs(differs(row) ? "differs\">" : "\">", p->out);
}

/* The case's name as a link to its scenario. */
static void put_name(const struct report_page *p, const json_t *row)
{
	(void)fprintf(p->out, "<th scope=\"row\"><a href=\"#%s\">", html_section(p, text_of(row, "scenario")));
	html_text(p->out, text_of(row, "name"));
	(void)fputs("</a></th>", p->out);
}

static const char *class_of(const struct report_page *p, const json_t *row)
{
	const json_t *result = NULL;
	size_t i;
	json_array_foreach (p->results, i, result)
		if (*text_of(matrix_scenario(result, row), "class"))
			return text_of(matrix_scenario(result, row), "class");
	return "";
}

/* A reference of a scenario that is not there has none: with none at all there is no such column. */
bool html_have_classes(const struct report_page *p)
{
	const json_t *row = NULL;
	size_t i;
	json_array_foreach (p->rows, i, row)
		if (*class_of(p, row))
			return true;
	return false;
}

static void put_class(const struct report_page *p, const json_t *row)
{
	if (!p->classes)
		return;
	(void)fputs("<td>", p->out);
	html_text(p->out, class_of(p, row));
	(void)fputs("</td>", p->out);
}

/* By how much what was wanted exceeds the bound. */
static void put_difference(FILE *out, const json_t *cause)
{
	const json_t *in_use = json_object_get(cause, "in_use"), *asked = json_object_get(cause, "asked");
	const json_t *bound = json_object_get(cause, "bound");
	const char *unit = text_of(cause, "unit");
	char text[64];
	__int128 by = (__int128)json_integer_value(in_use) + json_integer_value(asked) - json_integer_value(bound);
	if (!*unit || !json_is_integer(in_use) || !json_is_integer(asked) || !json_is_integer(bound))
		return;
	(void)fputs(by > 0 ? "+" : by < 0 ? "-" : "", out);
	html_text(out, chart_number(chart_unit_of(unit), (uint64_t)(by < 0 ? -by : by), text, sizeof(text)));
}

static void put_limit(FILE *out, const json_t *run)
{
	const bool made = json_object_get(run, "outcome") != NULL;
	json_auto_t *cause = made ? cause_or_predicted(run) : NULL;
	const json_t *bound = json_object_get(cause, "bound");
	const char *unit = text_of(cause, "unit");
	char text[64];
	if (cause && !json_is_object(json_object_get(run, "cause")))
		(void)fputs("<span class=\"aside\">predicted:</span> ", out);
	html_text(out, text_of(cause, "id"));
	if (!*unit || !json_is_integer(bound) || json_integer_value(bound) < 0)
		return;
	enum chart_unit kind = chart_unit_of(unit);
	(void)fputs(" <span class=\"aside\">", out);
	html_text(out, chart_number(kind, (uint64_t)json_integer_value(bound), text, sizeof(text)));
	if (kind == CHART_COUNT)
		html_format(out, " %s", unit);
	(void)fputs("</span>", out);
}

static uint64_t case_duration(const json_t *scenario, const json_t *row)
{
	const json_t *run = NULL;
	uint64_t sum = 0;
	size_t i;
	bool whole = !strcmp(text_of(row, "case"), MATRIX_WHOLE);
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (whole || !strcmp(text_of(run, "case"), text_of(row, "case")))
			sum += (uint64_t)text_integer(run, "duration_ns", 0);
	return sum;
}

static void put_numbers(const struct report_page *p, const json_t *row)
{
	const json_t *scenario = matrix_scenario(json_array_get(p->results, 0), row);
	const json_t *run = matrix_trigger(scenario, row);
	const char *verdict = matrix_verdict(scenario, row);
	uint64_t duration = case_duration(scenario, row);
	char text[TEXT_MAX];
	begin_row(p, row);
	(void)fputs("<td>", p->out);
	html_verdict(p->out, verdict);
	(void)fputs("</td>", p->out);
	put_class(p, row);
	put_name(p, row);
	(void)fputs("<td>", p->out);
	html_text(p->out, json_object_get(run, "predicted") ? text_predicted(run, text, sizeof(text)) : "");
	(void)fputs("</td><td>", p->out);
	if (json_object_get(run, "outcome"))
		html_text(p->out, text_outcome(run, text, sizeof(text)));
	else
		(void)fputs(run ? "not made" : "", p->out);
	(void)fputs("</td><td>", p->out);
	put_limit(p->out, run);
	(void)fputs("</td><td class=\"n\">", p->out);
	put_difference(p->out, json_object_get(run, "cause"));
	(void)fputs("</td><td class=\"n\">", p->out);
	if (duration)
		html_text(p->out, number_format_duration(text, sizeof(text), duration));
	(void)fputs("</td></tr>\n", p->out);
}

/* A cell's colour follows its first word. */
static const char *cell_class(const char *cell)
{
	return !strncmp(cell, "pass", 4)     ? "pass"
	       : !strncmp(cell, "FAIL", 4)   ? "fail"
	       : !strncmp(cell, "BROKEN", 6) ? "broken"
	       : !strncmp(cell, "skip", 4)   ? "skip"
					     : "none";
}

static void put_cells(const struct report_page *p, const json_t *row)
{
	const json_t *cell = NULL;
	size_t i;
	begin_row(p, row);
	(void)fprintf(p->out, "<td>%s</td>", differs(row) ? "<span class=\"verdict differs\">differs</span>" : "");
	put_class(p, row);
	put_name(p, row);
	json_array_foreach (json_object_get(row, "cells"), i, cell) {
		(void)fprintf(p->out, "<td class=\"cell %s\">", cell_class(json_string_value(cell)));
		html_text(p->out, json_string_value(cell));
		(void)fputs("</td>", p->out);
	}
	(void)fputs("</tr>\n", p->out);
}

/* The columns from here on are numbers. */
#define NUMBERS_FROM 6

static void put_head(const struct report_page *p)
{
	static const char *const numbers[] = {"verdict",  "class", "scenario",   "predicted",
					      "observed", "limit", "difference", "time"};
	const json_t *label = NULL;
	size_t i;
	(void)fprintf(p->out, "<table class=\"top\"><caption>%s</caption><thead><tr>",
		      p->several ? "Scenarios by results" : "Scenarios, predicted and observed");
	for (i = 0; !p->several && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (p->classes || strcmp(numbers[i], "class") != 0)
			(void)fprintf(p->out, "<th%s scope=\"col\">%s</th>", i < NUMBERS_FROM ? "" : " class=\"n\"",
				      numbers[i]);
	if (p->several)
		(void)fprintf(p->out, "<th scope=\"col\">differs</th>%s<th scope=\"col\">scenario</th>",
			      p->classes ? "<th scope=\"col\">class</th>" : "");
	json_array_foreach (p->labels, i, label) {
		if (!p->several)
			break;
		(void)fputs("<th scope=\"col\">", p->out);
		html_text(p->out, json_string_value(label));
		(void)fputs("</th>", p->out);
	}
	(void)fputs("</tr></thead><tbody>\n", p->out);
}

static void put_absent(const struct report_page *p)
{
	json_auto_t *sentences = matrix_absent(p->results, p->labels, p->rows);
	const json_t *sentence = NULL;
	size_t i;
	json_array_foreach (sentences, i, sentence) {
		(void)fputs(i ? "<li>" : "<p>Not in every result, which is no difference:</p><ul><li>", p->out);
		html_text(p->out, json_string_value(sentence));
		(void)fputs("</li>", p->out);
	}
	(void)fputs(json_array_size(sentences) ? "</ul>" : "", p->out);
}

void html_table(const struct report_page *p)
{
	const json_t *row = NULL;
	size_t i;
	(void)fputs("<section id=\"table\"><h2>Results</h2>\n", p->out);
	put_chips(p);
	if (!json_array_size(p->rows)) {
		(void)fputs("<p>No scenario is in this file.</p></section>", p->out);
		return;
	}
	(void)fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table of results\">", p->out);
	put_head(p);
	json_array_foreach (p->rows, i, row) {
		if (p->several)
			put_cells(p, row);
		else
			put_numbers(p, row);
	}
	(void)fputs("</tbody></table></div>", p->out);
	put_absent(p);
	(void)fputs("</section>\n", p->out);
}
