// SPDX-License-Identifier: MIT
/*
 * Plain tables with libsmartcols, as wide as the terminal or 120 columns.
 */
#pragma once

#include <libsmartcols.h>

/* A table with these columns (ended by NULL); the last one wraps. NULL when memory is short. */
struct libscols_table *table_new(const char *const *columns);
/* Append a row of as many texts as there are columns. */
int table_add(struct libscols_table *table, const char *const *cells);
/* Print to stdout and free. 0 or -errno. */
int table_print(struct libscols_table *table);
