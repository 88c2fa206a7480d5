// SPDX-License-Identifier: MIT
/*
 * Claims: every verdict can come out, and comes out otherwise when the result is another one; what is wrong in a file
 * is told with its place; what is not proven settles nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "claims.h"
#include "cleanup.h"
#include "report-text.h"

#define CLAIM(body) "guide: \"0\"\ntitle: t\nclaims:\n  - id: \"0.1\"\n    says: s\n" body

static const char result_text[] =
	"{\"schema\": \"enomem-reference/1\", \"host\": {\"kernel\": \"6.1\", \"cgroup\": \"v2\"}, \"scenarios\": ["
	"{\"name\": \"s\", \"verdict\": \"pass\", \"runs\": ["
	"{\"name\": \"free\", \"role\": \"control\", \"verdict\": \"pass\", \"outcome\": {\"kind\": \"success\"}},"
	"{\"name\": \"limited\", \"role\": \"trigger\", \"verdict\": \"pass\","
	" \"outcome\": {\"kind\": \"errno\", \"call\": \"mmap\", \"errno\": \"ENOMEM\"}, \"cause\": {\"id\": "
	"\"rlimit-as\"},"
	" \"reported\": {\"called\": \"malloc\", \"errno\": \"ENOMEM\"},"
	" \"checks\": [{\"what\": \"failure.tasks is 6\", \"ok\": true},"
	" {\"what\": \"failure.process.rss at most 8M\", \"ok\": true},"
	" {\"what\": \"cause.bound is 24M + 1 page\", \"ok\": true},"
	" {\"what\": \"failure.meminfo.MemFree above 40% of ram\", \"ok\": true},"
	" {\"what\": \"failure.meminfo.CommitLimit near 50% of ram within 64K\", \"ok\": true},"
	" {\"what\": \"delta.vmstat.oom_kill is 9\", \"ok\": false}]},"
	"{\"name\": \"killed\", \"role\": \"trigger\", \"verdict\": \"pass\","
	" \"outcome\": {\"kind\": \"signal\", \"signal\": \"SIGKILL\", \"oom\": true}, \"cause\": {\"id\": "
	"\"memcg-max\"}},"
	"{\"name\": \"raised\", \"role\": \"remedy\", \"verdict\": \"pass\", \"outcome\": {\"kind\": \"success\"}},"
	"{\"name\": \"elsewhere\", \"role\": \"remedy\", \"verdict\": \"skip\", \"reason\": \"needs cgroup v1\"}]},"
	"{\"name\": \"gone\", \"verdict\": \"skip\", \"reason\": \"needs kernel >=9.0\", \"runs\": []}]}";

static json_t *result_new(void)
{
	json_error_t error;
	json_t *result = json_loads(result_text, 0, &error);
	if (!result)
		fail_msg("%d: %s", error.column, error.text);
	return result;
}

static json_t *run_of(const json_t *result, size_t index)
{
	const json_t *scenario = json_array_get(json_object_get(result, "scenarios"), 0);
	return json_array_get(json_object_get(scenario, "runs"), index);
}

static struct claims_file *parsed(const char *text)
{
	struct claims_file *f = NULL;
	char *told = NULL;
	size_t size;
	FILE *errors = open_memstream(&told, &size);
	int r = claims_parse(text, strlen(text), "guide-0.yaml", errors, &f);
	(void)fclose(errors);
	if (r < 0)
		fail_msg("%s", told);
	free(told);
	return f;
}

static void expect_verdict(const char *text, const json_t *result, const char *verdict)
{
	struct claims_file *f = parsed(text);
	json_auto_t *judged = claim_judge(&f->claims[0], result);
	if (strcmp(text_of(judged, "verdict"), verdict) != 0)
		fail_msg("%s, not %s, of %s", text_of(judged, "verdict"), verdict, text);
	claims_file_free(f);
}

#define TESTS(list) CLAIM("    tests:\n" list)

static void test_verdicts(void **state)
{
	static const struct {
		const char *test, *verdict;
	} cases[] = {
		{"      - {run: s/limited, errno: ENOMEM}\n", "true"},
		{"      - {run: s/limited, errno: EAGAIN}\n", "false"},
		{"      - {run: s/limited, errno: EAGAIN, contrary: true}\n", "true"},
		{"      - {run: s/limited, call: [brk, mmap], cause: rlimit-as, reported: ENOMEM}\n", "true"},
		{"      - {run: s/limited, call: brk}\n", "false"},
		{"      - {run: s/limited, cause: memcg-max}\n", "false"},
		{"      - {run: s/limited, reported: EAGAIN}\n", "false"},
		{"      - {run: s/killed, oom: true, signal: SIGKILL}\n", "true"},
		{"      - {run: s/killed, oom: false}\n", "false"},
		{"      - {run: s/limited, kind: errno}\n      - {run: s/killed, kind: errno}\n", "depends"},
		{"      - {run: \"s/*i*ed\", kind: errno}\n", "depends"},
		{"      - {run: \"s/*\", role: trigger, kind: errno}\n", "depends"},
		{"      - {run: \"s/*\", role: control, kind: success}\n", "true"},
		{"      - {run: s/limited, role: control, kind: success}\n", "unsettled"},
		{"      - {run: s/none, kind: errno}\n", "unsettled"},
		{"      - {run: s/limited, kind: errno}\n      - {run: s/none, kind: errno}\n", "unsettled"},
		{"      - {run: s/elsewhere, kind: success}\n", "unsettled"},
		{"      - {run: s/elsewhere, kind: success, may_skip: true}\n", "unsettled"},
		{"      - {run: s/raised, kind: success}\n      - {run: s/elsewhere, kind: success, may_skip: true}\n",
		 "true"},
		{"      - {run: s/raised, kind: success}\n      - {run: s/elsewhere, kind: success}\n", "unsettled"},
		{"      - {run: s/raised, kind: success}\n      - {run: gone/x, kind: success, may_skip: true}\n",
		 "true"},
		{"      - {run: s/raised, kind: success}\n      - {run: s/none, kind: success, may_skip: true}\n",
		 "unsettled"},
		{"      - {run: [s/none, s/raised], kind: success}\n", "true"},
		{"      - {run: s/raised, kind: success, not_in_guest: true}\n", "unsettled"},
		/* Numbers of a reference: what its checks tell. */
		{"      - {run: s/limited, value: failure.tasks, is: 6}\n", "true"},
		{"      - {run: s/limited, value: failure.tasks, at_most: 5}\n", "false"},
		{"      - {run: s/limited, value: failure.tasks, above: 5}\n", "true"},
		{"      - {run: s/limited, value: failure.process.rss, at_most: 8192K}\n", "true"},
		{"      - {run: s/limited, value: failure.process.rss, above: 8M}\n", "false"},
		{"      - {run: s/limited, value: failure.process.rss, at_least: 8M}\n", "unsettled"},
		{"      - {run: s/limited, value: failure.process.rss, at_most: 4M}\n", "unsettled"},
		{"      - {run: s/limited, value: cause.bound, is: 24M + 1 page}\n", "true"},
		{"      - {run: s/limited, value: cause.bound, is: 24M}\n", "false"},
		{"      - {run: s/limited, value: failure.meminfo.MemFree, above: 40% of ram}\n", "true"},
		{"      - {run: s/limited, value: failure.meminfo.MemFree, at_most: 40% of ram}\n", "false"},
		{"      - {run: s/limited, value: failure.meminfo.MemFree, above: 50% of ram}\n", "unsettled"},
		{"      - {run: s/limited, value: failure.meminfo.CommitLimit, near: 50% of ram, within: 64K}\n",
		 "true"},
		{"      - {run: s/limited, value: failure.meminfo.CommitLimit, near: 50% of ram, within: 4K}\n",
		 "unsettled"},
		{"      - {run: s/limited, value: delta.vmstat.oom_kill, is: 9}\n", "unsettled"},
		{"      - {run: s/limited, value: failure.tasks - failure.tasks, is: 0}\n", "unsettled"},
	};
	json_auto_t *result = result_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_free char *text = NULL;
		assert_true(asprintf(&text, TESTS("%s"), cases[i].test) > 0);
		expect_verdict(text, result, cases[i].verdict);
	}
	expect_verdict(CLAIM("    untestable: nobody can count them\n"), result, "not testable");
}

/* The same rule on another kernel: each alteration turns the verdict. */
static void test_altered(void **state)
{
	static const char rule[] = TESTS("      - {run: s/limited, errno: ENOMEM, value: failure.tasks, is: 6}\n");
	json_auto_t *result = result_new();
	json_t *run = run_of(result, 1), *checks = json_object_get(run, "checks");
	(void)state;
	expect_verdict(rule, result, "true");
	(void)json_object_set_new(json_object_get(run, "outcome"), "errno", json_string("EAGAIN"));
	expect_verdict(rule, result, "false");
	(void)json_object_set_new(json_object_get(run, "outcome"), "errno", json_string("ENOMEM"));
	(void)json_object_set_new(json_array_get(checks, 0), "what", json_string("failure.tasks is 7"));
	expect_verdict(rule, result, "false");
	/* A result has the number itself, which counts more than any check. */
	(void)json_object_set_new(run, "snapshots", json_pack("{s:{s:i}}", "failure", "tasks", 6));
	expect_verdict(rule, result, "true");
	(void)json_object_set_new(run, "snapshots", json_pack("{s:{s:i}}", "failure", "tasks", 5));
	expect_verdict(rule, result, "false");
	/* What is not proven is no evidence. */
	(void)json_object_set_new(run, "verdict", json_string("fail"));
	expect_verdict(rule, result, "unsettled");
	(void)json_object_set_new(run, "verdict", json_string("broken"));
	expect_verdict(rule, result, "unsettled");
	(void)json_object_set_new(run, "verdict", json_string("pass"));
	(void)json_object_set_new(run_of(result, 0), "verdict", json_string("fail"));
	expect_verdict(rule, result, "unsettled");
	(void)json_object_set_new(run_of(result, 0), "verdict", json_string("pass"));
	(void)json_object_set_new(run, "case", json_string("of another case"));
	expect_verdict(rule, result, "unsettled");
}

/* A guest says nothing of what machines are set to; a machine does. */
static void test_not_in_guest(void **state)
{
	static const char rule[] = TESTS("      - {run: s/raised, kind: success, not_in_guest: true}\n");
	json_auto_t *result = result_new();
	json_t *host = json_object_get(result, "host");
	(void)state;
	(void)json_object_set_new(host, "guest", json_true());
	expect_verdict(rule, result, "unsettled");
	(void)json_object_set_new(host, "guest", json_false());
	expect_verdict(rule, result, "true");
}

static json_t *made_of(const char *text, json_t *results)
{
	struct claims_file *f = parsed(text);
	struct claims all = {.item = &f, .count = 1};
	json_t *made = claims_make(&all, NULL, NULL, 0, results);
	assert_non_null(made);
	claims_file_free(f);
	return made;
}

static const json_t *first_claim(const json_t *made)
{
	const json_t *guide = json_array_get(json_object_get(made, "guides"), 0);
	return json_array_get(json_object_get(guide, "claims"), 0);
}

static char *written(const json_t *made, enum claims_format format)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	assert_int_equal(claims_write(made, format, 100, out), 0);
	(void)fclose(out);
	return text;
}

/* Two kernels that disagree: the claim depends on the kernel, both columns say their own, and the remedy is judged. */
static void test_kernels(void **state)
{
	static const char rule[] = TESTS("      - {where: here, run: s/limited, errno: ENOMEM}\n"
					 "    right: raise it\n    remedy: [s/raised, s/elsewhere]\n");
	json_auto_t *results = json_array(), *one = result_new(), *other = result_new();
	json_t *remedy = run_of(other, 3);
	(void)state;
	(void)json_object_set_new(json_object_get(other, "host"), "kernel", json_string("7.2"));
	(void)json_array_append(results, one);
	(void)json_array_append(results, other);
	json_auto_t *same = made_of(rule, results);
	assert_string_equal(text_of(first_claim(same), "verdict"), "true");
	assert_true(json_is_false(json_object_get(first_claim(same), "differs")));

	(void)json_object_set_new(json_object_get(run_of(other, 1), "outcome"), "errno", json_string("EAGAIN"));
	(void)json_object_set_new(json_object_get(remedy, "outcome"), "kind", json_string("exit"));
	json_auto_t *made = made_of(rule, results);
	assert_string_equal(text_of(first_claim(made), "verdict"), "depends");
	auto_free char *pretty = written(made, CLAIMS_PRETTY), *markdown = written(made, CLAIMS_MARKDOWN);
	assert_non_null(strstr(pretty, "0.1   depends *: s\n"));
	assert_non_null(strstr(pretty, "6.1: true\n"));
	assert_non_null(strstr(pretty, "7.2: false\n"));
	assert_non_null(strstr(pretty, "as claimed: here: s/limited: mmap ENOMEM, rlimit-as, told as malloc: ENOMEM"));
	assert_non_null(strstr(pretty, "otherwise:  here: s/limited: mmap EAGAIN"));
	assert_non_null(strstr(pretty, "did not help here: s/raised"));
	assert_non_null(strstr(pretty, "not run here: s/elsewhere"));
	assert_non_null(strstr(pretty, "1 claim: 0 true, 0 false, 1 depends"));
	assert_non_null(strstr(markdown, "| 0.1 \\* | s | **depends** | true | false | 6.1: as claimed: "));
	auto_free char *json = written(made, CLAIMS_JSON);
	json_auto_t *again = json_loads(json, 0, NULL);
	assert_true(json_equal(again, made));

	/* A kernel that settles nothing leaves the verdict to the others. */
	(void)json_object_set_new(run_of(other, 1), "verdict", json_string("skip"));
	json_auto_t *left = made_of(rule, results);
	assert_string_equal(text_of(first_claim(left), "verdict"), "true");
	assert_true(json_is_true(json_object_get(first_claim(left), "differs")));

	/* One of other scenarios has nothing to say, and does not differ. */
	json_t *scenario = json_array_get(json_object_get(other, "scenarios"), 0);
	(void)json_object_set_new(scenario, "name", json_string("another"));
	json_auto_t *silent = made_of(rule, results);
	assert_true(json_is_false(json_object_get(first_claim(silent), "differs")));
	auto_free char *quiet = written(silent, CLAIMS_PRETTY), *table = written(silent, CLAIMS_MARKDOWN);
	assert_null(strstr(quiet, "7.2: "));
	assert_non_null(strstr(table, "| **true** | true | - |"));
}

static void test_chosen(void **state)
{
	struct claims_file *f = parsed("guide: \"0\"\ntitle: t\nclaims:\n  - {id: \"0.1\", says: a, untestable: x}\n"
				       "  - {id: \"0.2\", says: b, untestable: y}\n");
	struct claims all = {.item = &f, .count = 1};
	char *ids[] = {(char[]){"0.2"}};
	json_auto_t *results = json_array();
	(void)state;
	json_auto_t *one = claims_make(&all, NULL, ids, 1, results), *none = claims_make(&all, "1", NULL, 0, results);
	assert_string_equal(text_of(first_claim(one), "id"), "0.2");
	assert_string_equal(text_of(first_claim(one), "verdict"), "not testable");
	assert_int_equal(json_array_size(json_object_get(none, "guides")), 0);
	assert_non_null(claims_find(&all, "0.1"));
	assert_null(claims_find(&all, "0.3"));
	claims_file_free(f);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text, *told;
	} cases[] = {
		{"", "the manifest is empty"},
		{"- x\n", "claims are keys and values, but this is a list"},
		{"guide: \"0\"\ntitle: t\n", "without 'claims'"},
		{"guide: zero\ntitle: t\nclaims: [{id: \"0.1\", says: s, untestable: x}]\n",
		 ":1:8: error: a guide is a number"},
		{"guide: \"0\"\ntitle: t\nclaims: []\n", "'claims' must not be empty"},
		{"guide: \"0\"\ntitle: t\nclaims: [{id: \"1.1\", says: s, untestable: x}]\n", "begins with '0.'"},
		{"guide: \"0\"\ntitle: t\nclaims: [{id: first, says: s, untestable: x}]\n",
		 "an id is a guide and a number"},
		{"guide: \"0\"\ntitle: t\nclaims:\n  - {id: \"0.1\", says: s, untestable: x}\n"
		 "  - {id: \"0.1\", says: s, untestable: x}\n",
		 ":5:10: error: another claim has this id (line 4)"},
		{CLAIM("    verdict: true\n"), "unknown key 'verdict' in claim"},
		{CLAIM(""), "either tests, or says why"},
		{CLAIM("    untestable: x\n    tests: [{run: s/r, kind: errno}]\n"), "either tests, or says why"},
		{CLAIM("    untestable: x\n    remedy: s/r\n"), "'remedy' shows what is 'right'"},
		{TESTS("      - {kind: errno}\n"), "test without 'run'"},
		{TESTS("      - {run: s/r}\n"), "asks nothing of its runs"},
		{TESTS("      - {run: noslash, kind: errno}\n"), "SCENARIO/RUN"},
		{TESTS("      - {run: s/r, role: victim, kind: errno}\n"), "unknown role 'victim'"},
		{TESTS("      - {run: s/r, kind: error}\n"), "unknown kind of outcome 'error'"},
		{TESTS("      - {run: s/r, errno: ENOMEMM}\n"), "did you mean 'ENOMEM'?"},
		{TESTS("      - {run: s/r, cause: rlimit-sa}\n"), "unknown cause"},
		{TESTS("      - {run: s/r, call: mmmap}\n"), "unknown call"},
		{TESTS("      - {run: s/r, value: failure.tasks}\n"), "a value and its relation go together"},
		{TESTS("      - {run: s/r, is: 6}\n"), "a value and its relation go together"},
		{TESTS("      - {run: s/r, value: nowhere.tasks, is: 6}\n"), "is no metric path"},
		{TESTS("      - {run: s/r, value: failure.tasks, near: 6}\n"), "'near' and 'within' go together"},
		{TESTS("      - {run: s/r, value: failure.tasks, is: 6, above: 5}\n"), "one relation only"},
		{TESTS("      - {run: s/r, kind: errno, oom: yes}\n"), "must be true or false"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct claims_file *f = NULL;
		char *told = NULL;
		size_t size;
		FILE *errors = open_memstream(&told, &size);
		assert_int_equal(claims_parse(cases[i].text, strlen(cases[i].text), "guide-0.yaml", errors, &f),
				 -EINVAL);
		(void)fclose(errors);
		if (strncmp(told, "guide-0.yaml:", 13) != 0 || !strstr(told, cases[i].told))
			fail_msg("%s, told of %s", told, cases[i].text);
		assert_null(f);
		free(told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts), cmocka_unit_test(test_altered), cmocka_unit_test(test_not_in_guest),
		cmocka_unit_test(test_kernels),  cmocka_unit_test(test_chosen),  cmocka_unit_test(test_malformed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
