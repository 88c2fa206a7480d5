// SPDX-License-Identifier: MIT
/*
 * Plain tables with libsmartcols, as wide as the terminal or 120 columns.
 */
#pragma once

#include <libsmartcols.h>
#include <stdbool.h>
#include <stdio.h>

/* A table with these columns (ended by NULL); the last one wraps, and those whose name begins with '~'. NULL when
 * memory is short. */
struct libscols_table *table_new(const char *const *columns);
/* Append a row of as many texts as there are columns; NULL leaves a cell empty. */
int table_add(struct libscols_table *table, const char *const *cells);
/* Print to stdout, with lines broken so that they fit, and free. 0 or -errno. */
int table_print(struct libscols_table *table);
/* The same elsewhere, so wide. */
int table_print_to(struct libscols_table *table, size_t width, FILE *out);
