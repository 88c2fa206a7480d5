// SPDX-License-Identifier: MIT
/*
 * Plans on a machine that exists only here: amounts, merging, what is skipped and why.
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
#include <sys/resource.h>

#include "number.h"
#include "planned.h"

#define GIB (UINT64_C(1) << 30)

/* 8 GiB of RAM, 2 of swap, Linux 6.1, cgroup v2, root, no guest. */
static struct machine machine(void)
{
	struct machine m = {
		.kernel_major = 6, .kernel_minor = 1, .page_size = 4096, .root = true, .user_namespaces = true};

	m.capabilities = UINT64_C(1) << CAP_SYS_ADMIN;
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		m.cgroup.at[i].version = CGROUP_V2;
		m.cgroup_writable[i] = true;
	}
	for (size_t i = 0; i < SYSCTL_COUNT; i++)
		m.now.sysctl[i] = ENOMEM_ABSENT;
	m.now.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 0;
	m.now.sysctl[SYSCTL_MAX_MAP_COUNT] = 65530;
	m.now.sysctl[SYSCTL_PID_MAX] = 32768;
	m.now.meminfo.value[MEMINFO_MEM_TOTAL] = 8 * GIB;
	m.now.meminfo.value[MEMINFO_SWAP_TOTAL] = 2 * GIB;
	m.now.meminfo.value[MEMINFO_COMMIT_LIMIT] = 6 * GIB;
	m.now.meminfo.value[MEMINFO_COMMITTED_AS] = GIB;
	m.now.meminfo.value[MEMINFO_MEM_FREE] = 2 * GIB;
	m.now.meminfo.value[MEMINFO_MEM_AVAILABLE] = 4 * GIB;
	m.now.meminfo.value[MEMINFO_HUGEPAGE_SIZE] = 2 << 20;
	m.now.tasks = 123;
	return m;
}

/* Reasons, where NULL is none. */
static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

#define HEAD   "name: dir\ntitle: t\nclass: leak\n"
#define EXPECT "expect: {call: [mmap], errno: ENOMEM, cause: rlimit-as}\n"
#define RUNS                                                                                                           \
	"runs:\n"                                                                                                      \
	"  - {name: c, role: control}\n"                                                                               \
	"  - {name: t, role: trigger}\n"                                                                               \
	"  - {name: r, role: remedy}\n"

/* ---- amounts ---- */

static void test_amounts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} cases[] = {
		{"0", 0, 0},
		{"12", 0, 12},
		{"64M", 0, 64 << 20},
		{"ram", 0, 8 * GIB},
		{"swap", 0, 2 * GIB},
		{"page", 0, 4096},
		{"1 page", 0, 4096},
		{"3 pages", 0, 12288},
		{"commit.limit", 0, 6 * GIB},
		{"commit.headroom", 0, 5 * GIB},
		{"60% of commit.headroom", 0, 3 * GIB},
		{"2.5% of ram", 0, 8 * GIB / 40},
		{"150% of swap", 0, 3 * GIB},
		{"max_map_count", 0, 65530},
		{"pid_max", 0, 32768},
		{"free", 0, 2 * GIB},
		{"50% of available", 0, 2 * GIB},
		{"available - free", 0, 2 * GIB},
		{"hugepage", 0, 2 << 20},
		{"200% of hugepage", 0, 4 << 20},
		{"threads", 0, 123},
		{"pid_max - threads", 0, 32645},
		{"2 hugepage", -EINVAL, 0},
		{"hugepages", -EINVAL, 0},
		{"Free", -EINVAL, 0},
		{"ram + swap + 1 page", 0, 10 * GIB + 4096},
		{"ram - 1 page", 0, 8 * GIB - 4096},
		{"0 - 1 + 1", 0, 0}, /* only the end must not be negative */
		{"50% of ram - 1G + 2 pages", 0, 3 * GIB + 8192},
		{"0 - 1", -ERANGE, 0},
		{"swap - ram", -ERANGE, 0},
		{"99999999999G", -ERANGE, 0},
		{"16777215T + 16777215T", -ERANGE, 0},
		{"99999999999999999999999% of ram", -ERANGE, 0},
		{"threads_max", -EINVAL, 0}, /* this machine does not say */
		{"", -EINVAL, 0},
		{" ", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"64MB", -EINVAL, 0},
		{"1.5G", -EINVAL, 0},
		{"ram +", -EINVAL, 0},
		{"ram + ", -EINVAL, 0},
		{" + ram", -EINVAL, 0},
		{"ram+swap", -EINVAL, 0},
		{"ram  + swap", -EINVAL, 0},
		{"60 % of ram", -EINVAL, 0},
		{"60% of rum", -EINVAL, 0},
		{"60% of 64M", -EINVAL, 0},
		{"60%", -EINVAL, 0},
		{"% of ram", -EINVAL, 0},
		{"pages", -EINVAL, 0},
		{"1M pages", -EINVAL, 0},
		{"mmap", -EINVAL, 0},
		{"max", -EINVAL, 0},
		{"000000000000000000000000000000000000000000000000000000000000000000000001", -EINVAL, 0},
	};
	struct machine m = machine();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t value = 4711;
		int r = plan_amount(cases[i].text, &m, &value);
		if (r != cases[i].result || value != (r == 0 ? cases[i].value : 4711))
			fail_msg("'%s': result %d, value %llu", cases[i].text, r, (unsigned long long)value);
	}
	m.now.meminfo.value[MEMINFO_MEM_AVAILABLE] = ENOMEM_ABSENT;
	m.now.tasks = ENOMEM_ABSENT;
	uint64_t none;
	assert_int_equal(plan_amount("available", &m, &none), -EINVAL);
	assert_int_equal(plan_amount("threads", &m, &none), -EINVAL);
	/* Committed_AS above the limit is no negative headroom. */
	uint64_t value = 1;
	m.now.meminfo.value[MEMINFO_COMMITTED_AS] = 7 * GIB;
	assert_int_equal(plan_amount("commit.headroom", &m, &value), 0);
	assert_int_equal(value, 0);
}

/* ---- merging ---- */

static char *load_full(void)
{
	FILE *f = fopen(TEST_DATA "/manifests/good-full.yaml", "re");
	char *text = calloc(1, 65536);
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

static void check_limited(const struct plan_run *fork, const struct plan_run *thread)
{
	assert_string_equal(fork->name, "fork: limited");
	assert_string_equal(fork->argv[0], "full-program");
	assert_string_equal(fork->argv[1], "--reserve");
	assert_string_equal(fork->argv[2], "3221225472"); /* 60% of 5 GiB */
	assert_string_equal(fork->argv[3], "");
	assert_string_equal(fork->argv[4], "fork");
	assert_null(fork->argv[5]);
	assert_int_equal(fork->environment.rlimit[RLIMIT_AS], 8 * GIB + 4096);
	assert_int_equal(fork->environment.rlimit[RLIMIT_NOFILE], 64);
	assert_int_equal(fork->environment.rlimit[RLIMIT_CORE], 0);
	assert_int_equal(fork->environment.rlimit[RLIMIT_STACK], ENVIRONMENT_NOT_SET);
	assert_int_equal(fork->environment.cgroup[CGROUP_PIDS_MAX], 6);
	assert_int_equal(fork->environment.cgroup[CGROUP_MEMORY_OOM_GROUP], 1);
	assert_int_equal(fork->environment.cgroup[CGROUP_MEMORY_MAX], ENVIRONMENT_NOT_SET);
	assert_string_equal(fork->environment.identity, "nobody");
	assert_int_equal(fork->environment.oom_score_adj, 900);
	assert_true(fork->environment.all_cpus);
	assert_int_equal(fork->environment.deadline_ns, UINT64_C(5000000000));
	assert_int_equal(fork->environment.memory_ceiling_bytes, GIB); /* a quarter of 8 GiB is more */
	assert_int_equal(fork->environment.tasks_ceiling, 512);
	assert_int_equal(fork->expect.call.count, 3);
	assert_string_equal(fork->expect.error, "EAGAIN");
	assert_string_equal(fork->expect.exit, "1");
	assert_int_equal(fork->expect.check_count, 6); /* one of the scenario, five of the run */
	assert_string_equal(fork->expect.check[0].right, "failure.cgroup.pids.max");
	/* The case's words over the scenario's. */
	assert_string_equal(thread->name, "thread: limited");
	assert_string_equal(thread->argv[4], "thread");
	assert_string_equal(thread->argv[5], "12");
	assert_string_equal(thread->environment.identity, "1000");
	assert_int_equal(thread->environment.cgroup[CGROUP_PIDS_MAX], 8);
	assert_int_equal(thread->expect.call.count, 2);
	assert_int_equal(thread->expect.check_count, 7);
}

static void test_merge(void **state)
{
	(void)state;
	char *text = load_full();
	struct scenario *s = parse(text);
	struct machine m = machine();
	m.kernel_minor = 11;
	m.guest = true;
	m.capabilities |= UINT64_C(1) << CAP_SYS_RESOURCE;
	struct plan *p = plan_of(s, &m);
	assert_null(p->skip);
	assert_true(p->exclusive);
	assert_int_equal(p->run_count, 8); /* two cases, less one remedy each */
	assert_string_equal(strrchr(p->program, '/'), "/full-program");
	assert_int_equal(p->program[0], '/');
	const struct plan_run *control = &p->runs[0], *more = &p->runs[3], *helped = &p->runs[6];
	assert_string_equal(control->name, "fork: no limit");
	assert_int_equal(control->environment.cgroup[CGROUP_PIDS_MAX], ENOMEM_UNLIMITED);
	assert_string_equal(control->expect.exit, "0");
	assert_null(control->expect.error); /* nothing of the scenario's expectation */
	assert_null(control->expect.cause);
	assert_int_equal(control->expect.check_count, 0);
	check_limited(&p->runs[1], &p->runs[5]);
	/* Folklore fails as the trigger does, and says otherwise where it wants. */
	assert_string_equal(more->name, "fork: more memory");
	assert_int_equal(more->role, ROLE_REMEDY);
	assert_int_equal(more->scope, SCOPE_MACHINE);
	assert_string_equal(more->argv[5], "--more");
	assert_string_equal(more->expect.error, "EAGAIN");
	assert_string_equal(more->expect.exit, "any");
	assert_int_equal(more->expect.check_count, 1);
	assert_int_equal(more->environment.sysctl_count, 1);
	assert_string_equal(more->environment.sysctl[0].name, "vm.overcommit_memory");
	assert_string_equal(more->environment.sysctl[0].value, "1");
	assert_int_equal(more->environment.deadline_ns, UINT64_C(300000000));
	/* A guest may be exhausted. */
	assert_int_equal(more->environment.memory_ceiling_bytes, ENOMEM_UNLIMITED);
	/* A remedy that is refused first says so itself. */
	assert_string_equal(helped->name, "thread: raised for threads");
	assert_string_equal(helped->expect.exit, "0");
	assert_string_equal(helped->expect.error, "EAGAIN");
	assert_int_equal(helped->expect.call.count, 1);
	assert_int_equal(helped->expect.check_count, 0);
	plan_free(p);
	/* On an older kernel the folklore run does not exist, and nothing is of machine scope. */
	m.kernel_minor = 10;
	p = plan_of(s, &m);
	assert_int_equal(p->run_count, 6);
	assert_false(p->exclusive);
	plan_free(p);
	/* So does a check whose `when` is unmet. */
	m.kernel_major = 5;
	p = plan_of(s, &m);
	assert_int_equal(p->runs[1].expect.check_count, 5);
	plan_free(p);
	scenario_free(s);
	free(text);
}

static void test_defaults(void **state)
{
	(void)state;
	struct scenario *s = parse(HEAD "scope: process\nexpect: {signal: SIGKILL, cause: memcg-max}\n"
					"environment: {sysctl: {}, rlimit: {as: unlimited}}\n" RUNS);
	struct machine m = machine();
	m.now.meminfo.value[MEMINFO_MEM_TOTAL] = GIB / 2;
	struct plan *p = plan_of(s, &m);
	const struct environment *env = &p->runs[1].environment;
	assert_null(p->skip);
	assert_string_equal(p->runs[1].name, "t");
	assert_null(p->runs[1].case_text);
	assert_int_equal(env->memory_ceiling_bytes, GIB / 8);
	assert_int_equal(env->tasks_ceiling, 512);
	assert_int_equal(env->oom_score_adj, 1000);
	assert_int_equal(env->deadline_ns, UINT64_C(10000000000));
	const struct plan_run hurried = {.environment.deadline_ns = 7};
	const struct plan_run patient = {.environment.deadline_ns = 7, .expect.stall = true};
	assert_int_equal(plan_time_ns(&hurried), 7);
	assert_int_equal(plan_time_ns(&patient), 14);
	assert_false(env->all_cpus);
	assert_int_equal(env->rlimit[RLIMIT_AS], ENOMEM_UNLIMITED);
	assert_string_equal(env->identity, "");
	assert_null(p->runs[1].expect.exit); /* a signal leaves no exit code */
	assert_string_equal(p->runs[0].argv[0], "dir");
	assert_null(p->runs[0].argv[1]);
	plan_free(p);
	scenario_free(s);
}

/* A program that is refused and then dies of it has no exit code to expect. */
static void test_errno_and_signal(void **state)
{
	(void)state;
	struct scenario *s = parse(
		HEAD "scope: process\nexpect: {call: mmap, errno: ENOMEM, signal: SIGABRT, cause: rlimit-as}\n" RUNS);
	struct machine m = machine();
	struct plan *p = plan_of(s, &m);
	assert_string_equal(p->runs[1].expect.error, "ENOMEM");
	assert_string_equal(p->runs[1].expect.signal, "SIGABRT");
	assert_null(p->runs[1].expect.exit);
	plan_free(p);
	scenario_free(s);
}

/* A kernel parameter may be an amount; plain numbers and words stay as they are written. */
static void test_sysctl_amounts(void **state)
{
	(void)state;
	static const struct environment_setting expected[] = {
		{"vm.max_map_count", "65434"}, {"kernel.shmmax", "65536"},
		{"kernel.sem", "32 64 32 8"},  {"a.octal", "010"},
		{"a.word", "always"},          {"a.minus", "-1"},
	};
	struct scenario *s = parse(HEAD "scope: machine\n" EXPECT
					"environment: {sysctl: {vm.max_map_count: max_map_count - 96, kernel.shmmax: "
					"64K, kernel.sem: 32 64 32 8, a.octal: \"010\", a.word: always, a.minus: -1}, "
					"namespace_sysctl: {kernel.shmmax: 2 pages}}\n"
					"runs:\n- {name: c, role: control}\n- {name: t, role: trigger}\n- {name: r, "
					"role: remedy, live: {sysctl: {vm.max_map_count: max_map_count}}}\n");
	struct machine m = machine();
	struct plan *p = plan_of(s, &m);
	const struct environment *env = &p->runs[2].environment;

	assert_int_equal(env->sysctl_count, sizeof(expected) / sizeof(expected[0]));
	for (unsigned i = 0; i < env->sysctl_count; i++) {
		assert_string_equal(env->sysctl[i].name, expected[i].name);
		assert_string_equal(env->sysctl[i].value, expected[i].value);
	}
	assert_string_equal(env->namespace_sysctl[0].value, "8192");
	assert_string_equal(env->live_sysctl[0].value, "65530");
	plan_free(p);
	scenario_free(s);
}

/* Failures to inject are laid over each other call by call, and taken away by "none". */
static void test_injections(void **state)
{
	(void)state;
	struct scenario *s =
		parse(HEAD "scope: process\n" EXPECT "environment: {inject: {munmap: ENOMEM, clone: EAGAIN}}\n"
			   "runs:\n- {name: c, role: control, environment: {inject: {munmap: none, clone: "
			   "none, brk: none}}}\n"
			   "- {name: t, role: trigger, environment: {inject: {brk: ENOMEM from 1M}}}\n"
			   "- {name: r, role: remedy, environment: {inject: {munmap: none, clone: "
			   "ENOMEM from 64K}}}\n");
	struct machine m = machine();
	struct plan *p = plan_of(s, &m);
	const struct environment *control = &p->runs[0].environment, *trigger = &p->runs[1].environment,
				 *remedy = &p->runs[2].environment;
	static const struct environment_injection none;

	assert_int_equal(control->injection_count, 0);
	assert_memory_equal(&control->injection[0], &none, sizeof(none));
	assert_int_equal(trigger->injection_count, 3);
	assert_string_equal(trigger->injection[0].call, "munmap");
	assert_int_equal(trigger->injection[0].error, ENOMEM);
	assert_int_equal(trigger->injection[0].least, 0);
	assert_int_equal(trigger->injection[1].error, EAGAIN);
	assert_string_equal(trigger->injection[2].call, "brk");
	assert_int_equal(trigger->injection[2].least, 1 << 20);
	assert_int_equal(remedy->injection_count, 1);
	assert_string_equal(remedy->injection[0].call, "clone");
	assert_int_equal(remedy->injection[0].error, ENOMEM);
	assert_int_equal(remedy->injection[0].least, 65536);
	plan_free(p);
	scenario_free(s);
}

/* What reads well but has no value on this machine is an error, with its line. */
static void test_unresolved(void **state)
{
	(void)state;
	static const struct {
		const char *text, *message;
	} cases[] = {
		{HEAD "scope: process\n" EXPECT "arguments: [1M - 2M]\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': argument '1M - 2M' is below zero or too large on this "
		 "machine\n"},
		{HEAD "scope: process\n" EXPECT "arguments: [60% of threads_max]\n" RUNS,
		 "dir/scenario.yaml:9: error: run 't': argument '60% of threads_max' makes no sense here\n"},
		{HEAD "scope: process\n" EXPECT "environment: {rlimit: {as: 1G - 2G}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's '1G - 2G' is below zero"},
		{HEAD "scope: cgroup\n" EXPECT "environment: {cgroup: {pids.max: 1G - 2G}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's '1G - 2G' is below zero"},
		{HEAD "scope: machine\n" EXPECT "environment: {sysctl: {a.a: 1G - 2G}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's '1G - 2G' is below zero"},
		{HEAD "scope: machine\n" EXPECT "environment: {sysctl: {a.a: 60% of threads_max}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's '60% of threads_max' makes no sense here\n"},
		{HEAD "scope: process\nexpect: {call: mmap, errno: ENOMEM, cause: rlimit-as, "
		      "check: [{value: exit.code, is: 1G - 2G}]}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 't': the check's value '1G - 2G' is below zero"},
		{HEAD "scope: machine\n" EXPECT "environment: {sysctl: {a.a: 1, a.b: 1, a.c: 1, a.d: 1, a.e: 1, a.f: "
		      "1, a.g: 1, a.h: 1, a.i: 1}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's 'a.i' is one too many: at most 8 of sysctl "
		 "and inject, 4 "
		 "of sys "
		 "and namespace_sysctl\n"},
		{HEAD "scope: process\n" EXPECT
		      "environment: {inject: {mmap: ENOMEM, munmap: ENOMEM, mremap: ENOMEM, mprotect: ENOMEM, mlock: "
		      "ENOMEM, brk: ENOMEM, pipe: ENOMEM, pipe2: ENOMEM, socket: ENOMEM}}\n" RUNS,
		 "dir/scenario.yaml:8: error: run 'c': the environment's 'socket' is one too many: at most 8 of sysctl "
		 "and inject"},
	};
	struct machine m = machine();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scenario *s = parse(cases[i].text);
		struct plan *p = NULL;
		int r = make(s, &m, &p);
		if (r != -EINVAL || p || !strstr(messages, cases[i].message))
			fail_msg("%zu: wanted\n%s\ngot %d and\n%s", i, cases[i].message, r, messages);
		scenario_free(s);
	}
}

/* A machine too small for an amount is no error of the manifest: the run needs another one, and says so. */
static void test_another_size(void **state)
{
	(void)state;
	static const char *const texts[] = {
		HEAD "scope: process\n" EXPECT "arguments: [swap - ram]\n" RUNS,
		HEAD "scope: process\n" EXPECT "arguments: [1G - 110% of ram]\n" RUNS,
		HEAD "scope: process\n" EXPECT "environment: {rlimit: {as: 1G - ram}}\n" RUNS,
		HEAD "scope: process\n" EXPECT "environment: {rlimit: {as: 1G - ram, data: 2G - ram}}\n" RUNS,
	};
	struct machine m = machine();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct scenario *s = parse(texts[i]);
		for (int guest = 0; guest <= 1; guest++) {
			m.guest = guest;
			struct plan *p = plan_of(s, &m);
			assert_string_equal(messages, "");
			assert_non_null(p->skip);
			for (size_t k = 0; k < p->run_count; k++) {
				assert_non_null(strstr(p->runs[k].skip, guest ? "needs another size of guest: "
									      : "needs another size of machine: "));
				assert_non_null(strstr(p->runs[k].skip, "ram' is below zero or too large here"));
				assert_int_equal(strstr(p->runs[k].skip, "--guest-memory") != NULL, guest);
			}
			plan_free(p);
		}
		scenario_free(s);
	}
}

/* ---- needs ---- */

static void assert_missing(const char *needs, const struct machine *m, const char *wanted)
{
	char text[1024];
	snprintf(text, sizeof(text), HEAD "scope: process\nneeds: %s\n" EXPECT RUNS, needs);
	struct scenario *s = parse(text);
	char *why = plan_missing(&s->needs, m);
	if (!same(why, wanted))
		fail_msg("%s: wanted '%s', got '%s'", needs, wanted ? wanted : "(none)", why ? why : "(none)");
	/* The scenario is skipped for this reason, and every run of it. */
	struct plan *p = plan_of(s, m);
	assert_true(!why == !p->skip);
	for (size_t i = 0; why && i < p->run_count; i++)
		assert_string_equal(p->runs[i].skip, why);
	plan_free(p);
	free(why);
	scenario_free(s);
}

static void test_brought(void **state)
{
	static const char *const missing[] = {NULL, "needs /enomem/no-such-file, which is not here"};
	struct machine m = {.kernel_major = 6, .kernel_minor = 1, .page_size = 4096, .root = true};
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char text[1024];
		snprintf(text, sizeof(text), HEAD "scope: process\nbring: [/bin/sh, /etc%s]\n" EXPECT RUNS,
			 missing[i] ? ", /enomem/no-such-file" : "");
		struct scenario *s = parse(text);
		struct plan *p = plan_of(s, &m);
		if (!same(p->skip, missing[i]))
			fail_msg("wanted '%s', got '%s'", missing[i] ? missing[i] : "(none)", p->skip);
		plan_free(p);
		scenario_free(s);
	}
}

static void test_needs(void **state)
{
	(void)state;
	struct machine m = machine();

	assert_missing("{}", &m, NULL);
	assert_missing("{kernel: \">=6.1\"}", &m, NULL);
	assert_missing("{kernel: \">=5.10\"}", &m, NULL);
	assert_missing("{kernel: \">=6.11\"}", &m, "needs kernel >=6.11 (this is 6.1)");
	assert_missing("{kernel: \"<6.1\"}", &m, "needs kernel <6.1 (this is 6.1)");
	assert_missing("{kernel: \"<6.2\"}", &m, NULL);
	assert_missing("{kernel: \"<10.0\"}", &m, NULL);
	assert_missing("{kernel: \">=5.10 <6.1\"}", &m, "needs kernel >=5.10 <6.1 (this is 6.1)");
	assert_missing("{kernel: \">=5.10 <6.11\"}", &m, NULL);
	assert_missing("{capabilities: [SYS_ADMIN]}", &m, NULL);
	assert_missing("{capabilities: [SYS_ADMIN, SYS_RESOURCE]}", &m, "needs CAP_SYS_RESOURCE");
	assert_missing("{root: true, user_namespaces: true}", &m, NULL);
	assert_missing("{sysctl: {vm.overcommit_memory: 0}}", &m, NULL);
	assert_missing("{sysctl: {vm.overcommit_memory: 1}}", &m, "needs vm.overcommit_memory = 1 (it is 0)");
	assert_missing("{sysctl: {kernel.threads-max: 1}}", &m,
		       "needs kernel.threads-max, which this kernel does not have");
	assert_missing("{sysctl: {vm.overcommit_memory: not 2}}", &m, NULL);
	assert_missing("{sysctl: {vm.overcommit_memory: not 0}}", &m, "needs another vm.overcommit_memory than 0");
	assert_missing("{sysctl: {vm.no_such_thing: not 1}}", &m,
		       "needs vm.no_such_thing, which this kernel does not have");
	assert_missing("{sysctl: {vm.no_such_thing: 1}}", &m,
		       "needs vm.no_such_thing, which this kernel does not have");
	assert_missing("{ram: 8G}", &m, NULL);
	assert_missing("{ram: 9G}", &m, "needs 9 GiB of RAM (this machine has 8 GiB)");
	m.guest = true;
	assert_missing("{ram: 9G}", &m, "needs 9 GiB of RAM (this guest has 8 GiB: --guest-memory)");
	m.guest = false;
	assert_missing("{tools: [sh]}", &m, NULL);
	assert_missing("{tools: [enomem-no-such-tool]}", &m, "needs the program enomem-no-such-tool on PATH");
	assert_missing("{tools: [/bin/sh]}", &m, NULL);
	assert_missing("{tools: [/enomem/no-such-tool]}", &m, "needs the program /enomem/no-such-tool");
	assert_missing("{controllers: [memory, pids]}", &m, NULL);
	assert_missing("{cgroup: v2}", &m, NULL);
	assert_missing("{cgroup: v1}", &m, "needs cgroup v1 (the memory controller is v2 here)");

	m.root = false;
	assert_missing("{root: true}", &m, "needs root");
	m.root = true;
	m.io_uring = true;
	assert_missing("{io_uring: true}", &m, NULL);
	m.io_uring = false;
	assert_missing("{io_uring: true}", &m,
		       "needs io_uring (see sysctl kernel.io_uring_disabled and the container's seccomp profile)");
	assert_missing(
		"{ia32: true}", &m,
		"needs a kernel that runs 32-bit programs (CONFIG_IA32_EMULATION, and no ia32_emulation=0 on its "
		"command line)");
	assert_missing("{default_sysctls: true}", &m, "needs a guest without --sysctl and --profile");
	m.default_sysctls = true;
	assert_missing("{default_sysctls: true}", &m, NULL);
	m.user_namespaces = false;
	assert_missing("{user_namespaces: true}", &m,
		       "needs unprivileged user namespaces (see sysctl user.max_user_namespaces)");
	/* Hybrid: the version asked for is that of the controller that matters. */
	m.cgroup.at[CGROUP_PIDS].version = CGROUP_V1;
	assert_missing("{cgroup: v1}", &m, "needs cgroup v1 (the memory controller is v2 here)");
	assert_missing("{cgroup: v1, controllers: [pids]}", &m, NULL);
	assert_missing("{cgroup: v1, controllers: [pids, memory]}", &m,
		       "needs cgroup v1 (the memory controller is v2 here)");
	m.cgroup.at[CGROUP_MEMORY].version = CGROUP_NONE;
	assert_missing("{controllers: [memory]}", &m,
		       "needs the memory controller (cgroup v1 or v2), which is not mounted");
	assert_missing("{cgroup: v2}", &m, "needs cgroup v2 (the memory controller is not mounted here)");
}

/* ---- skips ---- */

/* The reason of run t (the second) on the machine; NULL: it runs. */
static void assert_skip(const char *text, const struct machine *m, const char *wanted)
{
	struct scenario *s = parse(text);
	struct plan *p = plan_of(s, m);
	const char *why = p->runs[1].skip;
	if (!same(why, wanted))
		fail_msg("wanted '%s', got '%s'", wanted ? wanted : "(none)", why ? why : "(none)");
	plan_free(p);
	scenario_free(s);
}

static void test_skip_machine_scope(void **state)
{
	(void)state;
	static const char dies[] = HEAD "scope: machine\n" EXPECT RUNS;
	static const char lives[] = HEAD "scope: machine\nsurvivable: true\n" EXPECT RUNS;
	struct machine m = machine();

	assert_skip(dies, &m, "machine scope: needs a guest (ci/kernels 6.1 brings a kernel)");
	assert_skip(lives, &m, "machine scope: needs --allow-machine, or a guest (ci/kernels 6.1 brings a kernel)");
	m.allow_machine = true;
	assert_skip(dies, &m, "machine scope: needs a guest (ci/kernels 6.1 brings a kernel)");
	assert_skip(lives, &m, NULL);
	m.allow_machine = false;
	m.guest = true;
	assert_skip(dies, &m, NULL);
	assert_skip(lives, &m, NULL);
}

static void test_skip_cgroup(void **state)
{
	(void)state;
	static const char pids[] = HEAD "scope: cgroup\nenvironment: {cgroup: {pids.max: 6}}\n" EXPECT RUNS;
	static const char high[] = HEAD "scope: cgroup\nenvironment: {cgroup: {memory.high: 8M}}\n" EXPECT RUNS;
	struct machine m = machine();

	assert_skip(pids, &m, NULL);
	m.cgroup_writable[CGROUP_PIDS] = false;
	assert_skip(pids, &m,
		    "needs a cgroup of its own with the pids controller, but its hierarchy cannot be written here");
	m.root = false;
	assert_skip(pids, &m,
		    "needs a cgroup of its own with the pids controller: run as root, or in a delegated cgroup: "
		    "systemd-run --user --scope -p Delegate=yes enomem ...");
	m.cgroup.at[CGROUP_PIDS].version = CGROUP_NONE;
	assert_skip(pids, &m, "needs the pids controller (cgroup v1 or v2), which is not mounted");
	assert_skip(high, &m, NULL); /* another controller */
	m.cgroup.at[CGROUP_PIDS].version = CGROUP_V1;
	m.cgroup_writable[CGROUP_PIDS] = true;
	assert_skip(pids, &m, NULL); /* v1 has it */
	m.cgroup.at[CGROUP_MEMORY].version = CGROUP_V1;
	assert_skip(high, &m, "needs memory.high, which cgroup v1 does not have (the memory controller is v1 here)");
}

static void test_skip_privilege(void **state)
{
	(void)state;
	static const char plain[] = HEAD "scope: process\n" EXPECT RUNS;
	static const char nobody[] = HEAD "scope: process\nenvironment: {identity: nobody}\n" EXPECT RUNS;
	static const char adj[] = HEAD "scope: process\nenvironment: {oom_score_adj: -1}\n" EXPECT RUNS;
	static const char sysctl[] = HEAD "scope: machine\nsurvivable: true\n"
					  "environment: {sysctl: {vm.overcommit_memory: 2}}\n" EXPECT RUNS;
	struct machine m = machine();
	m.allow_machine = true;

	assert_skip(plain, &m, NULL);
	assert_skip(nobody, &m, NULL);
	assert_skip(sysctl, &m, NULL);
	assert_skip(adj, &m, "needs CAP_SYS_RESOURCE to set oom_score_adj below 0");
	m.capabilities |= UINT64_C(1) << CAP_SYS_RESOURCE;
	assert_skip(adj, &m, NULL);
	m.root = false;
	assert_skip(plain, &m, NULL);
	assert_skip(nobody, &m, "needs root to become nobody");
	assert_skip(sysctl, &m, "needs root to set vm.overcommit_memory");
	m.user_namespaces = false;
	assert_skip(plain, &m, "needs root or unprivileged user namespaces to make its namespaces");
	strcpy(m.why_no_witness, "ptrace is refused here");
	assert_skip(plain, &m, "ptrace is refused here");
}

/* Runs are skipped one by one; the scenario only when none is left. */
static void test_skip_some(void **state)
{
	(void)state;
	struct scenario *s = parse(HEAD "scope: process\n" EXPECT "runs:\n"
					"  - {name: c, role: control, needs: {root: true}}\n"
					"  - {name: t, role: trigger, needs: {capabilities: [SYS_ADMIN]}}\n"
					"  - {name: r, role: remedy, scope: machine}\n");
	struct machine m = machine();
	struct plan *p = plan_of(s, &m);
	assert_null(p->skip);
	assert_null(p->runs[0].skip);
	assert_null(p->runs[1].skip);
	assert_string_equal(p->runs[2].skip, "machine scope: needs a guest (ci/kernels 6.1 brings a kernel)");
	assert_false(p->exclusive); /* the one run of machine scope will not happen */
	plan_free(p);
	m.root = false;
	m.capabilities = 0;
	p = plan_of(s, &m);
	assert_string_equal(p->runs[0].skip, "needs root");
	assert_string_equal(p->runs[1].skip, "needs CAP_SYS_ADMIN");
	assert_string_equal(p->skip, "needs CAP_SYS_ADMIN"); /* the trigger's reason */
	plan_free(p);
	scenario_free(s);

	s = parse(HEAD "scope: process\n" EXPECT "runs:\n"
		       "  - {name: c, role: control, when: {kernel: \">=9.0\"}}\n"
		       "  - {name: t, role: trigger, when: {kernel: \">=9.0\"}}\n"
		       "  - {name: r, role: remedy, when: {kernel: \">=9.0\"}}\n");
	p = plan_of(s, &m);
	assert_int_equal(p->run_count, 0);
	assert_string_equal(p->skip, "no run of it exists on this kernel");
	plan_free(p);
	scenario_free(s);
}

/* ---- lib/environment ---- */

static void test_environment(void **state)
{
	(void)state;
	static const char *const names[] = {"as",     "data", "stack", "memlock", "nproc",
					    "nofile", "cpu",  "fsize", "core",    "rss"};
	struct environment a, b;

	memset(&a, 0x55, sizeof(a));
	memset(&b, 0xaa, sizeof(b));
	environment_init(&a);
	environment_init(&b);
	assert_memory_equal(&a, &b, sizeof(a)); /* no byte is left to chance */
	assert_int_equal(a.memory_ceiling_bytes, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int rlimit = environment_rlimit_by_name(names[i]);
		assert_in_range(rlimit, 0, PROCFS_RLIMITS - 1);
		assert_string_equal(environment_rlimit_name((unsigned)rlimit), names[i]);
	}
	assert_int_equal(environment_rlimit_by_name("as"), RLIMIT_AS);
	assert_int_equal(environment_rlimit_by_name("nice"), -ENOENT); /* no limit of memory or tasks */
	assert_int_equal(environment_rlimit_by_name(""), -ENOENT);
	assert_int_equal(environment_rlimit_by_name("AS"), -ENOENT);
	assert_null(environment_rlimit_name(RLIMIT_NICE));
	assert_null(environment_rlimit_name(99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_amounts),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_errno_and_signal),
		cmocka_unit_test(test_injections),
		cmocka_unit_test(test_sysctl_amounts),
		cmocka_unit_test(test_unresolved),
		cmocka_unit_test(test_another_size),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_brought),
		cmocka_unit_test(test_skip_machine_scope),
		cmocka_unit_test(test_skip_cgroup),
		cmocka_unit_test(test_skip_privilege),
		cmocka_unit_test(test_skip_some),
		cmocka_unit_test(test_environment),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
