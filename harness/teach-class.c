// SPDX-License-Identifier: MIT
/*
 * What a class predicted, against what came: of its learners' progress files. See teach.h.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "report-text.h"
#include "say.h"
#include "table.h"
#include "teach.h"

#define HINTS_LARGEST 1000000

/* What was said, right or wrong, added to a lesson's row. */
static int add_answer(json_t *row, const char *question, const json_t *answer)
{
	json_t *count = json_object_get(row, question), *wrong;
	const json_t *option = NULL;
	size_t i;
	bool right = json_is_true(json_object_get(answer, "right"));
	if (!json_is_object(answer))
		return 0;
	if (!count) {
		count = json_pack("{s:i, s:i, s:{}}", "asked", 0, "right", 0, "wrong");
		if (!count || json_object_set_new(row, question, count) < 0)
			return -ENOMEM;
	}
	int r = json_integer_set(json_object_get(count, "asked"), text_integer(count, "asked", 0) + 1);
	r |= json_integer_set(json_object_get(count, "right"), text_integer(count, "right", 0) + right);
	wrong = json_object_get(count, "wrong");
	if (right)
		return r;
	char said[TEXT_MAX] = "";
	json_array_foreach (json_object_get(answer, "predicted"), i, option)
		text_add(said, sizeof(said), "%s%s", i ? ", " : "", json_string_value(option));
	return r | json_object_set_new(wrong, said, json_integer(text_integer(wrong, said, 0) + 1));
}

/* Files are others', and anything may be in them: -EINVAL after telling what no teach has written. */
static int check_lesson(const char *file, const char *name, const json_t *lesson)
{
	const json_t *hints = json_object_get(lesson, "hints"), *option = NULL;
	const char *wrong = json_is_object(lesson) ? NULL : "it is no object";
	size_t i;
	if (hints &&
	    (!json_is_integer(hints) || json_integer_value(hints) < 0 || json_integer_value(hints) > HINTS_LARGEST))
		wrong = "hints: no number that can be counted to";
	for (unsigned q = 0; !wrong && q < QUESTIONS; q++) {
		const json_t *answer = json_object_get(lesson, question_names[q]);
		const json_t *predicted = json_object_get(answer, "predicted");
		if (answer && !json_is_array(predicted))
			wrong = "predicted: no list of answers";
		json_array_foreach (predicted, i, option)
			if (!json_is_string(option))
				wrong = "predicted: an answer that is no text";
	}
	if (!wrong)
		return 0;
	char clean[TEXT_MAX];
	(void)say_error(0, "%s: %s: %s", file, text_clean(name, false, clean, sizeof(clean)), wrong);
	say_hint("a progress file is as `enomem teach` wrote it");
	return -EINVAL;
}

/* Of each lesson a row for each trigger that was asked about: on another kernel that may be another. */
static json_t *row_of(json_t *rows, const char *name, const json_t *lesson)
{
	char trigger[TEXT_MAX];
	json_t *of_lesson = json_object_get(rows, name);
	if (!of_lesson && json_object_set_new(rows, name, json_object()) < 0)
		return NULL;
	of_lesson = json_object_get(rows, name);
	(void)text_clean(text_of(lesson, "trigger"), false, trigger, sizeof(trigger));
	json_t *row = json_object_get(of_lesson, trigger);
	if (!row)
		(void)json_object_set_new(
			of_lesson, trigger,
			json_pack("{s:i, s:i, s:i, s:i}", "learners", 0, "done", 0, "by_hand", 0, "hints", 0));
	return json_object_get(of_lesson, trigger);
}

/* A lesson's only row has its name; of several each has that of its trigger as well. */
static json_t *name_rows(json_t *rows)
{
	json_t *named = json_object(), *of_lesson, *row;
	const char *name, *trigger;
	json_object_foreach (rows, name, of_lesson)
		json_object_foreach (of_lesson, trigger, row) {
			char both[2 * TEXT_MAX];
			(void)snprintf(both, sizeof(both), "%s (%s)", name, *trigger ? trigger : "the first trigger");
			(void)json_object_set(named, json_object_size(of_lesson) == 1 ? name : both, row);
		}
	return named;
}

static int add_file(json_t *rows, const char *file)
{
	json_auto_t *progress = NULL;
	const char *name;
	const json_t *lesson;
	if (access(file, R_OK) < 0) {
		(void)say_error(-errno, "%s: cannot be read", file);
		return -EINVAL;
	}
	int r = progress_load(file, stderr, &progress);
	if (r < 0)
		return r;
	json_object_foreach (json_object_get(progress, "lessons"), name, lesson) {
		if (check_lesson(file, name, lesson) < 0)
			return -EINVAL;
		json_t *row = row_of(rows, name, lesson);
		if (!row)
			return -ENOMEM;
		(void)json_integer_set(json_object_get(row, "learners"), text_integer(row, "learners", 0) + 1);
		(void)json_integer_set(json_object_get(row, "done"),
				       text_integer(row, "done", 0) + json_is_true(json_object_get(lesson, "done")));
		const json_t *fix = json_object_get(lesson, question_names[QUESTION_FIX]);
		(void)json_integer_set(json_object_get(row, "by_hand"),
				       text_integer(row, "by_hand", 0) + json_is_true(json_object_get(fix, "done")));
		(void)json_integer_set(json_object_get(row, "hints"),
				       text_integer(row, "hints", 0) + text_integer(lesson, "hints", 0));
		for (unsigned q = 0; r == 0 && q < QUESTIONS; q++)
			r = add_answer(row, question_names[q], json_object_get(lesson, question_names[q]));
	}
	return r;
}

/* What was said most of what was wrong; of two the first by name. */
static const char *mostly_said(json_t *count)
{
	const char *said, *most = "";
	json_t *n;
	json_int_t best = 0;
	json_object_foreach (json_object_get(count, "wrong"), said, n)
		if (json_integer_value(n) > best || (json_integer_value(n) == best && strcmp(said, most) < 0)) {
			best = json_integer_value(n);
			most = said;
		}
	return most;
}

static int print(json_t *rows)
{
	static const char *const columns[] = {
		"LESSON", "LEARNERS", "DONE", "OUTCOME", "CAUSE", "FIX", "BY HAND", "HINTS", "~MOSTLY SAID INSTEAD",
		NULL};
	struct libscols_table *table = table_new(columns);
	const char *name;
	json_t *row;
	int r = table ? 0 : -ENOMEM;
	json_object_foreach (rows, name, row) {
		char learners[24], done[24], right[QUESTIONS][48], by_hand[24], hints[24], said[TEXT_MAX] = "";
		(void)snprintf(learners, sizeof(learners), "%d", (int)text_integer(row, "learners", 0));
		(void)snprintf(done, sizeof(done), "%d", (int)text_integer(row, "done", 0));
		(void)snprintf(by_hand, sizeof(by_hand), "%d", (int)text_integer(row, "by_hand", 0));
		(void)snprintf(hints, sizeof(hints), "%d", (int)text_integer(row, "hints", 0));
		for (unsigned q = 0; q < QUESTIONS; q++) {
			json_t *count = json_object_get(row, question_names[q]);
			const char *most = mostly_said(count);
			(void)snprintf(right[q], sizeof(right[q]), "%d of %d", (int)text_integer(count, "right", 0),
				       (int)text_integer(count, "asked", 0));
			if (*most)
				text_add(said, sizeof(said), "%s%s: %s", *said ? "; " : "", question_names[q], most);
		}
		if (r == 0)
			r = table_add(table, (const char *const[]){name, learners, done, right[0], right[1], right[2],
								   by_hand, hints, said});
	}
	if (r < 0) {
		scols_unref_table(table);
		return r;
	}
	return table_print(table);
}

int teach_class(char *const *files, size_t count, bool as_json)
{
	json_auto_t *rows = json_object();
	int r = rows ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_file(rows, files[i]);
	if (r == -EINVAL)
		return EXIT_USAGE;
	json_auto_t *named = r == 0 ? name_rows(rows) : NULL;
	if (r == 0)
		r = as_json ? -(json_dumpf(named, stdout, JSON_INDENT(1) | JSON_SORT_KEYS) < 0 || puts("") < 0)
			    : print(named);
	return r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}
