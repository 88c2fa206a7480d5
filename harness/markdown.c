// SPDX-License-Identifier: MIT
/*
 * Markdown as blocks and spans. See markdown.h.
 */
#include "markdown.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

struct reader {
	struct document *document;
	struct block *open; /* takes further lines; NULL for none */
	bool fenced, blank; /* inside ```; the line before was empty */
	size_t room;
};

static int append(char **to, const char *between, const char *text, size_t length)
{
	size_t had = *to ? strlen(*to) : 0, gap = had ? strlen(between) : 0;
	char *longer = realloc(*to, had + gap + length + 1);
	if (!longer)
		return -ENOMEM;
	memcpy(longer + had, between, gap);
	memcpy(longer + had + gap, text, length);
	longer[had + gap + length] = '\0';
	*to = longer;
	return 0;
}

static int begin(struct reader *r, enum block_kind kind, unsigned number)
{
	struct document *d = r->document;
	if (d->count == r->room) {
		size_t room = 2 * r->room + 16;
		struct block *more = reallocarray(d->block, room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		d->block = more;
		r->room = room;
	}
	r->open = &d->block[d->count];
	*r->open = (struct block){.kind = kind, .number = number, .text = strdup("")};
	d->count += r->open->text != NULL;
	return r->open->text ? 0 : -ENOMEM;
}

static void trim(const char **text, size_t *length)
{
	while (*length && isspace((unsigned char)**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length && isspace((unsigned char)(*text)[*length - 1]))
		(*length)--;
}

static int begin_with(struct reader *r, enum block_kind kind, unsigned number, const char *text, size_t length)
{
	trim(&text, &length);
	int e = begin(r, kind, number);
	return e < 0 ? e : append(&r->open->text, "", text, length);
}

/* Code keeps its lines, and the empty ones between them. */
static int code_line(struct reader *r, const char *text, size_t length)
{
	bool goes_on = r->open && r->open->kind == BLOCK_CODE;
	int e = goes_on ? 0 : begin(r, BLOCK_CODE, 0);
	if (e == 0 && goes_on)
		e = append(&r->open->text, "", r->blank && !r->fenced ? "\n\n" : "\n", r->blank && !r->fenced ? 2 : 1);
	return e < 0 ? e : append(&r->open->text, "", text, length);
}

/* "| a | b |" to cells; a rule, "|---|---|", to nothing. A bar in a cell is written as \|. */
static int row_line(struct reader *r, const char *text, size_t length)
{
	bool rule = true;
	for (size_t i = 0; i < length; i++)
		rule &= strchr("|-: ", text[i]) != NULL;
	if (rule)
		return 0;
	int e = begin(r, BLOCK_ROW, 0);
	for (size_t at = 1, end; e == 0 && at < length; at = end + 1) {
		for (end = at; end < length && text[end] != '|'; end++)
			end += text[end] == '\\' && end + 1 < length;
		const char *cell = text + at;
		size_t size = end - at, kept = 0;
		trim(&cell, &size);
		auto_free char *plain = malloc(size + 2);
		if (!plain)
			return -ENOMEM;
		for (size_t i = 0; i < size; i++)
			if (cell[i] != '\\' || i + 1 == size || cell[i + 1] != '|')
				plain[kept++] = cell[i];
		plain[kept++] = CELL_END;
		e = append(&r->open->text, "", plain, kept);
	}
	r->open = NULL;
	return e;
}

/* The digits of "12. "; 0 for none. */
static size_t item_digits(const char *text, size_t length)
{
	size_t n = 0;
	while (n < length && n < 3 && isdigit((unsigned char)text[n]))
		n++;
	return n && n + 1 < length && text[n] == '.' && text[n + 1] == ' ' ? n : 0;
}

static int text_line(struct reader *r, const char *text, size_t length)
{
	size_t level = 0, digits = item_digits(text, length);
	while (level < length && text[level] == '#')
		level++;
	if (level && level < length && text[level] == ' ') {
		int e = begin_with(r, BLOCK_HEADING, (unsigned)level, text + level, length - level);
		r->open = NULL;
		return e;
	}
	if (text[0] == '|')
		return row_line(r, text, length);
	if (length > 1 && text[0] == '-' && text[1] == ' ')
		return begin_with(r, BLOCK_ITEM, 0, text + 1, length - 1);
	if (digits)
		return begin_with(r, BLOCK_ITEM, (unsigned)strtoul(text, NULL, 10), text + digits + 1,
				  length - digits - 1);
	if (r->open && !r->blank && r->open->kind != BLOCK_CODE) {
		trim(&text, &length);
		return append(&r->open->text, " ", text, length);
	}
	return begin_with(r, BLOCK_TEXT, 0, text, length);
}

static int take_line(struct reader *r, const char *text, size_t length)
{
	if (length >= 3 && strncmp(text, "```", 3) == 0) {
		r->fenced = !r->fenced;
		r->open = NULL;
		return 0;
	}
	if (r->fenced)
		return code_line(r, text, length);
	bool blank = strspn(text, " \t") >= length;
	bool code =
		length > 4 && strncmp(text, "    ", 4) == 0 && (!r->open || r->blank || r->open->kind == BLOCK_CODE);
	int e = blank ? 0 : code ? code_line(r, text + 4, length - 4) : text_line(r, text, length);
	r->blank = blank;
	return e;
}

int markdown_parse(const char *text, size_t length, struct document *ret)
{
	struct reader r = {.document = ret};
	int e = 0;
	*ret = (struct document){0};
	for (const char *end = text + length; e == 0 && text < end;) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((stop ? stop : end) - text);
		e = take_line(&r, text, line);
		text += line + 1;
	}
	if (e < 0)
		markdown_free(ret);
	return e;
}

void markdown_free(struct document *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->block[i].text);
	free(d->block);
	*d = (struct document){0};
}

/* The marker's text up to the same marker again; 0 when the line is not marked so. */
static size_t marked(const char *line, const char *marker, enum span_kind kind, struct span *ret)
{
	size_t width = strlen(marker);
	const char *text = line + width;
	if (strncmp(line, marker, width) != 0 || !*text || isspace((unsigned char)*text))
		return 0;
	const char *end = strstr(text, marker);
	if (!end || end == text)
		return 0;
	*ret = (struct span){.kind = kind, .text = text, .length = (size_t)(end - text)};
	return 2 * width + ret->length;
}

/* What stands for one character that would else be markup: "\_", "&lt;". */
static size_t escaped(const char *line, struct span *ret)
{
	static const struct {
		const char *entity, *text;
	} entities[] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}};
	if (line[0] == '\\' && ispunct((unsigned char)line[1])) {
		*ret = (struct span){.kind = SPAN_TEXT, .text = line + 1, .length = 1};
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(entities); i++)
		if (strncmp(line, entities[i].entity, strlen(entities[i].entity)) == 0) {
			*ret = (struct span){.kind = SPAN_TEXT, .text = entities[i].text, .length = 1};
			return strlen(entities[i].entity);
		}
	return 0;
}

size_t markdown_span(const char *line, char before, struct span *ret)
{
	size_t took = escaped(line, ret);
	if (took)
		return took;
	took = marked(line, "`", SPAN_CODE, ret);
	bool in_word = isalnum((unsigned char)before) || before == '_';
	if (!took)
		took = marked(line, "**", SPAN_STRONG, ret);
	if (!took && !in_word && line[0] == '*' && line[1] != '*')
		took = marked(line, "*", SPAN_EMPHASIS, ret);
	if (took)
		return took;
	*ret = (struct span){.kind = SPAN_TEXT, .text = line, .length = line[0] ? 1 + strcspn(line + 1, "`*\\&") : 0};
	return ret->length;
}
