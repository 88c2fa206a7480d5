// SPDX-License-Identifier: MIT
/*
 * Who refuses with which errno, and what comes of it: made of results and nothing else. Only triggers that went as
 * predicted count, what a failed one shows is not known to be so.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "list.h"

/*
 * {"kernels": [label of each result], "left_out": triggers that did not go as predicted, "rows": [{"cause", "call",
 * "errno", "outcome", "reported": {"called", "errno", "more"}, "kernels": [label], "seen": [{"scenario", "case",
 * "kernels": [label]}]}]}. What does not apply is left out of a row. Rows of a cause stand together, in the order of
 * lib/cause.h. NULL without memory.
 */
json_t *errno_table_make(const json_t *results);

/* For people, so wide (0: as the terminal), or as JSON or Markdown. 0 or -errno. */
int errno_table_write(const json_t *table, enum list_format format, size_t width, FILE *out);
