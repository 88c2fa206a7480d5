// SPDX-License-Identifier: MIT
/*
 * The confusion table: what the five points make of a run, which runs count, and what is right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "triage-table.h"

/* A run by its failing moment: half the memory available, half of the commit limit promised, few areas. */
static json_t *run_of(const char *cause, const char *ranked, const char *told)
{
	json_t *failure = json_pack("{s:{s:i, s:i, s:i, s:i}, s:{s:i, s:i}, s:{s:i, s:{s:n}}}", "meminfo", "MemTotal",
				    1000, "MemAvailable", 500, "Committed_AS", 300, "CommitLimit", 600, "sysctl",
				    "vm.overcommit_memory", 0, "vm.max_map_count", 100, "process", "map_count", 10,
				    "rlimit", "as");
	json_t *run = json_pack("{s:s, s:s, s:{s:s}, s:{s:o}, s:[]}", "role", "trigger", "verdict", "pass", "cause",
				"id", cause, "snapshots", "failure", failure, "kernel_log");
	assert_non_null(run);
	if (told)
		assert_int_equal(json_object_set_new(run, "triage",
						     json_pack("{s:{s:s}, s:{s:s}}", "ranked", "cause", ranked, "told",
							       "cause", told)),
				 0);
	return run;
}

static void set(json_t *run, const char *group, const char *name, json_t *value)
{
	json_t *failure = json_object_get(json_object_get(run, "snapshots"), "failure");
	assert_int_equal(json_object_set_new(json_object_get(failure, group), name, value), 0);
}

/* From the last row of the guides' table to the first, each over the one before. */
static void test_five_points(void **state)
{
	json_t *run = run_of("rlimit-as", NULL, NULL);
	(void)state;
	assert_string_equal(triage_five_points(run), "none of these");
	set(run, "process", "map_count", json_integer(94));
	assert_string_equal(triage_five_points(run), "none of these");
	set(run, "process", "map_count", json_integer(95));
	assert_string_equal(triage_five_points(run), "max_map_count");
	set(run, "process", "rlimit", json_pack("{s:i}", "as", 4096));
	assert_string_equal(triage_five_points(run), "process limit");
	set(run, "meminfo", "Committed_AS", json_integer(570));
	assert_string_equal(triage_five_points(run), "process limit"); /* mode 0 */
	set(run, "sysctl", "vm.overcommit_memory", json_integer(2));
	assert_string_equal(triage_five_points(run), "overcommit accounting");
	set(run, "meminfo", "Committed_AS", json_integer(569));
	assert_string_equal(triage_five_points(run), "process limit");
	set(run, "meminfo", "MemAvailable", json_integer(50));
	assert_string_equal(triage_five_points(run), "process limit");
	set(run, "meminfo", "MemAvailable", json_integer(49));
	assert_string_equal(triage_five_points(run), "real exhaustion");
	set(run, "meminfo", "MemAvailable", json_integer(500));
	(void)json_array_append_new(json_object_get(run, "kernel_log"),
				    json_string("Memory cgroup out of memory: Killed"));
	assert_string_equal(triage_five_points(run), "real exhaustion");
	json_decref(run);
	/* Nothing read, nothing said. */
	run = json_object();
	assert_string_equal(triage_five_points(run), "none of these");
	json_decref(run);
}

static json_t *table_of(json_t *runs)
{
	json_t *results = json_pack("[{s:s, s:{s:s}, s:[{s:s, s:o}]}]", "schema", "enomem-result/1", "host", "kernel",
				    "6.1.0", "scenarios", "name", "s", "runs", runs);
	json_t *table = triage_table_make(results);
	json_decref(results);
	assert_non_null(table);
	return table;
}

static void assert_number(const json_t *table, const char *where, const char *name, json_int_t wanted)
{
	const json_t *object = where ? json_object_get(table, where) : table;
	assert_true(json_is_integer(json_object_get(object, name)));
	assert_int_equal(json_integer_value(json_object_get(object, name)), wanted);
}

/* Four that count, and one of each kind that does not: no limit, nobody looked, failed, no trigger. */
static json_t *nine_runs(void)
{
	json_t *runs = json_array(), *run;
	(void)json_array_append_new(runs, run_of("rlimit-as", "system-oom", "rlimit-as"));
	(void)json_array_append_new(runs, run_of("pids-max", "pids-max", "pids-max"));
	run = run_of("rlimit-as", "rlimit-as", "rlimit-as");
	set(run, "process", "rlimit", json_pack("{s:i}", "as", 4096)); /* the five points see it */
	(void)json_array_append_new(runs, run);
	run = run_of("rlimit-as", "rlimit-as", "rlimit-as");
	(void)json_object_set_new(run, "triage", json_pack("{s:n, s:n}", "ranked", "told")); /* triage had no row */
	(void)json_array_append_new(runs, run);
	(void)json_array_append_new(runs, run_of("injected", "pids-max", "pids-max"));
	(void)json_array_append_new(runs, run_of("killed-by-other", "pids-max", "pids-max"));
	(void)json_array_append_new(runs, run_of("pids-max", NULL, NULL));
	run = run_of("pids-max", "pids-max", "pids-max");
	(void)json_object_set_new(run, "verdict", json_string("fail"));
	(void)json_array_append_new(runs, run);
	run = run_of("pids-max", "pids-max", "pids-max");
	(void)json_object_set_new(run, "role", json_string("control"));
	(void)json_array_append_new(runs, run);
	return runs;
}

static void test_what_counts(void **state)
{
	json_t *table = table_of(nine_runs());
	(void)state;
	assert_number(table, NULL, "looked_at", 4);
	assert_number(table, NULL, "not_looked_at", 1);
	assert_number(table, "right", "ranked", 2);
	assert_number(table, "right", "told", 3);
	assert_number(table, "right", "five_points", 1);
	const json_t *rows = json_object_get(table, "rows"), *row = json_array_get(rows, 0);
	assert_int_equal(json_array_size(rows), 2);
	assert_string_equal(json_string_value(json_object_get(row, "cause")), "rlimit-as");
	assert_number(row, NULL, "triggers", 3);
	assert_number(row, "ranked", "system-oom", 1);
	assert_number(row, "ranked", "rlimit-as", 1);
	assert_number(row, "ranked", "none of these", 1);
	assert_number(row, "told", "rlimit-as", 2);
	assert_number(row, "five_points", "process limit", 1);
	assert_number(row, "five_points", "none of these", 2);
	json_decref(table);
}

static void assert_written(const json_t *table, enum list_format format, const char *wanted)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	assert_int_equal(triage_table_write(table, format, 160, out), 0);
	(void)fclose(out);
	if (!strstr(text, wanted))
		fail_msg("%s is not in %s", wanted, text);
	free(text);
}

static void test_written(void **state)
{
	json_t *table = table_of(nine_runs());
	(void)state;
	assert_written(table, LIST_MARKDOWN, "\n| rlimit-as | 3 | 1 system-oom, 1 rlimit-as, 1 none of these | ");
	assert_written(table, LIST_MARKDOWN,
		       "| **right** | | **2 of 4 (50%)** | **3 of 4 (75%)** | **1 of 4 (25%)** |\n");
	assert_written(table, LIST_PRETTY, "3 of 4 (75%)");
	assert_written(table, LIST_JSON, "\"looked_at\": 4");
	json_decref(table);
}

static void test_nothing(void **state)
{
	json_t *table = table_of(json_array());
	(void)state;
	assert_number(table, NULL, "looked_at", 0);
	assert_int_equal(json_array_size(json_object_get(table, "rows")), 0);
	assert_written(table, LIST_MARKDOWN, "**0 of 0 (0%)**");
	json_decref(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_five_points),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_nothing),
	};
	return cmocka_run_group_tests_name("triage_table", tests, NULL, NULL);
}
