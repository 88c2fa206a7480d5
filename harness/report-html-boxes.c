// SPDX-License-Identifier: MIT
/*
 * The boxes of a scenario: why it fails, how to see it again, and what made it succeed. Fixes are those that were run.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "html.h"
#include "report-cause.h"
#include "report-commands.h"
#include "report-html.h"
#include "report-replay.h"
#include "report-text.h"

#define ANSWER_MAX (TEXT_MAX + 32)

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
		(void)fputs("<p>Note: ", out);
		html_text(out, note);
		(void)fputs("</p>", out);
	}
	if (!json_object_size(seen) && !*note)
		(void)fputs("<p>Nothing was refused here, so there is no cause to explain.</p>", out);
	(void)fputs("</div>", out);
}

/* --- lines to type ----------------------------------------------------------------------------------------------- */

static bool has_line(const json_t *lines, const json_t *line)
{
	const json_t *other = NULL;
	size_t i;
	json_array_foreach (lines, i, other)
		if (json_equal(other, line))
			return true;
	return false;
}

/* Lines that those they are compared with (NULL: any) have not stand out. */
static void put_script(FILE *out, const json_t *lines, const json_t *from, const char *what)
{
	const json_t *line = NULL;
	size_t i;
	(void)fputs("<pre tabindex=\"0\" role=\"region\" aria-label=\"", out);
	html_text(out, what);
	(void)fputs("\">", out);
	json_array_foreach (lines, i, line) {
		bool other = from && !has_line(from, line);
		(void)fputs(i ? "\n" : "", out);
		(void)fputs(other ? "<b>" : "", out);
		html_text(out, json_string_value(line));
		(void)fputs(other ? "</b>" : "", out);
	}
	(void)fputs("</pre>", out);
}

/* --- how to see it again ----------------------------------------------------------------------------------------- */

/* "enomem run --guest=6.1 -p pids.max=30 pids-max/fork": as the result was made. */
static void put_run_command(FILE *out, const json_t *result, const json_t *scenario, const json_t *trigger)
{
	const char *name = text_of(scenario, "name"), *of_case = text_of(trigger, "case");
	auto_free char *whole = NULL, *quoted = NULL;
	json_auto_t *words = replay_words(result);
	const json_t *one = NULL;
	size_t i;
	(void)fputs("<pre tabindex=\"0\" role=\"region\" aria-label=\"enomem run\">enomem run ", out);
	json_array_foreach (words, i, one) {
		auto_free char *word = commands_word(json_string_value(one));
		html_text(out, word ? word : "");
		(void)fputc(' ', out);
	}
	if (asprintf(&whole, "%s%s%s", name, *of_case ? "/" : "", of_case) > 0)
		quoted = commands_word(whole);
	/* What stands behind "--" would be the words of a program. */
	(void)fputs(*name == '-' ? "./" : "", out);
	html_text(out, quoted ? quoted : "");
	(void)fputs("</pre>", out);
}

static void put_other_cases(FILE *out, const json_t *scenario, const json_t *first)
{
	const json_t *run = NULL;
	json_auto_t *seen = json_object();
	const char *before = "<p>As well, in the place of <code>";
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *of_case = text_of(run, "case");
		if (!is_role(run, "trigger") || !*of_case || !strcmp(of_case, text_of(first, "case")) ||
		    json_object_get(seen, of_case))
			continue;
		if (!json_object_size(seen)) {
			(void)fputs(before, out);
			html_text(out, text_of(first, "case"));
			(void)fputs("</code>: ", out);
		}
		(void)fputs(json_object_size(seen) ? ", <code>" : "<code>", out);
		html_text(out, of_case);
		(void)fputs("</code>", out);
		(void)json_object_set_new(seen, of_case, json_true());
	}
	if (json_object_size(seen))
		(void)fputs("</p>", out);
}

void html_reproduce(FILE *out, const json_t *result, const json_t *scenario, unsigned level)
{
	const json_t *run = NULL, *trigger = NULL, *first = NULL;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		first = first || !is_role(run, "trigger") ? first : run;
		if (!trigger && is_role(run, "trigger") && json_object_get(run, "argv"))
			trigger = run;
	}
	const struct commands_of of = {.result = result, .scenario = scenario, .trigger = trigger};
	json_auto_t *lines = commands_script(&of, trigger);
	(void)fprintf(out, "<div class=\"box\"><h%u>Reproduce</h%u><p>All of it, judged:</p>", level, level);
	put_run_command(out, result, scenario, trigger ? trigger : first);
	put_other_cases(out, scenario, trigger ? trigger : first);
	if (json_array_size(lines)) {
		(void)fputs("<p>Only the failure, by hand", out);
		html_terms(out, &of, trigger, NULL);
		html_origin(out, &of);
		(void)fputs(":</p>", out);
		put_script(out, lines, NULL, "The failure, by hand");
	}
	(void)fputs("</div>", out);
}

/* --- what made it go away ---------------------------------------------------------------------------------------- */

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

/* Did it succeed, though it was to fail? Then there was nothing that a remedy could help with. */
static bool is_unrefused(const json_t *trigger)
{
	return !strcmp(text_of2(trigger, "outcome", "kind"), "success") &&
	       strcmp(text_of2(trigger, "predicted", "kind"), "success") != 0;
}

/* A run's name without that of its case. */
static const char *short_name(const json_t *run)
{
	const char *name = text_of(run, "name"), *of_case = text_of(run, "case");
	size_t length = strlen(of_case);
	return length && !strncmp(name, of_case, length) && !strncmp(name + length, ": ", 2) ? name + length + 2 : name;
}

/* What of a remedy differs from its trigger, as text: remedies of several cases that differ in the same are one. */
static char *difference_of(const json_t *run, const json_t *trigger)
{
	json_auto_t *words = json_array(), *kinds = json_object();
	const json_t *argv = json_object_get(run, "argv"), *then = json_object_get(trigger, "argv"), *word = NULL;
	const json_t *value = NULL;
	const char *kind, *key;
	bool same = true;
	size_t i;
	json_array_foreach (argv, i, word) {
		same = same && json_equal(word, json_array_get(then, i));
		if (!same)
			(void)json_array_append(words, (json_t *)(uintptr_t)word);
	}
	json_object_foreach (json_object_get(run, "environment"), kind, value) {
		const json_t *before = json_object_get(json_object_get(trigger, "environment"), kind);
		json_t *changed = json_is_object(value) ? json_object() : json_incref((json_t *)(uintptr_t)value), *one;
		json_object_foreach (json_is_object(value) ? (json_t *)(uintptr_t)value : NULL, key, one)
			if (!json_equal(one, json_object_get(before, key)))
				(void)json_object_set(changed, key, one);
		if (json_equal(value, before))
			json_decref(changed);
		else
			(void)json_object_set_new(kinds, kind, changed);
	}
	json_auto_t *all = json_pack("{s:s, s:O, s:O, s:b}", "name", short_name(run), "words", words, "environment",
				     kinds, "helps", !json_is_false(json_object_get(run, "helps")));
	return json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
}

/* "granted", "still refused: clone EAGAIN" */
static const char *answer_of(const json_t *run, bool unrefused, char *buf, size_t size)
{
	const char *kind = text_of2(run, "outcome", "kind");
	bool folklore = json_is_false(json_object_get(run, "helps"));
	char outcome[TEXT_MAX];
	(void)text_outcome(run, outcome, sizeof(outcome));
	if (!strcmp(kind, "success"))
		(void)snprintf(buf, size, "%s", folklore || unrefused ? "success, as before" : "granted");
	else if (!folklore)
		(void)snprintf(buf, size, "%s", outcome);
	else
		(void)snprintf(buf, size, "still %s: %s",
			       !strcmp(kind, "errno")    ? "refused"
			       : !strcmp(kind, "signal") ? "killed"
							 : "there",
			       outcome);
	return buf;
}

/* One remedy: the runs of it, which are its cases. */
static void put_cases(FILE *out, const json_t *runs, bool unrefused)
{
	const json_t *run = NULL, *other = NULL;
	char answer[ANSWER_MAX], again[ANSWER_MAX];
	json_auto_t *seen = json_object();
	size_t i, k;
	json_array_foreach (runs, i, run) {
		bool any = false;
		if (json_object_get(seen, answer_of(run, unrefused, answer, sizeof(answer))))
			continue;
		(void)fputs(json_object_size(seen) ? "; " : ": ", out);
		(void)json_object_set_new(seen, answer, json_true());
		html_text(out, answer);
		json_array_foreach (runs, k, other) {
			const char *of_case = text_of(other, "case");
			if (!*of_case || strcmp(answer_of(other, unrefused, again, sizeof(again)), answer) != 0)
				continue;
			(void)fputs(any ? ", <code>" : " in <code>", out);
			html_text(out, of_case);
			(void)fputs("</code>", out);
			any = true;
		}
	}
}

static void put_remedy(FILE *out, const json_t *result, const json_t *scenario, const json_t *runs)
{
	const json_t *run = json_array_get(runs, 0), *trigger = trigger_of(scenario, run);
	const struct commands_of of = {.result = result, .scenario = scenario, .trigger = trigger ? trigger : run};
	json_auto_t *lines = commands_script(&of, run), *live = commands_live(&of, run);
	json_auto_t *before = trigger ? commands_script(&of, trigger) : NULL;
	const bool unrefused = is_unrefused(trigger);
	const char *held = unrefused ? "To be typed while the program is held at its refusal"
				     : "Typed while the program was held at its refusal";
	(void)fputs("<li><p><strong>", out);
	html_text(out, short_name(run));
	(void)fputs("</strong>", out);
	put_cases(out, runs, unrefused);
	(void)fputs("</p>", out);
	if (json_array_size(live)) {
		(void)fprintf(out, "<p class=\"note\">%s", held);
		html_terms(out, &of, run, trigger);
		(void)fputs(":</p>", out);
		put_script(out, live, NULL, short_name(run));
		(void)fprintf(out, "<p class=\"note\">It was started like this%s:</p>",
			      unrefused ? "" : ", and asked again");
	} else if (commands_change_machine(run) > commands_change_machine(trigger) ||
		   commands_need_root(run) > commands_need_root(trigger)) {
		(void)fputs("<p class=\"note\">Typed", out);
		html_terms(out, &of, run, trigger);
		(void)fputs(":</p>", out);
	}
	if (json_array_size(lines))
		put_script(out, lines, before, short_name(run));
	(void)fputs("</li>", out);
}

enum came_to { HELPED, DID_NOT_HELP, NOT_AS_PREDICTED, NOTHING_TO_HELP };

static enum came_to came_to(const json_t *run, const json_t *trigger)
{
	if (is_unrefused(trigger))
		return NOTHING_TO_HELP;
	if (strcmp(text_of(run, "verdict"), "pass") != 0)
		return NOT_AS_PREDICTED;
	return json_is_false(json_object_get(run, "helps")) ? DID_NOT_HELP : HELPED;
}

/* Remedies that were made, those of the same difference together; in the order in which they come first. */
static json_t *remedies_of(const json_t *scenario, enum came_to what)
{
	json_t *run = NULL, *remedies = json_object();
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const json_t *trigger = trigger_of(scenario, run);
		if (!is_role(run, "remedy") || !json_object_get(run, "outcome") || came_to(run, trigger) != what)
			continue;
		auto_free char *key = difference_of(run, trigger);
		json_t *same = key ? json_object_get(remedies, key) : NULL;
		if (key && !same) {
			same = json_array();
			(void)json_object_set_new(remedies, key, same);
		}
		(void)json_array_append(same, run);
	}
	return remedies;
}

static bool put_remedies(FILE *out, const json_t *result, const json_t *scenario, enum came_to what)
{
	static const char *const heading[] = {
		[HELPED] = ("These were tried, and helped. Commands are of the first case named; what is other than "
			    "where it failed is bold."),
		[DID_NOT_HELP] = "Folklore: these were tried as well, and did not help.",
		[NOT_AS_PREDICTED] = "These were tried, and it ended in another way than predicted.",
		[NOTHING_TO_HELP] =
			("The trigger was not refused, so nothing can be said to have helped. These were run "
			 "all the same; what is other than in the trigger is bold."),
	};
	json_auto_t *remedies = remedies_of(scenario, what);
	json_t *runs = NULL;
	const char *key;
	if (!json_object_size(remedies))
		return false;
	(void)fprintf(out, "<p>%s</p><ul>", heading[what]);
	json_object_foreach (remedies, key, runs)
		put_remedy(out, result, scenario, runs);
	(void)fputs("</ul>", out);
	return true;
}

/* What could not be tried says why, once. */
static bool put_missing(FILE *out, const json_t *scenario)
{
	const json_t *run = NULL;
	json_auto_t *seen = json_object();
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		const char *name = short_name(run);
		if (!is_role(run, "remedy") || json_object_get(run, "outcome") || json_object_get(seen, name))
			continue;
		(void)fputs(json_object_size(seen) ? "" : "<p>Not tried here:</p><ul>", out);
		(void)json_object_set_new(seen, name, json_true());
		(void)fputs("<li><strong>", out);
		html_text(out, name);
		(void)fputs("</strong>: ", out);
		html_text(out, text_of(run, "reason"));
		(void)fputs("</li>", out);
	}
	(void)fputs(json_object_size(seen) ? "</ul>" : "", out);
	return json_object_size(seen) > 0;
}

void html_fix(FILE *out, const json_t *result, const json_t *scenario, unsigned level)
{
	(void)fprintf(out, "<div class=\"box fix\"><h%u>Fix</h%u>", level, level);
	html_machine(out, result, scenario);
	bool any = put_remedies(out, result, scenario, HELPED);
	any |= put_remedies(out, result, scenario, DID_NOT_HELP);
	any |= put_remedies(out, result, scenario, NOT_AS_PREDICTED);
	any |= put_remedies(out, result, scenario, NOTHING_TO_HELP);
	any |= put_missing(out, scenario);
	(void)fputs(any ? "</div>" : "<p>Nothing was tried here.</p></div>", out);
}
