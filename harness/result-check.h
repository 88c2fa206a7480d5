// SPDX-License-Identifier: MIT
/*
 * The shape of a result as tables: what results/schema.json says, in C, so that a wrong file is named before it is
 * read.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Where in the document we are, printed as "scenarios[0].runs[2].outcome". */
struct place {
	const struct place *parent;
	const char *key; /* NULL: an element of an array */
	size_t index;
};

struct shape_errors {
	FILE *out; /* may be NULL */
	const char *name;
	unsigned count;
};

/* Types a member may have, as a set. */
enum {
	SHAPE_TEXT = 1 << 0,
	SHAPE_COUNT = 1 << 1, /* integer >= 0 */
	SHAPE_NUMBER = 1 << 2,
	SHAPE_BOOL = 1 << 3,
	SHAPE_NULL = 1 << 4,
	SHAPE_OBJECT = 1 << 5,
	SHAPE_ARRAY = 1 << 6,
	SHAPE_NEEDED = 1 << 7,
	SHAPE_ANY = 1 << 8, /* a value of a check */
};

struct shape {
	const char *key;
	unsigned types;
	const char *const *words;    /* SHAPE_TEXT: one of these, NULL-terminated */
	const struct shape *members; /* of the object, or of each object in the array; NULL: not looked into */
	unsigned elements; /* SHAPE_ARRAY without members: types of the elements; SHAPE_OBJECT likewise of all its
			      values */
};

__attribute__((format(printf, 3, 4))) void shape_error(struct shape_errors *e, const struct place *at,
						       const char *format, ...);
/* Check every member of a table; the table ends with a NULL key. Members not in the table are let through. */
void shape_check(struct shape_errors *e, const struct place *at, const json_t *object, const struct shape *table);

/* A result, and a reference: what their members are. */
extern const struct shape result_shape[], reference_shape[];
