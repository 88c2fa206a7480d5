// SPDX-License-Identifier: MIT
/*
 * What the pretty report says of each case of a scenario that ran at all: the words, without the layout.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "report-text.h"

enum report_column { VERDICT, SCENARIO, PREDICTED, OBSERVED, REFUSED_BY, CONTROL, REMEDY, TIME, COLUMNS };

struct report_row {
	const char *colour;           /* of the verdict, as smartcols names them */
	char cell[COLUMNS][TEXT_MAX]; /* safe to show */
};

/* One per case, in the order of the result; free() them. 0 or -ENOMEM. */
int report_rows(const json_t *result, bool ascii, struct report_row **ret, size_t *ret_count);
