// SPDX-License-Identifier: MIT
/*
 * Markdown for a terminal: lines broken to its width, tables with columns that fit. Without colour the marks of the
 * source stay, so nothing is said by colour alone. See markdown.h.
 */
#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/param.h>

#include "cleanup.h"
#include "markdown.h"
#include "report-text.h"

#define INDENT       2
#define COLUMNS_MAX  8
#define COLUMN_LEAST 8
#define NARROWEST    20U
#define CELL_ROOM    2048
#define LINE_ROOM    8192
#define RESET        "\033[0m"

struct page {
	const struct markdown_style *style;
	FILE *out;
	size_t width; /* without the indent */
	bool ascii;
};

static const char *style_of(enum span_kind kind)
{
	return kind == SPAN_CODE ? "\033[36m" : kind == SPAN_STRONG ? "\033[1m" : "\033[3m";
}

static const char *mark_of(enum span_kind kind)
{
	return kind == SPAN_CODE ? "`" : kind == SPAN_STRONG ? "" : "*";
}

/* In a line made ready, a byte of one of these values switches to a style, PLAIN back; other control bytes there are
 * none.
 */
enum { PLAIN = '\001', STYLED = '\002' /* + enum span_kind */ };

/* The line without its marks, or with those that stay, as words and switches. */
static void make_ready(const struct page *p, const char *line, char *buf, size_t size)
{
	struct span span;
	char before = '\0', clean[LINE_ROOM];
	buf[0] = '\0';
	for (size_t took; (took = markdown_span(line, before, &span)); before = line[took - 1], line += took) {
		char raw[LINE_ROOM];
		(void)snprintf(raw, sizeof(raw), "%.*s", (int)span.length, span.text);
		(void)text_clean(raw, p->ascii, clean, sizeof(clean));
		if (span.kind == SPAN_TEXT)
			text_add(buf, size, "%s", clean);
		else if (p->style->colour)
			text_add(buf, size, "%c%s%c", STYLED + (int)span.kind, clean, PLAIN);
		else
			text_add(buf, size, "%s%s%s", mark_of(span.kind), clean, mark_of(span.kind));
	}
}

static bool is_switch(char c)
{
	return c >= PLAIN && c <= STYLED + SPAN_EMPHASIS;
}

/* Where the next byte goes, and in which style. */
struct setter {
	const struct page *p;
	size_t left, at; /* indent of further lines */
	char style;
};

static void set_style(struct setter *s, char style)
{
	(void)fputs(style == PLAIN ? "\033[0m" : style_of((enum span_kind)(style - STYLED)), s->p->out);
	s->style = style;
}

static void set_word(struct setter *s, const char *word, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (is_switch(word[i]))
			set_style(s, word[i]);
		else
			(void)fputc(word[i], s->p->out);
	}
}

/* The style goes on over the blanks inside a span, but not over the margin. */
static void break_line(struct setter *s)
{
	char style = s->style;
	if (style != PLAIN)
		set_style(s, PLAIN);
	(void)fprintf(s->p->out, "\n%*s", (int)(INDENT + s->left), "");
	if (style != PLAIN)
		set_style(s, style);
	s->at = s->left;
}

/* A path may be longer than a line, and is broken where it may be. */
static void set_long_word(struct setter *s, const char *word, size_t length, size_t wide)
{
	const size_t room = s->p->width > s->left ? s->p->width - s->left : 1;
	while (wide > room) {
		size_t cut = text_first_line(word, length, room);
		set_word(s, word, cut);
		break_line(s);
		wide -= text_columns(word, cut);
		word += cut;
		length -= cut;
	}
	set_word(s, word, length);
	s->at += wide;
}

static void set_line(struct setter *s, const char *line)
{
	static char ready[LINE_ROOM];
	make_ready(s->p, line, ready, sizeof(ready));
	for (const char *word = ready + strspn(ready, " "); *word;) {
		size_t length = strcspn(word, " "), wide = text_columns(word, length);
		if (s->at > s->left) {
			if (s->at + 1 + wide > s->p->width)
				break_line(s);
			else
				s->at += (size_t)(fputc(' ', s->p->out) == ' ');
		}
		set_long_word(s, word, length, wide);
		word += length;
		word += strspn(word, " ");
	}
}

static void put_lead(const struct page *p, const char *lead, const char *line)
{
	struct setter s = {.p = p, .left = strlen(lead), .at = strlen(lead), .style = PLAIN};
	(void)fprintf(p->out, "%*s%s", INDENT, "", lead);
	set_line(&s, line);
	(void)fputc('\n', p->out);
}

static void put_heading(const struct page *p, const struct block *b)
{
	static char clean[LINE_ROOM], wrapped[LINE_ROOM];
	const char *line = text_wrap(text_clean(b->text, p->ascii, clean, sizeof(clean)), p->style->width, wrapped,
				     sizeof(wrapped));
	size_t widest = 0;
	while (*line) {
		const size_t length = strcspn(line, "\n");
		(void)fprintf(p->out, "%s%.*s%s\n",
			      !p->style->colour ? ""
			      : b->number == 1  ? "\033[1;4m"
						: "\033[1m",
			      (int)length, line, p->style->colour ? "\033[0m" : "");
		widest = MAX(widest, text_columns(line, length));
		line += length + (line[length] == '\n');
	}
	for (size_t i = widest; b->number == 1 && !p->style->colour && i; i--)
		(void)fputs(i > 1 ? "=" : "=\n", p->out);
}

static void put_code(const struct page *p, const char *text)
{
	static char raw[LINE_ROOM], clean[LINE_ROOM];
	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		size_t length = strcspn(text, "\n"), blanks = strspn(text, " ");
		if (length) {
			(void)snprintf(raw, sizeof(raw), "%.*s", (int)length, text);
			(void)text_clean(raw, p->ascii, clean, sizeof(clean));
			(void)fputs(p->style->colour ? "\033[36m" : "", p->out);
			text_fold_code(clean + blanks, strlen(clean + blanks), INDENT + 2 + blanks, p->width + INDENT,
				       p->out);
			(void)fputs(p->style->colour ? "\033[0m" : "", p->out);
		} else {
			(void)fputc('\n', p->out);
		}
	}
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

/* A cell's text without marks but those of code; with colour, the escape sequences in their place, which have no width.
 * Others there are none. */
static char *cell_of(const struct page *p, const struct block *row, size_t column, bool colour, char *buf, size_t size)
{
	static const char end[] = {CELL_END, '\0'};
	const char *cell = row->text;
	char line[CELL_ROOM], raw[CELL_ROOM], clean[CELL_ROOM], before = '\0';
	buf[0] = '\0';
	for (; column && *cell; column--)
		cell += strcspn(cell, end) + 1;
	if (!*cell)
		return buf;
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(cell, end), cell);
	struct span span;
	const char *at = line;
	for (size_t took; (took = markdown_span(at, before, &span)); before = at[took - 1], at += took) {
		const bool code = span.kind == SPAN_CODE;
		(void)snprintf(raw, sizeof(raw), "%.*s", (int)span.length, span.text);
		text_add(buf, size, "%s%s%s",
			 !code    ? ""
			 : colour ? style_of(SPAN_CODE)
				  : "`",
			 text_clean(raw, p->ascii, clean, sizeof(clean)),
			 !code    ? ""
			 : colour ? RESET
				  : "`");
	}
	return buf;
}

struct grid {
	const struct block *row;
	size_t rows, columns, width[COLUMNS_MAX], least[COLUMNS_MAX];
};

/* False where there is no room for every word of every column. */
static bool measure(const struct page *p, struct grid *g)
{
	size_t sum = 0, cells;
	char text[CELL_ROOM];
	for (size_t r = 0; r < g->rows; r++) {
		cells = 0;
		for (const char *c = g->row[r].text; *c; c++)
			cells += *c == CELL_END;
		g->columns = MAX(g->columns, MIN(cells, COLUMNS_MAX));
	}
	for (size_t c = 0; c < g->columns; c++) {
		g->least[c] = COLUMN_LEAST;
		for (size_t r = 0; r < g->rows; r++) {
			(void)cell_of(p, &g->row[r], c, p->style->colour, text, sizeof(text));
			g->width[c] = MAX(g->width[c], text_columns(text, strlen(text)));
			g->least[c] = MAX(g->least[c], text_longest_word(text));
		}
		sum += g->width[c] + 2;
	}
	while (sum > p->width + 2) { /* the widest gives way, unless that would cut a word */
		size_t widest = g->columns;
		for (size_t c = 0; c < g->columns; c++)
			if (g->width[c] > g->least[c] && (widest == g->columns || g->width[c] > g->width[widest]))
				widest = c;
		if (widest == g->columns)
			return false;
		g->width[widest]--;
		sum--;
	}
	return true;
}

/* A line of a cell in its style, and what of it is code in that of code, which may go on from the line before. */
static void put_cell_line(const struct page *p, const char *text, size_t length, const char *style, bool *code)
{
	(void)fprintf(p->out, "%s%s", style, *code ? style_of(SPAN_CODE) : "");
	for (const char *end = text + length; text < end;) {
		const bool ends = strncmp(text, RESET, strlen(RESET)) == 0;
		if (*text != '\033') {
			(void)fputc(*text++, p->out);
			continue;
		}
		*code = !ends;
		(void)fprintf(p->out, "%s%s", ends ? RESET : style_of(SPAN_CODE), ends ? style : "");
		text += strlen(ends ? RESET : style_of(SPAN_CODE));
	}
	(void)fputs(*style || *code ? RESET : "", p->out);
}

static void put_grid_row(const struct page *p, const struct grid *g, const struct block *row, const char *style)
{
	static char wrapped[COLUMNS_MAX][2 * CELL_ROOM];
	const char *at[COLUMNS_MAX];
	char text[CELL_ROOM];
	bool more = true, code[COLUMNS_MAX] = {false};
	for (size_t c = 0; c < g->columns; c++)
		at[c] = text_wrap(cell_of(p, row, c, p->style->colour, text, sizeof(text)), g->width[c], wrapped[c],
				  sizeof(wrapped[c]));
	while (more) {
		size_t pending = INDENT;
		more = false;
		for (size_t c = 0; c < g->columns; c++) {
			size_t length = strcspn(at[c], "\n");
			if (length) {
				(void)fprintf(p->out, "%*s", (int)pending, "");
				put_cell_line(p, at[c], length, style, &code[c]);
				pending = 0;
			}
			pending += g->width[c] + 2 - MIN(text_columns(at[c], length), g->width[c] + 2);
			at[c] += length + (at[c][length] == '\n');
			more |= *at[c] != '\0';
		}
		(void)fputc('\n', p->out);
	}
}

/* One row after the other instead, each cell behind its heading. */
static void put_rows(const struct page *p, const struct grid *g)
{
	char heading[CELL_ROOM], text[CELL_ROOM], line[2 * CELL_ROOM + 4];
	for (size_t r = 1; r < g->rows; r++)
		for (size_t c = 0; c < g->columns; c++) {
			(void)cell_of(p, &g->row[0], c, false, heading, sizeof(heading));
			(void)snprintf(line, sizeof(line), "%s%s%s", heading, *heading ? ": " : "",
				       cell_of(p, &g->row[r], c, false, text, sizeof(text)));
			if (*text)
				put_lead(p, c ? "  " : "- ", line);
		}
}

static void put_table(const struct page *p, const struct block *row, size_t rows)
{
	struct grid g = {.row = row, .rows = rows};
	if (!measure(p, &g) && rows > 1) {
		put_rows(p, &g);
		return;
	}
	put_grid_row(p, &g, &row[0], p->style->colour ? "\033[1m" : "");
	(void)fprintf(p->out, "%*s", INDENT, "");
	for (size_t c = 0; c < g.columns; c++) {
		for (size_t i = 0; i < g.width[c]; i++)
			(void)fputc('-', p->out);
		(void)fputs(c + 1 < g.columns ? "  " : "\n", p->out);
	}
	for (size_t r = 1; r < rows; r++)
		put_grid_row(p, &g, &row[r], "");
}

/* One block, or all rows of a table; returns how many that were. */
static size_t put_block(const struct page *p, const struct document *d, size_t i)
{
	const struct block *b = &d->block[i];
	size_t rows = 1;
	char lead[16] = "- ";
	if (i && !(b->kind == BLOCK_ITEM && d->block[i - 1].kind == BLOCK_ITEM) &&
	    !(d->block[i - 1].kind == BLOCK_HEADING && b->kind != BLOCK_HEADING))
		(void)fputc('\n', p->out);
	switch (b->kind) {
	case BLOCK_HEADING:
		put_heading(p, b);
		break;
	case BLOCK_TEXT:
		put_lead(p, "", b->text);
		break;
	case BLOCK_ITEM:
		if (b->number)
			(void)snprintf(lead, sizeof(lead), "%u. ", b->number);
		put_lead(p, lead, b->text);
		break;
	case BLOCK_CODE:
		put_code(p, b->text);
		break;
	case BLOCK_ROW:
		while (i + rows < d->count && d->block[i + rows].kind == BLOCK_ROW)
			rows++;
		put_table(p, b, rows);
		break;
	}
	return rows;
}

int markdown_render(const char *text, size_t length, const struct markdown_style *style, FILE *out)
{
	struct page p = {.style = style,
			 .out = out,
			 .width = MAX(style->width, NARROWEST) - INDENT,
			 .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0};
	struct document d;
	int r = markdown_parse(text, length, &d);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d.count;)
		i += put_block(&p, &d, i);
	markdown_free(&d);
	return ferror(out) ? -EIO : 0;
}
