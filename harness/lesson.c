// SPDX-License-Identifier: MIT
/*
 * Reading lessons. See lesson.h.
 */
#include "lesson.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "markdown.h"

const char *const lesson_headings[LESSON_SECTIONS] = {
	"You see", "Try it", "Why", "How to tell it from its neighbours", "Fix", "Check yourself",
};

/* Where the reader is, and what was wrong so far. */
struct reading {
	const char *file;
	FILE *errors;
	unsigned line, mistakes;
	int section; /* -1 before the first */
	struct lesson *lesson;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct reading *r, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)fprintf(r->errors, "%s:%u: ", r->file, r->line);
	(void)vfprintf(r->errors, format, arguments);
	(void)fputc('\n', r->errors);
	va_end(arguments);
	r->mistakes++;
}

/* Words as people count them: bars, dashes and the marks of headings are none. */
static size_t words_of(const char *text, size_t length)
{
	size_t n = 0;
	for (size_t i = 0; i < length;) {
		bool any = false;
		while (i < length && isspace((unsigned char)text[i]))
			i++;
		for (; i < length && !isspace((unsigned char)text[i]); i++)
			any |= isalnum((unsigned char)text[i]) || (unsigned char)text[i] >= 0x80;
		n += any;
	}
	return n;
}

static int add_line(char **to, const char *line, size_t length)
{
	size_t had = *to ? strlen(*to) : 0;
	if (had == 0 && strspn(line, " \t") >= length)
		return 0;
	char *longer = realloc(*to, had + length + 2);
	if (!longer)
		return -ENOMEM;
	memcpy(longer + had, line, length);
	longer[had + length] = '\n';
	longer[had + length + 1] = '\0';
	*to = longer;
	return 0;
}

static void begin_section(struct reading *r, const char *name, size_t length)
{
	int at = 0;
	while (at < LESSON_SECTIONS &&
	       (strlen(lesson_headings[at]) != length || strncmp(lesson_headings[at], name, length) != 0))
		at++;
	if (at == LESSON_SECTIONS)
		wrong(r, "'%.*s' is no section of a lesson", (int)length, name);
	else if (at <= r->section)
		wrong(r, "'%s' comes before '%s'", lesson_headings[at], lesson_headings[r->section]);
	for (int missing = r->section + 1; missing < at && at < LESSON_SECTIONS; missing++)
		wrong(r, "'%s' is missing before '%s'", lesson_headings[missing], lesson_headings[at]);
	if (at < LESSON_SECTIONS && at > r->section)
		r->section = at;
}

static int take_line(struct reading *r, const char *line, size_t length)
{
	if (r->line == 1) {
		if (length < 3 || strncmp(line, "# ", 2) != 0)
			wrong(r, "the first line is the title: # What happens");
		else if (!(r->lesson->title = strndup(line + 2, length - 2)))
			return -ENOMEM;
		return 0;
	}
	if (length > 3 && strncmp(line, "## ", 3) == 0) {
		begin_section(r, line + 3, length - 3);
		return 0;
	}
	if (r->section >= 0)
		return add_line(&r->lesson->section[r->section], line, length);
	if (strspn(line, " \t") < length)
		wrong(r, "text before the first section, '%s'", lesson_headings[0]);
	return 0;
}

/* What only the whole shows. */
static void check(struct reading *r)
{
	struct lesson *l = r->lesson;
	json_auto_t *valid = json_stringn(l->text, l->length);
	if (!valid || strlen(l->text) != l->length)
		wrong(r, "not UTF-8, or with a NUL");
	for (int missing = r->section + 1; missing < LESSON_SECTIONS; missing++)
		wrong(r, "'%s' is missing at the end", lesson_headings[missing]);
	for (int i = 0; i <= r->section; i++) {
		if (!l->section[i])
			wrong(r, "'%s' is empty", lesson_headings[i]);
		for (size_t end = l->section[i] ? strlen(l->section[i]) : 0; end > 1; end--) {
			if (l->section[i][end - 1] != '\n' || l->section[i][end - 2] != '\n')
				break;
			l->section[i][end - 1] = '\0';
		}
	}
	if (l->words > LESSON_WORDS_MAX)
		wrong(r, "%zu words; a lesson has less than %d", l->words, LESSON_WORDS_MAX + 1);
}

int lesson_parse(const char *text, size_t length, const char *file, FILE *errors, struct lesson **ret)
{
	struct lesson *l = calloc(1, sizeof(*l));
	struct reading r = {.file = file, .errors = errors, .section = -1, .lesson = l};
	int e = l && (l->text = malloc(length + 1)) ? 0 : -ENOMEM;
	if (e == 0) {
		memcpy(l->text, text, length);
		l->text[length] = '\0';
		l->length = length;
		l->words = words_of(text, length);
	}
	for (const char *at = text, *end = text + length; e == 0 && at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t line = (size_t)((stop ? stop : end) - at);
		r.line++;
		e = take_line(&r, at, line);
		at += line + 1;
	}
	if (e == 0)
		check(&r);
	if (e == 0 && r.mistakes == 0) {
		*ret = l;
		return 0;
	}
	lesson_free(l);
	return e < 0 ? e : -EINVAL;
}

/* The entries of its numbered lists. ret_strange: whether there is anything else, or they are not counted from 1. */
static int count_entries(const char *text, size_t length, unsigned *ret, bool *ret_strange)
{
	struct document d;
	unsigned n = 0;
	int r = markdown_parse(text, length, &d);
	if (r < 0)
		return r;
	*ret_strange = false;
	for (size_t i = 0; i < d.count; i++) {
		const bool entry = d.block[i].kind == BLOCK_ITEM && d.block[i].number;
		n += entry;
		*ret_strange |= !entry || d.block[i].number != n;
	}
	markdown_free(&d);
	*ret = n;
	return 0;
}

int lesson_answer(struct lesson *l, const char *text, size_t length, const char *file, FILE *errors)
{
	const char *check = l->section[LESSON_CHECK];
	unsigned questions = 0, answers = 0;
	bool strange = false, ignored;
	json_auto_t *valid = json_stringn(text, length);
	if (!valid || memchr(text, '\0', length)) {
		(void)fprintf(errors, "%s: not UTF-8, or with a NUL\n", file);
		return -EINVAL;
	}
	int r = count_entries(check, strlen(check), &questions, &ignored);
	if (r == 0)
		r = count_entries(text, length, &answers, &strange);
	if (r < 0)
		return r;
	if (strange)
		(void)fprintf(errors, "%s: answers are a list, 1., 2. and so on, and nothing else\n", file);
	else if (answers != questions)
		(void)fprintf(errors, "%s: %u answers, but '%s' has %u questions\n", file, answers,
			      lesson_headings[LESSON_CHECK], questions);
	if (strange || answers != questions)
		return -EINVAL;
	char *copy = strndup(text, length); /* it has no NUL at its end */
	if (!copy)
		return -ENOMEM;
	free(l->answers);
	l->answers = copy;
	return 0;
}

/* answers.md, which need not be there. */
static int read_answers(const char *directory, FILE *errors, struct lesson *l)
{
	auto_free char *path = NULL, *text = NULL;
	size_t length = 0;
	if (asprintf(&path, "%s/answers.md", directory) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	int r = manifest_read_text(path, &text, &length);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		(void)fprintf(errors, "%s: %s (%s)\n", path, strerror(-r), strerrorname_np(-r));
		return r;
	}
	return lesson_answer(l, text, length, path, errors);
}

int lesson_read(const char *directory, FILE *errors, struct lesson **ret)
{
	auto_free char *path = NULL, *text = NULL;
	struct lesson *l = NULL;
	size_t length = 0;
	if (asprintf(&path, "%s/lesson.md", directory) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	int r = manifest_read_text(path, &text, &length);
	if (r < 0) {
		(void)fprintf(errors, "%s: %s (%s)\n", path, strerror(-r), strerrorname_np(-r));
		return r;
	}
	r = lesson_parse(text, length, path, errors, &l);
	if (r == 0)
		r = read_answers(directory, errors, l);
	if (r == 0)
		*ret = l;
	else
		lesson_free(l);
	return r;
}

void lesson_free(struct lesson *l)
{
	for (int i = 0; l && i < LESSON_SECTIONS; i++)
		free(l->section[i]);
	if (l) {
		free(l->answers);
		free(l->title);
		free(l->text);
	}
	free(l);
}
