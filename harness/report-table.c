// SPDX-License-Identifier: MIT
/*
 * The table of the pretty report: one row per case of a scenario that ran at all. Where a terminal is too narrow for
 * its columns, each case is some lines instead, which say the same; report_pretty() folds them.
 */
#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>

#include "cleanup.h"
#include "report-formats.h"
#include "report-rows.h"
#include "report-text.h"

static const struct {
	const char *name;
	unsigned share; /* percent of what the fixed columns leave; 0: as wide as its content */
} columns[COLUMNS] = {
	[VERDICT] = {"", 0},
	[SCENARIO] = {"SCENARIO", 28},
	[PREDICTED] = {"PREDICTED", 20},
	[OBSERVED] = {"OBSERVED", 20},
	[REFUSED_BY] = {"REFUSED BY", 32},
	[CONTROL] = {"CONTROL", 0},
	[REMEDY] = {"REMEDY", 0},
	[TIME] = {"TIME", 0},
};

#define LEAST_WIDTH 10 /* of a column that is broken into lines */

static void untable(struct libscols_table **table)
{
	scols_unref_table(*table);
}

/* --- columns ----------------------------------------------------------------------------------------------------- */

static size_t widest(const struct report_row *row, size_t count, enum report_column column)
{
	size_t width = strlen(columns[column].name);
	for (size_t i = 0; i < count; i++)
		width = MAX(width, text_columns(row[i].cell[column], strlen(row[i].cell[column])));
	return width;
}

/* The longest piece of a column that text_wrap() leaves whole. */
static size_t longest_word(const struct report_row *row, size_t count, enum report_column column)
{
	size_t longest = MAX(strlen(columns[column].name), LEAST_WIDTH);
	for (size_t i = 0; i < count; i++)
		longest = MAX(longest, text_longest_word(row[i].cell[column]));
	return longest;
}

/* The longest of "3 ok, 1 folklore" between two commas. */
static size_t longest_mark(const struct report_row *row, size_t count)
{
	size_t longest = strlen(columns[REMEDY].name);
	for (size_t i = 0; i < count; i++)
		for (const char *at = row[i].cell[REMEDY]; *at; at += strspn(at, " ")) {
			size_t length = strcspn(at, ",");
			length += at[length] == ',';
			longest = MAX(longest, length);
			at += length;
		}
	return longest;
}

/*
 * By their shares; where a word would have to be cut for that, each has room for its longest word, and they share the
 * rest. False where there is not even so much room.
 */
static bool share_out(const struct report_row *row, size_t count, size_t width, size_t ret[COLUMNS])
{
	size_t taken = COLUMNS - 1, least[COLUMNS], words = 0; /* a blank between each two */
	bool cut = false;
	for (unsigned c = 0; c < COLUMNS; c++) {
		least[c] = columns[c].share ? longest_word(row, count, c) : widest(row, count, c);
		words += columns[c].share ? least[c] : 0;
		taken += columns[c].share ? 0 : least[c];
	}
	if (width < taken + words) {
		taken -= least[REMEDY];
		taken += least[REMEDY] = longest_mark(row, count);
	}
	if (width < taken + words)
		return false;
	for (unsigned c = 0; c < COLUMNS; c++) {
		ret[c] = columns[c].share ? (width - taken) * columns[c].share / 100 : least[c];
		cut |= ret[c] < least[c];
	}
	for (unsigned c = 0; cut && c < COLUMNS; c++)
		ret[c] = least[c] + (width - taken - words) * columns[c].share / 100;
	return true;
}

static bool is_broken(unsigned column)
{
	return columns[column].share || column == REMEDY;
}

static int make_columns(struct libscols_table *t)
{
	for (unsigned c = 0; c < COLUMNS; c++) {
		int flags = is_broken(c) ? SCOLS_FL_WRAP : c == TIME ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *column = scols_table_new_column(t, columns[c].name, 1, flags);
		if (!column)
			return -ENOMEM;
		if (is_broken(c) &&
		    (scols_column_set_safechars(column, "\n") < 0 ||
		     scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL) < 0))
			return -ENOMEM;
	}
	return 0;
}

/* Between commas only, where they do not fit on one line. */
static const char *wrap_marks(const char *marks, size_t width, char *buf, size_t size)
{
	(void)snprintf(buf, size, "%s", marks);
	for (char *c = buf; strlen(marks) > width && (c = strchr(c, ',')) && c[1] == ' '; c++)
		c[1] = '\n';
	return buf;
}

static int add_line(struct libscols_table *t, const struct report_row *row, const size_t width[COLUMNS])
{
	struct libscols_line *line = scols_table_new_line(t, NULL);
	if (!line)
		return -ENOMEM;
	for (unsigned c = 0; c < COLUMNS; c++) {
		char wrapped[2 * TEXT_MAX];
		const char *text = columns[c].share ? text_wrap(row->cell[c], width[c], wrapped, sizeof(wrapped))
				   : c == REMEDY    ? wrap_marks(row->cell[c], width[c], wrapped, sizeof(wrapped))
						    : row->cell[c];
		if (scols_line_set_data(line, c, text) < 0)
			return -ENOMEM;
	}
	return scols_cell_set_color(scols_line_get_cell(line, VERDICT), row->colour) < 0 ? -ENOMEM : 0;
}

static int print_columns(const struct report_row *row, size_t count, size_t terminal, const size_t width[COLUMNS],
			 bool colour, FILE *out)
{
	__attribute__((cleanup(untable))) struct libscols_table *t = scols_new_table();
	if (!t || make_columns(t) < 0)
		return -ENOMEM;
	/* smartcols ignores COLUMNS when it does not write to a terminal. */
	scols_table_set_stream(t, out);
	scols_table_set_termforce(t, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(t, terminal);
	scols_table_enable_colors(t, colour);
	for (size_t i = 0; i < count; i++)
		if (add_line(t, &row[i], width) < 0)
			return -ENOMEM;
	return scols_print_table(t) < 0 ? -ENOMEM : 0;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

static void print_lines(const struct report_row *row, size_t count, bool colour, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		const char(*cell)[TEXT_MAX] = row[i].cell;
		const char *code = !strcmp(row[i].colour, "red")     ? "\033[31m"
				   : !strcmp(row[i].colour, "green") ? "\033[32m"
								     : "\033[33m";
		(void)fprintf(out, "%s%s%s  %s\n", colour ? code : "", cell[VERDICT], colour ? "\033[0m" : "",
			      cell[SCENARIO]);
		(void)fprintf(out, "  predicted %s; observed %s\n", cell[PREDICTED], cell[OBSERVED]);
		if (strcmp(cell[REFUSED_BY], "-") != 0)
			(void)fprintf(out, "  refused by %s\n", cell[REFUSED_BY]);
		(void)fprintf(out, "  control %s; remedy %s; %s\n", cell[CONTROL], cell[REMEDY], cell[TIME]);
	}
}

int report_table(const json_t *result, const struct report_options *options, bool ascii, FILE *out)
{
	auto_free struct report_row *row = NULL;
	size_t count, width = options->width ? options->width : 120, column[COLUMNS];
	int r = report_rows(result, ascii, &row, &count);
	if (r < 0 || !count)
		return r;
	if (share_out(row, count, width, column))
		return print_columns(row, count, width, column, options->colour, out);
	print_lines(row, count, options->colour, out);
	return 0;
}
