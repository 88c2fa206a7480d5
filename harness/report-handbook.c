// SPDX-License-Identifier: MIT
/*
 * The handbook as a page: the lessons in the order of the book, with a table of contents. Its frame is that of the
 * report.
 */
#include <errno.h>
#include <string.h>

#include "html.h"
#include "markdown-html.h"
#include "report-html.h"
#include "report-text.h"

static int put_markdown(FILE *out, const json_t *object, unsigned level)
{
	const char *text = text_of(object, "text");
	return markdown_html(text, strlen(text), level, out);
}

static void put_link(FILE *out, const char *kind, size_t number, const char *name, const char *text)
{
	(void)fprintf(out, "<a href=\"#%s-", kind);
	if (html_is_id(name))
		(void)fputs(name, out);
	else
		(void)fprintf(out, "%zu", number);
	(void)fputs("\">", out);
	html_text(out, text);
	(void)fputs("</a>", out);
}

static void put_contents(FILE *out, const json_t *chapters)
{
	const json_t *chapter = NULL, *lesson = NULL;
	size_t i, k;
	(void)fputs("<nav aria-label=\"Contents\"><h2>Contents</h2><ol class=\"contents\">\n", out);
	json_array_foreach (chapters, i, chapter) {
		(void)fputs("<li>", out);
		put_link(out, "chapter", i + 1, "", text_of(chapter, "title"));
		if (json_array_size(json_object_get(chapter, "lessons")))
			(void)fputs("<ul>\n", out);
		json_array_foreach (json_object_get(chapter, "lessons"), k, lesson) {
			(void)fputs("<li>", out);
			put_link(out, "lesson", k + 1, text_of(lesson, "name"), text_of(lesson, "title"));
			(void)fputs(" <code>", out);
			html_text(out, text_of(lesson, "name"));
			(void)fputs("</code></li>\n", out);
		}
		(void)fputs(json_array_size(json_object_get(chapter, "lessons")) ? "</ul></li>\n" : "</li>\n", out);
	}
	(void)fputs("</ol></nav>\n", out);
}

static int put_lesson(FILE *out, const json_t *lesson)
{
	const json_t *section = NULL;
	size_t i;
	int r = 0;
	(void)fputs("<article", out);
	if (html_is_id(text_of(lesson, "name")))
		(void)fprintf(out, " id=\"lesson-%s\"", text_of(lesson, "name"));
	(void)fputs("><h3>", out);
	html_text(out, text_of(lesson, "title"));
	(void)fputs(" <code>", out);
	html_text(out, text_of(lesson, "name"));
	(void)fputs("</code></h3>\n", out);
	json_array_foreach (json_object_get(lesson, "sections"), i, section) {
		(void)fputs("<h4>", out);
		html_text(out, text_of(section, "heading"));
		(void)fputs("</h4>\n", out);
		r = r ? r : put_markdown(out, section, 5);
	}
	/* The questions stand above them: who wants to think first has not read them yet. */
	if (*text_of(lesson, "answers")) {
		(void)fputs("<details><summary>Answers</summary>\n", out);
		r = r ? r : markdown_html(text_of(lesson, "answers"), strlen(text_of(lesson, "answers")), 5, out);
		(void)fputs("</details>\n", out);
	}
	(void)fputs("<p class=\"up\"><a href=\"#top\">Back to the contents</a></p></article>\n", out);
	return r;
}

int report_handbook(const json_t *book, FILE *out)
{
	const json_t *chapters = json_object_get(book, "chapters"), *chapter = NULL, *lesson = NULL;
	size_t i, k;
	int r = 0;
	errno = 0;
	html_begin(out, text_of(book, "title"), NULL, 0);
	(void)fputs("<header id=\"top\"><h1>", out);
	html_text(out, text_of(book, "title"));
	(void)fputs("</h1></header>\n<main class=\"book\">\n", out);
	put_contents(out, chapters);
	json_array_foreach (chapters, i, chapter) {
		(void)fprintf(out, "<section class=\"scenario\" id=\"chapter-%zu\"><h2>", i + 1);
		html_text(out, text_of(chapter, "title"));
		(void)fputs("</h2>\n", out);
		r = r ? r : put_markdown(out, chapter, 3);
		json_array_foreach (json_object_get(chapter, "lessons"), k, lesson)
			r = r ? r : put_lesson(out, lesson);
		(void)fputs("</section>\n", out);
	}
	(void)fputs("</main>\n", out);
	html_end(out, NULL, 0);
	if (fflush(out) == EOF || ferror(out))
		return errno ? -errno : -EIO;
	return r;
}
