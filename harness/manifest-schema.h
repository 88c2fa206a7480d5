// SPDX-License-Identifier: MIT
/*
 * The form of the manifest's tables, between those who wrote them (manifest-schema.c) and who walks them
 * (manifest-fill.c).
 */
#pragma once

#include "manifest-internal.h"

enum field_kind {
	FIELD_TEXT,     /* char * */
	FIELD_BOOL,     /* bool */
	FIELD_CHOICE,   /* an enum whose values are the indexes of words */
	FIELD_WORDS,    /* struct strings, from a word or a list */
	FIELD_LIST,     /* struct strings */
	FIELD_SETTINGS, /* struct settings; words are its keys */
	FIELD_OBJECT,   /* a struct of its own schema */
	FIELD_OBJECTS,  /* pointer and count of such structs */
	FIELD_RELATION, /* of a check: the key is the relation, the value its right side */
	FIELD_HIDDEN,   /* char * without a key, only freed */
};

struct schema;
struct field {
	const char *key;
	enum field_kind kind;
	bool required, filled;                    /* filled: an empty list makes no sense */
	size_t offset, count_offset, said_offset; /* said: a bool set when the key is there; 0 for none */
	const struct words *words;
	scalar_check check;
	const struct schema *schema;
};

struct schema {
	const char *what;
	const struct field *fields;
	size_t count, size;
	void (*begin)(void *object);
	void (*finish)(struct source *s, const struct node *n, void *object);
};

/* Read a map into an object, or free what such an object owns. */
void schema_fill(struct source *s, const struct schema *schema, const struct node *n, void *object);
void schema_empty(const struct schema *schema, void *object);

/* strdup() that notes when memory ran out. */
char *source_copy(struct source *s, const char *text);
/* "text", "a list", "keys and values" or "empty" */
const char *node_what(const struct node *n);
