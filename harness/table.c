// SPDX-License-Identifier: MIT
/*
 * Tables for list and doctor. See table.h.
 */
#include "table.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_WITHOUT_TERMINAL 120

struct libscols_table *table_new(const char *const *columns)
{
	struct libscols_table *table = scols_new_table();
	struct winsize window;
	if (!table)
		return NULL;
	/* smartcols ignores COLUMNS when stdout is no terminal. */
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0) {
		scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(table, WIDTH_WITHOUT_TERMINAL);
	}
	if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		scols_table_enable_ascii(table, 1);
	for (size_t i = 0; columns[i]; i++)
		if (!scols_table_new_column(table, columns[i], columns[i + 1] ? 1 : 0.5,
					    columns[i + 1] ? 0 : SCOLS_FL_WRAP)) {
			scols_unref_table(table);
			return NULL;
		}
	return table;
}

int table_add(struct libscols_table *table, const char *const *cells)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	int r = line ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < scols_table_get_ncols(table); i++)
		r = scols_line_set_data(line, i, cells[i]);
	return r;
}

int table_print(struct libscols_table *table)
{
	int r = scols_print_table(table);
	scols_unref_table(table);
	return r;
}
