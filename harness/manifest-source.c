// SPDX-License-Identifier: MIT
/*
 * Errors as compilers show them: place, message, the line, a caret, a hint.
 */
#include <stdarg.h>

#include "manifest-internal.h"

#define ERRORS_MAX 20
#define CONTEXT    100 /* bytes of a long line shown on each side of the caret */

static bool continues(const struct source *s, size_t i)
{
	return !s->not_utf8 && ((unsigned char)s->text[i] & 0xc0) == 0x80;
}

/* The line, without anything that could move a terminal's cursor. */
static void put_text(const struct source *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		unsigned char c = (unsigned char)s->text[i];
		bool harmless = c == '\t' || (c >= ' ' && c < 0x7f) || (c >= 0x80 && !s->not_utf8);
		fputc(harmless ? c : '?', s->errors);
	}
}

/* Messages quote the manifest, whose escapes ("\e") may stand for anything. */
static void put_message(FILE *f, const char *message)
{
	for (const char *c = message; *c; c++)
		fputc((unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c, f);
}

static void put_caret(const struct source *s, size_t from, size_t at, size_t to)
{
	for (size_t i = from; i < at; i++) {
		if (!continues(s, i))
			fputc(s->text[i] == '\t' ? '\t' : ' ', s->errors);
	}
	fputc('^', s->errors);
	for (size_t i = at + 1; i < to; i++) {
		if (!continues(s, i))
			fputc('~', s->errors);
	}
	fputc('\n', s->errors);
}

unsigned source_line(const struct source *s, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < s->length; i++)
		line += s->text[i] == '\n';
	return line;
}

void source_error(struct source *s, size_t offset, size_t length, const char *hint, const char *format, ...)
{
	char message[512];
	va_list args;

	if (s->error_count++ >= ERRORS_MAX) {
		if (s->error_count == ERRORS_MAX + 1)
			fprintf(s->errors, "%s: more errors follow\n", s->file);
		return;
	}
	if (offset > s->length)
		offset = s->length;
	unsigned line = source_line(s, offset), column = 1;
	size_t start = offset, end = offset;
	while (start > 0 && s->text[start - 1] != '\n')
		start--;
	while (end < s->length && s->text[end] != '\n' && s->text[end] != '\r')
		end++;
	for (size_t i = start; i < offset; i++)
		column += !continues(s, i);
	fprintf(s->errors, "%s:%u:%u: error: ", s->file, line, column);
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	put_message(s->errors, message);
	size_t from = offset - start > CONTEXT ? offset - CONTEXT : start;
	size_t to = end - offset > CONTEXT ? offset + CONTEXT : end;
	while (from < offset && continues(s, from))
		from++;
	while (to < end && continues(s, to))
		to++;
	fprintf(s->errors, "\n%5u | ", line);
	put_text(s, from, to);
	fprintf(s->errors, "\n      | ");
	put_caret(s, from, offset, offset + length < to ? offset + length : to);
	if (hint)
		fprintf(s->errors, "      = hint: %s\n", hint);
}
