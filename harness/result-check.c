// SPDX-License-Identifier: MIT
/*
 * Is this JSON a result? Tables of members and types, then the few statements that types cannot make.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "report-text.h"
#include "report.h"
#include "result-check.h"

#define ERRORS_MAX 20

/* No list holds an entry for a file of nonsense to print without end. */
static void print_place(FILE *out, const struct place *at)
{
	char key[96];
	if (!at)
		return;
	print_place(out, at->parent);
	if (at->key)
		(void)fprintf(out, "%s%s", at->parent ? "." : "", text_clean(at->key, false, key, sizeof(key)));
	else
		(void)fprintf(out, "[%zu]", at->index);
}

void shape_error(struct shape_errors *e, const struct place *at, const char *format, ...)
{
	if (e->count++ >= ERRORS_MAX || !e->out)
		return;
	va_list args;
	(void)fprintf(e->out, "%s: ", e->name);
	print_place(e->out, at);
	(void)fprintf(e->out, at ? ": " : "");
	va_start(args, format);
	(void)vfprintf(e->out, format, args);
	va_end(args);
	(void)fputc('\n', e->out);
}

static unsigned type_of(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return SHAPE_TEXT;
	case JSON_INTEGER:
		return SHAPE_NUMBER | (json_integer_value(value) >= 0 ? SHAPE_COUNT : 0);
	case JSON_REAL:
		return SHAPE_NUMBER;
	case JSON_TRUE:
	case JSON_FALSE:
		return SHAPE_BOOL;
	case JSON_NULL:
		return SHAPE_NULL;
	case JSON_OBJECT:
		return SHAPE_OBJECT;
	case JSON_ARRAY:
		return SHAPE_ARRAY;
	}
	return 0;
}

static void type_names(unsigned types, char *buf, size_t size)
{
	static const char *const name[] = {
		"text", "an integer of 0 or more", "a number", "true or false", "null", "an object", "an array"};
	buf[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(name); i++)
		if (types & 1U << i)
			text_add(buf, size, "%s%s", *buf ? " or " : "", name[i]);
}

static bool has_type(struct shape_errors *e, const struct place *at, const json_t *value, unsigned types)
{
	char wanted[TEXT_MAX];
	if (types & SHAPE_ANY || type_of(value) & types)
		return true;
	type_names(types, wanted, sizeof(wanted));
	shape_error(e, at, "must be %s", wanted);
	return false;
}

static void check_word(struct shape_errors *e, const struct place *at, const char *text, const char *const *words)
{
	char list[TEXT_MAX] = "";
	for (const char *const *word = words; *word; word++) {
		if (!strcmp(text, *word))
			return;
		text_add(list, sizeof(list), "%s%s", *list ? ", " : "", *word);
	}
	char shown[64];
	shape_error(e, at, "\"%s\" is none of %s", text_clean(text, false, shown, sizeof(shown)), list);
}

static void check_elements(struct shape_errors *e, const struct place *at, const json_t *value,
			   const struct shape *shape)
{
	json_t *element;
	size_t i;
	json_array_foreach (value, i, element) {
		struct place here = {.parent = at, .index = i};
		if (has_type(e, &here, element, shape->members ? SHAPE_OBJECT : shape->elements) && shape->members)
			shape_check(e, &here, element, shape->members);
	}
}

static void check_values(struct shape_errors *e, const struct place *at, const json_t *value, const struct shape *shape)
{
	json_t *member;
	const char *key;
	json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
		struct place here = {.parent = at, .key = key};
		(void)has_type(e, &here, member, shape->elements);
	}
}

void shape_check(struct shape_errors *e, const struct place *at, const json_t *object, const struct shape *table)
{
	for (const struct shape *shape = table; shape->key; shape++) {
		const json_t *value = json_object_get(object, shape->key);
		struct place here = {.parent = at, .key = shape->key};
		if (!value) {
			if (shape->types & SHAPE_NEEDED)
				shape_error(e, &here, "is missing");
			continue;
		}
		if (!has_type(e, &here, value, shape->types & ~(unsigned)SHAPE_NEEDED))
			continue;
		if (shape->words && json_is_string(value))
			check_word(e, &here, json_string_value(value), shape->words);
		else if (json_is_array(value) && (shape->members || shape->elements))
			check_elements(e, &here, value, shape);
		else if (json_is_object(value) && shape->members)
			shape_check(e, &here, value, shape->members);
		else if (json_is_object(value) && shape->elements)
			check_values(e, &here, value, shape);
	}
}
