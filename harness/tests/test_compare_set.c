// SPDX-License-Identifier: MIT
/*
 * Several results: references, baselines, files of many results, shards merged.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sample-set.h"

static char directory[] = "/tmp/enomem-test-compare-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(directory); /* fails when something was left behind */
}

static char *sets(const json_t *a, const json_t *b, int expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int moved = compare_sets(a, b, "a.json", "b.json", out);
	(void)fclose(out);
	if (moved != expected)
		print_message("%d differences:\n%s", moved, text);
	assert_int_equal(moved, expected);
	return text;
}

/* In a comparison: a count and a bound that follow RAM are silent, the same move on one machine is not. */
static void test_ram_is_noise(void **state)
{
	(void)state;
	json_auto_t *a = json_pack("[o]", sample_result()), *b = json_pack("[o]", sample_result());
	for (unsigned i = 0; i < 2; i++) {
		doctor(i ? b : a, "0/scenarios/0/runs/1/cause/id", "\"threads-max\"");
		doctor(i ? b : a, "0/scenarios/0/runs/1/cause/bound", i ? "4000" : "2000");
		doctor(i ? b : a, "0/scenarios/0/runs/1/cause/in_use", i ? "4000" : "2000");
		doctor(i ? b : a, "0/scenarios/0/runs/1/snapshots", NULL);
	}
	auto_free char *moved = sets(a, b, 2);
	assert_string_equal(moved, "pids-max: limited: bound 2000 -> 4000 tasks (+2000)\n"
				   "pids-max: limited: refused at 2001 -> 4001 tasks (+2000)\n");
	doctor(b, "0/host/ram", "50578325504");
	free(sets(a, b, 0));
}

static void test_checks_move(void **state)
{
	(void)state;
	json_auto_t *a = json_pack("[o]", sample_result()), *b = json_pack("[o]", sample_result());
	doctor(b, "0/scenarios/0/runs/0/checks/0/what", "\"something else\"");
	doctor(b, "0/scenarios/1/runs/1/checks/0/ok", "false");
	doctor(b, "0/scenarios/1/runs/1/cause/also_refusing", "[]");
	auto_free char *text = sets(a, b, 4);
	assert_non_null(strstr(text, "pids-max: no limit: check \"something else\" is new\n"));
	assert_non_null(strstr(text, "\" is no longer made\n"));
	assert_non_null(strstr(text, "mmap: limited: check \"outcome is errno\" holds -> failed\n"));
	assert_non_null(strstr(text, "mmap: limited: refused as well by max-map-count -> none\n"));
	doctor(b, "0/scenarios/2/runs/1/outcome", "{\"kind\": \"panic\", \"text\": \"b\"}");
	doctor(a, "0/scenarios/2/runs/1/outcome", "{\"kind\": \"panic\", \"text\": \"a\"}");
	auto_free char *panic = sets(a, b, 5);
	assert_non_null(strstr(panic, "memory-max: limited: panic a -> b\n"));
}

static void test_pairs(void **state)
{
	(void)state;
	json_auto_t *a = sample_set(), *b = sample_set();
	(void)json_array_insert(b, 0, json_array_get(b, 2)); /* another order */
	(void)json_array_remove(b, 3);
	free(sets(a, b, 0));
	doctor(b, "1/scenarios/0/runs/1/cause/bound", "5");
	auto_free char *moved = sets(a, b, 1);
	assert_string_equal(moved, "5.10 hybrid: pids-max: limited: bound 6 -> 5 tasks (-1)\n");
	/* A release of the same series is the same kernel; another cgroup version is not. */
	doctor(b, "1/scenarios/0/runs/1/cause/bound", "6");
	doctor(b, "1/host/kernel", "\"5.10.0-99\"");
	free(sets(a, b, 0));
	doctor(b, "1/host/cgroup", "\"v2\"");
	auto_free char *lost = sets(a, b, 2);
	assert_string_equal(lost, "5.10 hybrid: only in a.json\n5.10 v2: only in b.json\n");
	/* Two of one kernel: which is meant cannot be told. */
	doctor(b, "1/host/kernel", "\"6.1.9\"");
	doctor(b, "1/host/cgroup", "\"hybrid\"");
	auto_free char *unclear = sets(a, b, 4);
	assert_non_null(strstr(unclear, "6.1 hybrid: only in a.json\n"));
}

/* Files of two profiles pair by kernel; in files of several profiles each finds its own. */
static void test_profiles(void **state)
{
	(void)state;
	json_auto_t *a = sample_set(), *b = sample_set();
	for (unsigned i = 0; i < 3; i++) {
		doctor(json_array_get(a, i), "host/profile", "\"default\"");
		doctor(json_array_get(b, i), "host/profile", "\"strict\"");
	}
	free(sets(a, b, 0));
	doctor(b, "2/scenarios/0/runs/1/cause/bound", "5");
	auto_free char *moved = sets(a, b, 1);
	assert_string_equal(moved, "6.12 hybrid: pids-max: limited: bound 6 -> 5 tasks (-1)\n");
	json_auto_t *both = json_copy(a);
	(void)json_array_extend(both, b);
	free(sets(both, both, 0));
	auto_free char *lost = sets(both, a, 3);
	assert_non_null(strstr(lost, "6.12 hybrid strict: only in a.json\n"));
}

static void test_stable(void **state)
{
	static const char *const noise[][2] = {
		{"scenarios/0/runs/1/duration_ns", "1"},
		{"scenarios/0/runs/1/cause/in_use", "7"},
		{"scenarios/0/runs/1/cause/bound", "8"},
		{"scenarios/0/runs/1/outcome/asked", "8"},
		{"scenarios/0/runs/1/checks/0/value", "8"},
		{"scenarios/0/runs/1/snapshots", "{}"},
		{"scenarios/0/runs/1/output/stdout", "\"x\""},
		{"scenarios/0/runs/0/output/stderr", "\"mmap: Cannot allocate memory\""}, /* a control's */
		{"scenarios/0/runs/1/failing_moment/pid", "7"},
		{"scenarios/0/runs/1/group", "\"enomem-1-2-3\""},
		{"scenarios/1/reason", "\"otherwise\""},
		{"scenarios/1/runs/1/reason", "\"otherwise\""},
		{"host/kernel", "\"6.1.99-new\""},
		{"host/ram", "1"},
		{"duration_ns", "1"},
	};
	static const char *const moves[][2] = {
		{"scenarios/0/runs/1/outcome/call", "\"fork\""},
		{"scenarios/0/runs/1/outcome/errno", "\"ENOMEM\""},
		{"scenarios/0/runs/1/cause/id", "\"unknown\""},
		{"scenarios/2/runs/1/outcome/oom", "false"},
		{"scenarios/0/runs/1/checks/0/what", "\"x\""},
		{"scenarios/0/runs/1/name", "\"x\""},
		{"scenarios/0/runs/1/output/stderr", "\"popen: Cannot allocate memory\\n\""},
		{"scenarios/2/runs/1/failing_moment", "{\"at\": \"call\", \"call\": \"execve\"}"},
		{"scenarios/0/runs/1/case", "\"x\""},
		{"host/cgroup", "\"v2\""},
		{"scenarios/5/name", "\"x\""},
	};
	(void)state;
	json_auto_t *plain = sample_result(), *noisy = sample_result(), *reference = result_stable(plain);
	for (size_t i = 0; i < ARRAY_SIZE(noise); i++)
		doctor(noisy, noise[i][0], noise[i][1]);
	json_auto_t *again = result_stable(noisy);
	assert_int_equal(result_check_any(reference, "reference", stderr), 0);
	assert_int_equal(result_check(reference, "reference", NULL), -EINVAL);
	auto_free char *a = json_dumps(reference, JSON_INDENT(1)), *b = json_dumps(again, JSON_INDENT(1));
	assert_string_equal(a, b);
	golden("reference.json", a);
	/* It is its own reference, and every result agrees with the one made of it. */
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		json_auto_t *moved = sample_result();
		doctor(moved, moves[i][0], moves[i][1]);
		json_auto_t *other = result_stable(moved);
		assert_false(json_equal(reference, other));
		/* What only the table of errnos asks for, or nobody, is no difference. */
		if (strcmp(moves[i][0], "host/cgroup") != 0 && !strstr(moves[i][0], "/case") &&
		    !strstr(moves[i][0], "/stderr") && !strstr(moves[i][0], "/failing_moment"))
			assert_true(compare_results(reference, moved, "a", "b", stderr) > 0);
	}
	assert_int_equal(compare_results(reference, noisy, "a", "b", stderr), 0);
	assert_int_equal(compare_results(noisy, reference, "a", "b", stderr), 0);
	assert_int_equal(compare_results(reference, reference, "a", "b", stderr), 0);
	/* The order of the command line is not kept. */
	json_t *scenarios = json_object_get(noisy, "scenarios");
	(void)json_array_append(scenarios, json_array_get(scenarios, 0));
	(void)json_array_remove(scenarios, 0);
	json_auto_t *shuffled = result_stable(noisy);
	assert_true(json_equal(reference, shuffled));
}

/* A skip's reason keeps no release. */
static void test_stable_reason(void **state)
{
	(void)state;
	json_auto_t *result = sample_on("6.1.0-56-cloud", NULL);
	doctor(result, "scenarios/4/reason", "\"needs 7.0, 6.1.0-56-cloud is too old\"");
	json_auto_t *reference = result_stable(result);
	auto_free char *text = json_dumps(reference, JSON_COMPACT);
	assert_non_null(strstr(text, "\"needs 7.0, 6.1 is too old\""));
	assert_null(strstr(text, "6.1.0"));
}

static void store(const char *name, const json_t *set)
{
	char path[128];
	size_t count = json_array_size(set);
	json_t *item[8];
	for (size_t i = 0; i < count; i++)
		item[i] = json_array_get(set, i);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(results_store(path, item, count), 0);
}

static int baseline(const json_t *result, const char *name, bool selected_only, char **ret)
{
	char path[128];
	size_t size;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *out = open_memstream(ret, &size);
	struct baseline b;
	int r = baseline_open(path, &b);
	int moved = r < 0 ? r : baseline_compare(result, &b, selected_only, NULL, out);
	baseline_close(&b);
	(void)fclose(out);
	if (strcmp(name, "") != 0)
		(void)unlink(path);
	return moved;
}

static int baseline_of_part(const json_t *result, const char *name, const json_t *partly)
{
	char path[128], *text = NULL;
	size_t size;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *out = open_memstream(&text, &size);
	struct baseline b;
	int r = baseline_open(path, &b);
	int moved = r < 0 ? r : baseline_compare(result, &b, true, partly, out);
	baseline_close(&b);
	(void)fclose(out);
	free(text);
	(void)unlink(path);
	return moved;
}

static void test_baseline(void **state)
{
	(void)state;
	json_auto_t *set = sample_set(), *result = sample_on("6.1.77", NULL), *one = json_pack("[O]", result);
	char *text = NULL;
	/* Of several, the one of this kernel. */
	store("b.json", set);
	assert_int_equal(baseline(result, "b.json", true, &text), 0);
	free(text);
	/* Fewer scenarios were asked for: what was not is no loss, unless that is asked. */
	(void)json_array_remove(json_object_get(result, "scenarios"), 0);
	doctor(result, "summary/pass", "1");
	store("b.json", set);
	assert_int_equal(baseline(result, "b.json", true, &text), 0);
	free(text);
	store("b.json", set);
	assert_int_equal(baseline(result, "b.json", false, &text), 1);
	assert_non_null(strstr(text, "pids-max: only in "));
	free(text);
	/* Some runs of one were asked for: what was not is no loss either, and what is new is told. */
	json_auto_t *part = sample_on("6.1.79", NULL), *partly = json_pack("{s:b}", "pids-max", true);
	json_t *runs = json_object_get(json_array_get(json_object_get(part, "scenarios"), 0), "runs");
	assert_true(json_array_size(runs) > 1);
	(void)json_array_remove(runs, 0);
	store("b.json", set);
	assert_int_equal(baseline(part, "b.json", true, &text), 1);
	assert_non_null(strstr(text, "only in "));
	free(text);
	store("b.json", set);
	assert_int_equal(baseline_of_part(part, "b.json", partly), 0);
	store("b.json", set);
	doctor(part, "scenarios/0/runs/0/name", "\"a new one\"");
	assert_int_equal(baseline_of_part(part, "b.json", partly), 1);
	/* More: new scenarios are told. */
	store("b.json", one);
	json_auto_t *whole = sample_on("6.1.78", NULL);
	assert_int_equal(baseline(whole, "b.json", true, &text), 1);
	assert_string_equal(text, "pids-max: only in this run (pass)\n");
	free(text);
	/* None of this kernel, no file, no result. */
	json_auto_t *other = sample_on("7.2.0", NULL);
	store("b.json", set);
	assert_int_equal(baseline(other, "b.json", true, &text), -ENOENT);
	free(text);
	assert_int_equal(baseline(other, "b.json", true, &text), -ENOENT);
	free(text);
	/* A directory of references. */
	json_auto_t *reference = json_pack("[o]", result_stable(whole));
	store("6.1.json", reference);
	assert_int_equal(baseline(whole, "", true, &text), 0);
	free(text);
	doctor(whole, "scenarios/0/runs/1/cause/id", "\"unknown\"");
	assert_int_equal(baseline(whole, "", true, &text), 1);
	assert_string_equal(text, "pids-max: limited: cause pids-max -> unknown\n");
	free(text);
	assert_int_equal(baseline(whole, "6.1.json", true, &text), 1);
	free(text);
}

static json_t *shard(const char *release, size_t from, size_t to)
{
	json_t *result = sample_on(release, NULL), *scenarios = json_object_get(result, "scenarios");
	for (size_t i = json_array_size(scenarios); i-- > 0;)
		if (i < from || i > to)
			(void)json_array_remove(scenarios, i);
	(void)json_object_set_new(result, "summary", judge_summary(scenarios));
	return result;
}

static char *merged(const json_t *shards, int expected, json_t **ret)
{
	char *text = NULL;
	size_t size;
	FILE *errors = open_memstream(&text, &size);
	*ret = NULL;
	assert_int_equal(results_merge(shards, errors, ret), expected);
	(void)fclose(errors);
	assert_int_equal(*ret != NULL, expected == 0);
	return text;
}

static void test_merge(void **state)
{
	(void)state;
	json_auto_t *shards = json_pack("[o, o, o, o]", shard("6.1.0", 0, 1), shard("5.10.0", 0, 5),
					shard("6.1.0", 4, 5), shard("6.1.0", 1, 3));
	json_t *joined;
	/* RAM and what follows from it differ between machines. */
	doctor(shards, "2/host/ram", "4096");
	doctor(shards, "2/host/sysctl", "{\"vm.overcommit_memory\": 0, \"kernel.threads-max\": 7}");
	json_auto_t *before = json_deep_copy(shards);
	free(merged(shards, 0, &joined));
	assert_true(json_equal(before, shards));
	assert_int_equal(json_array_size(joined), 2);
	json_t *whole = json_array_get(joined, 0);
	assert_int_equal(result_check(whole, "merged", stderr), 0);
	assert_int_equal(json_array_size(json_object_get(whole, "scenarios")), 6);
	json_auto_t *expected = sample_on("6.1.0", NULL);
	assert_int_equal(compare_results(expected, whole, "a", "b", stderr), 0);
	assert_int_equal(json_integer_value(json_object_get(whole, "duration_ns")), 3 * 3210000000LL);
	assert_non_null(json_object_get(whole, "command")); /* they have the same */
	json_decref(joined);
	doctor(shards, "2/command", "[\"enomem\", \"run\", \"other\"]");
	free(merged(shards, 0, &joined));
	assert_null(json_object_get(json_array_get(joined, 0), "command"));
	assert_non_null(json_object_get(json_array_get(joined, 1), "command"));
	json_decref(joined);
	/* Swap of a machine is the machine's, of a guest it is an option. */
	for (unsigned guest = 0; guest < 2; guest++) {
		doctor(shards, "0/host/swap", "4096");
		for (unsigned i = 0; i < 4; i++)
			doctor(json_array_get(shards, i), "host/guest", guest ? "true" : "false");
		free(merged(shards, 0, &joined));
		assert_int_equal(json_array_size(joined), guest ? 3 : 2);
		json_decref(joined);
	}
	doctor(shards, "0/host/swap", "0");
	/* Other options: not the same suite. */
	doctor(shards, "3/host/sysctl/vm.overcommit_memory", "2");
	free(merged(shards, 0, &joined));
	assert_int_equal(json_array_size(joined), 3);
	json_decref(joined);
	doctor(shards, "3/host/sysctl/vm.overcommit_memory", "0");
	doctor(shards, "3/host/kernel", "\"6.1.1\"");
	free(merged(shards, 0, &joined));
	assert_int_equal(json_array_size(joined), 3);
	json_decref(joined);
}

static void test_merge_refuses(void **state)
{
	(void)state;
	json_auto_t *shards = json_pack("[o, o]", shard("6.1.0", 0, 1), shard("6.1.0", 0, 1));
	json_t *joined;
	free(merged(shards, 0, &joined));
	json_decref(joined);
	doctor(shards, "1/scenarios/0/verdict", "\"broken\"");
	auto_free char *said = merged(shards, -EEXIST, &joined);
	assert_string_equal(said, "6.1 hybrid: pids-max: pass in one shard, broken in another\n");
	json_auto_t *reference = json_pack("[o]", result_stable(json_array_get(shards, 0)));
	free(merged(reference, -EINVAL, &joined));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ram_is_noise),  cmocka_unit_test(test_checks_move),
		cmocka_unit_test(test_pairs),         cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_stable),        cmocka_unit_test(test_stable_reason),
		cmocka_unit_test(test_baseline),      cmocka_unit_test(test_merge),
		cmocka_unit_test(test_merge_refuses),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
