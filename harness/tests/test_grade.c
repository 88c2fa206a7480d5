// SPDX-License-Identifier: MIT
/*
 * Answers that are none, answers that are wrong in one item each, and the table of many.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "grade.h"
#include "report-text.h"

static json_t *key_of(const char *cause)
{
	return json_pack("{s:s, s:{s:i}, s:{s:s, s:i, s:i, s:i}}", "schema", "enomem-key/1", "observed", "pid", 4242,
			 "cause", "id", cause, "in_use", 1000, "asked", 1, "bound", 1000);
}

static json_t *answer_of(const char *text)
{
	char why[2 * TEXT_MAX] = "";
	json_t *answer = grade_parse(text, strlen(text), why, sizeof(why));
	if (!answer)
		fail_msg("%s: %s", text, why);
	return answer;
}

/* "cause+ pid-": each item, right or wrong */
static void graded(const char *text, uint64_t within, const char *expected)
{
	json_auto_t *key = key_of("pids-max"), *answer = answer_of(text), *grade = grade_make(key, answer, within);
	char seen[TEXT_MAX] = "";
	const json_t *item = NULL;
	bool right = true;
	size_t i;
	assert_non_null(grade);
	json_array_foreach (json_object_get(grade, "items"), i, item) {
		bool good = json_is_true(json_object_get(item, "right"));
		text_add(seen, sizeof(seen), "%s%s%s", i ? " " : "", text_of(item, "item"), good ? "+" : "-");
		right &= good;
	}
	assert_string_equal(seen, expected);
	assert_int_equal(json_is_true(json_object_get(grade, "right")), right);
}

static void each_item_can_be_wrong(void **state)
{
	(void)state;
	graded("{\"cause\": \"pids-max\", \"pid\": 4242, \"limit\": 1000, \"values\": {\"in_use\": 1000, \"asked\": "
	       "1}}",
	       0, "cause+ pid+ limit+ in_use+ asked+");
	graded("{\"cause\": \"pid-max\"}", 0, "cause-");
	graded("{\"cause\": \"pids-max\", \"pid\": 4243}", 0, "cause+ pid-");
	graded("{\"cause\": \"pids-max\", \"limit\": 1001}", 10000, "cause+ limit-");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": -1000}}", 100, "cause+ in_use-");
	graded("{}", 0, "cause-");
	graded("{\"cause\": null}", 0, "cause-");
	graded("{\"cause\": \"\"}", 0, "cause-");
}

/* A decoy that was not left alone makes it wrong, whatever is said. */
static void decoys_are_to_be_spared(void **state)
{
	(void)state;
	for (int spared = 0; spared <= 2; spared++) {
		json_auto_t *key = key_of("pids-max"), *answer = answer_of("{\"cause\": \"pids-max\"}");
		(void)json_object_set_new(key, "decoys",
					  json_pack("[{s:b}, {s:b}]", "spared", spared > 0, "spared", spared > 1));
		json_auto_t *grade = grade_make(key, answer, 0);
		const json_t *item = json_array_get(json_object_get(grade, "items"), 1);
		assert_string_equal(text_of(item, "item"), "spared");
		assert_int_equal(text_integer(item, "answer", -1), spared);
		assert_int_equal(text_integer(item, "key", -1), 2);
		assert_int_equal(json_is_true(json_object_get(item, "right")), spared == 2);
		assert_int_equal(json_is_true(json_object_get(grade, "right")), spared == 2);
	}
}

static void null_is_what_it_does_not_know(void **state)
{
	(void)state;
	graded("{\"cause\": \"pids-max\", \"pid\": null, \"limit\": null, \"values\": {\"in_use\": null, \"asked\": "
	       "1}}",
	       0, "cause+ asked+");
	graded("{\"cause\": \"pids-max\", \"values\": null}", 0, "cause+");
	graded("{\"cause\": null, \"pid\": 4242}", 0, "cause- pid+");
}

static void values_may_be_off(void **state)
{
	(void)state;
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": 1010}}", 100, "cause+ in_use+");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": 990}}", 100, "cause+ in_use+");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": 1011}}", 100, "cause+ in_use-");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": 989}}", 100, "cause+ in_use-");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": 9223372036854775807}}", 10000, "cause+ in_use-");
	graded("{\"cause\": \"pids-max\", \"values\": {\"in_use\": -9223372036854775807}}", 10000, "cause+ in_use-");
}

/* A key without a cause is nobody's: an answer without one is not right about it. */
static void no_cause_is_never_right(void **state)
{
	(void)state;
	json_auto_t *key = json_pack("{s:{}}", "cause"), *answer = answer_of("{\"cause\": \"\"}");
	json_auto_t *grade = grade_make(key, answer, 0);
	assert_true(json_is_false(json_object_get(grade, "right")));
}

static void what_is_no_answer(void **state)
{
	(void)state;
	static const struct {
		const char *text, *why;
	} bad[] = {{"", "there is no answer"},
		   {"[]", "1: not an object"},
		   {"{\"cause\": 7}", "1: cause: not a string"},
		   {"{\"pid\": 1.5}", "1: pid: not a whole number"},
		   {"{\"limit\": \"1\"}", "1: limit: not a whole number"},
		   {"{\"values\": []}", "1: values: not an object"},
		   {"{\"values\": {\"asked\": true}}", "1: values: not whole numbers"},
		   {"{\"schema\": \"enomem-answer/2\"}", "1: schema: not \"enomem-answer/1\""}};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char why[2 * TEXT_MAX] = "";
		assert_null(grade_parse(bad[i].text, strlen(bad[i].text), why, sizeof(why)));
		assert_string_equal(why, bad[i].why);
	}
	char why[2 * TEXT_MAX] = "";
	assert_null(grade_parse("{\n\n]", 4, why, sizeof(why)));
	assert_memory_equal(why, "3: no JSON: ", 12);
	assert_null(grade_parse("{}\0", 3, why, sizeof(why)));
}

static void unknown_keys_are_told(void **state)
{
	(void)state;
	json_auto_t *key = key_of("pids-max");
	json_auto_t *answer = answer_of("{\"cause\": \"pids-max\", \"mood\": 1, \"values\": {\"peak\": 2}}");
	json_auto_t *grade = grade_make(key, answer, 0), *expected = json_pack("[s, s]", "mood", "values.peak");
	assert_true(json_equal(json_object_get(grade, "unknown"), expected));
	assert_true(json_is_true(json_object_get(grade, "right")));
}

static void a_table_of_many(void **state)
{
	(void)state;
	json_auto_t *holds =
		json_pack("[{s:s, s:s, s:{s:b}}, {s:s, s:s, s:{s:b}}, {s:s, s:s, s:{s:b}}, {s:s, s:s, s:n}]", "cause",
			  "pids-max", "answer", "pids-max", "grade", "right", 1, "cause", "pids-max", "answer",
			  "pids-max", "grade", "right", 0, "cause", "rlimit-as", "answer", "pids-max", "grade", "right",
			  0, "cause", "pids-max", "answer", "(nothing)", "grade");
	json_auto_t *none = json_array(), *grades = grades_make(holds, none);
	json_auto_t *rows =
		json_pack("[{s:s, s:i, s:i, s:i, s:{s:i}}, {s:s, s:i, s:i, s:i, s:{s:i, s:i}}]", "cause", "rlimit-as",
			  "held", 1, "named", 0, "right", 0, "answers", "pids-max", 1, "cause", "pids-max", "held", 3,
			  "named", 2, "right", 1, "answers", "pids-max", 2, "(nothing)", 1);
	assert_true(json_equal(json_object_get(grades, "rows"), rows));
	assert_int_equal(text_integer(grades, "held", 0), 4);
	assert_int_equal(text_integer(grades, "named", 0), 2);
	assert_int_equal(text_integer(grades, "right", 0), 1);
	assert_true(json_real_value(json_object_get(grades, "accuracy")) == 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_item_can_be_wrong), cmocka_unit_test(null_is_what_it_does_not_know),
		cmocka_unit_test(values_may_be_off),      cmocka_unit_test(no_cause_is_never_right),
		cmocka_unit_test(what_is_no_answer),      cmocka_unit_test(unknown_keys_are_told),
		cmocka_unit_test(a_table_of_many),        cmocka_unit_test(decoys_are_to_be_spared),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
