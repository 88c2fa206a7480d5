// SPDX-License-Identifier: MIT
/*
 * The boxes of the page of stored results: the command that makes a result again, what is said where nothing was
 * refused, and whose boxes they are where the causes differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "page.h"
#include "references.h"
#include "report-cause.h"
#include "report-replay.h"
#include "report-text.h"
#include "report.h"
#include "sample.h"
#include "timeline.h"

/* A result of this machine, or of a guest, made with these words behind "enomem run". */
static json_t *made_with(bool guest, const char *const *words, json_t *options)
{
	json_t *command = json_pack("[s, s]", "enomem", "run");
	for (; *words; words++)
		(void)json_array_append_new(command, json_string(*words));
	return json_pack("{s:{s:s, s:b}, s:o, s:o*}", "host", "kernel", "6.1.0-9-amd64", "guest", guest, "command",
			 command, "guest_options", options);
}

static void replays(json_t *result, const char *expected)
{
	json_auto_t *words = replay_words(result);
	const json_t *word = NULL;
	char line[1024] = "";
	size_t i;
	json_array_foreach (words, i, word)
		text_add(line, sizeof(line), "%s[%s]", i ? " " : "", json_string_value(word));
	assert_string_equal(line, expected);
	json_decref(result);
}

static json_t *guest_with(json_t *settings)
{
	return json_pack("{s:I, s:i, s:i, s:s, s:o*}", "memory", (json_int_t)288 << 20, "cpus", 1, "swap", 0, "cgroup",
			 "v2", "sysctl", settings);
}

static void test_words(void **state)
{
	(void)state;
	static const char *const none[] = {NULL};
	static const char *const set[] = {"-qp",    "pids.max=30", "--parameter=rlimit.as=1 M",
					  "-j2",    "--no-guest",  "-o",
					  "r.json", "--scenarios", "/a b",
					  "--",     "-pa.b=c",     NULL};
	static const char *const there[] = {"--guest=6.1",        "--sysctl", "vm.max_map_count=5000",
					    "--profile=a b.conf", "x",        NULL};
	static const char *const here[] = {"--guest-memory", "400M", "--allow-machine", "x", NULL};
	replays(made_with(false, none, NULL), "");
	replays(made_with(false, set, NULL),
		"[-p] [pids.max=30] [-p] [rlimit.as=1 M] [--no-guest] [--scenarios] [/a b]");
	/* No guest was said, and yet one may have been used for some of it. */
	replays(made_with(false, here, NULL), "[--guest-memory] [400M] [--allow-machine]");
	static const char *const nowhere[] = {"--guest-memory", "400M", "--no-guest", "x", NULL};
	replays(made_with(false, nowhere, NULL), "[--no-guest]");
	/* As by default. */
	replays(made_with(true, none, guest_with(NULL)), "[--guest=6.1]");
	json_t *options = guest_with(json_pack("[{s:s, s:s}]", "name", "vm/max_map_count", "value", "1"));
	(void)json_object_set_new(options, "memory", json_integer((json_int_t)400 << 20));
	(void)json_object_set_new(options, "cpus", json_integer(2));
	(void)json_object_set_new(options, "swap", json_integer((1 << 20) + 4096));
	(void)json_object_set_new(options, "cgroup", json_string("v1"));
	(void)json_object_set_new(options, "append", json_string("mitigations=off quiet"));
	replays(made_with(true, there, options),
		"[--guest=6.1] [--sysctl] [vm.max_map_count=5000] [--profile] [a b.conf] [--guest-memory] [400M] "
		"[--guest-cpus] [2] [--guest-swap] [1052672] [--guest-cgroup] [v1] [--guest-append] "
		"[mitigations=off quiet]");
	/* The command does not say them: run --failed. */
	options = guest_with(json_pack("[{s:s, s:s, s:b}, {s:s, s:n}, {s:i}, i]", "name", "vm/swappiness", "value", "7",
				       "ignore_failure", 1, "name", "vm/excluded", "value", "name", 7, 8));
	replays(made_with(true, none, options),
		"[--guest=6.1] [--sysctl] [-vm/swappiness=7] [--sysctl] [-vm/excluded]");
	json_auto_t *odd = json_pack("{s:{s:b}, s:[i, n, s], s:[s]}", "host", "guest", 1, "command", 1, "-p",
				     "guest_options", "x");
	json_auto_t *words = replay_words(odd);
	assert_int_equal(json_array_size(words), 1);
}

/* Quoted for a shell, as markup; and what was set is no profile. */
static void test_replayed(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	json_t *result = json_array_get(results, 0), *host = json_object_get(result, "host");
	(void)json_object_set_new(result, "command",
				  json_pack("[s, s, s, s, s]", "enomem", "run", "-p", "pids.max=30", "pids-max"));
	(void)json_object_set_new(host, "profile", json_string("pids.max=30"));
	auto_free char *page = page_of(results, NULL);
	has(page, ">enomem run -p pids.max=30 pids-max</pre>");
	has(page, "; set: pids.max=30</td>");
	lacks(page, "profile pids.max");
	(void)json_object_set_new(result, "command",
				  json_pack("[s, s, s, s]", "enomem", "run", "-pa.b=<1 2>", "--profile=a=b.conf"));
	(void)json_object_set_new(host, "profile", json_string("a=b.conf"));
	auto_free char *other = page_of(results, NULL);
	has(other, ">enomem run -p &#39;a.b=&lt;1 2&gt;&#39; pids-max</pre>");
	has(other, ", profile a=b.conf</td>");
	(void)json_object_del(result, "command");
	(void)json_object_set_new(host, "profile", json_string("strict.conf,vm.swappiness=7"));
	auto_free char *unknown = page_of(results, NULL);
	has(unknown, ", profile strict.conf,vm.swappiness=7</td>");
}

/* --- where nothing was refused --- */

static json_t *trigger_of(json_t *result, size_t scenario)
{
	json_t *scenarios = json_object_get(result, "scenarios");
	return json_array_get(json_object_get(json_array_get(scenarios, scenario), "runs"), 1);
}

/* The sample's pids-max trigger, as if it had been granted. */
static void grant(json_t *result)
{
	json_t *run = trigger_of(result, 0), *scenario = json_array_get(json_object_get(result, "scenarios"), 0);
	json_t *remedy = json_array_get(json_object_get(scenario, "runs"), 2);
	assert_string_equal(text_of(run, "role"), "trigger");
	(void)json_object_set_new(run, "outcome", json_pack("{s:s}", "kind", "success"));
	(void)json_object_set_new(run, "verdict", json_string("fail"));
	(void)json_object_del(run, "cause");
	(void)json_object_del(run, "failing_moment");
	(void)json_object_set_new(scenario, "verdict", json_string("fail"));
	(void)json_object_set_new(json_object_get(remedy, "environment"), "live",
				  json_pack("{s:{s:i}}", "cgroup", "pids.max", 64));
	while (json_array_size(json_object_get(result, "scenarios")) > 1)
		(void)json_array_remove(json_object_get(result, "scenarios"), 1);
}

static void test_granted(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	json_t *result = json_array_get(results, 0);
	auto_free char *refused = page_of(results, NULL);
	has(refused, "These were tried, and helped.");
	lacks(refused, "The trigger was not refused");
	lacks(refused, "predicted:</span>");
	grant(result);
	auto_free char *page = page_of(results, NULL);
	has(page, "The trigger was not refused, so nothing can be said to have helped.");
	has(page, "success, as before");
	has(page, "To be typed while the program is held at its refusal");
	lacks(page, "tried, and helped");
	lacks(page, "Typed while the program was held");
	lacks(page, ": granted");
	has(page, "<td><span class=\"aside\">predicted:</span> pids-max <span class=\"aside\">");
	has(page, "predicted limit ");
	lacks(page, "What the limit counts is not sampled");
	/* What was to succeed has nothing to be refused. */
	(void)json_object_set_new(trigger_of(result, 0), "predicted", json_pack("{s:s}", "kind", "success"));
	auto_free char *meant = page_of(results, NULL);
	has(meant, "These were tried, and helped.");
}

static json_int_t bound_of(const char *cause, json_t *environment, json_t *sysctls)
{
	json_auto_t *run = json_pack("{s:{s:s}, s:o, s:{s:{s:o}}}", "predicted", "cause", cause, "environment",
				     environment, "snapshots", "before", "sysctl", sysctls);
	json_auto_t *predicted = cause_or_predicted(run);
	return predicted ? text_integer(predicted, "bound", -1) : -2;
}

static void test_predicted(void **state)
{
	(void)state;
	assert_int_equal(bound_of("pids-max", json_pack("{s:{s:i}}", "cgroup", "pids.max", 30), json_object()), 30);
	assert_int_equal(bound_of("pids-max", json_pack("{s:{s:n}}", "cgroup", "pids.max"), json_object()), -1);
	assert_int_equal(bound_of("rlimit-as", json_pack("{s:{s:i}}", "rlimit", "as", 4096), json_object()), 4096);
	assert_int_equal(bound_of("rlimit-cpu", json_pack("{s:{s:i}}", "rlimit", "cpu", 1), json_object()), -1);
	assert_int_equal(bound_of("max-map-count", json_object(), json_pack("{s:i}", "vm.max_map_count", 5000)), 5000);
	assert_int_equal(bound_of("tmpfs-size", json_object(), json_object()), -1);
	assert_int_equal(bound_of("no-such", json_object(), json_object()), -2);
	/* What was seen stands. */
	json_auto_t *seen =
		json_pack("{s:{s:s}, s:{s:s}}", "predicted", "cause", "pids-max", "cause", "id", "rlimit-as");
	json_auto_t *cause = cause_or_predicted(seen);
	assert_string_equal(text_of(cause, "id"), "rlimit-as");
}

static void test_predicted_timeline(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o]", sample_result());
	struct timeline t;
	grant(json_array_get(results, 0));
	json_t *run = trigger_of(json_array_get(results, 0), 0);
	assert_null(timeline_make(run, &t));
	assert_true(t.predicted && t.is_limit && t.bounded);
	assert_false(t.refused);
	assert_int_equal(t.bound,
			 text_integer(json_object_get(json_object_get(run, "environment"), "cgroup"), "pids.max", -1));
	assert_int_equal(t.unit, CHART_COUNT);
	timeline_free(&t);
}

/* --- several results, and references --- */

static size_t times(const char *text, const char *what)
{
	size_t count = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		count++;
	return count;
}

static void test_sides(void **state)
{
	(void)state;
	json_auto_t *results = json_pack("[o, o, o]", sample_result(), sample_result(), sample_result());
	static const char *const kernels[] = {"5.10.1", "6.1.2", "6.12.3"};
	for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
		json_t *result = json_array_get(results, i), *scenarios = json_object_get(result, "scenarios");
		(void)json_object_set_new(json_object_get(result, "host"), "kernel", json_string(kernels[i]));
		while (json_array_size(scenarios) > 1)
			(void)json_array_remove(scenarios, 1);
	}
	auto_free char *same = page_of(results, NULL);
	has(same, "<p class=\"note\">Of 6.12 (the same causes: 5.10, 6.1):</p>");
	assert_int_equal(times(same, "<h3>Why</h3>"), 1);
	(void)json_object_set_new(json_object_get(trigger_of(json_array_get(results, 0), 0), "cause"), "id",
				  json_string("rlimit-memlock"));
	auto_free char *apart = page_of(results, NULL);
	has(apart, "<p class=\"note\">Of 5.10:</p><div class=\"boxes\"><div class=\"box\"><h3>Why</h3><p><strong>"
		   "rlimit-memlock.");
	has(apart,
	    "<p class=\"note\">Of 6.12 (the same causes: 6.1):</p><div class=\"boxes\"><div class=\"box\"><h3>Why"
	    "</h3><p><strong>pids-max.");
	assert_int_equal(times(apart, "<h3>Fix</h3>"), 2);
	/* One that did not pass is not shown where another did; what was not refused explains nothing. */
	json_t *last = json_array_get(json_object_get(json_array_get(results, 2), "scenarios"), 0);
	(void)json_object_set_new(last, "verdict", json_string("fail"));
	(void)json_object_del(trigger_of(json_array_get(results, 0), 0), "cause");
	auto_free char *passed = page_of(results, NULL);
	has(passed, "<p class=\"note\">Of 6.1 (the same causes: 6.12):</p>");
	assert_int_equal(times(passed, "<h3>Fix</h3>"), 1);
	json_auto_t *alone = json_pack("[O]", json_array_get(results, 1));
	auto_free char *single = page_of(alone, NULL);
	lacks(single, "<p class=\"note\">Of ");
}

static void test_classes(void **state)
{
	(void)state;
	json_auto_t *sample = sample_result(), *results = json_pack("[o]", result_stable(sample));
	json_t *scenarios = json_object_get(json_array_get(results, 0), "scenarios");
	auto_free char *before = page_of(results, NULL);
	lacks(before, ">class</th>");
	(void)json_object_set_new(json_array_get(scenarios, 0), "name", json_string("../scenarios/pids-max"));
	references_classify(TEST_DATA "/../../../scenarios", results);
	json_t *scenario = NULL;
	size_t i;
	json_array_foreach (scenarios, i, scenario) {
		const bool here = strcmp(text_of(scenario, "name"), "pids-max") == 0;
		if (here || i == 0)
			assert_string_equal(text_of(scenario, "class"), here ? "task-count" : "");
	}
	auto_free char *page = page_of(results, NULL);
	has(page, ">class</th>");
	has(page, "<td>task-count</td>");
	/* What a result says stands. */
	json_auto_t *own = json_pack("[{s:[{s:s, s:s}]}]", "scenarios", "name", "pids-max", "class", "mine");
	references_classify(TEST_DATA "/../../../scenarios", own);
	json_t *kept = json_array_get(json_object_get(json_array_get(own, 0), "scenarios"), 0);
	assert_string_equal(text_of(kept, "class"), "mine");
	references_classify("/nonexistent", own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_granted),
		cmocka_unit_test(test_predicted),
		cmocka_unit_test(test_predicted_timeline),
		cmocka_unit_test(test_sides),
		cmocka_unit_test(test_classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
