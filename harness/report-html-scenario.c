// SPDX-License-Identifier: MIT
/*
 * A scenario's section: the verdict in one sentence, what differs between the results, every run, the evidence of the
 * triggers and the boxes.
 */
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "html.h"
#include "number.h"
#include "report-boundary.h"
#include "report-html.h"
#include "report-matrix.h"
#include "report-text.h"

static bool is(const json_t *run, const char *key, const char *word)
{
	return !strcmp(text_of(run, key), word);
}

/* Of headings below that of a scenario, or of a result in it. */
static unsigned level_of(const struct report_page *p)
{
	return p->several ? 4 : 3;
}

static bool is_folklore(const json_t *run)
{
	return json_is_false(json_object_get(run, "helps"));
}

/* The trigger that says most: the first that is not as predicted, else the first. */
static const json_t *telling_trigger(const json_t *scenario)
{
	const json_t *run = NULL, *first = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		if (!is(run, "role", "trigger") || !json_object_get(run, "outcome"))
			continue;
		if (is(run, "verdict", "fail"))
			return run;
		first = first ? first : run;
	}
	return first;
}

static void put_counts(FILE *out, const json_t *scenario)
{
	unsigned controls = 0, remedies = 0, folklore = 0;
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		if (!is(run, "verdict", "pass"))
			continue;
		controls += is(run, "role", "control");
		remedies += is(run, "role", "remedy") && !is_folklore(run);
		folklore += is(run, "role", "remedy") && is_folklore(run);
	}
	(void)fprintf(out, " Without the limit it succeeded (%u control%s); %u remed%s made it succeed", controls,
		      controls == 1 ? "" : "s", remedies, remedies == 1 ? "y" : "ies");
	if (folklore)
		(void)fprintf(out, ", and %u believed remed%s did not", folklore, folklore == 1 ? "y" : "ies");
	(void)fputc('.', out);
}

static void put_sentence(FILE *out, const json_t *scenario)
{
	const json_t *trigger = telling_trigger(scenario);
	const char *verdict = text_of(scenario, "verdict"), *reason = text_of(scenario, "reason");
	char outcome[TEXT_MAX], cause[TEXT_MAX];
	(void)fputs("<p class=\"sentence\">", out);
	html_verdict(out, verdict);
	(void)fputc(' ', out);
	if (!strcmp(verdict, "pass") && trigger) {
		(void)fputs("As predicted: <strong>", out);
		html_text(out, text_outcome(trigger, outcome, sizeof(outcome)));
		(void)fputs("</strong>", out);
		if (*text_cause(trigger, cause, sizeof(cause)))
			html_format(out, ", because of %s", cause);
		(void)fputc('.', out);
		put_counts(out, scenario);
	} else {
		(void)fputs(!strcmp(verdict, "fail")     ? "Not as predicted: "
			    : !strcmp(verdict, "broken") ? "The stage could not be set: "
			    : !strcmp(verdict, "skip")   ? "Not proven here: "
							 : "As predicted",
			    out);
		html_text(out, *reason ? reason : ".");
	}
	(void)fputs("</p>\n", out);
}

static void put_cell(FILE *out, const char *text)
{
	(void)fputs("<td>", out);
	html_text(out, text);
	(void)fputs("</td>", out);
}

static void put_run(FILE *out, const json_t *run)
{
	char text[TEXT_MAX];
	const char *reason = text_of(run, "reason");
	bool made = json_object_get(run, "outcome") != NULL;
	(void)fprintf(out, "<tr class=\"%s\"><td>", text_of(run, "verdict"));
	html_verdict(out, text_of(run, "verdict"));
	(void)fputs("</td><th scope=\"row\">", out);
	html_text(out, text_of(run, "name"));
	(void)fputs("</th>", out);
	put_cell(out, is_folklore(run) ? "folklore" : text_of(run, "role"));
	put_cell(out, json_object_get(run, "predicted") ? text_predicted(run, text, sizeof(text)) : "");
	(void)fputs("<td>", out);
	html_text(out, made ? text_outcome(run, text, sizeof(text)) : "");
	if (*reason) {
		(void)fputs(made ? "<br/>" : "", out);
		html_text(out, reason);
	}
	(void)fputs("</td>", out);
	put_cell(out, text_cause(run, text, sizeof(text)));
	(void)fputs("<td class=\"n\">", out);
	if (json_is_integer(json_object_get(run, "duration_ns")))
		html_text(out,
			  number_format_duration(text, sizeof(text), (uint64_t)text_integer(run, "duration_ns", 0)));
	(void)fputs("</td></tr>\n", out);
}

static void put_runs(FILE *out, const json_t *scenario)
{
	const json_t *runs = json_object_get(scenario, "runs"), *run = NULL;
	size_t i;
	if (!json_array_size(runs))
		return;
	(void)fprintf(out,
		      "<details class=\"runs\"><summary>%zu runs</summary><div class=\"scroll\" tabindex=\"0\" "
		      "role=\"region\" "
		      "aria-label=\"Runs\"><table><caption>Every run, in the order they are "
		      "made</caption><thead><tr><th scope=\"col\">verdict</th><th scope=\"col\">run</th><th "
		      "scope=\"col\">role</th><th scope=\"col\">predicted</th><th scope=\"col\">observed</th><th "
		      "scope=\"col\">refused by</th><th class=\"n\" scope=\"col\">time</th></tr></thead><tbody>",
		      json_array_size(runs));
	json_array_foreach (runs, i, run)
		put_run(out, run);
	(void)fputs("</tbody></table></div></details>", out);
}

static void put_boundaries(FILE *out, const json_t *scenario)
{
	const json_t *boundaries = json_object_get(scenario, "boundaries"), *boundary = NULL;
	char text[2 * TEXT_MAX];
	size_t i;
	if (!json_array_size(boundaries))
		return;
	(void)fputs("<details><summary>Where the boundary is, found by probing</summary><ul>", out);
	json_array_foreach (boundaries, i, boundary) {
		(void)fputs("<li>", out);
		html_verdict(out, text_of(boundary, "verdict"));
		html_format(out, " %s: ", text_of(boundary, "name"));
		html_text(out, text_boundary(boundary, text, sizeof(text)));
		(void)fputs("</li>", out);
	}
	(void)fputs("</ul></details>", out);
}

/* "mmap ENOMEM, rlimit-as (1 + 2 > 2)" behind a name. */
static void put_aside(FILE *out, const json_t *run)
{
	char text[TEXT_MAX];
	if (!run)
		return;
	(void)fputs(" <span class=\"aside\">", out);
	html_text(out, text_outcome(run, text, sizeof(text)));
	if (*text_cause(run, text, sizeof(text)))
		html_format(out, ", %s", text);
	(void)fputs("</span>", out);
}

/* All of one result; of several the one that says most and what went wrong, or no browser would like to open the page.
 */
static void put_triggers(const struct report_page *p, const json_t *scenario)
{
	FILE *out = p->out;
	unsigned left_out = 0;
	const json_t *run = NULL, *telling = telling_trigger(scenario);
	bool failed = false;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		failed |= is(run, "verdict", "fail") && json_object_get(run, "outcome");
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		bool trigger = is(run, "role", "trigger"), wrong = is(run, "verdict", "fail");
		if (!json_object_get(run, "outcome") || (!trigger && !wrong))
			continue;
		if (p->several && run != telling && !wrong) {
			left_out++;
			continue;
		}
		(void)fprintf(out, "<details class=\"evidence\"%s><summary>",
			      (!p->several && run == telling && !failed) || wrong ? " open=\"open\"" : "");
		html_verdict(out, text_of(run, "verdict"));
		html_format(out, " %s", text_of(run, "name"));
		if (!trigger)
			html_format(out, " (%s)", is_folklore(run) ? "folklore" : text_of(run, "role"));
		put_aside(out, run);
		(void)fputs("</summary>", out);
		html_evidence(out, run, level_of(p));
		(void)fputs("</details>\n", out);
	}
	if (left_out)
		(void)fprintf(
			out,
			"<p class=\"note\">The evidence of %u more trigger%s is in a report of this result alone.</p>",
			left_out, left_out == 1 ? "" : "s");
}

/* All that one result says about a scenario. */
static void put_result(const struct report_page *p, const json_t *scenario)
{
	put_sentence(p->out, scenario);
	put_triggers(p, scenario);
	put_boundaries(p->out, scenario);
	put_runs(p->out, scenario);
}

static void put_list(FILE *out, const json_t *sentences, const char *before)
{
	const json_t *sentence = NULL;
	size_t i;
	json_array_foreach (sentences, i, sentence) {
		(void)fprintf(out, "<li>%s", before);
		html_text(out, json_string_value(sentence));
		(void)fputs("</li>", out);
	}
}

/* What differs between the results, of every row of the scenario. */
static void put_differences(const struct report_page *p, const char *name)
{
	const json_t *row = NULL;
	size_t i;
	bool any = false;
	json_array_foreach (p->rows, i, row) {
		const json_t *differences = json_object_get(row, "differences");
		if (!is(row, "scenario", name) || !json_array_size(differences) ||
		    matrix_repeats(p->rows, i, "differences"))
			continue;
		if (!any)
			(void)fputs("<div class=\"differences\"><h3>What differs</h3>", p->out);
		any = true;
		(void)fputs("<p>", p->out);
		html_text(p->out, text_of(row, "name"));
		for (size_t n = i + 1; matrix_repeats(p->rows, n, "differences"); n++)
			html_format(p->out, ", %s", text_of(json_array_get(p->rows, n), "case"));
		(void)fputs("</p><ul>", p->out);
		put_list(p->out, differences, "");
		put_list(p->out, json_object_get(row, "notes"), "Note: ");
		(void)fputs("</ul>", p->out);
	}
	if (any)
		(void)fputs("</div>", p->out);
}

/* What every result says of it, as words for the filter: "pass skip differs". */
static void put_words(const struct report_page *p, const json_t *key)
{
	const json_t *result = NULL, *row = NULL;
	bool differs = false;
	size_t i;
	json_array_foreach (p->results, i, result) {
		const char *verdict = text_of(matrix_scenario(result, key), "verdict");
		if (*verdict)
			(void)fprintf(p->out, "%s ", verdict);
	}
	json_array_foreach (p->rows, i, row)
		differs |= json_equal(json_object_get(row, "scenario"), json_object_get(key, "scenario")) &&
			   json_array_size(json_object_get(row, "differences")) > 0;
	(void)fputs(differs ? "differs" : "", p->out);
}

static void put_heading(const struct report_page *p, const json_t *key)
{
	const json_t *result = NULL;
	const char *title = "", *class_name = "";
	size_t i;
	json_array_foreach (p->results, i, result) {
		const json_t *scenario = matrix_scenario(result, key);
		title = *title ? title : text_of(scenario, "title");
		class_name = *class_name ? class_name : text_of(scenario, "class");
	}
	(void)fprintf(p->out, "<section class=\"scenario\" id=\"%s\" data-verdict=\"",
		      html_section(p, text_of(key, "scenario")));
	put_words(p, key);
	(void)fputs("\"><h2>", p->out);
	html_text(p->out, text_of(key, "scenario"));
	(void)fputs("</h2><p class=\"title\">", p->out);
	html_text(p->out, title);
	if (*class_name) {
		(void)fputs(" <span class=\"class\">", p->out);
		html_text(p->out, class_name);
		(void)fputs("</span>", p->out);
	}
	(void)fputs("</p>\n", p->out);
}

static void put_section(const struct report_page *p, const json_t *key)
{
	const json_t *result = NULL;
	size_t i;
	put_heading(p, key);
	put_differences(p, text_of(key, "scenario"));
	json_array_foreach (p->results, i, result) {
		const json_t *scenario = matrix_scenario(result, key);
		if (!p->several) {
			put_result(p, scenario);
			continue;
		}
		bool wrong = is(scenario, "verdict", "fail") || is(scenario, "verdict", "broken");
		(void)fprintf(p->out, "<details class=\"result\"%s><summary><h3>", wrong ? " open=\"open\"" : "");
		html_text(p->out, json_string_value(json_array_get(p->labels, i)));
		(void)fputs("</h3> ", p->out);
		html_verdict(p->out, scenario ? text_of(scenario, "verdict") : "not run");
		put_aside(p->out, telling_trigger(scenario));
		(void)fputs("</summary>", p->out);
		if (scenario)
			put_result(p, scenario);
		(void)fputs("</details>\n", p->out);
	}
	html_boxes(p, key);
	(void)fputs("<p class=\"up\"><a href=\"#top\">Back to the table</a></p></section>\n", p->out);
}

void html_scenarios(const struct report_page *p)
{
	const json_t *row = NULL;
	size_t i;
	json_array_foreach (p->rows, i, row)
		if (!i || strcmp(text_of(row, "scenario"), text_of(json_array_get(p->rows, i - 1), "scenario")) != 0)
			put_section(p, row);
}
