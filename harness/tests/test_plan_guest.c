// SPDX-License-Identifier: MIT
/*
 * Plans of what only a guest may have done to it: how levels are laid over each other, where a run is skipped and why,
 * what makes no sense, and how all of it is stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "number.h"
#include "planned.h"
#include "run.h"

#define MIB UINT64_C(1048576)

/* 256 MiB, Linux 6.1, cgroup v2, all capabilities, a guest. */
static struct machine guest(void)
{
	struct machine m = {.kernel_major = 6,
			    .kernel_minor = 1,
			    .page_size = 4096,
			    .root = true,
			    .user_namespaces = true,
			    .guest = true,
			    .capabilities = UINT64_MAX};

	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		m.cgroup.at[i].version = CGROUP_V2;
		m.cgroup_writable[i] = true;
	}
	m.now.meminfo.value[MEMINFO_MEM_TOTAL] = 256 * MIB;
	m.now.meminfo.value[MEMINFO_MEM_FREE] = 128 * MIB;
	m.now.meminfo.value[MEMINFO_MEM_AVAILABLE] = 160 * MIB;
	m.now.meminfo.value[MEMINFO_HUGEPAGE_SIZE] = 2 * MIB;
	m.now.tasks = 60;
	return m;
}

/* A scenario whose trigger, the second run, has this environment and these other keys. */
static struct scenario *scenario_of(const char *head, const char *environment, const char *more)
{
	char text[2048];
	snprintf(text, sizeof(text),
		 "name: dir\ntitle: t\nclass: leak\n%s\nexpect: {signal: SIGKILL, cause: system-oom}\nruns:\n"
		 "  - {name: c, role: control}\n  - {name: t, role: trigger, environment: {%s}%s}\n"
		 "  - {name: r, role: remedy}\n",
		 head, environment, more);
	return parse(text);
}

static void assert_skip_with(const char *head, const char *environment, const char *more, const struct machine *m,
			     const char *wanted)
{
	struct scenario *s = scenario_of(head, environment, more);
	struct plan *p = plan_of(s, m);
	const char *why = p->runs[1].skip;
	if (wanted && why ? strcmp(wanted, why) != 0 : wanted != why)
		fail_msg("%s%s: wanted '%s', got '%s'", environment, more, wanted ? wanted : "(none)",
			 why ? why : "(none)");
	plan_free(p);
	scenario_free(s);
}

static void assert_skip(const char *environment, const struct machine *m, const char *wanted)
{
	assert_skip_with("scope: machine\nsurvivable: true", environment, "", m, wanted);
}

static char *load(const char *name)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/manifests/%s.yaml", TEST_DATA, name);
	FILE *f = fopen(path, "re");
	char *text = calloc(1, 65536);
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void check_limited(const struct plan_run *run)
{
	const struct environment *env = &run->environment;
	assert_int_equal(env->cgroup_above[CGROUP_MEMORY_MAX], 16 * MIB);
	assert_int_equal(env->cgroup_above[CGROUP_PIDS_MAX], 4);
	assert_int_equal(env->cgroup_above[CGROUP_MEMORY_HIGH], ENVIRONMENT_NOT_SET);
	assert_int_equal(env->cgroup[CGROUP_MEMORY_MAX], ENVIRONMENT_NOT_SET);
	assert_int_equal(env->cgroup[CGROUP_MEMORY_OOM_CONTROL], 1);
	assert_int_equal(env->sys_count, 2);
	assert_string_equal(env->sys[0].name, "kernel/mm/transparent_hugepage/enabled");
	assert_string_equal(env->sys[1].value, "1"); /* the run's over the scenario's */
	assert_int_equal(env->namespace_sysctl_count, 3);
	assert_string_equal(env->namespace_sysctl[1].value, "250 32000 32 128");
	assert_int_equal(env->tmpfs_bytes, 32 << 10); /* whole pages */
	assert_int_equal(env->tmpfs_inodes, 1024);
	assert_int_equal(env->live_tmpfs_bytes, ENVIRONMENT_NOT_SET);
	assert_int_equal(env->live_tmpfs_inodes, ENVIRONMENT_NOT_SET);
	assert_true(env->swap_said);
	assert_true(env->swap_on_disk);
	assert_int_equal(env->swap_bytes, 64 * MIB);
	assert_true(env->knobs_writable);
	assert_int_equal(env->oom_score_adj, -1000);
	assert_int_equal(env->live_swap_bytes, 0);
	assert_string_equal(run->expect.oom_kills, "1");
	assert_null(run->expect.exit);
	assert_string_equal(run->argv[1], "268435456"); /* the swap of a run is no base: its size is known */
	assert_string_equal(run->argv[3], "67108864");
	assert_string_equal(run->argv[4], "83886080");
	assert_string_equal(run->argv[5], "2097152");
	assert_string_equal(run->argv[6], "60");
	/* Nothing holds the run back but its deadline. */
	assert_int_equal(env->memory_ceiling_bytes, ENOMEM_UNLIMITED);
	assert_int_equal(env->tasks_ceiling, ENOMEM_UNLIMITED);
	assert_int_equal(env->deadline_ns, UINT64_C(10000000000));
}

static void test_merge(void **state)
{
	(void)state;
	char *text = load("good-guest");
	struct scenario *s = parse(text);
	struct machine m = guest();
	struct plan *p = plan_of(s, &m);
	const struct environment *control = &p->runs[0].environment, *remedy = &p->runs[2].environment;
	assert_int_equal(p->run_count, 3);
	check_limited(&p->runs[1]);
	assert_true(control->swap_said);
	assert_int_equal(control->swap_bytes, 0);
	assert_false(control->knobs_writable);
	assert_string_equal(p->runs[0].expect.oom_kills, "0");
	assert_string_equal(control->sys[1].value, "0");
	assert_int_equal(remedy->live_swap_bytes, 32 * MIB);
	assert_int_equal(remedy->live_sysctl_count, 1);
	assert_string_equal(remedy->live_sysctl[0].name, "vm.overcommit_memory");
	assert_string_equal(p->runs[2].expect.oom_kills, "any");
	plan_free(p);
	scenario_free(s);
	free(text);
	/* Without a word about it, a helping remedy says nothing of OOM kills. */
	s = scenario_of("scope: machine\nenvironment: {swap: 0}", "", ", expect: {oom_kills: 2}");
	p = plan_of(s, &m);
	assert_string_equal(p->runs[1].expect.oom_kills, "2");
	assert_null(p->runs[0].expect.oom_kills);
	assert_null(p->runs[2].expect.oom_kills);
	plan_free(p);
	scenario_free(s);
}

static void test_panic(void **state)
{
	(void)state;
	char *text = load("good-panic");
	struct scenario *s = parse(text);
	struct machine m = guest();
	struct plan *p = plan_of(s, &m);
	assert_string_equal(p->runs[1].expect.panic, "system-wide panic_on_oom");
	assert_null(p->runs[1].expect.exit);
	assert_null(p->runs[0].expect.panic);
	assert_string_equal(p->runs[0].expect.exit, "0");
	plan_free(p);
	scenario_free(s);
	free(text);
}

/* ---- skips ---- */

static void test_guest_only(void **state)
{
	(void)state;
	static const char head[] = "scope: machine\nsurvivable: true";
	struct machine m = guest();
	for (int in_guest = 1; in_guest >= 0; in_guest--) {
		m.guest = in_guest;
		m.allow_machine = true;
		assert_skip("swap: 64M", &m, in_guest ? NULL : "needs a guest: swap");
		assert_skip("swap: 0", &m, in_guest ? NULL : "needs a guest: swap");
		assert_skip("sys: {kernel/mm/ksm/run: 1}", &m, in_guest ? NULL : "needs a guest: sys");
		assert_skip("knobs: writable", &m, in_guest ? NULL : "needs a guest: writable knobs");
		assert_skip_with(head, "", ", live: {swap: 1M}", &m, in_guest ? NULL : "needs a guest: swap");
		/* What can be taken back may be done here. */
		assert_skip("knobs: read-only", &m, NULL);
		assert_skip("swap_on: disk", &m, NULL);
		assert_skip("sysctl: {vm.overcommit_memory: 2}", &m, NULL);
		assert_skip_with(head, "", ", live: {sysctl: {vm.overcommit_memory: 1}}", &m, NULL);
	}
	/* That the machine is not to be touched at all comes first. */
	m.allow_machine = false;
	assert_skip("swap: 64M", &m,
		    "machine scope: needs --allow-machine, or a guest (ci/kernels 6.1 brings a kernel)");
	assert_skip_with("scope: machine", "swap: 64M", "", &m,
			 "machine scope: needs a guest (ci/kernels 6.1 brings a kernel)");
}

static void test_namespace_sysctl(void **state)
{
	(void)state;
	static const char head[] = "scope: namespace";
	static const char shm[] = "namespace_sysctl: {kernel.shmmax: 1}";
	static const char pids[] = "namespace_sysctl: {kernel.shmmax: 1, kernel.pid_max: 301}";
	static const char global[] = "needs kernel >=6.14: kernel.pid_max is not per namespace here";
	struct machine m = guest();
	m.guest = false;
	assert_skip_with(head, shm, "", &m, NULL);
	assert_skip_with(head, pids, "", &m, global);
	m.kernel_minor = 13;
	assert_skip_with(head, pids, "", &m, global);
	m.guest = true; /* there it would reach the harness as well */
	assert_skip_with("scope: machine", pids, "", &m, global);
	m.kernel_minor = 14;
	assert_skip_with(head, pids, "", &m, NULL);
	m.kernel_major = 7;
	m.kernel_minor = 0;
	assert_skip_with(head, pids, "", &m, NULL);
	m.kernel_major = 5;
	m.kernel_minor = 20;
	assert_skip_with(head, pids, "", &m, global);
	m.root = false;
	assert_skip_with(head, shm, "", &m, "needs root to set kernel.shmmax");
	assert_skip_with("scope: machine", "", ", live: {sysctl: {vm.x: 1}}", &m, "needs root to set vm.x");
	assert_skip_with(head, "tmpfs: {size: 1M}", "", &m, NULL); /* its own user namespace may mount one */
	assert_skip_with(head, "", ", live: {namespace_sysctl: {kernel.shmmax: 9}}", &m,
			 "needs root to set kernel.shmmax");
	assert_skip_with(head, "", ", live: {tmpfs: {inodes: 9}}", &m, "needs root to resize a tmpfs live");
}

/* A case in which some run expects write() to be refused is watched for it in all its runs; nobody else is. */
static void test_watched_on_demand(void **state)
{
	(void)state;
	struct scenario *s = parse("name: dir\ntitle: t\nclass: leak\nscope: process\n"
				   "expect: {errno: ENOSPC, cause: tmpfs-size}\n"
				   "cases:\n"
				   "  - {name: a, expect: {call: [fallocate, write]}}\n"
				   "  - {name: b, expect: {call: fallocate}}\n"
				   "runs:\n"
				   "  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n"
				   "  - {name: o, role: remedy, cases: [b], expect: {call: openat, errno: ENOSPC, "
				   "cause: tmpfs-size, exit: 0}}\n");
	struct machine m = guest();
	struct plan *p = plan_of(s, &m);
	const uint64_t a = call_on_demand_bit("write"), b = call_on_demand_bit("openat");
	assert_int_equal(p->run_count, 7);
	for (size_t i = 0; i < p->run_count; i++)
		assert_int_equal(p->runs[i].environment.watch_calls, i < 3 ? a : b);
	plan_free(p);
	scenario_free(s);
	s = scenario_of("scope: process", "", "");
	p = plan_of(s, &m);
	assert_int_equal(p->runs[1].environment.watch_calls, 0);
	plan_free(p);
	scenario_free(s);
	s = scenario_of("scope: process\nenvironment: {inject: {write: ENOSPC, mmap: ENOMEM}}", "", "");
	p = plan_of(s, &m);
	assert_int_equal(p->runs[1].environment.watch_calls, a);
	plan_free(p);
	scenario_free(s);
}

static void test_versions(void **state)
{
	(void)state;
	struct machine m = guest();
	assert_skip("cgroup_above: {memory.max: 1M}", &m, NULL);
	assert_skip("cgroup: {memory.oom_control: 1}", &m,
		    "needs memory.oom_control, which cgroup v2 does not have (the memory controller is v2 here)");
	assert_skip("cgroup_above: {memory.kmem.max: 1M}", &m,
		    "needs memory.kmem.max, which cgroup v2 does not have (the memory controller is v2 here)");
	assert_skip("cgroup: {hugetlb.max: 1M}", &m, NULL);
	m.cgroup.at[CGROUP_MEMORY].version = CGROUP_V1;
	assert_skip("cgroup: {memory.oom_control: 1, memory.kmem.max: 1M}", &m, NULL);
	assert_skip("cgroup_above: {memory.high: 1M}", &m,
		    "needs memory.high, which cgroup v1 does not have (the memory controller is v1 here)");
	assert_skip_with("scope: machine", "", ", live: {cgroup: {memory.high: 1M}}", &m,
			 "needs memory.high, which cgroup v1 does not have (the memory controller is v1 here)");
	m.cgroup.at[CGROUP_PIDS].version = CGROUP_NONE;
	assert_skip("cgroup_above: {pids.max: 1}", &m,
		    "needs the pids controller (cgroup v1 or v2), which is not mounted");
	m.capabilities = 0;
	assert_skip("oom_score_adj: -1000", &m, "needs CAP_SYS_RESOURCE to set oom_score_adj below 0");
}

/* ---- what makes no sense ---- */

static void test_unresolved(void **state)
{
	(void)state;
	static const struct {
		const char *environment, *more, *message;
	} cases[] = {
		{"swap: 1M - 1G", "", "run 't': the environment's '1M - 1G' is below zero"},
		{"cgroup_above: {memory.max: 1M - 1G}", "", "run 't': the environment's '1M - 1G' is below zero"},
		{"tmpfs: {size: 1M - 1G}", "", "run 't': the environment's '1M - 1G' is below zero"},
		{"tmpfs: {size: 1M - 1M}", "", "run 't': the environment's '1M - 1M' is below zero"},
		{"",
		 ", live: {namespace_sysctl: {kernel.shmmax: 1, kernel.shmall: 1, kernel.shmmni: 1, kernel.msgmax: 1, "
		 "kernel.msgmni: 1}}",
		 "run 't': the live change's 'kernel.msgmni' is one too many"},
		{"", ", live: {tmpfs: {size: 1M - 1G}}", "run 't': the live change's '1M - 1G' is below zero"},
		{"", ", live: {swap: 1M - 1G}", "run 't': the live change's '1M - 1G' is below zero"},
		{"swap: 1M, swap_on: disk", ", live: {swap: 1M}",
		 "run 't': the live change's swap '1M': the guest's disk holds the swap of the environment already\n"},
		{"sys: {a/a: 1, a/b: 1, a/c: 1, a/d: 1, a/e: 1}", "",
		 "run 't': the environment's 'a/e' is one too many: at most 8 of sysctl and inject, 4 of sys and "
		 "namespace_sysctl\n"},
		{"namespace_sysctl: {kernel.shmmax: 1, kernel.shmall: 1, kernel.shmmni: 1, kernel.msgmax: 1, "
		 "kernel.msgmni: 1}",
		 "", "run 't': the environment's 'kernel.msgmni' is one too many"},
	};
	struct machine m = guest();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario *s = scenario_of("scope: machine", cases[i].environment, cases[i].more);
		struct plan *p = NULL;
		int r = make(s, &m, &p);
		if (r != -EINVAL || p || !strstr(messages, cases[i].message))
			fail_msg("%zu: wanted\n%s\ngot %d and\n%s", i, cases[i].message, r, messages);
		scenario_free(s);
	}
	/* Four fit, and two swaps on zram as well. */
	assert_skip("sys: {a/a: 1, a/b: 1, a/c: 1, a/d: 1}", &m, NULL);
	assert_skip_with("scope: machine", "swap: 1M", ", live: {swap: 1M}", &m, NULL);
}

/* ---- the evidence of it ---- */

static const char *text_at(const json_t *o, const char *a, const char *b)
{
	const char *text = json_string_value(json_object_get(json_object_get(o, a), b));
	return text ? text : "(none)";
}

static void test_stored(void **state)
{
	(void)state;
	char *text = load("good-guest");
	struct scenario *s = parse(text);
	struct machine m = guest();
	struct plan *p = plan_of(s, &m);
	json_t *e = evidence_environment(&p->runs[1]), *live = evidence_environment(&p->runs[2]);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(e, "cgroup_above"), "memory.max")),
			 16 * MIB);
	assert_string_equal(text_at(e, "sys", "kernel/mm/ksm/run"), "1");
	assert_string_equal(text_at(e, "namespace_sysctl", "kernel.shmmax"), "65536");
	assert_int_equal(json_integer_value(json_object_get(json_object_get(e, "tmpfs"), "size")), 32 << 10);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(e, "tmpfs"), "inodes")), 1024);
	json_t *resized = json_object_get(json_object_get(live, "live"), "tmpfs");
	assert_int_equal(json_integer_value(json_object_get(resized, "size")), 2 * 4096);
	assert_null(json_object_get(resized, "inodes"));
	assert_string_equal(text_at(json_object_get(live, "live"), "namespace_sysctl", "kernel.shmall"), "64");
	assert_int_equal(json_integer_value(json_object_get(e, "swap")), 64 * MIB);
	assert_string_equal(json_string_value(json_object_get(e, "swap_on")), "disk");
	assert_string_equal(json_string_value(json_object_get(e, "knobs")), "writable");
	assert_null(json_object_get(e, "live"));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(live, "live"), "swap")), 32 * MIB);
	assert_string_equal(text_at(json_object_get(live, "live"), "sysctl", "vm.overcommit_memory"), "1");
	json_decref(e);
	json_decref(live);
	plan_free(p);
	scenario_free(s);
	free(text);
	/* A run that sets none of it says none of it. */
	s = scenario_of("scope: process", "", "");
	p = plan_of(s, &m);
	e = evidence_environment(&p->runs[1]);
	static const char *const absent[] = {"cgroup_above", "sys",  "namespace_sysctl", "swap", "swap_on", "knobs",
					     "live",         "tmpfs"};
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(json_object_get(e, absent[i]));
	assert_true(json_is_object(json_object_get(e, "sysctl")));
	json_decref(e);
	plan_free(p);
	scenario_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merge),      cmocka_unit_test(test_panic),
		cmocka_unit_test(test_guest_only), cmocka_unit_test(test_namespace_sysctl),
		cmocka_unit_test(test_versions),   cmocka_unit_test(test_watched_on_demand),
		cmocka_unit_test(test_unresolved), cmocka_unit_test(test_stored),
	};
	return cmocka_run_group_tests_name("plan_guest", tests, NULL, NULL);
}
