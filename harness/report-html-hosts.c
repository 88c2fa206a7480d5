// SPDX-License-Identifier: MIT
/*
 * The header of the page, and its last part: what the results are of, and what the words mean.
 */
#include <inttypes.h>
#include <string.h>

#include "cleanup.h"
#include "html.h"
#include "number.h"
#include "report-html.h"
#include "report-replay.h"
#include "report-set.h"
#include "report-text.h"
#include "report.h"
#include "triage.h"

#define WORDS_SHOWN 16 /* more are folded */

struct fact {
	const char *name;
	void (*put)(FILE *out, const json_t *result);
};

static void put_kernel(FILE *out, const json_t *result)
{
	html_text(out, text_of2(result, "host", "kernel"));
}

static void put_cgroup(FILE *out, const json_t *result)
{
	html_text(out, text_of2(result, "host", "cgroup"));
}

static void put_bytes(FILE *out, const json_t *host, const char *key, const char *zero)
{
	char text[64];
	json_int_t bytes = text_integer(host, key, -1);
	if (bytes >= 0)
		html_text(out, bytes ? number_format_bytes(text, sizeof(text), (uint64_t)bytes) : zero);
	else
		(void)fputs("not in the file", out);
}

static void put_ram(FILE *out, const json_t *result)
{
	put_bytes(out, json_object_get(result, "host"), "ram", "none");
}

static void put_swap(FILE *out, const json_t *result)
{
	put_bytes(out, json_object_get(result, "host"), "swap", "none");
}

static void put_machine(FILE *out, const json_t *result)
{
	const json_t *host = json_object_get(result, "host");
	const char *profile = text_of(host, "profile");
	json_int_t cpus = text_integer(host, "cpus", 0);
	/* The label of -p and --sysctl begins with a setting; that of --profile with the name of a file. */
	bool is_set = !replay_has_profile(result) && profile[strcspn(profile, "=,")] == '=';
	if (result_is_reference(result)) {
		(void)fputs("a reference: what is the same on every run", out);
		return;
	}
	(void)fputs(json_is_true(json_object_get(host, "guest")) ? "a guest" : "the machine itself", out);
	if (cpus > 0)
		html_format(out, ", %" JSON_INTEGER_FORMAT " CPU%s", cpus, cpus == 1 ? "" : "s");
	if (json_object_get(host, "root"))
		(void)fputs(json_is_true(json_object_get(host, "root")) ? ", as root" : ", unprivileged", out);
	if (*profile)
		html_format(out, is_set ? "; set: %s" : ", profile %s", profile);
}

/* As it was typed, quoted for a shell. */
static void put_command(FILE *out, const json_t *result)
{
	const json_t *words = json_object_get(result, "command"), *word = NULL;
	const size_t count = json_array_size(words);
	size_t i;
	if (count == 0) {
		(void)fputs("not in the file", out);
		return;
	}
	if (count > WORDS_SHOWN)
		(void)fprintf(out, "<details><summary>%zu words</summary>", count);
	(void)fputs("<code class=\"typed\">", out);
	json_array_foreach (words, i, word) {
		size_t size = 4 * json_string_length(word) + 16; /* each letter may be a quote */
		auto_free char *quoted = malloc(size);
		(void)fputs(i ? " " : "", out);
		if (quoted)
			html_text(out, triage_quote(json_string_value(word), quoted, size));
	}
	(void)fputs(count > WORDS_SHOWN ? "</code></details>" : "</code>", out);
}

static void put_summary(FILE *out, const json_t *result)
{
	static const char *const verdict[] = {"pass", "fail", "broken", "skip"};
	const json_t *scenario = NULL, *run = NULL;
	size_t i, k, runs = 0;
	char text[64];
	for (size_t v = 0; v < sizeof(verdict) / sizeof(verdict[0]); v++) {
		unsigned count = 0;
		json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
			count += !strcmp(text_of(scenario, "verdict"), verdict[v]);
		(void)fprintf(out, "%s%u %s", v ? ", " : "", count, verdict[v]);
	}
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		json_array_foreach (json_object_get(scenario, "runs"), k, run)
			runs += json_object_get(run, "outcome") != NULL;
	(void)fprintf(out, "; %zu run%s", runs, runs == 1 ? "" : "s");
	if (json_is_integer(json_object_get(result, "duration_ns")))
		(void)fprintf(
			out, " in %s",
			number_format_duration(text, sizeof(text), (uint64_t)text_integer(result, "duration_ns", 0)));
}

static void put_sysctls(FILE *out, const json_t *result)
{
	const json_t *sysctl = json_object_get(json_object_get(result, "host"), "sysctl"), *value = NULL;
	const char *name;
	char text[TEXT_MAX];
	if (!json_object_size(sysctl)) {
		(void)fputs("not in the file", out);
		return;
	}
	(void)fprintf(out, "<details><summary>%zu sysctls</summary><ul class=\"sysctls\">", json_object_size(sysctl));
	json_object_foreach ((json_t *)(uintptr_t)sysctl, name, value) {
		(void)fputs("<li><code>", out);
		html_format(out, "%s = %s", name, text_value(value, text, sizeof(text)));
		(void)fputs("</code></li>", out);
	}
	(void)fputs("</ul></details>", out);
}

static const struct fact facts[] = {
	{"Kernel", put_kernel},   {"Control groups", put_cgroup}, {"RAM", put_ram},         {"Swap", put_swap},
	{"Machine", put_machine}, {"Scenarios", put_summary},     {"Sysctls", put_sysctls}, {"Command", put_command},
};

void html_hosts(const struct report_page *p)
{
	const json_t *result = NULL, *label = NULL;
	size_t i;
	(void)fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What was looked at\"><table "
		    "class=\"hosts\"><caption>What was looked at</caption>",
		    p->out);
	if (p->several) {
		(void)fputs("<thead><tr><td></td>", p->out);
		json_array_foreach (p->labels, i, label) {
			(void)fputs("<th scope=\"col\">", p->out);
			html_text(p->out, json_string_value(label));
			(void)fputs("</th>", p->out);
		}
		(void)fputs("</tr></thead>", p->out);
	}
	(void)fputs("<tbody>", p->out);
	for (size_t f = 0; f < sizeof(facts) / sizeof(facts[0]); f++) {
		(void)fprintf(p->out, "<tr><th scope=\"row\">%s</th>", facts[f].name);
		json_array_foreach (p->results, i, result) {
			/* Where there is no room for columns, each value tells whose it is. */
			(void)fputs(p->several ? "<td data-head=\"" : "<td>", p->out);
			if (p->several) {
				html_text(p->out, json_string_value(json_array_get(p->labels, i)));
				(void)fputs("\">", p->out);
			}
			facts[f].put(p->out, result);
			(void)fputs("</td>", p->out);
		}
		(void)fputs("</tr>\n", p->out);
	}
	(void)fprintf(p->out, "</tbody></table></div>\n");
}

static const char *const meaning[][2] = {
	{"pass",
	 "All of it held: the control succeeded, the trigger failed as predicted, the numbers of that moment name this "
	 "limit and no other one, and a documented remedy made the same program succeed."},
	{"fail",
	 "The kernel did something else than the manifest predicts, or a check did not hold. The reason is in the "
	 "scenario's first sentence."},
	{"broken", "The stage could not be set, so nothing was proved either way."},
	{"skip",
	 "This machine lacks something, which is named; or one of control, trigger and remedy is missing, so that "
	 "the rest proves nothing."},
	{"differs", "Results that have this case do not say the same of it; what differs is listed in its section."},
	{"control", "The same program in the same place without the limit. It has to succeed."},
	{"trigger", "The program with the limit. It has to fail as predicted."},
	{"remedy", "What the documentation says helps. It has to make the program succeed."},
	{"folklore", "What people say helps and does not. It has to leave the failure as it is."},
	{"failing moment",
	 "When the call returned its error, or the signal came: the program is held there while all counters are "
	 "read."},
	{"limit, in use, asked, bound",
	 "Every limit is one comparison: it refuses when in use + asked > bound. The difference is by how much."},
	{"timeline",
	 "What is in use, sampled every few milliseconds and read exactly before the start, at the failing moment and "
	 "after the end. The dashed line is the limit, the ticks at the bottom are refused calls and signals, the "
	 "arrow is what was asked for on top."},
	{"2^63 or more",
	 "The number is beyond what the file can hold: as a bound that is none, as a request an absurd one."},
};

void html_understanding(const struct report_page *p)
{
	(void)fputs("<section id=\"understanding\"><h2>Understanding this report</h2><dl>\n", p->out);
	for (size_t i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++) {
		(void)fputs("<dt>", p->out);
		html_text(p->out, meaning[i][0]);
		(void)fputs("</dt><dd>", p->out);
		html_text(p->out, meaning[i][1]);
		(void)fputs("</dd>\n", p->out);
	}
	(void)fputs(
		"</dl><p>Made by <code>enomem report</code> from the stored result alone. This page asks no server for "
		"anything and runs no script but its own.</p></section>\n",
		p->out);
}
