// SPDX-License-Identifier: MIT
/*
 * Reports of several results: what each kernel's column says, which rows are marked, what is said about them, and that
 * no cell is better than its scenario.
 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sample-set.h"

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		n++;
	return n;
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		print_message("lacks \"%s\":\n%s", what, text);
	assert_non_null(strstr(text, what));
}

static char *pretty(const json_t *set)
{
	return written_set(FORMAT_PRETTY, set, (struct report_options){0});
}

static void test_golden(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	auto_free char *table = pretty(set);
	golden("matrix.txt", table);
	auto_free char *markdown = written_set(FORMAT_MARKDOWN, set, (struct report_options){0});
	golden("matrix.md", markdown);
	auto_free char *tap = written_set(FORMAT_TAP13, set, (struct report_options){0});
	golden("set.tap13", tap);
	auto_free char *subtests = written_set(FORMAT_TAP, set, (struct report_options){0});
	golden("set.tap", subtests);
}

/* The same kernel twice: nothing is marked, whatever varies from run to run. */
static void test_nothing_differs(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o, o]", sample_on("6.1.1", NULL), sample_on("6.1.2", NULL));
	doctor(set, "1/scenarios/0/runs/1/failing_moment/pid", "77");
	doctor(set, "1/scenarios/0/runs/1/duration_ns", "1");
	doctor(set, "1/scenarios/1/runs/1/cause/in_use", "2744320");
	doctor(set, "1/scenarios/4/reason", "\"needs root: run as root\"");
	auto_free char *text = pretty(set);
	assert_null(strstr(text, "* "));
	assert_null(strstr(text, "Differences"));
	has(text, "6.1.1 ");
	has(text, "\n0 of ");
	/* What failed is told all the same. */
	has(text,
	    "Not as predicted\n  address-space-limit/mmap\n    reason: on 6.1.1 and 6.1.2, mmap: limited: predicted");
}

/* One thing that differs: the row is marked and the difference told. */
static void test_each_difference(void **state)
{
	static const struct {
		const char *at, *value, *says;
	} moves[] = {
		{"scenarios/0/runs/1/cause/bound", "5", "limit: on 5.10, 6 + 1 > 6 tasks; on 6.12, 6 + 1 > 5 tasks\n"},
		{"scenarios/0/runs/1/cause/id", "\"unknown\"", "refused by: on 5.10, pids-max; on 6.12, unknown\n"},
		{"scenarios/0/runs/1/outcome/errno", "\"ENOMEM\"",
		 "outcome: on 5.10, clone EAGAIN; on 6.12, clone ENOMEM\n"},
		{"scenarios/2/runs/1/outcome/signal", "\"SIGTERM\"",
		 "outcome: on 5.10, SIGKILL (OOM); on 6.12, SIGTERM (OOM)\n"},
		{"scenarios/0/runs/2/verdict", "\"skip\"",
		 "remedy \"raised\": on 5.10, pass, success; on 6.12, skip, success\n"},
		{"scenarios/0/runs/1/checks/0/what", "\"only now\"",
		 "check \"only now\": on 5.10, not asserted; on 6.12, asserted\n"},
		{"scenarios/5/reason", "\"needs swap\"",
		 "skipped: on 5.10, needs root: run as root; on 6.12, needs swap\n"},
		{"scenarios/1/runs/1/cause/bound", "67112960",
		 "limit: on 5.10, 67108864 bytes; on 6.12, 67112960 bytes\n"},
		{"scenarios/2/runs/1/outcome", "{\"kind\": \"panic\", \"text\": \"dead\"}",
		 "outcome: on 5.10, SIGKILL (OOM); on 6.12, panic\n"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		json_auto_t *set = json_pack("[o, o]", sample_on("5.10.0", NULL), sample_on("6.12.0", NULL));
		json_t *odd = json_array_get(set, 1);
		doctor(odd, moves[i].at, moves[i].value);
		if (strstr(moves[i].at, "verdict"))
			doctor(odd, "scenarios/0/runs/2/reason", "\"why\"");
		auto_free char *text = pretty(set);
		has(text, moves[i].says);
		assert_true(strstr(text, "\n* ") != NULL);
	}
}

/* A case whose control was skipped proves nothing, whatever its trigger did; nor does one that the scenario disowns. */
static void test_no_cell_is_better_than_its_proof(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o, o]", sample_on("5.10.0", NULL), sample_on("6.12.0", NULL));
	json_t *odd = json_array_get(set, 1);
	for (unsigned run = 0; run < 4; run++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "scenarios/0/runs/%u/case", run);
		doctor(odd, path, "\"fork\"");
	}
	auto_free char *passes = pretty(set);
	has(passes, "pids-max/fork");
	assert_int_equal(count(passes, "pass EAGAIN"), 2);
	assert_null(strstr(passes, "pass EAGAIN  pass")); /* one has no cases, the other nothing without */
	has(passes, "Not in every result\n  only on 5.10: pids-max\n  only on 6.12: pids-max/fork\n");
	assert_null(strstr(passes, "\n* "));
	doctor(odd, "scenarios/0/verdict", "\"fail\"");
	doctor(odd, "scenarios/0/reason", "\"no control was given what this trigger is refused\"");
	doctor(odd, "summary/pass", "1");
	doctor(odd, "summary/fail", "2");
	auto_free char *disowned = pretty(set);
	has(disowned, "pids-max: (scenario)");
	has(disowned, "reason: on 6.12, no control was given what this trigger is refused\n");
	doctor(odd, "scenarios/0/verdict", "\"skip\"");
	doctor(odd, "scenarios/0/runs/0/verdict", "\"skip\"");
	doctor(odd, "scenarios/0/runs/0/reason", "\"needs two CPUs\"");
	doctor(odd, "summary/fail", "1");
	doctor(odd, "summary/skip", "3");
	for (unsigned run = 0; run < 4; run++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "0/scenarios/0/runs/%u/case", run);
		doctor(set, path, "\"fork\"");
	}
	auto_free char *unproven = pretty(set);
	has(unproven, "verdict: on 5.10, pass; on 6.12, skip\n");
	has(unproven, "skipped: on 6.12, needs two CPUs\n");
	assert_int_equal(count(unproven, "pass EAGAIN"), 1);
}

/* What was not asked for in one of the results is no difference, and is told once, the scenario with all its cases; a
 * run that is missing of a case that is there is one. */
static void test_what_was_not_asked_for(void **state)
{
	(void)state;
	json_auto_t *set =
		json_pack("[o, o, o]", sample_on("5.10.0", NULL), sample_on("6.1.0", NULL), sample_on("6.12.0", NULL));
	json_t *scenarios = json_object_get(json_array_get(set, 2), "scenarios");
	while (json_array_size(scenarios) > 1)
		(void)json_array_remove(scenarios, 1);
	doctor(set, "2/summary", "{\"pass\": 1, \"fail\": 0, \"broken\": 0, \"skip\": 0}");
	doctor(set, "1/scenarios/5/name", "\"other\"");
	auto_free char *text = pretty(set), *markdown = written_set(FORMAT_MARKDOWN, set, (struct report_options){0});
	assert_null(strstr(text, "\n* "));
	assert_null(strstr(text, "Differences"));
	assert_null(strstr(text, "not made"));
	has(text, "\nNot in every result\n  only on 5.10 and 6.1: address-space-limit, ");
	has(text, "\n  only on 5.10: swap-full\n  only on 6.1: other\n");
	has(text, "\n0 of 7 rows differ\n");
	assert_null(strstr(markdown, "What differs"));
	has(markdown, "\nNot in every result:\n\n- only on 5.10 and 6.1: address-space-limit, ");
	has(markdown, "\n- only on 6.1: other\n");
	(void)json_array_remove(json_object_get(json_array_get(scenarios, 0), "runs"), 2);
	auto_free char *run = pretty(set);
	has(run, "remedy \"raised\": on 5.10 and 6.1, pass, success; on 6.12, not made\n");
	has(run, "\n1 of 7 rows differ\n");
}

/* Of hundreds some are named. */
static void test_many_were_not_asked_for(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o, o]", sample_on("5.10.0", NULL), sample_on("6.12.0", NULL));
	json_t *scenarios = json_object_get(json_array_get(set, 0), "scenarios"), *one = json_array_get(scenarios, 5);
	for (unsigned i = 0; i < 300; i++) {
		json_t *copy = json_deep_copy(one);
		(void)json_object_set_new(copy, "name", json_sprintf("more-%u", i));
		(void)json_array_append_new(scenarios, copy);
	}
	doctor(set, "0/summary/skip", "302");
	auto_free char *text = pretty(set);
	has(text, "\n  only on 5.10: more-0, more-1, ");
	has(text, ", more-11 and 288 more\n");
	has(text, "\n0 of ");
}

static void test_labels(void **state)
{
	static const struct {
		const char *kernel[3], *cgroup[3], *label[3];
	} sets[] = {
		{{"5.10.0-32", "6.1.0-56", "6.12"}, {"v2", "v2", "v2"}, {"5.10", "6.1", "6.12"}},
		{{"6.1.0-1", "6.1.0-2", "5.10.1"}, {"v2", "v2", "v2"}, {"6.1.0-1", "6.1.0-2", "5.10"}},
		{{"6.1.0", "6.1.0", "5.10.1"}, {"v2", "v1", "v2"}, {"6.1 v2", "6.1 v1", "5.10 v2"}},
		{{"6.1.0", "6.1.0", "6.1.0"}, {"v2", "v2", "v2"}, {"6.1", "6.1 (2)", "6.1 (3)"}},
		{{"custom", "6.x", ""}, {"v2", "v2", "v2"}, {"custom", "6.x", "-"}},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		json_auto_t *set = json_array();
		for (unsigned k = 0; k < 3; k++)
			(void)json_array_append_new(set, sample_on(sets[i].kernel[k], sets[i].cgroup[k]));
		json_auto_t *labels = results_labels(set);
		for (unsigned k = 0; k < 3; k++)
			assert_string_equal(json_string_value(json_array_get(labels, k)), sets[i].label[k]);
	}
}

/* One plan for all, and each name once. */
static void test_tap_is_one_stream(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	for (enum report_format format = FORMAT_TAP; format <= FORMAT_TAP13; format++) {
		auto_free char *text = written_set(format, set, (struct report_options){0});
		assert_int_equal(count(text, "\n1.."), 1);
		assert_int_equal(count(text, "TAP version"), 1);
		has(text, format == FORMAT_TAP ? "\n1..18\n" : "\n1..42\n");
		has(text,
		    format == FORMAT_TAP ? "ok 18 - 6.12: swap-full" : "ok 42 - 6.12: commit-accounting.swap-full");
	}
}

static void test_json_lines(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	auto_free char *text = written_set(FORMAT_JSON, set, (struct report_options){0});
	assert_int_equal(count(text, "\n"), 3);
	char *line = text;
	for (size_t i = 0; i < 3; i++) {
		size_t length = strcspn(line, "\n");
		json_auto_t *again = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
		assert_true(json_equal(again, json_array_get(set, i)));
		line += length + 1;
	}
	/* One result is written as ever: indented. */
	json_auto_t *one = json_pack("[O]", json_array_get(set, 0));
	auto_free char *usual = written_set(FORMAT_JSON, one, (struct report_options){0});
	assert_true(count(usual, "\n") > 100);
}

/* Markdown of references is that of the results they were made of; and nothing in it breaks the table. */
static void test_markdown(void **state)
{
	(void)state;
	json_auto_t *set = sample_set(), *references = json_array();
	doctor(set, "0/scenarios/0/name", "\"a|b<script>\\n`*_[x]\"");
	for (size_t i = 0; i < 3; i++)
		(void)json_array_append_new(references, result_stable(json_array_get(set, i)));
	auto_free char *of_results = written_set(FORMAT_MARKDOWN, set, (struct report_options){0});
	auto_free char *of_references = written_set(FORMAT_MARKDOWN, references, (struct report_options){0});
	assert_string_equal(of_results, of_references);
	has(of_results, "| a\\|b&lt;script&gt; \\`\\*\\_\\[x\\] |");
	assert_null(strstr(of_results, "cloud"));
	assert_null(strstr(of_results, "bytes"));
	/* One result is a table as well. */
	json_auto_t *one = json_pack("[O]", json_array_get(set, 1));
	auto_free char *single = written_set(FORMAT_MARKDOWN, one, (struct report_options){0});
	assert_null(strstr(single, "What differs"));
	has(single, "| | scenario | 6.1 |\n");
}

static void test_refused(void **state)
{
	(void)state;
	json_auto_t *result = sample_result(), *reference = result_stable(result), *wrong = json_object();
	json_t *const both[] = {result, reference}, *const bad[] = {result, wrong};
	struct report_options options = {0};
	auto_fclose FILE *null = fopen("/dev/null", "we"), *full = fopen("/dev/full", "we");
	for (enum report_format format = FORMAT_PRETTY; format < FORMAT_COUNT; format++) {
		bool table = format == FORMAT_PRETTY || format == FORMAT_MARKDOWN;
		assert_int_equal(report_write_set(format, both, 2, &options, null), table ? 0 : -EINVAL);
		assert_int_equal(report_write_set(format, bad, 2, &options, null), -EINVAL);
		assert_int_equal(report_write_set(format, both, 0, &options, null), -EINVAL);
		if (full)
			assert_true(report_write_set(format, (json_t *[]){result, result}, 2, &options, full) < 0);
	}
}

/* Names of files and programs reach the terminal as plain text, and narrow terminals get lines that fit. */
static void test_harmless_and_narrow(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	doctor(set, "2/scenarios/0/name", "\"evil\\u001b[2J\\nname\"");
	doctor(set, "2/scenarios/2/runs/1/outcome/text", "\"\\u001b[31mdead\"");
	auto_free char *text = pretty(set);
	assert_null(strchr(text, '\033'));
	auto_free char *narrow = written_set(FORMAT_PRETTY, set, (struct report_options){.width = 60});
	size_t widest = 0;
	for (const char *line = narrow; strncmp(line, "\nNot", 4) != 0 && *line; line += strcspn(line, "\n") + 1)
		widest = strcspn(line, "\n") > widest ? strcspn(line, "\n") : widest;
	assert_true(widest <= 60);
	auto_free char *coloured = written_set(FORMAT_PRETTY, set, (struct report_options){.colour = true});
	assert_non_null(strchr(coloured, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_nothing_differs),
		cmocka_unit_test(test_each_difference),
		cmocka_unit_test(test_no_cell_is_better_than_its_proof),
		cmocka_unit_test(test_what_was_not_asked_for),
		cmocka_unit_test(test_many_were_not_asked_for),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_tap_is_one_stream),
		cmocka_unit_test(test_json_lines),
		cmocka_unit_test(test_markdown),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_harmless_and_narrow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
