// SPDX-License-Identifier: MIT
/*
 * A result for people: a table, what failed in full, what was skipped and why, one line at the end. Words carry the
 * meaning, colour only repeats it; whatever a program printed is made harmless before it reaches the terminal.
 */
#include <errno.h>
#include <langinfo.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "report-boundary.h"
#include "report-formats.h"
#include "report-text.h"

#define STDERR_LINES           8
#define WIDTH_WITHOUT_TERMINAL 120

struct pretty {
	FILE *out;
	bool colour, ascii;
	size_t width;
};

static const char *verdict_colour(const char *verdict)
{
	if (!strcmp(verdict, "pass"))
		return "\033[32m";
	return strcmp(verdict, "skip") != 0 ? "\033[1;31m" : "\033[33m";
}

static const char *verdict_word(const char *verdict)
{
	return !strcmp(verdict, "fail") ? "FAIL" : !strcmp(verdict, "broken") ? "BROKEN" : verdict;
}

static void put(const struct pretty *p, const char *text)
{
	char clean[2 * TEXT_MAX];
	(void)fputs(text_clean(text, p->ascii, clean, sizeof(clean)), p->out);
}

static void put_verdict(const struct pretty *p, const char *verdict)
{
	(void)fprintf(p->out, "%s%s%s", p->colour ? verdict_colour(verdict) : "", verdict_word(verdict),
		      p->colour ? "\033[0m" : "");
}

static void put_limits(const struct pretty *p, const json_t *run)
{
	const json_t *limit = NULL;
	char sum[TEXT_MAX];
	size_t i;
	json_array_foreach (json_object_get(run, "limits"), i, limit) {
		bool refuses = json_is_true(json_object_get(limit, "refuses"));
		(void)fputs(i ? "             " : "    limits:  ", p->out);
		put(p, text_of(limit, "id"));
		if (*text_arithmetic(limit, sum, sizeof(sum)))
			(void)fprintf(p->out, ": %s", sum);
		if (refuses)
			(void)fputs(json_is_true(json_object_get(limit, "errno_fits"))
					    ? ", refuses"
					    : ", refuses, but with another errno",
				    p->out);
		(void)fputc('\n', p->out);
	}
}

/* The first lines of what the program said, never obeyed by the terminal. */
static void put_stderr(const struct pretty *p, const json_t *run)
{
	const char *text = text_of2(run, "output", "stderr");
	char line[256];
	for (unsigned n = 0; *text && n < STDERR_LINES; n++) {
		size_t length = strcspn(text, "\n"), kept = length < sizeof(line) - 1 ? length : sizeof(line) - 1;
		while (kept < length && kept && ((unsigned char)text[kept] & 0xc0) == 0x80)
			kept--;
		memcpy(line, text, kept);
		line[kept] = '\0';
		(void)fputs(n ? "           | " : "    stderr | ", p->out);
		put(p, line);
		(void)fputs(kept < length ? "...\n" : "\n", p->out);
		text += length + (text[length] == '\n');
	}
	if (*text)
		(void)fputs("           | ...\n", p->out);
}

static void put_checks(const struct pretty *p, const json_t *run, bool all)
{
	const json_t *check = NULL;
	char text[3 * TEXT_MAX];
	size_t i;
	json_array_foreach (json_object_get(run, "checks"), i, check) {
		bool ok = json_is_true(json_object_get(check, "ok"));
		if (ok && !all)
			continue;
		(void)fputs(ok ? "    ok       " : "    FAILED   ", p->out);
		put(p, text_check(check, text, sizeof(text)));
		(void)fputc('\n', p->out);
	}
}

static void put_run(const struct pretty *p, const json_t *run, bool all_checks)
{
	char text[TEXT_MAX];
	const char *verdict = text_of(run, "verdict"), *reason = text_of(run, "reason");
	(void)fputs("  ", p->out);
	put_verdict(p, verdict);
	(void)fputs("  ", p->out);
	put(p, text_of(run, "name"));
	(void)fprintf(p->out, " (%s%s", text_of(run, "role"),
		      json_is_false(json_object_get(run, "helps")) ? ", folklore" : "");
	if (json_object_get(run, "outcome")) {
		(void)fputs("): ", p->out);
		put(p, text_outcome(run, text, sizeof(text)));
		(void)fprintf(
			p->out, ", %s",
			number_format_duration(text, sizeof(text), (uint64_t)text_integer(run, "duration_ns", 0)));
	} else {
		(void)fputc(')', p->out);
	}
	(void)fputc('\n', p->out);
	if (*reason) {
		(void)fputs("    ", p->out);
		put(p, reason);
		(void)fputc('\n', p->out);
	}
	put_checks(p, run, all_checks);
}

static void put_boundary(const struct pretty *p, const json_t *boundary)
{
	const json_t *tried = NULL;
	size_t i;
	(void)fputs("  ", p->out);
	put_verdict(p, text_of(boundary, "verdict"));
	(void)fputs("  ", p->out);
	put(p, text_of(boundary, "name"));
	(void)fputs("\n    ", p->out);
	put(p, text_of(boundary, "reason"));
	(void)fputs("\n    predicted by: ", p->out);
	put(p, text_of(boundary, "predicted_by"));
	json_array_foreach (json_object_get(boundary, "tried"), i, tried)
		(void)fprintf(p->out, "%s%" JSON_INTEGER_FORMAT " %s",
			      i ? ", " : "\n    tried: ", text_integer(tried, "value", 0), text_of(tried, "answer"));
	(void)fputc('\n', p->out);
}

static bool went_wrong(const json_t *of)
{
	const char *verdict = text_of(of, "verdict");
	return !strcmp(verdict, "fail") || !strcmp(verdict, "broken");
}

static void put_title(const struct pretty *p, const json_t *scenario)
{
	(void)fputc('\n', p->out);
	put_verdict(p, text_of(scenario, "verdict"));
	(void)fputs("  ", p->out);
	put(p, text_of(scenario, "name"));
	if (*text_of(scenario, "title")) {
		(void)fputs(p->ascii ? " - " : " \xe2\x80\x93 ", p->out);
		put(p, text_of(scenario, "title"));
	}
	(void)fputc('\n', p->out);
}

static void put_failures(const struct pretty *p, const json_t *scenarios)
{
	const json_t *scenario = NULL, *run = NULL;
	size_t i, k;
	json_array_foreach (scenarios, i, scenario) {
		if (!went_wrong(scenario))
			continue;
		bool shown = false;
		put_title(p, scenario);
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			if (!went_wrong(run))
				continue;
			shown = true;
			put_run(p, run, false);
			put_limits(p, run);
			put_stderr(p, run);
		}
		json_array_foreach (json_object_get(scenario, "boundaries"), k, run) {
			if (!went_wrong(run))
				continue;
			shown = true;
			put_boundary(p, run);
		}
		if (shown)
			continue;
		(void)fputs("  ", p->out);
		put(p, text_of(scenario, "reason"));
		(void)fputc('\n', p->out);
	}
}

static void put_every_run(const struct pretty *p, const json_t *scenarios)
{
	const json_t *scenario = NULL, *run = NULL;
	size_t i, k;
	json_array_foreach (scenarios, i, scenario) {
		if (!json_array_size(json_object_get(scenario, "runs")))
			continue;
		put_title(p, scenario);
		json_array_foreach (json_object_get(scenario, "runs"), k, run) {
			put_run(p, run, true);
			put_limits(p, run);
			put_stderr(p, run);
		}
	}
}

static void add_skipped(json_t *by_reason, const char *reason, const char *name, const char *run)
{
	json_t *list = json_object_get(by_reason, reason);
	if (!list) {
		list = json_array();
		(void)json_object_set_new(by_reason, reason, list);
	}
	(void)json_array_append_new(list, *run ? json_sprintf("%s (%s)", name, run) : json_string(name));
}

/* Names after one another, a new line where the next would not fit. */
static void put_names(const struct pretty *p, const json_t *names)
{
	const json_t *name = NULL;
	size_t i, column = p->width;
	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name) ? json_string_value(name) : "";
		bool fits = column + strlen(text) + 3 < p->width;
		(void)fputs(!i ? "\n      " : fits ? ", " : ",\n      ", p->out);
		put(p, text);
		column = (fits ? column + 2 : 6) + strlen(text);
	}
	(void)fputc('\n', p->out);
}

/* Reasons in the order they come up, and under each everything it kept from happening. */
static void put_skipped(const struct pretty *p, const json_t *scenarios)
{
	json_auto_t *by_reason = json_object();
	const json_t *scenario = NULL, *run = NULL;
	json_t *names;
	const char *reason;
	size_t i, k;
	json_array_foreach (scenarios, i, scenario) {
		bool whole = !strcmp(text_of(scenario, "verdict"), "skip");
		if (whole)
			add_skipped(by_reason, text_of(scenario, "reason"), text_of(scenario, "name"), "");
		json_array_foreach (json_object_get(scenario, "runs"), k, run)
			if (!whole && !strcmp(text_of(run, "verdict"), "skip"))
				add_skipped(by_reason, text_of(run, "reason"), text_of(scenario, "name"),
					    text_of(run, "name"));
		json_array_foreach (json_object_get(scenario, "boundaries"), k, run)
			if (!whole && !strcmp(text_of(run, "verdict"), "skip"))
				add_skipped(by_reason, text_of(run, "reason"), text_of(scenario, "name"),
					    text_of(run, "name"));
	}
	if (json_object_size(by_reason))
		(void)fputs("\nSkipped\n", p->out);
	json_object_foreach (by_reason, reason, names) {
		(void)fputs("  ", p->out);
		put(p, reason);
		put_names(p, names);
	}
}

static void put_summary(const struct pretty *p, const json_t *result)
{
	const json_t *scenarios = json_object_get(result, "scenarios"), *summary = json_object_get(result, "summary");
	const json_t *scenario = NULL;
	static const char *const verdict[] = {"pass", "fail", "broken", "skip"};
	size_t i, runs = 0;
	char text[64];
	json_array_foreach (scenarios, i, scenario)
		runs += json_array_size(json_object_get(scenario, "runs"));
	(void)fprintf(p->out, "\n%zu scenario%s, %zu run%s: ", json_array_size(scenarios),
		      json_array_size(scenarios) == 1 ? "" : "s", runs, runs == 1 ? "" : "s");
	for (i = 0; i < 4; i++) {
		json_int_t count = text_integer(summary, verdict[i], 0);
		(void)fprintf(p->out, "%s%s%" JSON_INTEGER_FORMAT " %s%s", i ? ", " : "",
			      p->colour && count ? verdict_colour(verdict[i]) : "", count, verdict[i],
			      p->colour && count ? "\033[0m" : "");
	}
	json_int_t duration = text_integer(result, "duration_ns", -1);
	if (duration >= 0)
		(void)fprintf(p->out, " in %s", number_format_duration(text, sizeof(text), (uint64_t)duration));
	(void)fputc('\n', p->out);
}

static int put_all(const struct pretty *p, const json_t *result, const struct report_options *options)
{
	const json_t *scenarios = json_object_get(result, "scenarios");
	char host[TEXT_MAX];
	(void)fputs("enomem ", p->out);
	put(p, text_of(result, "enomem"));
	(void)fputs(", ", p->out);
	put(p, text_host(result, host, sizeof(host)));
	(void)fputs("\n\n", p->out);
	int r = report_table(result, options, p->ascii, p->out);
	if (r == 0)
		r = report_boundaries(result, p->width, p->ascii, p->out);
	if (r < 0)
		return r;
	if (options->verbose)
		put_every_run(p, scenarios);
	else
		put_failures(p, scenarios);
	put_skipped(p, scenarios);
	put_summary(p, result);
	return 0;
}

int report_pretty(const json_t *result, const struct report_options *options, FILE *out)
{
	auto_free char *text = NULL;
	size_t size = 0;
	struct pretty p = {.out = out,
			   .colour = options->colour,
			   .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
			   .width = options->width ? options->width : WIDTH_WITHOUT_TERMINAL};
	/* Where nobody wraps them lines stay whole: they may be searched. */
	if (!options->width)
		return put_all(&p, result, options);
	p.out = open_memstream(&text, &size);
	if (!p.out)
		return -ENOMEM;
	int r = put_all(&p, result, options);
	if (fclose(p.out) != 0)
		return -ENOMEM;
	if (r == 0)
		text_fold(text, options->width, out);
	return r;
}
