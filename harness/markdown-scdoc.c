// SPDX-License-Identifier: MIT
/*
 * Markdown as scdoc(5). See markdown.h.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "markdown.h"

/* Nothing in it is markup. scdoc reads UTF-8 and knows what roff wants. */
static void put_plain(const char *text, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++) {
		if (strchr("*_\\#`~[]|<>.-", text[i]))
			(void)fputc('\\', out);
		(void)fputc(text[i], out);
	}
}

/* strong: all of it, not only what is marked */
static void put_line(const char *line, bool strong, FILE *out)
{
	struct span span;
	char before = '\0';
	for (size_t took; (took = markdown_span(line, before, &span)); line += took) {
		const char *mark = span.kind == SPAN_TEXT && !strong ? "" : span.kind == SPAN_EMPHASIS ? "_" : "*";
		/* scdoc takes a '_' beside a letter for one of the word */
		if (span.kind == SPAN_EMPHASIS &&
		    (isalnum((unsigned char)before) || isalnum((unsigned char)line[took])))
			mark = "*";
		(void)fputs(mark, out);
		put_plain(span.text, span.length, out);
		(void)fputs(mark, out);
		before = line[took - 1];
	}
}

/* At most two levels of headings there are; what is below is a strong line. */
static void put_heading(const struct block *b, unsigned level, FILE *out)
{
	unsigned at = level + b->number - 1;
	(void)fputs(at == 1 ? "# " : at == 2 ? "## " : "*", out);
	if (at == 1)
		for (const char *c = b->text; *c; c++)
			(void)fputc(toupper((unsigned char)*c), out);
	else if (at == 2)
		(void)fputs(b->text, out);
	else
		put_plain(b->text, strlen(b->text), out);
	(void)fputs(at > 2 ? "*\n" : "\n", out);
}

static void put_row(const struct block *b, bool first, FILE *out)
{
	const char *cell = b->text;
	for (bool begin = true; *cell; begin = false) {
		size_t length = strcspn(cell, (const char[]){CELL_END, '\0'});
		char line[4096];
		(void)snprintf(line, sizeof(line), "%.*s", (int)length, cell);
		(void)fputs(begin ? "|[ " : ":[ ", out);
		put_line(line, first, out);
		(void)fputc('\n', out);
		cell += length + 1;
	}
}

static void put_block(const struct document *d, size_t i, unsigned level, FILE *out)
{
	const struct block *b = &d->block[i];
	bool together = i && d->block[i - 1].kind == b->kind && (b->kind == BLOCK_ROW || b->kind == BLOCK_ITEM);
	if (i && !together)
		(void)fputc('\n', out);
	switch (b->kind) {
	case BLOCK_HEADING:
		put_heading(b, level, out);
		break;
	case BLOCK_ROW:
		put_row(b, !together, out);
		break;
	case BLOCK_CODE:
		(void)fprintf(out, "```\n%s\n```\n", b->text);
		break;
	case BLOCK_ITEM:
		(void)fputs(b->number ? ". " : "- ", out);
		put_line(b->text, false, out);
		(void)fputc('\n', out);
		break;
	case BLOCK_TEXT:
		put_line(b->text, false, out);
		(void)fputc('\n', out);
		break;
	}
}

int markdown_scdoc(const char *text, size_t length, unsigned level, FILE *out)
{
	struct document d;
	int r = markdown_parse(text, length, &d);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d.count; i++)
		put_block(&d, i, level, out);
	markdown_free(&d);
	return ferror(out) ? -EIO : 0;
}
