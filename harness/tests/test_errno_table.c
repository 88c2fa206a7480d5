// SPDX-License-Identifier: MIT
/*
 * The errno table: what a program's words are read as, which runs count, and that references say what their results do.
 */
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "errno-table.h"
#include "options.h"
#include "reported.h"
#include "sample-set.h"
#include "say.h"

static void test_reported(void **state)
{
	static const struct {
		const char *text, *called, *error, *more;
	} lines[] = {
		{"popen: Cannot allocate memory\n", "popen", "ENOMEM", NULL},
		{"starting\nfork: Resource temporarily unavailable\nfork: Cannot allocate memory\n", "fork", "EAGAIN",
		 NULL},
		{"Cannot allocate memory", "", "ENOMEM", NULL},
		{"OSError: [Errno 12] Cannot allocate memory", "OSError: [Errno 12]", "ENOMEM", NULL},
		{"/srv/build/x/tool: fork: Cannot allocate memory", "tool: fork", "ENOMEM", NULL},
		{"posix_memalign: Cannot allocate memory (returned ENOMEM, errno 0)\n", "posix_memalign", "ENOMEM",
		 "returned ENOMEM, errno 0"},
		{"fork: Cannot allocate memory at x.pl line 3.", "fork", "ENOMEM", "at x.pl line 3."},
		{"a\033[31m: Cannot allocate memory", "a?[31m", "ENOMEM", NULL},
		/* An interpreter's own words; the size is none of them. */
		{"Traceback (most recent call last):\n  File \"<string>\", line 1\nMemoryError\n", "python",
		 "MemoryError", NULL},
		{"RuntimeError: can't start new thread\n", "RuntimeError", "can't start new thread", NULL},
		{"Out of memory!\n", "perl", "Out of memory!", NULL},
		{"/bin/bash: xrealloc: cannot allocate 67108928 bytes\n", "bash: xrealloc", "cannot allocate", NULL},
		{"/bin/bash: fork: retry: Resource temporarily unavailable\n", "bash: fork: retry", "EAGAIN", NULL},
		{"BlockingIOError: [Errno 11] Resource temporarily unavailable", "BlockingIOError: [Errno 11]",
		 "EAGAIN", NULL},
		/* A log's time is not what was said, another number may be. */
		{"2026-11-28 14:57:34.340 GMT [2] FATAL:  could not map: Cannot allocate memory",
		 "FATAL:  could not map", "ENOMEM", NULL},
		{"2026/11/28 14:57:31 [alert] 2#2: fork() failed (11: Resource temporarily unavailable)",
		 "fork() failed (11", "EAGAIN", ")"},
		{"2026 files: Cannot allocate memory", "2026 files", "ENOMEM", NULL},
		{"2026-11-28: Cannot allocate memory", "2026-11-28", "ENOMEM", NULL},
		/* The longer text of the two that stand there: "No such device or address", not "No such device". */
		{"open: No such device or address", "open", "ENXIO", NULL},
	};
	static const char *const none[] = {"",
					   "\n\n",
					   "granted\n",
					   "fork: Cannot allocate memoryless things",
					   "xCannot allocate memory",
					   "Success",
					   "MemoryErrors",
					   "Out of memory! Or not",
					   "cannot allocate anything",
					   "no MemoryError here"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		json_auto_t *reported = reported_in(lines[i].text);
		assert_non_null(reported);
		assert_string_equal(json_string_value(json_object_get(reported, "called")), lines[i].called);
		assert_string_equal(json_string_value(json_object_get(reported, "errno")), lines[i].error);
		const char *more = json_string_value(json_object_get(reported, "more"));
		assert_int_equal(more == NULL, lines[i].more == NULL);
		if (more)
			assert_string_equal(more, lines[i].more);
	}
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		assert_null(reported_in(none[i]));
}

static char *table_text(const json_t *results, enum list_format format)
{
	char *text = NULL;
	size_t size;
	json_auto_t *table = errno_table_make(results);
	assert_non_null(table);
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(errno_table_write(table, format, 80, out), 0);
	(void)fclose(out);
	return text;
}

static void fits(const char *text, size_t width)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		assert_true(length <= width);
		text += length + (text[length] == '\n');
	}
}

static void test_golden(void **state)
{
	(void)state;
	json_auto_t *set = sample_set();
	/* A refused exec that kills, and what another kernel's program says. */
	doctor(set, "2/scenarios/0/runs/1/output/stderr",
	       "\"pthread_create: Resource temporarily unavailable (returned EAGAIN, errno ENOMEM)\\n\"");
	doctor(set, "0/scenarios/2/runs/1/failing_moment",
	       "{\"at\": \"call\", \"call\": \"execve\", \"errno\": \"ENOMEM\"}");
	doctor(set, "0/scenarios/2/runs/1/outcome/oom", "false");
	auto_free char *pretty = table_text(set, LIST_PRETTY);
	fits(pretty, 80);
	golden("errno-table.txt", pretty);
	auto_free char *markdown = table_text(set, LIST_MARKDOWN);
	golden("errno-table.md", markdown);
	auto_free char *json = table_text(set, LIST_JSON);
	golden("errno-table.json", json);
}

/* References give the same table; such without what programs reported, what their manifests asked for. */
static void test_references(void **state)
{
	(void)state;
	json_auto_t *set = sample_set(), *references = json_array();
	doctor(set, "0/scenarios/2/runs/1/failing_moment",
	       "{\"at\": \"call\", \"call\": \"execve\", \"errno\": \"ENOMEM\"}");
	for (size_t i = 0; i < json_array_size(set); i++)
		(void)json_array_append_new(references, result_stable(json_array_get(set, i)));
	auto_free char *of_results = table_text(set, LIST_JSON), *of_references = table_text(references, LIST_JSON);
	assert_string_equal(of_results, of_references);
	json_t *trigger = json_array_get(
		json_object_get(json_array_get(json_object_get(json_array_get(references, 0), "scenarios"), 3), "runs"),
		1);
	assert_string_equal(json_string_value(json_object_get(trigger, "role")), "trigger");
	assert_int_equal(json_object_del(trigger, "reported"), 0);
	json_auto_t *silent = reported_by(trigger);
	assert_null(silent);
	(void)json_object_set_new(trigger, "checks",
				  json_pack("[{s:s, s:b}, {s:s, s:b}]", "what", "says \"fork: Cannot allocate memory\"",
					    "ok", 0, "what", "says \"popen: Cannot allocate memory\"", "ok", 1));
	json_auto_t *asked = reported_by(trigger);
	assert_string_equal(json_string_value(json_object_get(asked, "called")), "popen");
}

/* What did not go as predicted is counted and left out; what was skipped is nothing. */
static void test_left_out(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o]", sample_result());
	json_auto_t *table = errno_table_make(set);
	assert_int_equal(json_integer_value(json_object_get(table, "left_out")), 2); /* one failed, one is broken */
	assert_int_equal(json_array_size(json_object_get(table, "rows")), 2);
	doctor(set, "0/scenarios/0/runs/1/verdict", "\"skip\"");
	doctor(set, "0/scenarios/2/runs/1/verdict", "\"broken\"");
	json_auto_t *empty = errno_table_make(set);
	assert_int_equal(json_integer_value(json_object_get(empty, "left_out")), 3);
	assert_int_equal(json_array_size(json_object_get(empty, "rows")), 0);
	json_auto_t *nothing = json_array(), *none = errno_table_make(nothing);
	assert_int_equal(json_array_size(json_object_get(none, "rows")), 0);
}

/* An unknown cause, an errno without a name and hostile text do no harm. */
static void test_odd_results(void **state)
{
	(void)state;
	json_auto_t *set = json_pack("[o]", sample_result());
	doctor(set, "0/scenarios/0/runs/1/cause/id", "\"x|<b>\\u001b[31m\"");
	doctor(set, "0/scenarios/0/runs/1/outcome/errno", "524");
	doctor(set, "0/scenarios/0/name", "\"evil\\n| name\"");
	auto_free char *markdown = table_text(set, LIST_MARKDOWN), *pretty = table_text(set, LIST_PRETTY);
	assert_non_null(strstr(markdown, "| x\\|&lt;b&gt;?\\[31m | clone | 524 |"));
	assert_non_null(strstr(markdown, "evil \\| name"));
	assert_null(strchr(pretty, '\033'));
	assert_non_null(strstr(pretty, "clone 524"));
}

static int list(const char *const *words, int count, char **ret_said)
{
	size_t size;
	FILE *before = stderr;
	stderr = open_memstream(ret_said, &size);
	optind = 1;
	int code = cmd_list.run(&cmd_list, count, (char **)(uintptr_t)words);
	(void)fclose(stderr);
	stderr = before;
	return code;
}

static void test_broken_files(void **state)
{
	static const struct {
		const char *text, *says;
	} broken[] = {
		{"", "enomem-table.json:1:"},
		{"{\"schema\": \"enomem-result/1\"", "enomem-table.json:1:"},
		{"[]", "enomem-table.json: is no result"},
		{"{\"schema\": \"enomem-result/2\"}", "enomem-table.json: schema: \"enomem-result/2\" is none of"},
		{"{\"schema\": \"enomem-reference/1\", \"host\": {\"kernel\": \"6.1\"}, \"scenarios\": [{\"name\": "
		 "\"a\", "
		 "\"verdict\": \"pass\", \"runs\": [{\"name\": \"b\", \"role\": \"trigger\", \"verdict\": \"pass\", "
		 "\"reported\": {\"called\": 7, \"errno\": \"ENOMEM\"}}]}]}",
		 "enomem-table.json: scenarios[0].runs[0].reported.called: must be text"},
	};
	static const char path[] = "/tmp/enomem-table.json";
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		auto_free char *said = NULL;
		FILE *out = fopen(path, "we");
		assert_non_null(out);
		(void)fputs(broken[i].text, out);
		(void)fclose(out);
		assert_int_equal(list((const char *const[]){"list", "--errno-table", path, NULL}, 3, &said),
				 EXIT_USAGE);
		if (!strstr(said, broken[i].says))
			print_message("%s", said);
		assert_non_null(strstr(said, broken[i].says));
	}
	(void)unlink(path);
	static const struct {
		const char *word[5], *says;
		int code;
	} wrong[] = {
		{{"list", "--errno-table", path}, "cannot be opened", EXIT_USAGE},
		{{"list", "--errno-table"}, "name a result file", EXIT_USAGE},
		{{"list", "--errno-table", "--class=leak", path}, "no other option than --format", EXIT_USAGE},
		{{"list", "--errno-table", "--allow-machine", path}, "no other option than --format", EXIT_USAGE},
		{{"list", "--errno-table", "--format=tap", path}, "none of pretty, json, markdown", EXIT_USAGE},
	};
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		auto_free char *said = NULL;
		int count = 0;
		while (wrong[i].word[count])
			count++;
		assert_int_equal(list(wrong[i].word, count, &said), wrong[i].code);
		assert_non_null(strstr(said, wrong[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reported),    cmocka_unit_test(test_golden),
		cmocka_unit_test(test_references),  cmocka_unit_test(test_left_out),
		cmocka_unit_test(test_odd_results), cmocka_unit_test(test_broken_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
