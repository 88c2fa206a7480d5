// SPDX-License-Identifier: MIT
/*
 * The evidence of one trigger: what was refused, by what, and what all counters said at that moment.
 */
#include <inttypes.h>
#include <string.h>

#include "chart-scale.h"
#include "html.h"
#include "number.h"
#include "report-html.h"
#include "report-text.h"

#define CALLS_MAX 8
#define LINES_MAX 40

static void put_call(FILE *out, const json_t *record, uint64_t start_ns)
{
	const json_t *argument = NULL, *asked = json_object_get(record, "asked");
	char text[TEXT_MAX];
	json_int_t at = text_integer(record, "time_ns", -1);
	size_t i;
	(void)fputs("<li><code>", out);
	html_text(out, text_of(record, "call"));
	(void)fputc('(', out);
	json_array_foreach (json_object_get(record, "args"), i, argument) {
		(void)fputs(i ? ", " : "", out);
		if (json_is_integer(argument) &&
		    (json_integer_value(argument) < 0 || json_integer_value(argument) > 0xffff))
			(void)fprintf(out, "0x%" PRIx64, (uint64_t)json_integer_value(argument));
		else
			html_text(out, text_value(argument, text, sizeof(text)));
	}
	(void)fputs(") = -1 ", out);
	html_text(out, text_value(json_object_get(record, "errno"), text, sizeof(text)));
	(void)fputs("</code>", out);
	if (json_is_integer(asked) && json_integer_value(asked) > 0)
		html_format(out, ", asked for %s",
			    number_format_bytes(text, sizeof(text), (uint64_t)json_integer_value(asked)));
	else if (json_is_null(asked))
		(void)fputs(", asked for 2^63 bytes or more", out);
	if (at >= 0 && (uint64_t)at >= start_ns && start_ns)
		html_format(out, ", %s after the start",
			    number_format_duration(text, sizeof(text), (uint64_t)at - start_ns));
	if (json_is_integer(json_object_get(record, "pid")))
		html_format(out, ", process %" JSON_INTEGER_FORMAT, text_integer(record, "pid", 0));
	if (json_is_true(json_object_get(record, "injected")))
		(void)fputs(", injected", out);
	(void)fputs("</li>", out);
}

static void put_signal(FILE *out, const json_t *signal, uint64_t start_ns)
{
	char text[TEXT_MAX];
	json_int_t at = text_integer(signal, "time_ns", -1);
	const json_t *code = json_object_get(signal, "si_code");
	(void)fputs("<li><code>", out);
	html_text(out, text_of(signal, "signal"));
	if (code)
		html_format(out, " %s", text_value(code, text, sizeof(text)));
	(void)fputs("</code>", out);
	if (json_is_integer(json_object_get(signal, "pid")))
		html_format(out, " to process %" JSON_INTEGER_FORMAT, text_integer(signal, "pid", 0));
	if (at >= 0 && (uint64_t)at >= start_ns && start_ns)
		html_format(out, ", %s after the start",
			    number_format_duration(text, sizeof(text), (uint64_t)at - start_ns));
	(void)fputs("</li>", out);
}

static void put_calls(FILE *out, const json_t *run, unsigned level)
{
	const json_t *witness = json_object_get(run, "witness"), *one = NULL;
	const json_t *records = json_object_get(witness, "records"), *signals = json_object_get(witness, "signals");
	json_int_t start = text_integer(json_object_get(json_object_get(run, "snapshots"), "before"), "time_ns", 0);
	size_t i, count = json_array_size(records) + json_array_size(signals);
	if (!count)
		return;
	(void)fprintf(out, "<h%u>Refused calls and signals</h%u><ol class=\"calls\">", level, level);
	json_array_foreach (records, i, one)
		if (i < CALLS_MAX)
			put_call(out, one, (uint64_t)start);
	json_array_foreach (signals, i, one)
		if (i < CALLS_MAX)
			put_signal(out, one, (uint64_t)start);
	(void)fputs("</ol>", out);
	json_int_t refused = text_integer(witness, "refused", 0);
	if (refused > CALLS_MAX || json_array_size(signals) > CALLS_MAX)
		(void)fprintf(out,
			      "<p class=\"note\">%" JSON_INTEGER_FORMAT
			      " calls were refused, %zu signals sent; of each the first %d are shown.</p>",
			      refused, json_array_size(signals), CALLS_MAX);
}

static void put_amount(FILE *out, const json_t *limit, const char *key, const char *beyond)
{
	const json_t *value = json_object_get(limit, key);
	char text[64];
	(void)fputs("<td class=\"n\">", out);
	if (json_is_integer(value) && json_integer_value(value) >= 0)
		html_text(out, chart_number(chart_unit_of(text_of(limit, "unit")), (uint64_t)json_integer_value(value),
					    text, sizeof(text)));
	else
		(void)fputs(json_is_null(value) ? beyond : "", out);
	(void)fputs("</td>", out);
}

/* A narrow column may break it after a slash, instead of anywhere. */
static void put_path(FILE *out, const char *path)
{
	for (size_t length; *path; path += length) {
		char part[TEXT_MAX];
		length = strcspn(path, "/");
		length += path[length] == '/';
		(void)snprintf(part, sizeof(part), "%.*s", (int)length, path);
		html_text(out, part);
		(void)fputs(path[length] && path[length - 1] == '/' ? "<wbr/>" : "", out);
	}
}

static void put_limits(FILE *out, const json_t *run)
{
	const json_t *limits = json_object_get(run, "limits"), *limit = NULL;
	size_t i;
	if (!json_array_size(limits))
		return;
	(void)fputs("<table><caption>Every limit of this call, at the failing moment</caption><thead><tr><th "
		    "scope=\"col\">limit"
		    "</th><th class=\"n\" scope=\"col\">in use</th><th class=\"n\" scope=\"col\">asked</th><th "
		    "class=\"n\" scope=\"col\">bound</th><th scope=\"col\">refuses</th><th "
		    "scope=\"col\">where</th></tr></thead><tbody>",
		    out);
	json_array_foreach (limits, i, limit) {
		bool refuses = json_is_true(json_object_get(limit, "refuses"));
		(void)fprintf(out, "<tr%s><th scope=\"row\">", refuses ? " class=\"own\"" : "");
		html_text(out, text_of(limit, "id"));
		(void)fputs("</th>", out);
		put_amount(out, limit, "in_use", "2^63 or more");
		put_amount(out, limit, "asked", "2^63 or more");
		put_amount(out, limit, "bound", "unlimited");
		(void)fprintf(out, "<td>%s%s</td><td>", refuses ? "yes" : "no",
			      refuses && json_is_false(json_object_get(limit, "errno_fits")) ? ", with another errno"
											     : "");
		put_path(out, text_of(limit, "where"));
		(void)fputs("</td></tr>\n", out);
	}
	(void)fputs("</tbody></table>", out);
}

static void put_checks(FILE *out, const json_t *run)
{
	const json_t *checks = json_object_get(run, "checks"), *check = NULL;
	size_t i, held = 0;
	char text[2 * TEXT_MAX];
	json_array_foreach (checks, i, check)
		held += json_is_true(json_object_get(check, "ok"));
	if (!json_array_size(checks))
		return;
	(void)fprintf(out, "<details%s><summary>%zu of %zu checks held</summary><ul class=\"checks\">",
		      held < json_array_size(checks) ? " open=\"open\"" : "", held, json_array_size(checks));
	json_array_foreach (checks, i, check) {
		bool ok = json_is_true(json_object_get(check, "ok"));
		/* A reference keeps what held, and no numbers. */
		(void)fputs(ok ? "<li>" : "<li class=\"fail\"><strong>Did not hold:</strong> ", out);
		html_text(out, json_object_get(check, "value") ? text_check(check, text, sizeof(text))
							       : text_of(check, "what"));
		(void)fputs("</li>", out);
	}
	(void)fputs("</ul></details>", out);
}

static void put_array(FILE *out, const json_t *lines, const char *heading)
{
	const json_t *line = NULL;
	size_t i, count = json_array_size(lines);
	if (!count)
		return;
	(void)fprintf(out, "<details><summary>%s: %zu line%s</summary><pre tabindex=\"0\">", heading, count,
		      count == 1 ? "" : "s");
	json_array_foreach (lines, i, line) {
		if (i >= LINES_MAX && i + LINES_MAX < count)
			continue; /* the beginning and the end */
		html_text(out, json_is_string(line) ? json_string_value(line) : "");
		(void)fputs(i == LINES_MAX - 1 && count > 2 * LINES_MAX ? "\n[...]\n" : "\n", out);
	}
	(void)fputs("</pre></details>", out);
}

static void put_output(FILE *out, const json_t *run)
{
	static const char *const stream[] = {"stdout", "stderr"};
	for (unsigned i = 0; i < 2; i++) {
		const char *text = text_of2(run, "output", stream[i]);
		if (!*text)
			continue;
		(void)fprintf(out, "<details><summary>What the program wrote to %s</summary><pre tabindex=\"0\">",
			      stream[i]);
		html_lines(out, text);
		(void)fputs("</pre></details>", out);
	}
}

void html_evidence(FILE *out, const json_t *run, unsigned level)
{
	(void)fputs("<div class=\"columns\"><div>", out);
	html_timeline(out, run);
	html_bars(out, run);
	put_calls(out, run, level);
	put_limits(out, run);
	(void)fputs("</div><div>", out);
	html_counters(out, run);
	(void)fputs("</div></div>", out);
	put_checks(out, run);
	put_output(out, run);
	put_array(out, json_object_get(run, "kernel_log"), "Kernel log");
	put_array(out, json_object_get(run, "console"), "Console");
}
