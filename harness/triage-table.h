// SPDX-License-Identifier: MIT
/*
 * How often triage was right: made of results of `enomem run --triage` and nothing else.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "list.h"

/*
 * {"kernels": [label of each result], "looked_at": N, "not_looked_at": N, "right": {"ranked", "told", "five_points"},
 * "rows": [{"cause", "triggers", "ranked": {answer: N}, "told": {answer: N}, "five_points": {answer: N}}]}. Only
 * triggers that went as predicted count, and of these those that a limit refused. Rows are in the order of lib/cause.h.
 * NULL without memory.
 */
json_t *triage_table_make(const json_t *results);

/*
 * The five points of the guides, followed literally from a run's evidence, as their table of decisions has it: "real
 * exhaustion", "overcommit accounting", "process limit", "max_map_count", or "none of these".
 */
const char *triage_five_points(const json_t *run);

/* For people, so wide (0: as the terminal), or as JSON or Markdown. 0 or -errno. */
int triage_table_write(const json_t *table, enum list_format format, size_t width, FILE *out);
