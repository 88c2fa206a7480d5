// SPDX-License-Identifier: MIT
/*
 * The Markdown that lessons are written in, and no more of it: headings, paragraphs, lists, tables, indented and fenced
 * code; in a line `code`, **strong**, *emphasis* and characters that are escaped (\_, &lt;). Read into blocks, and
 * written for a terminal or as scdoc(5).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum block_kind { BLOCK_HEADING, BLOCK_TEXT, BLOCK_ITEM, BLOCK_CODE, BLOCK_ROW };

#define CELL_END '\037' /* after each cell of a row */

struct block {
	enum block_kind kind;
	unsigned number; /* a heading's level; of an item its number, 0 for one of a list without */
	char *text;      /* one line, with single blanks; of code its lines */
};

struct document {
	struct block *block;
	size_t count;
};

/* -ENOMEM */
int markdown_parse(const char *text, size_t length, struct document *ret);
void markdown_free(struct document *d);

enum span_kind { SPAN_TEXT, SPAN_CODE, SPAN_STRONG, SPAN_EMPHASIS };
struct span {
	enum span_kind kind;
	const char *text;
	size_t length;
};
/* What a line begins with; returns how many bytes that took, 0 at the end. before: the byte before, '\0' at the start.
 */
size_t markdown_span(const char *line, char before, struct span *ret);

struct markdown_style {
	bool colour;
	size_t width;
};
/* For people. 0 or -errno */
int markdown_render(const char *text, size_t length, const struct markdown_style *style, FILE *out);

/* scdoc(5); headings begin at this level, and those below the second are strong lines. 0 or -errno */
int markdown_scdoc(const char *text, size_t length, unsigned level, FILE *out);
