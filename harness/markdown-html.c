// SPDX-License-Identifier: MIT
/*
 * Markdown as HTML. See markdown-html.h.
 */
#include "markdown-html.h"

#include <errno.h>
#include <string.h>
#include <sys/param.h>

#include "cleanup.h"
#include "html.h"
#include "markdown.h"

static void put_part(FILE *out, const char *text, size_t length)
{
	auto_free char *part = strndup(text, length);
	html_text(out, part ? part : "");
}

void markdown_html_line(const char *line, FILE *out)
{
	static const char *const element[] = {
		[SPAN_TEXT] = NULL, [SPAN_CODE] = "code", [SPAN_STRONG] = "strong", [SPAN_EMPHASIS] = "em"};
	struct span span;
	char before = '\0';
	for (size_t took; (took = markdown_span(line, before, &span)); line += took) {
		const char *name = element[span.kind];
		if (name)
			(void)fprintf(out, "<%s>", name);
		put_part(out, span.text, span.length);
		if (name)
			(void)fprintf(out, "</%s>", name);
		before = line[took - 1];
	}
}

/* A row of a table; the first of one is its head. */
static void put_row(const struct block *b, bool head, FILE *out)
{
	const char *cell = b->text;
	(void)fputs(head ? "<thead><tr>" : "<tr>", out);
	while (*cell) {
		size_t length = strcspn(cell, (const char[]){CELL_END, '\0'});
		auto_free char *line = strndup(cell, length);
		bool names = head && length; /* what names nothing is no heading */
		(void)fputs(names ? "<th scope=\"col\">" : "<td>", out);
		markdown_html_line(line ? line : "", out);
		(void)fputs(names ? "</th>" : "</td>", out);
		cell += length + (cell[length] == CELL_END);
	}
	(void)fputs(head ? "</tr></thead><tbody>\n" : "</tr>\n", out);
}

/* Which element holds blocks of this kind together. */
static const char *holder(const struct block *b)
{
	return b->kind == BLOCK_ITEM ? (b->number ? "ol" : "ul") : b->kind == BLOCK_ROW ? "table" : NULL;
}

static void put_block(const struct block *b, bool first, unsigned level, FILE *out)
{
	unsigned at = MIN(level + b->number - 1, 6);
	switch (b->kind) {
	case BLOCK_HEADING:
		(void)fprintf(out, "<h%u>", at);
		markdown_html_line(b->text, out);
		(void)fprintf(out, "</h%u>\n", at);
		break;
	case BLOCK_ROW:
		put_row(b, first, out);
		break;
	case BLOCK_CODE:
		(void)fputs("<pre tabindex=\"0\">", out);
		html_lines(out, b->text);
		(void)fputs("</pre>\n", out);
		break;
	case BLOCK_ITEM:
	case BLOCK_TEXT:
		(void)fputs(b->kind == BLOCK_ITEM ? "<li>" : "<p>", out);
		markdown_html_line(b->text, out);
		(void)fputs(b->kind == BLOCK_ITEM ? "</li>\n" : "</p>\n", out);
		break;
	}
}

int markdown_html(const char *text, size_t length, unsigned level, FILE *out)
{
	struct document d;
	const char *open = NULL;
	int r = markdown_parse(text, length, &d);
	if (r < 0)
		return r;
	for (size_t i = 0; i <= d.count; i++) {
		const char *wanted = i < d.count ? holder(&d.block[i]) : NULL;
		bool first = wanted && (!open || strcmp(open, wanted) != 0);
		if (open && (!wanted || first))
			(void)fprintf(out, strcmp(open, "table") != 0 ? "</%s>\n" : "</tbody></%s></div>\n", open);
		if (first)
			(void)fprintf(out,
				      strcmp(wanted, "table") != 0 ? "<%s>\n"
								   : "<div class=\"scroll\" tabindex=\"0\" "
								     "role=\"region\" aria-label=\"Table\"><%s>\n",
				      wanted);
		open = wanted;
		if (i < d.count)
			put_block(&d.block[i], first, level, out);
	}
	markdown_free(&d);
	return ferror(out) ? -EIO : 0;
}
