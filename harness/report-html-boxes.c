// SPDX-License-Identifier: MIT
/*
 * The boxes of a scenario: why it fails, how to see it again, and what made it succeed. Fixes are those that were run.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "html.h"
#include "report-cause.h"
#include "report-html.h"
#include "report-set.h"
#include "report-text.h"
#include "triage.h"

#define WORD_MAX 600

static bool is_role(const json_t *run, const char *role)
{
	return !strcmp(text_of(run, "role"), role);
}

void html_why(FILE *out, const json_t *scenario, unsigned level)
{
	const json_t *run = NULL;
	json_auto_t *seen = json_object();
	const char *note = text_of(scenario, "note");
	size_t i;
	(void)fprintf(out, "<div class=\"box\"><h%u>Why</h%u>", level, level);
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *id = text_of2(run, "cause", "id"), *where = text_of2(run, "cause", "where");
		const struct cause_words *words = cause_words(id);
		if (!words || !is_role(run, "trigger") || json_object_get(seen, id))
			continue;
		(void)json_object_set_new(seen, id, json_true());
		(void)fprintf(out, "<p><strong>%s.</strong> ", id);
		html_text(out, words->why);
		if (*where) {
			(void)fputs(" Its numbers are in <code>", out);
			html_text(out, where);
			(void)fputs("</code>.", out);
		}
		(void)fputs("</p>", out);
	}
	if (*note) {
		(void)fputs("<p>", out);
		html_text(out, note);
		(void)fputs("</p>", out);
	}
	if (!json_object_size(seen) && !*note)
		(void)fputs("<p>Nothing was refused here, so there is no cause to explain.</p>", out);
	(void)fputs("</div>", out);
}

/* One word of a command line, as a shell reads it. */
static void put_word(FILE *out, const char *text)
{
	char word[WORD_MAX];
	html_text(out, triage_quote(text, word, sizeof(word)));
}

static void put_argv(FILE *out, const json_t *run)
{
	const json_t *word = NULL;
	size_t i;
	json_array_foreach (json_object_get(run, "argv"), i, word) {
		(void)fputs(i ? " " : "", out);
		put_word(out, json_is_string(word) ? json_string_value(word) : "?");
	}
}

/* What was set of one kind and is not the same in the run it is compared with (NULL: all of it). */
static void put_changes(FILE *out, const json_t *run, const json_t *from, const char *kind)
{
	const json_t *now = json_object_get(json_object_get(run, "environment"), kind), *value = NULL;
	const json_t *then = json_object_get(json_object_get(from, "environment"), kind);
	bool limit = !strcmp(kind, "rlimit"), group = !strcmp(kind, "cgroup");
	char text[TEXT_MAX];
	const char *key;
	json_object_foreach ((json_t *)(uintptr_t)now, key, value) {
		if (from && json_equal(value, json_object_get(then, key)))
			continue;
		const char *none = limit ? "unlimited" : "max";
		(void)text_value(value, text, sizeof(text));
		if (limit)
			html_format(out, "prlimit --%s=%s ", key, json_is_null(value) ? none : text);
		else if (group)
			html_format(out, "echo %s > /sys/fs/cgroup/GROUP/%s", json_is_null(value) ? none : text, key);
		else
			html_format(out, "sysctl -w %s=%s", key, json_is_null(value) ? none : text);
		(void)fputs(limit ? "" : "\n", out);
	}
	json_object_foreach ((json_t *)(uintptr_t)then, key, value) {
		if (json_object_get(now, key))
			continue;
		if (limit)
			html_format(out, "prlimit --%s=unlimited ", key);
		else if (group)
			html_format(out, "echo max > /sys/fs/cgroup/GROUP/%s", key);
		else
			html_format(out, "# %s as the machine had it", key);
		(void)fputs(limit ? "" : "\n", out);
	}
}

/* Settings that no single command makes: swap, an identity, mounts. */
static void put_others(FILE *out, const json_t *run, const json_t *from)
{
	static const char *const known[] = {"rlimit",         "cgroup",        "sysctl",     "inject",
					    "memory_ceiling", "tasks_ceiling", "deadline_ns"};
	const json_t *now = json_object_get(run, "environment"), *value = NULL;
	const json_t *then = json_object_get(from, "environment");
	const char *key;
	json_object_foreach ((json_t *)(uintptr_t)now, key, value) {
		bool skip = from && json_equal(value, json_object_get(then, key));
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			skip |= !strcmp(key, known[i]);
		if (skip)
			continue;
		char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
		html_format(out, "# with %s: %s", key, text ? text : "");
		(void)fputc('\n', out);
		free(text);
	}
}

static void put_environment(FILE *out, const json_t *run, const json_t *from)
{
	put_others(out, run, from);
	put_changes(out, run, from, "sysctl");
	put_changes(out, run, from, "cgroup");
	put_changes(out, run, from, "rlimit");
}

void html_reproduce(FILE *out, const json_t *result, const json_t *scenario, unsigned level)
{
	const json_t *host = json_object_get(result, "host"), *run = NULL, *trigger = NULL;
	const char *name = text_of(scenario, "name");
	char series[TEXT_MAX];
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (!trigger && is_role(run, "trigger") && json_object_get(run, "argv"))
			trigger = run;
	(void)fprintf(out, "<div class=\"box\"><h%u>Reproduce</h%u><pre tabindex=\"0\">enomem run ", level, level);
	if (json_is_true(json_object_get(host, "guest"))) {
		(void)fputs("--guest=", out);
		put_word(out, result_series(result, series, sizeof(series)));
		(void)fputc(' ', out);
	}
	(void)fputs(*name == '-' ? "-- " : "", out);
	put_word(out, name);
	(void)fputs("</pre>", out);
	if (trigger) {
		(void)fputs("<p>What the first trigger does, by hand:</p><pre tabindex=\"0\">", out);
		put_environment(out, trigger, NULL);
		put_argv(out, trigger);
		(void)fputs("</pre>", out);
	}
	(void)fputs("</div>", out);
}

/* The trigger that a remedy is the remedy of. */
static const json_t *trigger_of(const json_t *scenario, const json_t *remedy)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run)
		if (is_role(run, "trigger") && !strcmp(text_of(run, "case"), text_of(remedy, "case")))
			return run;
	return NULL;
}

/* A run's name without that of its case. */
static const char *short_name(const json_t *run)
{
	const char *name = text_of(run, "name"), *of_case = text_of(run, "case");
	size_t length = strlen(of_case);
	return length && !strncmp(name, of_case, length) && !strncmp(name + length, ": ", 2) ? name + length + 2 : name;
}

static void put_remedies(FILE *out, const json_t *scenario, bool helping, const char *heading)
{
	const json_t *run = NULL;
	json_auto_t *seen = json_object();
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *name = short_name(run);
		const json_t *trigger = trigger_of(scenario, run);
		bool folklore = json_is_false(json_object_get(run, "helps"));
		if (!is_role(run, "remedy") || strcmp(text_of(run, "verdict"), "pass") != 0 || folklore == helping ||
		    json_object_get(seen, name))
			continue;
		if (!json_object_size(seen))
			(void)fprintf(out, "<p>%s</p><ul>", heading);
		(void)json_object_set_new(seen, name, json_true());
		(void)fputs("<li>", out);
		html_text(out, name);
		if (helping && json_object_get(run, "environment")) {
			bool same = json_equal(json_object_get(run, "argv"), json_object_get(trigger, "argv"));
			(void)fputs("<pre tabindex=\"0\">", out);
			put_environment(out, run, trigger);
			put_argv(out, run);
			(void)fputs(same ? "</pre>" : "  # its arguments differ</pre>", out);
		}
		(void)fputs("</li>", out);
	}
	if (json_object_size(seen))
		(void)fputs("</ul>", out);
}

void html_fix(FILE *out, const json_t *scenario, unsigned level)
{
	(void)fprintf(out, "<div class=\"box\"><h%u>Fix</h%u>", level, level);
	put_remedies(out, scenario, true, "These were tried, and the same program succeeded:");
	put_remedies(out, scenario, false, "Folklore: these were tried as well, and did not help:");
	(void)fputs("</div>", out);
}
