// SPDX-License-Identifier: MIT
/*
 * The book as JSON, and from that as Markdown and scdoc(5). See book.h.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "book.h"
#include "cleanup.h"
#include "lesson.h"
#include "manifest-internal.h"
#include "markdown.h"
#include "report-text.h"

int book_lesson(const char *directory, const char *name, FILE *errors, json_t **ret)
{
	struct lesson *l = NULL;
	int r = lesson_read(directory, errors, &l);
	if (r < 0)
		return r;
	json_auto_t *sections = json_array();
	for (unsigned i = 0; r == 0 && i < LESSON_SECTIONS; i++)
		r = json_array_append_new(
			sections, json_pack("{s:s, s:s}", "heading", lesson_headings[i], "text", l->section[i]));
	*ret = r == 0 ? json_pack("{s:s, s:s, s:O, s:s*}", "name", name, "title", l->title, "sections", sections,
				  "answers", l->answers)
		      : NULL;
	lesson_free(l);
	return *ret ? 0 : -ENOMEM;
}

/* The paragraph about a chapter, and its page. */
static json_t *text_of_chapter(const struct chapter *c, const char *tree, FILE *errors)
{
	char path[PATH_MAX];
	auto_free char *page = NULL;
	size_t length = 0;
	(void)snprintf(path, sizeof(path), "%s/handbook/%s", tree, c->text ? c->text : "");
	int r = c->text ? manifest_read_text(path, &page, &length) : 0;
	if (r < 0) {
		(void)fprintf(errors, "%s: %s (%s)\n", path, strerror(-r), strerrorname_np(-r));
		return NULL;
	}
	json_t *text = json_sprintf("%s%s%.*s", c->about ? c->about : "", c->about ? "\n\n" : "", (int)length,
				    page ? page : "");
	if (!text)
		(void)fprintf(errors, "%s: not UTF-8, or no memory for it\n", path);
	return text;
}

json_t *book_json(const struct book *b, const char *tree, FILE *errors)
{
	json_auto_t *chapters = json_array();
	for (size_t i = 0; i < b->chapter_count; i++) {
		const struct chapter *c = &b->chapters[i];
		json_auto_t *lessons = json_array(), *text = text_of_chapter(c, tree, errors);
		for (size_t k = 0; text && k < c->lessons.count; k++) {
			char directory[PATH_MAX];
			json_t *lesson = NULL;
			(void)snprintf(directory, sizeof(directory), "%s/%s", tree, c->lessons.item[k]);
			if (book_lesson(directory, c->lessons.item[k], errors, &lesson) < 0)
				return NULL;
			(void)json_array_append_new(lessons, lesson);
		}
		if (!text || json_array_append_new(chapters, json_pack("{s:s, s:O, s:O}", "title", c->title, "text",
								       text, "lessons", lessons)) < 0)
			return NULL;
	}
	return json_pack("{s:s, s:O}", "title", b->title, "chapters", chapters);
}

static const char hashes[] = "######";

void book_write_lesson(const json_t *lesson, unsigned level, FILE *out)
{
	const json_t *section = NULL;
	size_t i;
	(void)fprintf(out, "%.*s %s\n", (int)level, hashes, text_of(lesson, "title"));
	json_array_foreach (json_object_get(lesson, "sections"), i, section)
		(void)fprintf(out, "\n%.*s %s\n\n%s", (int)level + 1, hashes, text_of(section, "heading"),
			      text_of(section, "text"));
}

void book_write_answers(const json_t *lesson, unsigned level, FILE *out)
{
	if (*text_of(lesson, "answers"))
		(void)fprintf(out, "\n%.*s Answers\n\n%s", (int)level + 1, hashes, text_of(lesson, "answers"));
}

/* With a line that says how to see it happen. */
static void write_chapter(const json_t *chapter, size_t number, FILE *out)
{
	const json_t *lesson = NULL;
	size_t i;
	(void)fprintf(out, "\n## %zu. %s\n\n%s\n", number, text_of(chapter, "title"), text_of(chapter, "text"));
	json_array_foreach (json_object_get(chapter, "lessons"), i, lesson) {
		(void)fputc('\n', out);
		book_write_lesson(lesson, 3, out);
		book_write_answers(lesson, 3, out);
	}
}

int book_write_markdown(const json_t *book, FILE *out)
{
	const json_t *chapter = NULL, *lesson = NULL;
	size_t i, k;
	(void)fprintf(out, "# %s\n\n", text_of(book, "title"));
	json_array_foreach (json_object_get(book, "chapters"), i, chapter) {
		(void)fprintf(out, "%zu. %s", i + 1, text_of(chapter, "title"));
		json_array_foreach (json_object_get(chapter, "lessons"), k, lesson)
			(void)fprintf(out, "%s%s", k ? ", " : ": ", text_of(lesson, "name"));
		(void)fputc('\n', out);
	}
	json_array_foreach (json_object_get(book, "chapters"), i, chapter)
		write_chapter(chapter, i + 1, out);
	return ferror(out) ? -EIO : 0;
}

/* A lesson below its title: the sections are no headings any more, roff(7) pages have but two levels. */
static int scdoc_lesson(const json_t *lesson, FILE *out)
{
	auto_free char *text = NULL;
	size_t length = 0;
	FILE *memory = open_memstream(&text, &length);
	if (!memory)
		return -ENOMEM;
	book_write_lesson(lesson, 1, memory);
	book_write_answers(lesson, 1, memory);
	(void)fclose(memory);
	return text ? markdown_scdoc(text, length, 2, out) : -ENOMEM;
}

int book_write_scdoc(const json_t *book, FILE *out)
{
	const json_t *chapter = NULL, *lesson = NULL;
	size_t i, k;
	int r = 0;
	(void)fprintf(out,
		      "enomem-lessons(7)\n\n# NAME\n\nenomem-lessons - %s\n\n# DESCRIPTION\n\n"
		      "Each lesson is one way of being refused, and a scenario of *enomem*(1) that shows it. "
		      "_enomem explain NAME_ shows one lesson with the numbers of this machine.\n",
		      text_of(book, "title"));
	json_array_foreach (json_object_get(book, "chapters"), i, chapter) {
		const char *text = text_of(chapter, "text");
		(void)fputs("\n# ", out);
		for (const char *c = text_of(chapter, "title"); *c; c++)
			(void)fputc(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c, out);
		(void)fputs("\n\n", out);
		r = markdown_scdoc(text, strlen(text), 1, out);
		json_array_foreach (json_object_get(chapter, "lessons"), k, lesson) {
			(void)fputc('\n', out);
			r = r < 0 ? r : scdoc_lesson(lesson, out);
		}
	}
	(void)fputs("\n# SEE ALSO\n\n*enomem*(1), *enomem-scenario*(5)\n", out);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
