// SPDX-License-Identifier: MIT
/*
 * JUnit XML: a testsuite per scenario and kernel, a testcase per run. Names are unique, for GitLab drops what is there
 * twice; what a run did is in its system-out, the only place GitLab reads. A program's output may hold anything: what
 * XML forbids is replaced.
 */
#include <inttypes.h>
#include <string.h>

#include "report-boundary.h"
#include "report-formats.h"
#include "report-text.h"

#define REPLACEMENT "\xef\xbf\xbd"

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

/* XML 1.0 has no way to write these; C1 it only discourages, but terminals obey them. */
static bool is_forbidden(uint32_t c)
{
	if (c < 0x20)
		return c != '\t' && c != '\n' && c != '\r';
	return (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff || c > 0x10ffff;
}

/* In an attribute line breaks and tabs must be references, or the reader makes them blanks. */
static void put(FILE *out, const char *text, bool attribute)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at) {
		const unsigned char *from = at;
		uint32_t c = next_character(&at);
		if (is_forbidden(c))
			(void)fputs(REPLACEMENT, out);
		else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
			(void)fprintf(out, "&#%" PRIu32 ";", c);
		else if (c == '\r' || (attribute && (c == '\n' || c == '\t')))
			(void)fprintf(out, "&#%" PRIu32 ";", c);
		else
			(void)fwrite(from, 1, (size_t)(at - from), out);
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	(void)fprintf(out, " %s=\"", name);
	put(out, value, true);
	(void)fputc('"', out);
}

static void put_time(FILE *out, json_int_t ns)
{
	(void)fprintf(out, " time=\"%.6f\"", (double)(ns > 0 ? ns : 0) / 1e9);
}

static void put_line(FILE *out, const char *before, const char *text)
{
	if (!*text)
		return;
	(void)fputs(before, out);
	put(out, text, false);
	(void)fputc('\n', out);
}

static void put_property(FILE *out, const char *name, const char *value)
{
	if (!*value)
		return;
	(void)fputs("   <property", out);
	put_attribute(out, "name", name);
	put_attribute(out, "value", value);
	(void)fputs("/>\n", out);
}

struct counts {
	unsigned tests, failures, errors, skipped;
	json_int_t duration_ns;
};

static void count_verdict(struct counts *c, const char *verdict)
{
	c->tests++;
	c->failures += !strcmp(verdict, "fail");
	c->errors += !strcmp(verdict, "broken");
	c->skipped += !strcmp(verdict, "skip");
}

static struct counts count_scenario(const json_t *scenario)
{
	struct counts c = {0};
	const json_t *run = NULL;
	size_t i;
	if (report_verdict_is_alone(scenario))
		count_verdict(&c, text_of(scenario, "verdict"));
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		count_verdict(&c, text_of(run, "verdict"));
		c.duration_ns += text_integer(run, "duration_ns", 0);
	}
	json_array_foreach (json_object_get(scenario, "boundaries"), i, run) {
		count_verdict(&c, text_of(run, "verdict"));
		c.duration_ns += text_integer(run, "duration_ns", 0);
	}
	return c;
}

static void put_counts(FILE *out, const struct counts *c)
{
	(void)fprintf(out, " tests=\"%u\" failures=\"%u\" errors=\"%u\" skipped=\"%u\"", c->tests, c->failures,
		      c->errors, c->skipped);
	put_time(out, c->duration_ns);
}

/* Every check and every limit: what a reader needs who has nothing but this file. */
static void put_checks(FILE *out, const json_t *run)
{
	const json_t *item = NULL;
	char text[3 * TEXT_MAX], sum[TEXT_MAX];
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, item)
		put_line(out, json_is_true(json_object_get(item, "ok")) ? "ok      " : "FAILED  ",
			 text_check(item, text, sizeof(text)));
	json_array_foreach (json_object_get(run, "limits"), i, item) {
		text[0] = '\0';
		text_add(text, sizeof(text), "%s%s%s%s", text_of(item, "id"),
			 *text_arithmetic(item, sum, sizeof(sum)) ? ": " : "", sum,
			 json_is_true(json_object_get(item, "refuses")) ? ", refuses" : "");
		put_line(out, "limit   ", text);
	}
	put_line(out, "hint    ", text_of2(run, "problem", "hint"));
}

static void put_verdict(FILE *out, const json_t *of)
{
	const char *verdict = text_of(of, "verdict"), *reason = text_of(of, "reason");
	const char *element = !strcmp(verdict, "fail")     ? "failure"
			      : !strcmp(verdict, "broken") ? "error"
			      : !strcmp(verdict, "skip")   ? "skipped"
							   : NULL;
	if (!element)
		return;
	(void)fprintf(out, "   <%s", element);
	put_attribute(out, "message", reason);
	if (!strcmp(element, "skipped")) {
		(void)fputs("/>\n", out);
		return;
	}
	put_attribute(out, "type", verdict);
	(void)fputc('>', out);
	put_line(out, "", reason);
	put_checks(out, of);
	(void)fprintf(out, "</%s>\n", element);
}

static void put_lines(FILE *out, const char *before, const json_t *lines)
{
	const json_t *line = NULL;
	size_t i;
	json_array_foreach (lines, i, line)
		put_line(out, before, json_string_value(line));
}

static void put_output(FILE *out, const json_t *run)
{
	const char *by = text_of2(run, "predicted", "cause"), *printed = text_of2(run, "output", "stderr");
	char text[2 * TEXT_MAX];
	if (json_object_get(run, "outcome")) {
		(void)fputs("   <system-out>", out);
		(void)text_predicted(run, text, sizeof(text));
		text_add(text, sizeof(text), "%s%s", *by ? " by " : "", by);
		put_line(out, "predicted: ", text);
		put_line(out, "observed: ", text_outcome(run, text, sizeof(text)));
		put_line(out, "panic: ", text_of2(run, "outcome", "text"));
		put_line(out, "refused by: ", text_cause(run, text, sizeof(text)));
		put_line(out, "note: ", text_of(run, "note"));
		put_lines(out, "kernel: ", json_object_get(run, "kernel_log"));
		put_lines(out, "console: ", json_object_get(run, "console"));
		(void)fputs("</system-out>\n", out);
	}
	if (*printed) {
		(void)fputs("   <system-err>", out);
		put(out, printed, false);
		(void)fputs("</system-err>\n", out);
	}
}

static void put_case(FILE *out, const char *class_name, const char *name, const json_t *of)
{
	const json_t *at = json_object_get(of, "at");
	(void)fputs("  <testcase", out);
	put_attribute(out, "classname", class_name);
	put_attribute(out, "name", name);
	if (at)
		put_attribute(out, "file", text_of(at, "file"));
	put_time(out, text_integer(of, "duration_ns", 0));
	(void)fputs(">\n", out);
	put_verdict(out, of);
	put_output(out, of);
	(void)fputs("  </testcase>\n", out);
}

static void put_boundary(FILE *out, const char *class_name, const json_t *boundary)
{
	char text[2 * TEXT_MAX];
	(void)fputs("  <testcase", out);
	put_attribute(out, "classname", class_name);
	put_attribute(out, "name", text_of(boundary, "name"));
	put_time(out, text_integer(boundary, "duration_ns", 0));
	(void)fputs(">\n", out);
	put_verdict(out, boundary);
	(void)fputs("   <system-out>", out);
	put_line(out, "boundary: ", text_boundary(boundary, text, sizeof(text)));
	put_line(out, "predicted by: ", text_of(boundary, "predicted_by"));
	put_line(out, "why a tolerance: ", text_of(boundary, "why"));
	(void)fputs("</system-out>\n  </testcase>\n", out);
}

static void put_properties(FILE *out, const json_t *result, const json_t *scenario)
{
	const json_t *host = json_object_get(result, "host");
	static const char *const of_host[] = {"kernel", "cgroup", "ram", "swap", "cpus", "guest", "profile"};
	static const char *const of_scenario[] = {"title", "class", "scope", "note"};
	char text[TEXT_MAX];
	(void)fputs("  <properties>\n", out);
	put_property(out, "enomem", text_of(result, "enomem"));
	for (size_t i = 0; i < sizeof(of_host) / sizeof(of_host[0]); i++)
		if (json_object_get(host, of_host[i]))
			put_property(out, of_host[i],
				     text_value(json_object_get(host, of_host[i]), text, sizeof(text)));
	for (size_t i = 0; i < sizeof(of_scenario) / sizeof(of_scenario[0]); i++)
		put_property(out, of_scenario[i], text_of(scenario, of_scenario[i]));
	(void)fputs("  </properties>\n", out);
}

/* The how-manieth scenario of this name in its result is it? */
static unsigned occurrence(const json_t *result, size_t at)
{
	const json_t *scenarios = json_object_get(result, "scenarios"), *of = json_array_get(scenarios, at);
	unsigned n = 1;
	for (size_t i = 0; i < at; i++)
		n += !strcmp(text_of(json_array_get(scenarios, i), "name"), text_of(of, "name"));
	return n;
}

static void put_suite(FILE *out, const json_t *result, const char *kernel, const json_t *scenario, unsigned nth)
{
	struct counts counts = count_scenario(scenario);
	const json_t *run = NULL;
	char name[2 * TEXT_MAX] = "", class_name[2 * TEXT_MAX] = "";
	size_t i;
	text_add(name, sizeof(name), "%s: %s", kernel, text_of(scenario, "name"));
	text_add(class_name, sizeof(class_name), "enomem.%s.%s", kernel, text_of(scenario, "name"));
	if (nth > 1) {
		text_add(name, sizeof(name), " (%u)", nth);
		text_add(class_name, sizeof(class_name), "-%u", nth);
	}
	for (char *c = class_name; *c; c++)
		if (*c == ' ')
			*c = '-';
	(void)fputs(" <testsuite", out);
	put_attribute(out, "name", name);
	put_attribute(out, "hostname",
		      json_is_true(json_object_get(json_object_get(result, "host"), "guest")) ? "guest" : "localhost");
	put_counts(out, &counts);
	(void)fputs(">\n", out);
	put_properties(out, result, scenario);
	if (report_verdict_is_alone(scenario))
		put_case(out, class_name, "(scenario)", scenario);
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		put_case(out, class_name, text_of(run, "name"), run);
	json_array_foreach (json_object_get(scenario, "boundaries"), i, run)
		put_boundary(out, class_name, run);
	(void)fputs(" </testsuite>\n", out);
}

void report_junit(const json_t *results, const json_t *labels, FILE *out)
{
	struct counts all = {0};
	const json_t *result = NULL, *scenario = NULL;
	size_t i, k;
	json_array_foreach (results, i, result) {
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			struct counts one = count_scenario(scenario);
			all.tests += one.tests;
			all.failures += one.failures;
			all.errors += one.errors;
			all.skipped += one.skipped;
			all.duration_ns += one.duration_ns;
		}
	}
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"enomem\"", out);
	put_counts(out, &all);
	(void)fputs(">\n", out);
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario)
			put_suite(out, result, json_string_value(json_array_get(labels, i)), scenario,
				  occurrence(result, k));
	(void)fputs("</testsuites>\n", out);
}
