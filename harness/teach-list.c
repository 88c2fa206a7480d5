// SPDX-License-Identifier: MIT
/*
 * The lessons in the order in which they are taught, and how far whoever asks has come. See teach.h.
 */
#include <errno.h>
#include <string.h>

#include "book.h"
#include "cleanup.h"
#include "lesson.h"
#include "report-text.h"
#include "say.h"
#include "table.h"
#include "teach.h"

size_t teach_place(const struct book *b, const char *name)
{
	for (size_t i = 0; i < b->course.count; i++)
		if (!strcmp(b->course.item[i], name))
			return i + 1;
	return 0;
}

const struct scenario *teach_scenario(const struct explain_world *w, const char *name)
{
	const size_t length = strcspn(name, "/");
	for (size_t i = 0; i < w->all.count; i++)
		if (!strncmp(w->all.item[i]->name, name, length) && !w->all.item[i]->name[length])
			return w->all.item[i];
	return NULL;
}

/* A row; of a lesson that is not in the course the number is 0. The title is the answer to what was not asked yet. */
static int add(const struct explain_world *w, const json_t *progress, const struct book *b, const char *name,
	       json_t *rows)
{
	const struct scenario *s = teach_scenario(w, name);
	const json_t *kept = json_object_get(json_object_get(progress, "lessons"), name);
	struct lesson *l = NULL;
	bool predicted = json_is_true(json_object_get(kept, "done")) ||
			 (json_object_get(kept, question_names[QUESTION_OUTCOME]) &&
			  json_object_get(kept, question_names[QUESTION_CAUSE]));
	if (!s)
		return 0;
	int r = lesson_read(s->directory, stderr, &l);
	if (r < 0)
		return r;
	r = json_array_append_new(rows, json_pack("{s:s, s:I, s:s*, s:s}", "lesson", name, "number",
						  (json_int_t)teach_place(b, name), "title",
						  predicted ? l->title : NULL, "state",
						  json_is_true(json_object_get(kept, "done")) ? "done"
						  : json_is_object(kept)                      ? "begun"
											      : "new"));
	lesson_free(l);
	return r < 0 ? -ENOMEM : 0;
}

/* Of a scenario, the cases that were begun by their names. */
static int add_cases(const struct explain_world *w, const json_t *progress, const struct book *b, const char *scenario,
		     json_t *rows)
{
	const size_t length = strlen(scenario);
	const char *name;
	json_t *kept;
	int r = 0;
	json_object_foreach (json_object_get(progress, "lessons"), name, kept)
		if (r == 0 && kept && !strncmp(name, scenario, length) && name[length] == '/')
			r = add(w, progress, b, name, rows);
	return r;
}

/* Those of the course; then what was begun beside it, in the order of the book. */
static int add_all(const struct explain_world *w, const json_t *progress, const struct book *b, json_t *rows)
{
	int r = rows ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < b->course.count; i++)
		r = add(w, progress, b, b->course.item[i], rows);
	for (size_t c = 0; c < b->chapter_count; c++)
		for (size_t i = 0; r == 0 && i < b->chapters[c].lessons.count; i++) {
			const char *name = b->chapters[c].lessons.item[i];
			if (!teach_place(b, name) && json_object_get(json_object_get(progress, "lessons"), name))
				r = add(w, progress, b, name, rows);
			if (r == 0)
				r = add_cases(w, progress, b, name, rows);
		}
	return r;
}

static int print(const json_t *rows)
{
	static const char *const columns[] = {"NO", "LESSON", "STATE", "TITLE", NULL};
	struct libscols_table *table = table_new(columns);
	const json_t *row = NULL;
	size_t i;
	int r = table ? 0 : -ENOMEM;
	json_array_foreach (rows, i, row) {
		char number[24] = "-";
		if (text_integer(row, "number", 0))
			(void)snprintf(number, sizeof(number), "%d", (int)text_integer(row, "number", 0));
		if (r == 0)
			r = table_add(table, (const char *const[]){number, text_of(row, "lesson"),
								   text_of(row, "state"), text_of(row, "title")});
	}
	if (r < 0) {
		scols_unref_table(table);
		return r;
	}
	return table_print(table);
}

int teach_list(const struct explain_world *w, const struct book *b, const json_t *progress, bool as_json)
{
	json_auto_t *rows = json_array();
	int r = add_all(w, progress, b, rows);
	if (r == -EINVAL || r == -ENOENT)
		return EXIT_USAGE;
	if (r == 0)
		r = as_json ? -(json_dumpf(rows, stdout, JSON_INDENT(1)) < 0 || puts("") < 0) : print(rows);
	return r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}
