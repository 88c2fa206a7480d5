// SPDX-License-Identifier: MIT
/*
 * Many answers: how often a tool was right, and what it took for what. See grade.h.
 */
#include <errno.h>
#include <string.h>

#include "cause.h"
#include "cleanup.h"
#include "grade.h"
#include "report-text.h"
#include "table.h"

static int count_up(json_t *object, const char *key, json_int_t by)
{
	return json_object_set_new(object, key, json_integer(text_integer(object, key, 0) + by));
}

static json_t *row_of(json_t *by_cause, const char *cause)
{
	json_t *row = json_object_get(by_cause, cause);
	if (row)
		return row;
	row = json_pack("{s:s, s:i, s:i, s:i, s:{}}", "cause", cause, "held", 0, "named", 0, "right", 0, "answers");
	return row && json_object_set_new(by_cause, cause, row) == 0 ? row : NULL;
}

json_t *grades_make(const json_t *holds, const json_t *not_held)
{
	json_auto_t *by_cause = json_object(), *rows = json_array();
	const json_t *hold = NULL;
	json_int_t held = 0, named = 0, right = 0;
	int r = by_cause && rows ? 0 : -ENOMEM;
	size_t i;
	json_array_foreach (holds, i, hold) {
		bool good = json_is_true(json_object_get(json_object_get(hold, "grade"), "right"));
		bool name = !strcmp(text_of(hold, "answer"), text_of(hold, "cause"));
		json_t *row = r == 0 ? row_of(by_cause, text_of(hold, "cause")) : NULL;
		if (!row)
			return NULL;
		held++;
		named += name;
		right += good;
		r |= count_up(row, "held", 1) | count_up(row, "named", name) | count_up(row, "right", good) |
		     count_up(json_object_get(row, "answers"), text_of(hold, "answer"), 1);
	}
	for (unsigned id = 0; r == 0 && id < CAUSE_COUNT; id++) {
		json_t *row = json_object_get(by_cause, cause_infos[id].name);
		if (row)
			r = json_array_append(rows, row);
	}
	if (r != 0)
		return NULL;
	return json_pack("{s:s, s:I, s:I, s:I, s:f, s:O, s:O, s:O}", "schema", "enomem-grades/1", "held", held, "named",
			 named, "right", right, "accuracy", held ? (double)named / (double)held : 0.0, "rows", rows,
			 "holds", holds, "not_held", not_held);
}

/* "all rlimit-as" reads as "4 rlimit-as" */
static char *answers(const json_t *row, char *buf, size_t size)
{
	json_t *counts = json_object_get(row, "answers"), *n;
	char clean[TEXT_MAX];
	const char *name;
	buf[0] = '\0';
	json_object_foreach (counts, name, n)
		text_add(buf, size, "%s%" JSON_INTEGER_FORMAT " %s", *buf ? ", " : "", json_integer_value(n),
			 text_clean(name, false, clean, sizeof(clean)));
	return buf;
}

int grades_print(const json_t *grades, FILE *out)
{
	static const char *const columns[] = {"WHAT IT WAS", "HELD", "NAMED", "RIGHT", "~WHAT THE TOOL SAID", NULL};
	struct libscols_table *lines = table_new(columns);
	const json_t *row = NULL;
	char held[32], named[32], right[32], said[TEXT_MAX];
	int r = lines ? 0 : -ENOMEM;
	size_t i;
	json_array_foreach (json_object_get(grades, "rows"), i, row) {
		(void)snprintf(held, sizeof(held), "%" JSON_INTEGER_FORMAT, text_integer(row, "held", 0));
		(void)snprintf(named, sizeof(named), "%" JSON_INTEGER_FORMAT, text_integer(row, "named", 0));
		(void)snprintf(right, sizeof(right), "%" JSON_INTEGER_FORMAT, text_integer(row, "right", 0));
		if (r == 0)
			r = table_add(lines, (const char *const[]){text_of(row, "cause"), held, named, right,
								   answers(row, said, sizeof(said))});
	}
	if (r < 0) {
		if (lines)
			scols_unref_table(lines);
		return r;
	}
	r = table_print(lines);
	(void)fprintf(out,
		      "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
		      " named (%.1f%%), all that was said right of %" JSON_INTEGER_FORMAT "\n",
		      text_integer(grades, "named", 0), text_integer(grades, "held", 0),
		      100 * json_real_value(json_object_get(grades, "accuracy")), text_integer(grades, "right", 0));
	return r == 0 && ferror(out) ? -EIO : r;
}
