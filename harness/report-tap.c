// SPDX-License-Identifier: MIT
/*
 * TAP. Version 14 has a subtest per scenario; 13 is flat, for `prove` before 3.48 refuses a stream that says 14. What
 * is skipped is always "ok N - name # SKIP why": some readers count "not ok" with SKIP as a failure. No generated name
 * or reason has '#' or '\' in it, because readers disagree about escapes.
 */
#include <inttypes.h>
#include <string.h>

#include "report-formats.h"
#include "report-text.h"

static void indent(FILE *out, unsigned depth)
{
	(void)fprintf(out, "%*s", (int)depth, "");
}

/* A description or reason: one line, and nothing in it that a reader would take for a directive. */
static void put_plain(FILE *out, const char *text)
{
	char clean[TEXT_MAX];
	(void)text_clean(text, false, clean, sizeof(clean));
	for (char *c = clean; *c; c++) {
		if (*c == '#')
			*c = '*';
		else if (*c == '\\')
			*c = '/';
	}
	(void)fputs(clean, out);
}

/* YAML allows these inside double quotes only as escapes (or reads a line break into them). */
static bool must_escape(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
	       c == 0xffff;
}

/* The next character of valid UTF-8. */
static uint32_t next_character(const unsigned char **text)
{
	uint32_t c = *(*text)++;
	unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	c &= more ? 0x3fU >> more : 0x7fU;
	for (; more && (**text & 0xc0) == 0x80; more--)
		c = c << 6 | (*(*text)++ & 0x3fU);
	return c;
}

/* Any text as a double-quoted YAML scalar on one line, cut after max bytes. */
static void put_quoted(FILE *out, const char *text, size_t max)
{
	const unsigned char *at = (const unsigned char *)text, *start = at;
	(void)fputc('"', out);
	while (*at && (size_t)(at - start) < max) {
		const unsigned char *from = at;
		uint32_t c = next_character(&at);
		if (c == '"' || c == '\\')
			(void)fprintf(out, "\\%c", (int)c);
		else if (c == '\n')
			(void)fputs("\\n", out);
		else if (c == '\t')
			(void)fputs("\\t", out);
		else if (must_escape(c))
			(void)fprintf(out, c < 0x100 ? "\\x%02" PRIx32 : "\\u%04" PRIx32, c);
		else
			(void)fwrite(from, 1, (size_t)(at - from), out);
	}
	(void)fputs(*at ? "...\"\n" : "\"\n", out);
}

static void put_key(FILE *out, unsigned depth, const char *key, const char *text)
{
	if (!*text)
		return;
	indent(out, depth);
	(void)fprintf(out, "%s: ", key);
	put_quoted(out, text, 1000);
}

static void put_item(FILE *out, unsigned depth, const char *text)
{
	indent(out, depth);
	(void)fputs("- ", out);
	put_quoted(out, text, 1000);
}

static void put_data(FILE *out, unsigned depth, const json_t *run)
{
	char text[2 * TEXT_MAX], cause[TEXT_MAX];
	const char *by = text_of2(run, "predicted", "cause");
	if (!json_object_get(run, "predicted") || !json_object_get(run, "outcome"))
		return;
	indent(out, depth);
	(void)fputs("data:\n", out);
	(void)text_predicted(run, text, sizeof(text));
	text_add(text, sizeof(text), "%s%s", *by ? " by " : "", by);
	put_key(out, depth + 2, "expect", text);
	(void)text_outcome(run, text, sizeof(text));
	(void)text_cause(run, cause, sizeof(cause));
	text_add(text, sizeof(text), "%s%s", *cause ? " by " : "", cause);
	put_key(out, depth + 2, "got", text);
}

static void put_limits(FILE *out, unsigned depth, const json_t *run)
{
	const json_t *limits = json_object_get(run, "limits"), *limit = NULL;
	char text[2 * TEXT_MAX], sum[TEXT_MAX];
	size_t i;
	if (!json_array_size(limits))
		return;
	indent(out, depth);
	(void)fputs("limits:\n", out);
	json_array_foreach (limits, i, limit) {
		bool refuses = json_is_true(json_object_get(limit, "refuses"));
		(void)snprintf(text, sizeof(text), "%s, %s%s", text_of(limit, "id"),
			       text_arithmetic(limit, sum, sizeof(sum)), refuses ? ", refuses" : "");
		if (refuses && !json_is_true(json_object_get(limit, "errno_fits")))
			text_add(text, sizeof(text), " with another errno");
		put_item(out, depth + 2, text);
	}
}

static void put_failed_checks(FILE *out, unsigned depth, const json_t *run)
{
	const json_t *check = NULL;
	char text[3 * TEXT_MAX];
	bool any = false;
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, check) {
		if (json_is_true(json_object_get(check, "ok")))
			continue;
		if (!any) {
			indent(out, depth);
			(void)fputs("failed:\n", out);
		}
		any = true;
		put_item(out, depth + 2, text_check(check, text, sizeof(text)));
	}
}

/* Why a point is not ok. run is NULL when the scenario as a whole is meant. */
static void put_diagnostics(FILE *out, unsigned depth, const json_t *scenario, const json_t *run)
{
	const json_t *of = run ? run : scenario, *at = json_object_get(run, "at");
	const json_t *refusal = json_array_get(json_object_get(json_object_get(run, "witness"), "records"), 0);
	indent(out, depth);
	(void)fputs("---\n", out);
	put_key(out, depth, "message", text_of(of, "reason"));
	put_key(out, depth, "severity", text_of(of, "verdict"));
	if (at) {
		indent(out, depth);
		(void)fputs("at:\n", out);
		put_key(out, depth + 2, "file", text_of(at, "file"));
		indent(out, depth + 2);
		(void)fprintf(out, "line: %" JSON_INTEGER_FORMAT "\n", text_integer(at, "line", 0));
	}
	put_data(out, depth, run);
	put_key(out, depth, "errno", text_of(refusal, "errno"));
	put_key(out, depth, "syscall", text_of(refusal, "call"));
	json_int_t duration_ns = text_integer(of, "duration_ns", -1);
	if (duration_ns >= 0) {
		indent(out, depth);
		(void)fprintf(out, "duration_ms: %.3f\n", (double)duration_ns / 1e6);
	}
	put_failed_checks(out, depth, run);
	put_limits(out, depth, run);
	put_key(out, depth, "hint", text_of2(run, "problem", "hint"));
	put_key(out, depth, "stderr", text_of2(run, "output", "stderr"));
	indent(out, depth);
	(void)fputs("...\n", out);
}

static void put_number(FILE *out, unsigned depth, const json_t *of, const char *key)
{
	if (!json_is_integer(json_object_get(of, key)))
		return;
	indent(out, depth);
	(void)fprintf(out, "%s: %" JSON_INTEGER_FORMAT "\n", key, text_integer(of, key, 0));
}

/* The point of a boundary: its numbers also where they are as predicted. */
static void put_boundary(FILE *out, unsigned depth, unsigned number, const char *prefix, const json_t *boundary)
{
	static const char *const keys[] = {"predicted",  "last_granted", "first_refused",
					   "difference", "tolerance",    "probes"};
	const char *verdict = text_of(boundary, "verdict");
	indent(out, depth);
	(void)fprintf(out, "%s %u - ", !strcmp(verdict, "pass") || !strcmp(verdict, "skip") ? "ok" : "not ok", number);
	put_plain(out, prefix);
	put_plain(out, text_of(boundary, "name"));
	if (!strcmp(verdict, "skip")) {
		(void)fputs(" # SKIP ", out);
		put_plain(out, text_of(boundary, "reason"));
	}
	(void)fputc('\n', out);
	if (!strcmp(verdict, "skip"))
		return;
	indent(out, depth + 2);
	(void)fputs("---\n", out);
	put_key(out, depth + 2, "message", text_of(boundary, "reason"));
	if (strcmp(verdict, "pass") != 0)
		put_key(out, depth + 2, "severity", verdict);
	put_key(out, depth + 2, "predicted_by", text_of(boundary, "predicted_by"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put_number(out, depth + 2, boundary, keys[i]);
	put_key(out, depth + 2, "why", text_of(boundary, "why"));
	indent(out, depth + 2);
	(void)fputs("...\n", out);
}

/* One point: "ok 3 - " and the rest. */
static void put_point(FILE *out, unsigned depth, unsigned number, const char *prefix, const json_t *scenario,
		      const json_t *run)
{
	const json_t *of = run ? run : scenario;
	const char *verdict = text_of(of, "verdict");
	bool ok = !strcmp(verdict, "pass") || !strcmp(verdict, "skip");
	indent(out, depth);
	(void)fprintf(out, "%s %u - ", ok ? "ok" : "not ok", number);
	put_plain(out, prefix);
	if (run)
		put_plain(out, text_of(run, "name"));
	if (!strcmp(verdict, "skip")) {
		(void)fputs(" # SKIP ", out);
		put_plain(out, text_of(of, "reason"));
	}
	(void)fputc('\n', out);
	if (!ok)
		put_diagnostics(out, depth + 2, scenario, run);
}

static void put_scenario_14(FILE *out, unsigned number, const char *kernel, const json_t *scenario)
{
	const json_t *runs = json_object_get(scenario, "runs"), *run = NULL;
	char name[TEXT_MAX] = "";
	size_t i;
	text_add(name, sizeof(name), "%s%s", kernel, text_of(scenario, "name"));
	const json_t *boundaries = json_object_get(scenario, "boundaries");
	if (json_array_size(runs)) {
		unsigned point = 1;
		(void)fputs("# Subtest: ", out);
		put_plain(out, name);
		(void)fprintf(out, "\n    1..%zu\n", json_array_size(runs) + json_array_size(boundaries));
		json_array_foreach (runs, i, run)
			put_point(out, 4, point++, "", scenario, run);
		json_array_foreach (boundaries, i, run)
			put_boundary(out, 4, point++, "", run);
	}
	put_point(out, 0, number, name, scenario, NULL);
}

static size_t points_13(const json_t *scenarios)
{
	const json_t *scenario = NULL;
	size_t i, points = 0;
	json_array_foreach (scenarios, i, scenario)
		points += json_array_size(json_object_get(scenario, "runs")) +
			  json_array_size(json_object_get(scenario, "boundaries")) + report_verdict_is_alone(scenario);
	return points;
}

static unsigned put_scenario_13(FILE *out, unsigned number, const char *kernel, const json_t *scenario)
{
	const json_t *run = NULL;
	char prefix[TEXT_MAX] = "";
	size_t i;
	text_add(prefix, sizeof(prefix), "%s%s.%s", kernel, text_of(scenario, "class"), text_of(scenario, "name"));
	if (report_verdict_is_alone(scenario))
		put_point(out, 0, number++, prefix, scenario, NULL);
	text_add(prefix, sizeof(prefix), ": ");
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		put_point(out, 0, number++, prefix, scenario, run);
	json_array_foreach (json_object_get(scenario, "boundaries"), i, run)
		put_boundary(out, 0, number++, prefix, run);
	return number;
}

static size_t points_of(const json_t *results, unsigned version)
{
	const json_t *result = NULL;
	size_t i, points = 0;
	json_array_foreach (results, i, result) {
		const json_t *scenarios = json_object_get(result, "scenarios");
		points += version == 14 ? json_array_size(scenarios) : points_13(scenarios);
	}
	return points;
}

void report_tap(const json_t *results, const json_t *labels, unsigned version, FILE *out)
{
	const json_t *result = NULL, *scenario = NULL;
	char text[TEXT_MAX];
	size_t i, k, points = points_of(results, version);
	unsigned number = 1;
	(void)fprintf(out, "TAP version %u\n", version);
	json_array_foreach (results, i, result) {
		(void)fputs("# enomem ", out);
		put_plain(out, text_of(result, "enomem"));
		(void)fputs(", ", out);
		put_plain(out, text_host(result, text, sizeof(text)));
		(void)fputc('\n', out);
	}
	(void)fprintf(out, "1..%zu%s\n", points, points ? "" : " # SKIP nothing was selected");
	json_array_foreach (results, i, result) {
		/* Of one result the names need no kernel. */
		text[0] = '\0';
		if (json_array_size(results) > 1)
			text_add(text, sizeof(text), "%s: ", json_string_value(json_array_get(labels, i)));
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			if (version == 14)
				put_scenario_14(out, number++, text, scenario);
			else
				number = put_scenario_13(out, number, text, scenario);
		}
	}
}
