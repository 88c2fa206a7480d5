// SPDX-License-Identifier: MIT
/*
 * Located boundaries in results: in every format, in references, in comparisons, and what makes a result wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "cleanup.h"
#include "report-boundary.h"
#include "report-text.h"
#include "report.h"
#include "sample.h"

static json_t *boundary(json_int_t predicted, json_int_t last, json_int_t tolerance, const char *verdict)
{
	json_t *b =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:i, s:[{s:I, s:s}]}", "name",
			  "boundary of --tasks", "case", "", "run", "limited", "varied", "--tasks", "cause", "pids-max",
			  "verdict", verdict, "predicted", predicted, "last_granted", last, "first_refused", last + 1,
			  "difference", last - predicted, "tolerance", tolerance, "predicted_by", "cause.bound - 1",
			  "probes", 4, "tried", "value", last, "answer", "granted");
	if (strcmp(verdict, "pass") != 0)
		(void)json_object_set_new(b, "reason", json_string("it is elsewhere"));
	return b;
}

/* The sample, with a boundary of its first scenario. */
static json_t *with(json_t *b)
{
	json_t *result = sample_result(), *scenarios = json_object_get(result, "scenarios");
	assert_int_equal(judge_boundaries(json_array_get(scenarios, 0), json_pack("[o]", b)), 0);
	(void)json_object_set_new(result, "summary", judge_summary(scenarios));
	assert_int_equal(result_check(result, "sample", stderr), 0);
	return result;
}

static char *written(enum report_format format, const json_t *result)
{
	const struct report_options options = {.width = 160};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(report_write(format, result, &options, out), 0);
	(void)fclose(out);
	return text;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		print_message("no '%s' in:\n%s\n", what, text);
	assert_non_null(strstr(text, what));
}

/* Predicted, observed and difference are everywhere; and so is a wrong one. */
static void test_formats(void **state)
{
	static const struct {
		enum report_format format;
		const char *right[4], *wrong[4];
	} formats[] = {
		{FORMAT_PRETTY,
		 {"pids-max: boundary of --tasks", "1005", "1006", "+0"},
		 {"FAIL  boundary of --tasks", "it is elsewhere", "predicted by: cause.bound - 1", "-3"}},
		{FORMAT_TAP,
		 {"    ok 5 - boundary of --tasks\n", "predicted: 1005\n", "last_granted: 1005\n", "difference: 0\n"},
		 {"    not ok 5 - boundary of --tasks\n", "message: \"it is elsewhere\"", "difference: -3\n",
		  "not ok 1 - pids-max"}},
		{FORMAT_TAP13,
		 {"ok 5 - task-count.pids-max: boundary of --tasks\n", "predicted: 1005\n", "last_granted: 1005\n",
		  "difference: 0\n"},
		 {"not ok 5 - task-count.pids-max: boundary of --tasks\n", "severity: \"fail\"", "difference: -3\n",
		  ""}},
		{FORMAT_JUNIT,
		 {"name=\"boundary of --tasks\"",
		  "predicted 1005, last granted 1005, first refused 1006, difference +0 (4 probes)", "", ""},
		 {"<failure message=\"it is elsewhere\"", "last granted 1002, first refused 1003, difference -3", "",
		  "tests=\"5\" failures=\"1\""}},
		{FORMAT_MARKDOWN,
		 {"pids-max: boundary of --tasks | 1005 (predicted 1005, +0) |", "", "", ""},
		 {"FAIL 1002 (predicted 1005, -3)", "| pids-max | FAIL", "", ""}},
		{FORMAT_JSON,
		 {"\"boundaries\"", "\"predicted\": 1005", "\"last_granted\": 1005", "\"difference\": 0"},
		 {"\"difference\": -3", "", "", ""}},
	};
	(void)state;
	json_auto_t *right = with(boundary(1005, 1005, 0, "pass")), *wrong = with(boundary(1005, 1002, 0, "fail"));
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		auto_free char *good = written(formats[i].format, right), *bad = written(formats[i].format, wrong);
		for (size_t k = 0; k < 4; k++) {
			has(good, formats[i].right[k]);
			has(bad, formats[i].wrong[k]);
		}
	}
}

static void test_verdict(void **state)
{
	(void)state;
	json_auto_t *right = with(boundary(5, 5, 0, "pass")), *wrong = with(boundary(5, 4, 0, "fail"));
	json_auto_t *skipped = with(boundary(5, 4, 0, "skip")), *broken = with(boundary(5, 4, 0, "broken"));
	const struct {
		const json_t *result;
		const char *verdict;
	} all[] = {{right, "pass"}, {wrong, "fail"}, {skipped, "pass"}, {broken, "broken"}};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		const json_t *scenario = json_array_get(json_object_get(all[i].result, "scenarios"), 0);
		assert_string_equal(text_of(scenario, "verdict"), all[i].verdict);
		if (strcmp(all[i].verdict, "pass") != 0)
			assert_string_equal(text_of(scenario, "reason"), "boundary of --tasks: it is elsewhere");
	}
	/* one that failed already keeps its own reason */
	json_auto_t *result = sample_result();
	json_t *failed = json_array_get(json_object_get(result, "scenarios"), 1);
	auto_free char *before = strdup(text_of(failed, "reason"));
	assert_string_equal(text_of(failed, "verdict"), "fail");
	assert_int_equal(judge_boundaries(failed, json_pack("[o]", boundary(5, 4, 0, "fail"))), 0);
	assert_string_equal(text_of(failed, "reason"), before);
	assert_int_equal(judge_boundaries(failed, NULL), 0);
}

static void test_reference(void **state)
{
	(void)state;
	json_auto_t *exact = with(boundary(5, 5, 0, "pass")), *batched = with(boundary(5, 7, 8, "pass"));
	json_auto_t *skipped = with(boundary(5, 4, 0, "skip")), *none = sample_result();
	json_auto_t *a = result_stable(exact), *b = result_stable(batched), *c = result_stable(skipped),
		    *d = result_stable(none);
	json_t *const all[] = {a, b, c, d};
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(result_check_any(all[i], "reference", stderr), 0);
	auto_free char *text_a = json_dumps(a, JSON_COMPACT), *text_b = json_dumps(b, JSON_COMPACT);
	has(text_a, "\"predicted\":5,\"last_granted\":5,\"first_refused\":6,\"difference\":0");
	has(text_b, "\"verdict\":\"pass\",\"tolerance\":8}");
	assert_null(strstr(text_b, "last_granted"));
	assert_true(json_equal(c, d)); /* what was not located is not there */
}

/* What a described run came to is of that time only. */
static void test_described_reference(void **state)
{
	(void)state;
	const char *outcome = "\"described\":true,\"verdict\":\"skip\"}";
	json_auto_t *result = sample_result();
	json_t *run =
		json_array_get(json_object_get(json_array_get(json_object_get(result, "scenarios"), 0), "runs"), 1);
	assert_int_equal(json_object_set_new(run, "described", json_true()), 0);
	assert_int_equal(json_object_set_new(run, "verdict", json_string("skip")), 0);
	assert_int_equal(json_object_set_new(run, "reason", json_string("described; this time: success")), 0);
	json_auto_t *described = result_stable(result);
	assert_int_equal(result_check_any(described, "reference", stderr), 0);
	auto_free char *text = json_dumps(described, JSON_COMPACT);
	has(text, outcome);
	assert_null(strstr(text, "this time"));
	(void)json_object_del(run, "described");
	json_auto_t *skipped = result_stable(result);
	auto_free char *other = json_dumps(skipped, JSON_COMPACT);
	assert_null(strstr(other, outcome));
}

static void compares(const json_t *a, const json_t *b, const char *wanted)
{
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int moved = compare_results(a, b, "a.json", "b.json", out);
	(void)fclose(out);
	if (strcmp(text, wanted) != 0)
		print_message("got: %s", text);
	assert_string_equal(text, wanted);
	assert_int_equal(moved, *wanted ? 1 : 0);
}

/* What counts is how far each is from its own prediction. */
static void test_compare(void **state)
{
	(void)state;
	json_auto_t *a = with(boundary(1000, 1000, 0, "pass")), *larger = with(boundary(2000, 2000, 0, "pass"));
	json_auto_t *near = with(boundary(1000, 1003, 4, "pass")), *far = with(boundary(1000, 997, 4, "pass"));
	json_auto_t *none = sample_result(), *reference = result_stable(a), *other = result_stable(larger);
	json_auto_t *batched = result_stable(near);
	compares(a, a, "");
	compares(a, larger, ""); /* a machine of another size */
	compares(a, none, "");   /* nobody searched */
	compares(none, a, "");
	compares(a, near, "");
	compares(near, far,
		 "pids-max: boundary of --tasks: last granted 1003 (predicted 1000, +3) -> 997 (predicted 1000, -3)\n");
	compares(a, reference, "");
	compares(reference, other, "");
	compares(batched, far, "");
	json_auto_t *renamed = with(boundary(1000, 1000, 0, "pass"));
	doctor(renamed, "scenarios/0/boundaries/0/varied", "\"--more\"");
	compares(a, renamed, "");
	json_auto_t *two = with(boundary(1000, 1000, 0, "pass"));
	json_t *second = boundary(1, 1, 0, "pass");
	(void)json_object_set_new(second, "name", json_string("boundary of --bytes"));
	(void)json_array_append_new(json_object_get(json_array_get(json_object_get(two, "scenarios"), 0), "boundaries"),
				    second);
	compares(a, two, "pids-max: boundary of --bytes: only in b.json (pass)\n");
	compares(two, a, "pids-max: boundary of --bytes: only in a.json (pass)\n");
}

/* Failed on one side: the verdict says it, of the scenario and of the boundary, with both numbers. */
static void test_compare_failed(void **state)
{
	(void)state;
	json_auto_t *a = with(boundary(1000, 1000, 0, "pass")), *b = with(boundary(1000, 999, 0, "fail"));
	auto_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(compare_results(a, b, "a.json", "b.json", out), 3);
	(void)fclose(out);
	has(text, "pids-max: verdict pass -> fail (boundary of --tasks: it is elsewhere)\n");
	has(text, "pids-max: boundary of --tasks: verdict pass -> fail (it is elsewhere)\n");
	has(text, "last granted 1000 (predicted 1000, +0) -> 999 (predicted 1000, -1)\n");
}

static void test_wrong(void **state)
{
	static const struct {
		const char *member, *value, *says;
	} wrong[] = {
		{"difference", "1", "is not what is between prediction and boundary"},
		{"last_granted", "\"many\"", "must be"},
		{"verdict", "\"good\"", "is none of"},
		{"tolerance", NULL, "is missing"},
		{"tried", "[{\"value\": 1, \"answer\": \"perhaps\"}]", "is none of"},
		{"verdict", "\"fail\"", "did not pass and gives no reason"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		json_auto_t *result = with(boundary(5, 5, 0, "pass"));
		char path[128];
		auto_free char *text = NULL;
		size_t size;
		(void)snprintf(path, sizeof(path), "scenarios/0/boundaries/0/%s", wrong[i].member);
		doctor(result, path, wrong[i].value);
		FILE *out = open_memstream(&text, &size);
		assert_int_equal(result_check(result, "r", out), -EINVAL);
		(void)fclose(out);
		has(text, wrong[i].says);
	}
	json_t *b = boundary(5, 7, 1, "pass");
	json_auto_t *result = sample_result();
	(void)json_object_set_new(json_array_get(json_object_get(result, "scenarios"), 0), "boundaries",
				  json_pack("[o]", b));
	assert_int_equal(result_check(result, "r", NULL), -EINVAL); /* passed, and is beyond its tolerance */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats),   cmocka_unit_test(test_verdict),
		cmocka_unit_test(test_reference), cmocka_unit_test(test_described_reference),
		cmocka_unit_test(test_compare),   cmocka_unit_test(test_compare_failed),
		cmocka_unit_test(test_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
