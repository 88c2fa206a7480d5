// SPDX-License-Identifier: MIT
/*
 * For trainers: what is right in a lesson, or in all that can be taught here. See teach.h.
 */
#include <string.h>

#include "book.h"
#include "cleanup.h"
#include "lesson.h"
#include "report-text.h"
#include "say.h"
#include "teach-guest.h"

static void put_key(const struct explain_world *w, const struct quiz *q, bool answers)
{
	static const struct markdown_style style = {.width = 100};
	struct teach_fix fix;
	char letters[QUESTIONS][32];
	for (unsigned i = 0; i < QUESTIONS; i++)
		(void)quiz_letters(q->question[i].right, letters[i], sizeof(letters[i]));
	printf("%-22s outcome: %-3s cause: %-3s fix: %s\n", q->name, letters[0], letters[1], letters[2]);
	fix_find(&w->machine, q, &fix);
	for (unsigned i = 0; i < fix.count; i++)
		printf("%-22s   %s\n", "", fix.line[i]);
	if (answers && *text_of(q->lesson, "answers")) {
		printf("\n%s:\n", lesson_headings[LESSON_CHECK]);
		(void)teach_show_answers(q, &style, stdout);
	}
}

static json_t *key_json(const struct explain_world *w, const struct quiz *q)
{
	json_t *key = json_object(), *lines = json_array();
	struct teach_fix fix;
	for (unsigned k = 0; k < QUESTIONS; k++) {
		const struct question *question = &q->question[k];
		json_t *all = json_array(), *right = json_array();
		char letters[32];
		for (unsigned i = 0; i < question->count; i++) {
			(void)json_array_append_new(all, json_string(question->option[i]));
			if (question->right >> i & 1)
				(void)json_array_append_new(right, json_string(question->option[i]));
		}
		(void)json_object_set_new(key, question_names[k],
					  json_pack("{s:o, s:o, s:s}", "options", all, "right", right, "letters",
						    quiz_letters(question->right, letters, sizeof(letters))));
	}
	json_t *last = json_object_get(key, question_names[QUESTION_FIX]);
	fix_find(&w->machine, q, &fix);
	for (unsigned i = 0; i < fix.count; i++)
		(void)json_array_append_new(lines, json_string(fix.line[i]));
	(void)json_object_set_new(last, "lines", lines);
	if (fix.remedy)
		(void)json_object_set_new(last, "remedy", json_string(fix.remedy->name));
	(void)json_object_set_new(last, "trigger", json_string(q->trigger->name));
	if (q->guests)
		(void)json_object_set_new(last, "guest", json_string(teach_guest_kernel(q)));
	if (fix.why_not)
		(void)json_object_set_new(last, "no_shell", json_string(fix.why_not));
	if (*text_of(q->lesson, "answers"))
		(void)json_object_set_new(key, "answers", json_string(text_of(q->lesson, "answers")));
	return key;
}

int teach_key(const struct explain_world *w, const struct teach_guests *guests, const struct book *b, const char *name,
	      bool as_json)
{
	json_auto_t *keys = json_object();
	for (size_t c = 0; c < b->chapter_count; c++)
		for (size_t i = 0; i < b->chapters[c].lessons.count; i++) {
			const char *lesson = b->chapters[c].lessons.item[i];
			const struct scenario *s = teach_scenario(w, lesson);
			struct quiz q;
			if (!s || (name && s != teach_scenario(w, name)))
				continue;
			if (quiz_make(w, guests, s, name ? name : lesson, NULL, stderr, &q) < 0)
				return EXIT_USAGE;
			if (q.why_not && name)
				(void)say_error(0, "%s: it cannot be taught here: %s", name, q.why_not);
			else if (!q.why_not && as_json)
				(void)json_object_set_new(keys, q.name, key_json(w, &q));
			else if (!q.why_not)
				put_key(w, &q, name);
			bool skipped = q.why_not && name;
			quiz_free(&q);
			if (skipped)
				return EXIT_ALL_SKIPPED;
		}
	return as_json && (json_dumpf(keys, stdout, JSON_INDENT(1)) < 0 || puts("") < 0) ? EXIT_BROKEN
											 : EXIT_AS_PREDICTED;
}
