// SPDX-License-Identifier: MIT
/*
 * What only guests and groups inside groups show: panics, predicted OOM kills, limits of the group around, sysctls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "judged.h"

struct edit {
	const char *path, *value;
};

static json_t *doctored(const char *file, const struct edit *edits, struct world *w)
{
	json_t *evidence = load_evidence(file);
	make_world(w, file, evidence);
	for (; edits && edits->path; edits++)
		doctor(evidence, edits->path, edits->value);
	return evidence;
}

/* Judge, and compare: verdict, and a part of the reason. */
static void expect_verdict(json_t *evidence, const struct world *w, const char *verdict, const char *reason)
{
	json_t *check;
	size_t i;
	assert_int_equal(judge_run(evidence, &w->run, NULL), 0);
	bool as_told = !strcmp(member(evidence, "verdict"), verdict) &&
		       (!reason || strstr(member(evidence, "reason"), reason));
	if (!as_told) {
		print_message("verdict %s: %s\n", member(evidence, "verdict"), member(evidence, "reason"));
		json_array_foreach (json_object_get(evidence, "checks"), i, check)
			if (!json_is_true(json_object_get(check, "ok")))
				print_message("  failed: %s\n", member(check, "what"));
	}
	assert_true(as_told);
}

#define PANIC_TEXT "Out of memory: system-wide panic_on_oom is enabled"
static json_t *panicked(struct world *w, const char *role)
{
	json_t *e = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}, s:[{s:s, s:i, s:i, s:i, s:s, s:b, s:b}], s:b}", "name",
			      "full", "role", role, "scope", "machine", "outcome", "kind", "panic", "text", PANIC_TEXT,
			      "limits", "id", "system-oom", "in_use", 1000, "asked", 4096, "bound", 1000, "unit",
			      "bytes", "refuses", 1, "errno_fits", 1, "deadline_exceeded", 0);
	make_world(w, "panic", e);
	w->run.expect = (struct expect){0};
	return e;
}

static void test_panic(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *e = panicked(&w, "trigger");
	w.run.expect.panic = (char *)"panic_on_oom";
	w.run.expect.cause = (char *)"system-oom";
	expect_verdict(e, &w, "pass", NULL);
	assert_string_equal(member(json_object_get(e, "predicted"), "kind"), "panic");
	assert_string_equal(member(json_object_get(e, "predicted"), "text"), "panic_on_oom");
	w.run.expect.panic = (char *)"System is deadlocked on memory";
	expect_verdict(e, &w, "fail", "observed a kernel panic: " PANIC_TEXT);
	w.run.expect.panic = (char *)""; /* is in every text */
	expect_verdict(e, &w, "fail", NULL);
	w.run.expect.panic = (char *)"panic_on_oom";
	w.run.expect.cause = (char *)"swap-full";
	expect_verdict(e, &w, "fail", "by system-oom");
	w.run.expect.cause = (char *)"system-oom";
	doctor(e, "outcome/text", NULL);
	expect_verdict(e, &w, "fail", NULL);
	doctor(e, "outcome/text", "\"" PANIC_TEXT "\"");
	doctor(e, "limits", "[]");
	expect_verdict(e, &w, "fail", NULL);
}

/* Whoever predicted something else gets a sentence about the panic. */
static void test_unpredicted_panic(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *e = panicked(&w, "trigger");
	w.run.expect.signal = (char *)"SIGKILL";
	w.run.expect.cause = (char *)"system-oom";
	expect_verdict(e, &w, "fail", "predicted SIGKILL by system-oom, observed a kernel panic: " PANIC_TEXT);
	json_auto_t *control = panicked(&w, "control");
	expect_verdict(control, &w, "fail", "predicted success without the limit, observed a kernel panic");
	json_auto_t *remedy = panicked(&w, "remedy");
	w.run.expect.panic =
		(char *)"panic_on_oom"; /* a remedy that helps does not panic, whatever its manifest says */
	expect_verdict(remedy, &w, "fail", "the remedy does not help, observed a kernel panic");
}

/* Predicted, and nothing of it: the program ended as any other. */
static void test_no_panic(void **state)
{
	struct world w;
	(void)state;
	json_auto_t *e = doctored("memcg-max-trigger", NULL, &w);
	w.run.expect = (struct expect){.panic = (char *)"panic_on_oom", .cause = (char *)"memcg-max"};
	expect_verdict(e, &w, "fail", "predicted panic by memcg-max, observed SIGKILL");
}

static void test_oom_kills(void **state)
{
	struct world w;
	(void)state;
	static const struct {
		const char *file, *said, *counted, *verdict;
	} row[] = {
		{"memcg-max-trigger", "1", "1", "pass"},    {"memcg-max-trigger", "2", "1", "fail"},
		{"memcg-max-trigger", "2", "2", "pass"},    {"memcg-max-trigger", "any", "7", "pass"},
		{"memcg-max-trigger", "any", NULL, "fail"}, {"memcg-max-trigger", "0", "1", "fail"},
		{"rlimit-as-control", "1", "1", "pass"},    {"rlimit-as-control", "1", "0", "fail"},
		{"rlimit-as-control", "any", "3", "pass"},  {"rlimit-as-control", NULL, "3", "fail"},
		{"rlimit-as-control", "0", "0", "pass"},    {"rlimit-as-control", "1", NULL, "pass"},
	};
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		const struct edit edit[] = {{"bystanders/oom_kills_own", row[i].counted}, {0}};
		json_auto_t *e = doctored(row[i].file, edit, &w);
		w.run.expect.oom_kills = (char *)(uintptr_t)row[i].said;
		expect_verdict(e, &w, row[i].verdict, NULL);
	}
}

/* pids.max of the group around: since 6.11 it is that group which counts, before it was the run's own. */
static void test_group_above(void **state)
{
	struct world w;
	(void)state;
	static const struct edit above[] = {{"environment/cgroup/pids.max", NULL},
					    {"environment/cgroup_above", "{\"pids.max\": 6}"},
					    {"snapshots/after/cgroup/pids/events/max", "0"},
					    {"snapshots/before/cgroup_above", "{\"pids\": {\"events\": {\"max\": 0}}}"},
					    {"snapshots/after/cgroup_above", "{\"pids\": {\"events\": {\"max\": 1}}}"},
					    {0}};
	json_auto_t *e = doctored("pids-max-trigger", above, &w);
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "snapshots/after/cgroup_above/pids/events/max", "0");
	expect_verdict(e, &w, "fail", "cgroup.pids.events.max moved");
	doctor(e, "snapshots/after/cgroup/pids/events/max", "1");
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "environment/cgroup_above/pids.max", "7");
	expect_verdict(e, &w, "fail", "the bound is the limit that was set");
	/* where nothing was made around it, a group above proves nothing */
	json_auto_t *alone = doctored("pids-max-trigger", above, &w);
	doctor(alone, "environment/cgroup_above", NULL);
	expect_verdict(alone, &w, "fail", "cgroup.pids.events.max moved");
}

static const char *bound_at; /* where a reader looks, NULL for where the stored refusal says */

/* A refusal by another limit, in the place of the stored one: what bound did the run's environment make for it? */
/* At the failing moment; NULL: not asked for. */
static const char *processors;

static void bound_with(const char *cause, const char *error, const char *unit, json_int_t bound,
		       const char *environment, bool ours)
{
	struct world w;
	char text[64];
	bool told = false;
	json_t *check;
	size_t i;
	json_auto_t *e = doctored("rlimit-as-trigger", NULL, &w);
	(void)snprintf(text, sizeof(text), "\"%s\"", cause);
	doctor(e, "limits/0/id", text);
	(void)snprintf(text, sizeof(text), "\"%s\"", unit);
	doctor(e, "limits/0/unit", text);
	(void)snprintf(text, sizeof(text), "%lld", (long long)bound);
	doctor(e, "limits/0/bound", text);
	(void)snprintf(text, sizeof(text), "\"%s\"", bound_at ? bound_at : "");
	if (bound_at)
		doctor(e, "limits/0/where", text);
	doctor(e, "environment", environment);
	if (processors)
		doctor(e, "snapshots/failure/counted", processors);
	w.run.expect.cause = (char *)(uintptr_t)cause;
	w.run.expect.error = (char *)(uintptr_t)error;
	assert_int_equal(judge_run(e, &w.run, NULL), 0);
	json_array_foreach (json_object_get(e, "checks"), i, check) {
		if (strcmp(member(check, "what"), "the bound is the limit that was set") != 0)
			continue;
		told = true;
		if (json_is_true(json_object_get(check, "ok")) != ours)
			print_message("%s: bound %lld of %s\n", cause, (long long)bound, environment);
		assert_int_equal(json_is_true(json_object_get(check, "ok")), ours);
	}
	assert_true(told);
}

static void bound_of(const char *cause, const char *unit, json_int_t bound, const char *environment, bool ours)
{
	bound_with(cause, "ENOMEM", unit, bound, environment, ours);
}

static void test_bounds(void **state)
{
	(void)state;
	bound_of("pid-max", "tasks", 100, "{\"sysctl\": {\"kernel.pid_max\": \"400\"}}", true);
	bound_of("pid-max", "tasks", 400, "{\"sysctl\": {\"kernel.pid_max\": \"400\"}}", false);
	bound_of("pid-max", "tasks", 1, "{\"namespace_sysctl\": {\"kernel.pid_max\": \"301\"}}", true);
	bound_of("tmpfs-size", "bytes", 32768, "{\"tmpfs\": {\"size\": 32768, \"inodes\": 4}}", true);
	bound_of("tmpfs-size", "bytes", 65536, "{\"tmpfs\": {\"size\": 32768, \"inodes\": 4}}", false);
	bound_of("tmpfs-size", "inodes", 4, "{\"tmpfs\": {\"size\": 32768, \"inodes\": 4}}", true);
	bound_of("tmpfs-size", "inodes", 32768, "{\"tmpfs\": {\"size\": 32768, \"inodes\": 4}}", false);
	static const char shm[] = "{\"namespace_sysctl\": {\"kernel.shmmax\": \"65536\", \"kernel.shmall\": \"8\", "
				  "\"kernel.shmmni\": \"3\"}}";
	bound_of("shm-limit", "bytes", 65536, shm, true);
	bound_of("shm-limit", "bytes", 8, shm, false);
	bound_of("shm-limit", "pages", 8, shm, true);
	bound_of("shm-limit", "pages", 3, shm, false);
	bound_of("shm-limit", "segments", 3, shm, true);
	bound_of("shm-limit", "segments", 8, shm, false);
	static const char sysv[] =
		"{\"namespace_sysctl\": {\"kernel.msgmni\": \"3\", \"kernel.sem\": \"250 25 32 4\"}}";
	bound_of("ipc-limit", "queues", 3, sysv, true);
	bound_of("ipc-limit", "queues", 4, sysv, false);
	bound_of("ipc-limit", "sets", 4, sysv, true);
	bound_of("ipc-limit", "sets", 3, sysv, false);
	bound_with("ipc-limit", "ENOSPC", "semaphores", 25, sysv, true);
	bound_with("ipc-limit", "ENOSPC", "semaphores", 250, sysv, false);
	bound_with("ipc-limit", "EINVAL", "semaphores", 250, sysv, true);
	bound_with("ipc-limit", "EINVAL", "semaphores", 25, sysv, false);
	static const char counted[] = "{\"sysctl\": {\"fs.aio-max-nr\": \"399\", \"fs.pipe-max-size\": \"1048576\", "
				      "\"net.core.optmem_max\": \"4096\"}, \"rlimit\": {\"sigpending\": 8}}";
	bound_of("aio-max", "requests", 399, counted, true);
	bound_of("aio-max", "requests", 400, counted, false);
	bound_of("pipe-max-size", "bytes", 1048576, counted, true);
	bound_of("pipe-max-size", "bytes", 65536, counted, false);
	bound_of("optmem-max", "bytes", 4095, counted, true); /* it must stay below */
	bound_of("optmem-max", "bytes", 131071, counted, false);
	bound_of("rlimit-sigpending", "signals", 8, counted, true);
	bound_of("rlimit-sigpending", "signals", 9, counted, false);
	/* 17 pages for each processor, of which the failing moment tells, and 16 */
	static const char rings[] =
		"{\"sysctl\": {\"kernel.perf_event_mlock_kb\": \"68\"}, \"rlimit\": {\"memlock\": 65536}}";
	processors = "{\"perf_cpus\": 2}";
	bound_of("perf-mlock", "pages", 50, rings, true);
	bound_of("perf-mlock", "pages", 33, rings, false);
	bound_of("perf-mlock", "pages", 51, rings, false);
	processors = NULL;
	static const char pipes[] =
		"{\"sysctl\": {\"fs.pipe-user-pages-soft\": \"256\", \"fs.pipe-user-pages-hard\": \"64\"}}";
	bound_at = "/proc/sys/fs/pipe-user-pages-soft";
	bound_of("pipe-user-pages", "pages", 256, pipes, true);
	bound_of("pipe-user-pages", "pages", 64, pipes, false);
	bound_at = "/proc/sys/fs/pipe-user-pages-hard";
	bound_of("pipe-user-pages", "pages", 64, pipes, true);
	bound_of("pipe-user-pages", "pages", 256, pipes, false);
	bound_at = "/proc/sys/user/max_uts_namespaces"; /* of several kinds, that which refused */
	static const char namespaces[] =
		"{\"sysctl\": {\"user.max_uts_namespaces\": \"3\", \"user.max_user_namespaces\": \"0\"}}";
	bound_of("namespaces-max", "namespaces", 3, namespaces, true);
	bound_of("namespaces-max", "namespaces", 0, namespaces, false);
	bound_at = NULL;
	bound_of("threads-max", "tasks", 80, "{\"sysctl\": {\"kernel.threads-max\": \"80\"}}", true);
	bound_of("threads-max", "tasks", 81, "{\"sysctl\": {\"kernel.threads-max\": \"80\"}}", false);
	bound_of("hugetlb-cgroup", "bytes", 2097152, "{\"cgroup\": {\"hugetlb.rsvd.max\": 2097152}}", true);
	bound_of("hugetlb-cgroup", "bytes", 4194304, "{\"cgroup\": {\"hugetlb.max\": 2097152}}", false);
	bound_of("memcg-swap-max", "bytes", 25165824,
		 "{\"cgroup\": {\"memory.max\": 16777216, \"memory.swap.max\": 8388608}}", true);
	bound_of("memcg-swap-max", "bytes", 16777216,
		 "{\"cgroup\": {\"memory.max\": 16777216, \"memory.swap.max\": 8388608}}", false);
	bound_of("memcg-max", "bytes", 2097152, "{\"cgroup\": {\"memory.kmem.max\": 2097152}}", true);
	bound_of("memcg-max", "bytes", 8388608, "{\"cgroup_above\": {\"memory.max\": 8388608}}", true);
	bound_of("memcg-max", "bytes", 8388608, "{\"cgroup_above\": {\"memory.max\": 16777216}}", false);
	/* of a stack limit execve() has a quarter to give */
	bound_with("rlimit-stack", NULL, "bytes", 2097152, "{\"rlimit\": {\"stack\": 2097152}}", true);
	bound_with("rlimit-stack", NULL, "bytes", 524288, "{\"rlimit\": {\"stack\": 2097152}}", false);
	bound_with("rlimit-stack", "E2BIG", "bytes", 524288, "{\"rlimit\": {\"stack\": 2097152}}", true);
	bound_with("rlimit-stack", "E2BIG", "bytes", 2097152, "{\"rlimit\": {\"stack\": 2097152}}", false);
	bound_with("rlimit-stack", "E2BIG", "bytes", 262144, "{\"rlimit\": {\"stack\": 2097152}}", false);
}

/* Both groups are limited: the one that refused has to be at its own limit. */
static void test_both_groups_limited(void **state)
{
	struct world w;
	(void)state;
	static const struct edit both[] = {{"environment/cgroup/pids.max", "64"},
					   {"environment/cgroup_above", "{\"pids.max\": 6}"},
					   {"limits/1/where", "\"pids.max of a group above\""},
					   {0}};
	json_auto_t *e = doctored("pids-max-trigger", both, &w);
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "environment/cgroup_above/pids.max", "7");
	expect_verdict(e, &w, "fail", "the bound is the limit that was set: 6, expected 7");
	doctor(e, "limits/1/where", "\"pids.max of its group\"");
	expect_verdict(e, &w, "fail", "the bound is the limit that was set: 6, expected 64");
	doctor(e, "environment/cgroup/pids.max", "6");
	expect_verdict(e, &w, "pass", NULL);
}

/* A remedy that stood still, was helped at its deadline and came to its end: it must show all of that. */
static void test_helped_at_stall(void **state)
{
	static const struct edit helped[] = {
		{"outcome/kind", "\"success\""}, {"exit", "{\"code\": 0}"}, {"deadline_exceeded", "false"}, {0}};
	static const struct {
		const char *path, *value, *reason;
	} without[] = {{"failing_moment", NULL, "looked at while it hung"},
		       {"failing_moment/at", "\"call\"", "looked at while it hung"},
		       {"limits/0/refuses", "false", "the remedy does not help"},
		       {"limits/0/bound", "4194304", "the bound is the limit that was set"},
		       {"snapshots/after/cgroup/memory/events/high", "0", "memory.events.high moved"},
		       {"exit/code", "1", "exit code is 0"},
		       {"bystanders/oom_kills_own", "1", "no OOM kill"},
		       {"deadline_exceeded", "true", "deadline not exceeded"}};
	(void)state;
	for (size_t i = 0; i <= sizeof(without) / sizeof(without[0]); i++) {
		struct world w;
		json_auto_t *e = doctored("memcg-high-trigger", helped, &w);
		w.run.role = ROLE_REMEDY;
		w.text.helps = true;
		if (i > 0)
			doctor(e, without[i - 1].path, without[i - 1].value);
		expect_verdict(e, &w, i > 0 ? "fail" : "pass", i > 0 ? without[i - 1].reason : NULL);
	}
}

static void test_stall(void **state)
{
	struct world w;
	(void)state;
	static const struct edit nobody_looked[] = {{"failing_moment", NULL}, {0}};
	json_auto_t *e = doctored("memcg-high-trigger", nobody_looked, &w);
	expect_verdict(e, &w, "fail", "looked at while it hung");
	static const struct edit at_call[] = {{"failing_moment/at", "\"call\""}, {0}};
	json_auto_t *call = doctored("memcg-high-trigger", at_call, &w);
	expect_verdict(call, &w, "fail", "looked at while it hung");
	/* a group of v1 that kills nobody says for itself that somebody waits */
	static const struct edit waiting[] = {{"limits/0/id", "\"memcg-max\""},
					      {"environment/cgroup", "{}"},
					      {"snapshots/before/cgroup/memory/under_oom", "0"},
					      {"snapshots/failure", "{\"cgroup\":{\"memory\":{\"under_oom\":1}}}"},
					      {0}};
	json_auto_t *stuck = doctored("memcg-high-trigger", waiting, &w);
	w.run.expect.cause = (char *)"memcg-max";
	expect_verdict(stuck, &w, "pass", NULL);
	doctor(stuck, "snapshots/failure/cgroup/memory/under_oom", "0");
	expect_verdict(stuck, &w, "fail", "cgroup.memory.events.max moved");
	static const struct edit endless[] = {{"limits/0/refuses", "false"}, {0}};
	json_auto_t *loop = doctored("memcg-high-trigger", endless, &w);
	expect_verdict(loop, &w, "fail", "predicted stall by memcg-high, observed stall by unknown");
}

/* v1 on 6.18: a sum of memory and swap that refuses is counted nowhere, but it came up to its limit. */
static void test_uncounted(void **state)
{
	struct world w;
	(void)state;
	static const struct edit sum[] = {
		{"limits/0/id", "\"memcg-max\""},
		{"limits/0/bound", "8388608"},
		{"environment", "{\"cgroup\": {\"memory.max\": 8388608}}"},
		{"snapshots/before/cgroup/memory",
		 "{\"events\":{\"max\":0},\"memsw\":{\"peak\":90112},\"swap\":{\"max\":0}}"},
		{"snapshots/after/cgroup/memory",
		 "{\"events\":{\"max\":0},\"memsw\":{\"peak\":8388608},\"swap\":{\"max\":0}}"},
		{0}};
	json_auto_t *e = doctored("rlimit-as-trigger", sum, &w);
	w.run.expect.cause = (char *)"memcg-max";
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "snapshots/after/cgroup/memory/memsw/peak", "4194304");
	expect_verdict(e, &w, "fail", "cgroup.memory.events.max moved");
	doctor(e, "snapshots/after/cgroup/memory/memsw/peak", "8388608");
	doctor(e, "snapshots/before/cgroup/memory/memsw/peak", "8388608"); /* it was full before the program began */
	expect_verdict(e, &w, "fail", "cgroup.memory.events.max moved");
	doctor(e, "snapshots/before/cgroup/memory/memsw/peak", "90112");
	doctor(e, "snapshots/after/cgroup/memory/swap/max", "4096");
	expect_verdict(e, &w, "fail", "cgroup.memory.events.max moved");
}

/* v1 on 6.18: nor is what TCP is refused, but all that it may have was taken in this run. */
static void test_uncounted_sockets(void **state)
{
	struct world w;
	(void)state;
	static const struct edit full[] = {
		{"limits/0/id", "\"memcg-max\""},
		{"limits/0/bound", "1048576"},
		{"limits/0/where", "\"memory.kmem.tcp.limit_in_bytes of its group\""},
		{"environment", "{\"cgroup\": {\"memory.kmem.tcp.max\": 1048576}}"},
		{"snapshots/before/cgroup/memory", "{\"kmem\":{\"tcp\":{\"current\":0,\"events\":{\"max\":0}}}}"},
		{"snapshots/failure",
		 "{\"cgroup\":{\"memory\":{\"kmem\":{\"tcp\":{\"current\":1048576,\"events\":{\"max\":0}}}}}}"},
		{"snapshots/after/cgroup/memory", "{\"kmem\":{\"tcp\":{\"current\":0,\"events\":{\"max\":0}}}}"},
		{0}};
	json_auto_t *e = doctored("memcg-high-trigger", full, &w);
	w.run.expect.cause = (char *)"memcg-max";
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "snapshots/failure/cgroup/memory/kmem/tcp/current", "1044480");
	expect_verdict(e, &w, "fail", "cgroup.memory.kmem.tcp.events.max moved");
	doctor(e, "snapshots/failure/cgroup/memory/kmem/tcp/current", "1048576");
	doctor(e, "snapshots/before/cgroup/memory/kmem/tcp/current", "1048576"); /* before the program began */
	expect_verdict(e, &w, "fail", "cgroup.memory.kmem.tcp.events.max moved");
	doctor(e, "snapshots/before/cgroup/memory/kmem/tcp/current", "0");
	/* what may not fail is charged all the same */
	doctor(e, "snapshots/failure/cgroup/memory/kmem/tcp/current", "1052672");
	expect_verdict(e, &w, "pass", NULL);
	doctor(e, "limits/0/where", "\"memory.max of its group\"");
	expect_verdict(e, &w, "fail", "cgroup.memory.events.max moved");
	doctor(e, "limits/0/where", "\"memory.kmem.tcp.limit_in_bytes of its group\"");
	struct machine counts = {.kernel_major = 6, .kernel_minor = 1};
	assert_int_equal(judge_run(e, &w.run, &counts), 0);
	assert_string_equal(member(e, "verdict"), "fail"); /* nobody was refused */
	doctor(e, "snapshots/after/cgroup/memory/kmem/tcp/events/max", "1");
	assert_int_equal(judge_run(e, &w.run, &counts), 0);
	assert_string_equal(member(e, "verdict"), "pass");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_panic),
		cmocka_unit_test(test_unpredicted_panic),
		cmocka_unit_test(test_no_panic),
		cmocka_unit_test(test_oom_kills),
		cmocka_unit_test(test_group_above),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_both_groups_limited),
		cmocka_unit_test(test_helped_at_stall),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_uncounted_sockets),
		cmocka_unit_test(test_uncounted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
