// SPDX-License-Identifier: MIT
/*
 * Scenarios and cases that some of the results do not have at all. What was not asked for in one of them is no
 * difference: it is told once, of those together that the same results have.
 */
#include <string.h>

#include "report-matrix.h"
#include "report-text.h"

#define SENTENCE_MAX (8 * TEXT_MAX)
#define NAMES_MAX    12 /* the table above has them all */

/* Does a result have the row, or its scenario in whatever cases? */
static bool is_in(const json_t *result, const json_t *row, bool whole)
{
	const json_t *scenario = matrix_scenario(result, row);
	return whole ? scenario != NULL : *matrix_verdict(scenario, row) != '\0';
}

/* "5.10, 6.1 and 6.12": the results that have it. Returns whether not all of them do. */
static bool is_partial(const json_t *results, const json_t *labels, const json_t *row, bool whole, char *buf,
		       size_t size)
{
	const json_t *result = NULL;
	size_t i, count = 0, said = 0;
	json_array_foreach (results, i, result)
		count += is_in(result, row, whole);
	buf[0] = '\0';
	json_array_foreach (results, i, result) {
		if (!is_in(result, row, whole))
			continue;
		text_add(buf, size, "%s%s",
			 !said               ? ""
			 : said + 1 == count ? " and "
					     : ", ",
			 json_string_value(json_array_get(labels, i)));
		said++;
	}
	return count < json_array_size(results);
}

/* To the names that the same results have; a scenario's once, however many cases it has. */
static int add(json_t *groups, const char *where, const char *name)
{
	json_t *names = json_object_get(groups, where);
	if (!names && json_object_set_new(groups, where, names = json_array()) < 0)
		return -1;
	const json_t *last = json_array_get(names, json_array_size(names) - 1);
	return last && !strcmp(json_string_value(last), name) ? 0 : json_array_append_new(names, json_string(name));
}

static json_t *sentence_of(const char *where, const json_t *names)
{
	char sentence[SENTENCE_MAX] = "";
	const json_t *name = NULL;
	size_t i, count = json_array_size(names);
	text_add(sentence, sizeof(sentence), "only on %s: ", where);
	json_array_foreach (names, i, name)
		if (i < NAMES_MAX)
			text_add(sentence, sizeof(sentence), "%s%s", i ? ", " : "", json_string_value(name));
	if (count > NAMES_MAX)
		text_add(sentence, sizeof(sentence), " and %zu more", count - NAMES_MAX);
	return json_string(sentence);
}

json_t *matrix_absent(const json_t *results, const json_t *labels, const json_t *rows)
{
	json_auto_t *groups = json_object(), *sentences = json_array();
	const json_t *row = NULL;
	json_t *names;
	char where[TEXT_MAX];
	const char *key;
	size_t i;
	json_array_foreach (rows, i, row) {
		bool whole = is_partial(results, labels, row, true, where, sizeof(where));
		if (!whole && !is_partial(results, labels, row, false, where, sizeof(where)))
			continue;
		if (add(groups, where, text_of(row, whole ? "scenario" : "name")) < 0)
			return NULL;
	}
	json_object_foreach (groups, key, names)
		if (json_array_append_new(sentences, sentence_of(key, names)) < 0)
			return NULL;
	return json_incref(sentences);
}
