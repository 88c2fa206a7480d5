// SPDX-License-Identifier: MIT
/*
 * Lines that fit. See report-text.h.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <unistd.h>

#include "report-text.h"

#define JOINTS   "-/:_" /* behind these a word may be broken that is too long for a line */
#define DEEPER   2
#define LEAST    10 /* columns that are left for text, however deep it stands */
#define ESCAPE   '\033'
#define END_MARK 'm'

/* Bytes of what begins there and takes one column, or of an escape sequence or a control byte, which take none. */
static size_t unit_at(const char *text, size_t *ret_columns)
{
	size_t length = 1;
	*ret_columns = (unsigned char)*text >= ' ';
	if (*text == ESCAPE)
		return strcspn(text, "m\n") + (text[strcspn(text, "m\n")] == END_MARK);
	while (((unsigned char)text[length] & 0xc0) == 0x80)
		length++;
	return length;
}

size_t text_columns(const char *text, size_t length)
{
	size_t columns = 0, wide;
	for (const char *end = text + length; text < end && *text; columns += wide)
		text += unit_at(text, &wide);
	return columns;
}

size_t text_longest_word(const char *text)
{
	size_t longest = 0;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t length = strcspn(text, " " JOINTS);
		length += text[length] && text[length] != ' ';
		longest = MAX(longest, text_columns(text, length));
		text += length;
	}
	return longest;
}

size_t text_first_line(const char *text, size_t length, size_t width)
{
	size_t at = 0, columns = 0, blank = 0, joint = 0, wide;
	for (size_t bytes; at < length; at += bytes, columns += wide) {
		bytes = unit_at(text + at, &wide);
		if (text[at] == ' ')
			blank = at;
		if (columns + wide > width)
			break;
		if (text[at] != ' ' && strchr(JOINTS, text[at]))
			joint = at + 1;
	}
	if (at >= length)
		return length;
	return blank ? blank : joint ? joint : at ? at : length;
}

char *text_wrap(const char *text, size_t width, char *buf, size_t size)
{
	size_t used = 0, length;
	while ((length = strlen(text)) > 0 && used + 2 < size) {
		size_t cut = MIN(text_first_line(text, length, width), size - used - 2);
		if (used)
			buf[used++] = '\n';
		memcpy(buf + used, text, cut);
		used += cut;
		text += cut;
		text += strspn(text, " ");
	}
	buf[used] = '\0';
	return buf;
}

/* Where the right one of two columns begins, behind two blanks or more; 0 where there are none. */
static size_t right_column(const char *line, size_t length)
{
	size_t at = strspn(line, " ");
	while (at + 2 < length && (line[at] != ' ' || line[at + 1] != ' '))
		at++;
	return at + 2 < length ? at + strspn(line + at, " ") : 0;
}

/* What comes after a break stands in column `deeper`, or a little deeper than the line where that is 0. */
static void fold_line(const char *line, size_t length, size_t width, size_t deeper, FILE *out)
{
	size_t indent = strspn(line, " ");
	const char *end = line + length;
	indent = width > LEAST ? MIN(indent, width - LEAST) : 0;
	if (deeper == 0)
		deeper = width > LEAST ? MIN(indent + DEEPER, width - LEAST) : 0;
	for (line += strspn(line, " "); line < end; indent = deeper) {
		const size_t cut = text_first_line(line, (size_t)(end - line), width > indent ? width - indent : 1);
		(void)fprintf(out, "%*s%.*s\n", (int)indent, "", (int)cut, line);
		line += cut;
		while (line < end && *line == ' ')
			line++;
	}
}

void text_fold(const char *text, size_t width, FILE *out)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		if (text_columns(text, length) <= width)
			(void)fprintf(out, "%.*s%s", (int)length, text, text[length] ? "\n" : "");
		else
			fold_line(text, length, width, 0, out);
		text += length + (text[length] == '\n');
	}
}

void text_fold_rows(const char *text, size_t width, FILE *out)
{
	while (*text) {
		size_t length = strcspn(text, "\n"), right = right_column(text, length);
		if (text_columns(text, length) <= width)
			(void)fprintf(out, "%.*s%s", (int)length, text, text[length] ? "\n" : "");
		else
			fold_line(text, length, width, right <= width / 2 ? right : 0, out);
		text += length + (text[length] == '\n');
	}
}

static size_t terminal_width(void)
{
	struct winsize window;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
}

void text_print_rows(const char *text)
{
	size_t width = terminal_width();
	if (width)
		text_fold_rows(text, width, stdout);
	else
		(void)fputs(text, stdout);
}

/* Where a line of code goes on: at the last blank that fits, but in no quotes, where a line's end would be one. 0 where
 * there is no such blank; *ret_comment: behind a '#'. */
static size_t code_break(const char *line, size_t length, size_t width, bool *ret_comment)
{
	size_t at = 0, last = 0, columns = 0, wide;
	char quote = '\0';
	bool comment = false;
	for (size_t bytes; at < length && columns <= width; at += bytes, columns += wide) {
		char c = line[at];
		bytes = unit_at(line + at, &wide);
		if (!comment && quote) {
			if (c == quote)
				quote = '\0';
		} else if (!comment && (c == '\'' || c == '"'))
			quote = c;
		else if (c == '#' && (at == 0 || line[at - 1] == ' '))
			comment = true;
		else if (c == ' ' && at > 0 && line[at - 1] != '#' && !quote &&
			 columns < (comment ? width + 1 : width - 1)) {
			last = at;
			*ret_comment = comment;
		}
	}
	return last;
}

void text_fold_code(const char *line, size_t length, size_t indent, size_t width, FILE *out)
{
	bool comment = false, first = true;
	for (const char *end = line + length; line < end; first = false) {
		const size_t left = first ? indent : indent + DEEPER, mark = comment ? 2 : 0,
			     rest = (size_t)(end - line);
		const size_t room = width > left + mark + LEAST ? width - left - mark : LEAST;
		const bool in_comment = comment;
		size_t cut = text_columns(line, rest) <= room ? rest : code_break(line, rest, room, &comment);
		cut = cut ? cut : rest;
		size_t shown = cut;
		while (shown > 1 && cut < rest && line[shown - 1] == ' ')
			shown--;
		(void)fprintf(out, "%*s%s%.*s%s\n", (int)left, "", in_comment ? "# " : "", (int)shown, line,
			      cut == rest || comment ? "" : " \\");
		for (line += cut; line < end && *line == ' '; line++)
			continue;
	}
}

void text_print_code(const char *line, size_t indent)
{
	size_t width = terminal_width();
	if (width)
		text_fold_code(line, strlen(line), indent, width, stdout);
	else
		(void)printf("%*s%s\n", (int)indent, "", line);
}
