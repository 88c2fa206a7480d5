// SPDX-License-Identifier: MIT
/*
 * Plain tables. See table.h.
 */
#include "table.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <unistd.h>

#include "report-text.h"

#define WIDTH_WITHOUT_TERMINAL 120
#define LEAST_WIDTH            12

static size_t terminal_width(void)
{
	struct winsize window;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col ? window.ws_col : WIDTH_WITHOUT_TERMINAL;
}

static int add_column(struct libscols_table *table, const char *name, bool wraps)
{
	struct libscols_column *column = scols_table_new_column(table, name, 1, wraps ? SCOLS_FL_WRAP : 0);
	if (!column)
		return -ENOMEM;
	return wraps ? scols_column_set_safechars(column, "\n") |
			       scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL)
		     : 0;
}

struct libscols_table *table_new(const char *const *columns)
{
	struct libscols_table *table = scols_new_table();
	if (!table)
		return NULL;
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		scols_table_enable_ascii(table, 1);
	for (size_t i = 0; columns[i]; i++) {
		bool marked = columns[i][0] == '~';
		if (add_column(table, columns[i] + marked, marked || !columns[i + 1]) < 0) {
			scols_unref_table(table);
			return NULL;
		}
	}
	return table;
}

int table_add(struct libscols_table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int r = line ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < scols_table_get_ncols(table); i++) {
		char clean[4 * TEXT_MAX];
		r = scols_line_set_data(line, i, cells[i] ? text_clean(cells[i], false, clean, sizeof(clean)) : NULL);
	}
	return r;
}

static const char *cell(struct libscols_table *table, size_t line, size_t column)
{
	struct libscols_line *l = scols_table_get_line(table, line);
	const char *data = l ? scols_cell_get_data(scols_line_get_cell(l, column)) : NULL;
	return data ? data : "";
}

static bool wraps(struct libscols_table *table, size_t column)
{
	return scols_column_is_wrap(scols_table_get_column(table, column));
}

static size_t widest(struct libscols_table *table, size_t column)
{
	struct libscols_cell *heading = scols_column_get_header(scols_table_get_column(table, column));
	size_t width = strlen(scols_cell_get_data(heading));
	for (size_t i = 0; i < scols_table_get_nlines(table); i++) {
		size_t length = strlen(cell(table, i, column));
		width = length > width ? length : width;
	}
	return width;
}

static int wrap_column(struct libscols_table *table, size_t column, size_t width)
{
	char text[4 * TEXT_MAX], wrapped[8 * TEXT_MAX];
	for (size_t i = 0; i < scols_table_get_nlines(table); i++) {
		(void)snprintf(text, sizeof(text), "%s", cell(table, i, column));
		(void)text_wrap(text, width, wrapped, sizeof(wrapped));
		if (scols_line_set_data(scols_table_get_line(table, i), column, wrapped) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The longest piece of a column that text_wrap() does not break; at most so much. */
static size_t longest_word(struct libscols_table *table, size_t column, size_t most)
{
	size_t longest = 0;
	for (size_t i = 0; i < scols_table_get_nlines(table); i++)
		longest = MAX(longest, text_longest_word(cell(table, i, column)));
	return MIN(longest, most);
}

/*
 * What the other columns leave is shared by those that wrap: the narrow ones keep their width; of the wider ones each
 * has room for its longest word, and then the wider the more.
 */
static int fit(struct libscols_table *table, size_t width)
{
	size_t columns = scols_table_get_ncols(table), fixed = columns - 1, wrapping = 0, words = 0, wanted = 0;
	for (size_t c = 0; c < columns; c++) {
		wrapping += wraps(table, c);
		fixed += wraps(table, c) ? 0 : widest(table, c);
	}
	if (wrapping == 0)
		return 0;
	size_t rest = width > fixed + wrapping * LEAST_WIDTH ? width - fixed : wrapping * LEAST_WIDTH;
	size_t fair = rest / wrapping;
	for (size_t c = 0; c < columns; c++) {
		size_t natural = wraps(table, c) ? widest(table, c) : 0;
		rest -= natural > fair ? 0 : natural;
		words += natural > fair ? longest_word(table, c, fair) : 0;
		wanted += natural > fair ? natural : 0;
	}
	for (size_t c = 0; wanted > rest && c < columns; c++) {
		size_t natural = wraps(table, c) ? widest(table, c) : 0, word = longest_word(table, c, fair);
		if (natural > fair &&
		    wrap_column(table, c, word + (rest - words) * (natural - word) / (wanted - words)) < 0)
			return -ENOMEM;
	}
	return 0;
}

int table_print_to(struct libscols_table *table, size_t width, FILE *out)
{
	int r = fit(table, width);
	/* smartcols ignores COLUMNS when it does not write to a terminal. */
	scols_table_set_stream(table, out);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, width);
	if (r == 0)
		r = scols_print_table(table);
	scols_unref_table(table);
	return r;
}

int table_print(struct libscols_table *table)
{
	return table_print_to(table, terminal_width(), stdout);
}
