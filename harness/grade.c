// SPDX-License-Identifier: MIT
/*
 * One answer, item by item. See grade.h.
 */
#include "grade.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "judge-check.h"
#include "report-text.h"

static const char *const known[] = {"schema", "cause", "pid", "limit", "values"};
static const char *const known_values[] = {"in_use", "asked"};

static bool is_among(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool is_number(const json_t *value)
{
	return !value || json_is_null(value) || json_is_integer(value);
}

/* NULL when the types are right, else which one is not. */
static const char *wrong_type(const json_t *answer)
{
	const json_t *cause = json_object_get(answer, "cause"), *values = json_object_get(answer, "values");
	const json_t *schema = json_object_get(answer, "schema");
	if (schema && strcmp(text_of(answer, "schema"), "enomem-answer/1") != 0)
		return "schema: not \"enomem-answer/1\"";
	if (cause && !json_is_null(cause) && !json_is_string(cause))
		return "cause: not a string";
	if (!is_number(json_object_get(answer, "pid")))
		return "pid: not a whole number";
	if (!is_number(json_object_get(answer, "limit")))
		return "limit: not a whole number";
	if (values && !json_is_null(values) && !json_is_object(values))
		return "values: not an object";
	for (size_t i = 0; i < ARRAY_SIZE(known_values); i++)
		if (!is_number(json_object_get(values, known_values[i])))
			return "values: not whole numbers";
	return NULL;
}

json_t *grade_parse(const char *text, size_t length, char *why, size_t size)
{
	json_error_t error;
	char clean[TEXT_MAX];
	if (length == 0) {
		(void)snprintf(why, size, "there is no answer");
		return NULL;
	}
	json_t *answer = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!answer) {
		(void)snprintf(why, size, "%d: no JSON: %s", error.line,
			       text_clean(error.text, true, clean, sizeof(clean)));
		return NULL;
	}
	const char *wrong = json_is_object(answer) ? wrong_type(answer) : "not an object";
	if (!wrong)
		return answer;
	(void)snprintf(why, size, "1: %s", wrong);
	json_decref(answer);
	return NULL;
}

static int add_item(json_t *items, const char *name, const json_t *answer, const json_t *key, bool right)
{
	return json_array_append_new(items, json_pack("{s:s, s:o, s:o, s:b}", "item", name, "answer",
						      judge_shown(answer), "key", judge_shown(key), "right", right));
}

static bool is_near(const json_t *answer, const json_t *key, uint64_t basis_points)
{
	if (!json_is_integer(answer) || !json_is_integer(key))
		return false;
	__int128 a = json_integer_value(answer), k = json_integer_value(key), off = a > k ? a - k : k - a;
	return off * 10000 <= (k < 0 ? -k : k) * (__int128)basis_points;
}

static json_t *unknown_keys(const json_t *answer)
{
	json_t *list = json_array(), *value;
	const char *name;
	json_object_foreach ((json_t *)(uintptr_t)answer, name, value)
		if (!is_among(known, ARRAY_SIZE(known), name))
			(void)json_array_append_new(list, json_string(name));
	json_object_foreach (json_object_get(answer, "values"), name, value)
		if (!is_among(known_values, ARRAY_SIZE(known_values), name))
			(void)json_array_append_new(list, json_sprintf("values.%s", name));
	return list;
}

/* What the tool knows; null is what it does not, as if it said nothing of it. NULL */
static const json_t *told(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_null(value) ? NULL : value;
}

/* What it did, not what it said: of those that stood beside the failure all are to be left alone. */
static int add_decoys(json_t *items, const json_t *decoys)
{
	const json_t *item;
	size_t i, spared = 0, count = json_array_size(decoys);
	json_array_foreach (decoys, i, item)
		spared += json_is_true(json_object_get(item, "spared"));
	if (count == 0)
		return 0;
	json_auto_t *seen = json_integer((json_int_t)spared), *all = json_integer((json_int_t)count);
	return add_item(items, "spared", seen, all, spared == count);
}

json_t *grade_make(const json_t *key, const json_t *answer, uint64_t within_basis_points)
{
	const json_t *cause = json_object_get(key, "cause"), *values = json_object_get(answer, "values");
	const json_t *said = json_object_get(answer, "cause"), *given, *item = NULL;
	json_t *items = json_array();
	size_t i;
	int r = items ? 0 : -ENOMEM;
	const char *id = text_of(cause, "id");
	r |= add_item(items, "cause", said, json_object_get(cause, "id"), *id && !strcmp(text_of(answer, "cause"), id));
	if ((given = told(answer, "pid")) != NULL) {
		const json_t *pid = json_object_get(json_object_get(key, "observed"), "pid");
		r |= add_item(items, "pid", given, pid, is_near(given, pid, 0));
	}
	if ((given = told(answer, "limit")) != NULL) {
		const json_t *bound = json_object_get(cause, "bound");
		r |= add_item(items, "limit", given, bound, is_near(given, bound, 0));
	}
	for (i = 0; i < ARRAY_SIZE(known_values); i++)
		if ((given = told(values, known_values[i])) != NULL) {
			const json_t *seen = json_object_get(cause, known_values[i]);
			r |= add_item(items, known_values[i], given, seen, is_near(given, seen, within_basis_points));
		}
	r |= add_decoys(items, json_object_get(key, "decoys"));
	bool right = true;
	json_array_foreach (items, i, item)
		right &= json_is_true(json_object_get(item, "right"));
	json_t *grade = r ? NULL
			  : json_pack("{s:s, s:b, s:o, s:o}", "schema", "enomem-grade/1", "right", right, "items",
				      json_incref(items), "unknown", unknown_keys(answer));
	json_decref(items);
	return grade;
}

int grade_print(const json_t *grade, FILE *out)
{
	char answer[TEXT_MAX], key[TEXT_MAX], clean[2][TEXT_MAX];
	const json_t *item = NULL;
	size_t i;
	json_array_foreach (json_object_get(grade, "items"), i, item) {
		bool right = json_is_true(json_object_get(item, "right"));
		text_value(json_object_get(item, "answer"), answer, sizeof(answer));
		text_value(json_object_get(item, "key"), key, sizeof(key));
		(void)fprintf(out, "%-5s  %-6s  %s", right ? "right" : "wrong", text_of(item, "item"),
			      text_clean(answer, false, clean[0], TEXT_MAX));
		if (!right)
			(void)fprintf(out, ", and it was %s", text_clean(key, false, clean[1], TEXT_MAX));
		(void)fputc('\n', out);
	}
	json_array_foreach (json_object_get(grade, "unknown"), i, item)
		(void)fprintf(out, "not graded: %s\n", text_clean(json_string_value(item), false, clean[0], TEXT_MAX));
	return ferror(out) ? -EIO : 0;
}
