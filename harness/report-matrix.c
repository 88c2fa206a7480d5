// SPDX-License-Identifier: MIT
/*
 * The table of scenarios by kernels for a terminal: rows that differ marked with '*', the differences in words below,
 * then what was not as predicted, and a line per kernel.
 */
#include "report-matrix.h"

#include <errno.h>
#include <langinfo.h>
#include <libsmartcols.h>
#include <string.h>

#include "cleanup.h"
#include "report-boundary.h"
#include "report-text.h"

/* Without a terminal nothing is cut: as wide as it has to be. */
#define ANY_WIDTH 4096

struct page {
	FILE *out;
	bool ascii, colour;
};

static void untable(struct libscols_table **table)
{
	scols_unref_table(*table);
}

static void put(const struct page *p, const char *text)
{
	char clean[8 * TEXT_MAX];
	(void)fputs(text_clean(text, p->ascii, clean, sizeof(clean)), p->out);
}

static const char *cell_colour(const char *cell)
{
	if (!strncmp(cell, "pass", 4))
		return "green";
	return !strncmp(cell, "FAIL", 4) || !strncmp(cell, "BROKEN", 6) ? "red" : "yellow";
}

static int set(const struct page *p, struct libscols_line *line, size_t column, const char *text, const char *colour)
{
	char clean[TEXT_MAX];
	if (scols_line_set_data(line, column, text_clean(text, p->ascii, clean, sizeof(clean))) < 0)
		return -ENOMEM;
	return colour && scols_cell_set_color(scols_line_get_cell(line, column), colour) < 0 ? -ENOMEM : 0;
}

static int add_line(const struct page *p, struct libscols_table *t, const json_t *row)
{
	struct libscols_line *line = scols_table_new_line(t, NULL);
	const json_t *cell = NULL;
	size_t i;
	if (!line)
		return -ENOMEM;
	int r = set(p, line, 0, json_array_size(json_object_get(row, "differences")) ? "*" : "", NULL);
	r |= set(p, line, 1, text_of(row, "name"), NULL);
	json_array_foreach (json_object_get(row, "cells"), i, cell)
		r |= set(p, line, i + 2, json_string_value(cell), cell_colour(json_string_value(cell)));
	return r;
}

static int put_table(const struct page *p, const json_t *rows, const json_t *labels, unsigned width)
{
	__attribute__((cleanup(untable))) struct libscols_table *t = scols_new_table();
	const json_t *item = NULL;
	char clean[TEXT_MAX];
	size_t i;
	if (!t || !scols_table_new_column(t, "", 1, 0) || !scols_table_new_column(t, "SCENARIO", 0.4, SCOLS_FL_WRAP))
		return -ENOMEM;
	json_array_foreach (labels, i, item)
		if (!scols_table_new_column(t, text_clean(json_string_value(item), p->ascii, clean, sizeof(clean)), 0.1,
					    SCOLS_FL_WRAP))
			return -ENOMEM;
	scols_table_set_stream(t, p->out);
	scols_table_set_termforce(t, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t, width ? width : ANY_WIDTH);
	if (!width)
		scols_table_enable_maxout(t, 0);
	scols_table_enable_colors(t, p->colour);
	json_array_foreach (rows, i, item)
		if (add_line(p, t, item) < 0)
			return -ENOMEM;
	if (scols_table_is_empty(t))
		return 0;
	return scols_print_table(t) < 0 ? -ENOMEM : 0;
}

/* The sentences of every row that has some, under a heading. */
static void put_sentences(const struct page *p, const json_t *rows, const char *heading, const char *key)
{
	const json_t *row = NULL, *sentence = NULL;
	bool any = false;
	size_t i, k;
	json_array_foreach (rows, i, row) {
		if (!json_array_size(json_object_get(row, key)) || matrix_repeats(rows, i, key))
			continue;
		if (!any)
			(void)fprintf(p->out, "\n%s\n", heading);
		any = true;
		(void)fputs("  ", p->out);
		put(p, text_of(row, "name"));
		for (size_t n = i + 1; matrix_repeats(rows, n, key); n++) {
			(void)fputs(", ", p->out);
			put(p, text_of(json_array_get(rows, n), "case"));
		}
		(void)fputc('\n', p->out);
		json_array_foreach (json_object_get(row, key), k, sentence) {
			(void)fputs("    ", p->out);
			put(p, json_string_value(sentence));
			(void)fputc('\n', p->out);
		}
		if (strcmp(key, "differences") != 0)
			continue;
		json_array_foreach (json_object_get(row, "notes"), k, sentence) {
			(void)fputs("    note: ", p->out);
			put(p, json_string_value(sentence));
			(void)fputc('\n', p->out);
		}
	}
}

static int put_absent(const struct page *p, const json_t *results, const json_t *labels, const json_t *rows)
{
	json_auto_t *sentences = matrix_absent(results, labels, rows);
	const json_t *sentence = NULL;
	size_t i;
	json_array_foreach (sentences, i, sentence) {
		(void)fputs(i ? "  " : "\nNot in every result\n  ", p->out);
		put(p, json_string_value(sentence));
		(void)fputc('\n', p->out);
	}
	return sentences ? 0 : -ENOMEM;
}

static void put_counts(const struct page *p, const json_t *results, const json_t *labels, const json_t *rows)
{
	static const char *const verdict[] = {"pass", "fail", "broken", "skip"};
	const json_t *result = NULL, *item = NULL;
	size_t i, k, marked = 0;
	(void)fputc('\n', p->out);
	json_array_foreach (results, i, result) {
		put(p, json_string_value(json_array_get(labels, i)));
		for (unsigned v = 0; v < ARRAY_SIZE(verdict); v++) {
			unsigned count = 0;
			json_array_foreach (json_object_get(result, "scenarios"), k, item)
				count += !strcmp(text_of(item, "verdict"), verdict[v]);
			(void)fprintf(p->out, "%s%u %s", v ? ", " : ": ", count, verdict[v]);
		}
		(void)fputc('\n', p->out);
	}
	json_array_foreach (rows, i, item)
		marked += json_array_size(json_object_get(item, "differences")) > 0;
	if (json_array_size(results) > 1)
		(void)fprintf(p->out, "%zu of %zu rows differ\n", marked, json_array_size(rows));
}

/* What stands below the tables. */
static int put_below(struct page *p, const json_t *results, const json_t *labels, const json_t *rows, unsigned width)
{
	auto_free char *text = NULL;
	size_t length = 0;
	FILE *out = p->out;
	p->out = open_memstream(&text, &length);
	if (!p->out)
		return -ENOMEM;
	put_sentences(p, rows, "Not as predicted", "wrong");
	put_sentences(p, rows, "Differences", "differences");
	int r = put_absent(p, results, labels, rows);
	put_counts(p, results, labels, rows);
	r = fclose(p->out) != 0 ? -ENOMEM : r;
	p->out = out;
	if (r == 0 && width)
		text_fold(text, width, out);
	else if (r == 0)
		(void)fputs(text, out);
	return r;
}

int report_matrix(const json_t *results, const json_t *labels, const struct report_options *options, FILE *out)
{
	json_auto_t *rows = matrix_rows(results, labels);
	struct page p = {.out = out, .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0, .colour = options->colour};
	if (!rows)
		return -ENOMEM;
	int r = put_table(&p, rows, labels, options->width);
	if (r < 0)
		return r;
	json_auto_t *boundaries = boundary_rows(results);
	if (json_array_size(boundaries)) {
		static const char heading[] =
			"\nBoundaries: the last number that was granted, the predicted one, and the difference\n";
		text_fold(heading, options->width ? options->width : ANY_WIDTH, out);
		r = put_table(&p, boundaries, labels, options->width);
	}
	if (r < 0)
		return r;
	return put_below(&p, results, labels, rows, options->width);
}
