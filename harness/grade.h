// SPDX-License-Identifier: MIT
/*
 * Answers of tools against answer keys. An answer is somebody else's text: of any length, and of any content.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GRADE_ANSWER_MAX ((size_t)1 << 20)
#define GRADE_KEY_MAX    ((size_t)16 << 20)

/*
 * An answer as JSON: {"cause": NAME, "pid": N, "limit": N, "values": {"in_use": N, "asked": N}}; all but the cause may
 * be missing, or null, which is the same: the tool does not know. NULL when it is none: then `why` tells, with "LINE: "
 * in front where there is a line.
 */
json_t *grade_parse(const char *text, size_t length, char *why, size_t size);

/*
 * {"schema": "enomem-grade/1", "right": BOOL, "items": [{"item", "answer", "key", "right"}], "unknown": [KEY]}: each
 * thing that the answer says, the cause whether it says one or not, and how many decoys were spared where there were
 * some. A number of `values` may be off by so many basis points: what is in use goes on changing. NULL without memory.
 */
json_t *grade_make(const json_t *key, const json_t *answer, uint64_t within_basis_points);

/* A row each, right or wrong, with both values. 0 or -errno */
int grade_print(const json_t *grade, FILE *out);

/* --- many holds -------------------------------------------------------------------------------------------------- */

/*
 * {"schema": "enomem-grades/1", "held", "right", "accuracy", "rows": [{"cause", "held", "right", "answers": {NAME:
 * N}}], "holds", "not_held"} of an array of {"scenario", "run", "cause", "answer", "grade"}, where answer is what was
 * given as a cause, or in parentheses why there is none. The accuracy is the part whose cause was named; right is also
 * all else that was said. Rows are in the order of lib/cause.h. Takes nothing over.
 */
json_t *grades_make(const json_t *holds, const json_t *not_held);
int grades_print(const json_t *grades, FILE *out);
