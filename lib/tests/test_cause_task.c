// SPDX-License-Identifier: MIT
/*
 * Causes of refused tasks, the list of causes and the verdict over a report.
 */
#include "cause-fixture.h"

#include <sched.h>

#define THREAD (CLONE_VM | CLONE_THREAD | CLONE_SIGHAND)

static void clone_call(struct fixture *f, int error, uint64_t flags)
{
	fixture_call(f, "clone3", error, (const uint64_t[6]){0});
	f->r.clone_flags = flags;
	judge(f);
}

static void test_list(void **state)
{
	(void)state;
	for (int id = 0; id < CAUSE_COUNT; id++) {
		assert_int_equal(cause_by_name(cause_infos[id].name), id);
		assert_non_null(cause_infos[id].unit);
	}
	assert_int_equal(cause_by_name("rlimit-a"), -ENOENT);
	assert_int_equal(cause_by_name("RLIMIT-AS"), -ENOENT);
	assert_int_equal(cause_by_name(""), -ENOENT);
	assert_string_equal(cause_infos[CAUSE_PIDS_MAX].counter, "cgroup.pids.events.max");
	assert_null(cause_infos[CAUSE_RLIMIT_AS].counter);
}

static void test_name(void **state)
{
	(void)state;
	struct cause_report r = {0};
	unsigned index = 99;
	uint32_t also = 99;

	assert_int_equal(cause_name(&r, &index, &also), CAUSE_UNKNOWN);
	assert_int_equal(index, 0);
	assert_int_equal(also, 0);
	r.count = 4;
	r.state[0] = (struct limit_state){.id = CAUSE_RLIMIT_AS, .errno_fits = true};
	r.state[1] = (struct limit_state){.id = CAUSE_PIDS_MAX, .refuses = true};
	r.state[2] = (struct limit_state){.id = CAUSE_MAX_MAP_COUNT, .errno_fits = true};
	r.state[3] = (struct limit_state){.id = CAUSE_COMMIT_LIMIT};
	/* the only one that refuses says something else than what was seen */
	assert_int_equal(cause_name(&r, &index, &also), CAUSE_UNKNOWN);
	assert_int_equal(index, 4);
	assert_int_equal(also, 1U << 1);
	r.state[2].refuses = r.state[3].refuses = true;
	assert_int_equal(cause_name(&r, &index, &also), CAUSE_MAX_MAP_COUNT);
	assert_int_equal(index, 2);
	assert_int_equal(also, 1U << 1 | 1U << 3);
}

static void test_pids_max(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_sum(&f, CAUSE_PIDS_MAX, 2, 1, ENOMEM_UNLIMITED);
	f.s.cgroup.value[CGROUP_PIDS_MAX] = 6;
	f.s.cgroup.value[CGROUP_PIDS_CURRENT] = 5;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_PIDS_CURRENT] = 6;
	clone_call(&f, EAGAIN, THREAD);
	assert_only(&f, CAUSE_PIDS_MAX);
	assert_sum(&f, CAUSE_PIDS_MAX, 6, 1, 6);
	clone_call(&f, ENOMEM, 17); /* it never says that */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* somewhere else than in the run's group */
	f.s.in_cgroup = false;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.in_cgroup = true;
	f.s.process_seen = false;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_PIDS_MAX));
	f.s.process_seen = true;
	/* no pids controller */
	f.s.cgroup.value[CGROUP_PIDS_CURRENT] = f.s.cgroup.value[CGROUP_PIDS_MAX] = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_PIDS_MAX));
	/* a group above, behind one without a limit and one of memory */
	f.s.ancestor_count = 3;
	f.s.ancestor[0] = (struct ancestor_numbers){CGROUP_PIDS, 50, ENOMEM_UNLIMITED, ENOMEM_ABSENT, ENOMEM_ABSENT};
	f.s.ancestor[1] = (struct ancestor_numbers){CGROUP_MEMORY, 50, 1, ENOMEM_ABSENT, ENOMEM_ABSENT};
	f.s.ancestor[2] = (struct ancestor_numbers){CGROUP_PIDS, 99, 100, ENOMEM_ABSENT, ENOMEM_ABSENT};
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.ancestor[2].current = 100;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_PIDS_MAX);
	f.s.rlimit[RLIMIT_NPROC] = 3;
	clone_call(&f, EAGAIN, 17);
	assert_int_equal(named(&f), CAUSE_RLIMIT_NPROC);
	assert_true(state_of(&f, CAUSE_PIDS_MAX)->refuses);
}

static void test_nproc(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_NPROC] = 5;
	f.s.uid_tasks = 4;
	clone_call(&f, EAGAIN, 17);
	assert_allows(&f, CAUSE_RLIMIT_NPROC);
	f.s.uid_tasks = 5;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_RLIMIT_NPROC);
	assert_sum(&f, CAUSE_RLIMIT_NPROC, 5, 1, 5);
	/* capabilities exempt, unless they are of a user's own namespace: only when nothing else refused */
	f.s.status.cap_effective = 1ULL << 24;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_RLIMIT_NPROC);
	f.s.cgroup.value[CGROUP_PIDS_MAX] = 2;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_PIDS_MAX);
	f.s.status.cap_effective = 0;
	clone_call(&f, EAGAIN, 17);
	assert_int_equal(named(&f), CAUSE_RLIMIT_NPROC);
	f.s.status.uid = 0; /* root is exempt whatever he dropped */
	f.s.cgroup.value[CGROUP_PIDS_MAX] = ENOMEM_UNLIMITED;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_RLIMIT_NPROC));
	f.s.status.uid = 1000;
	f.s.uid_tasks = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_RLIMIT_NPROC));

	/* execve after setuid: the task is counted already */
	f.s.uid_tasks = 5;
	fixture_call(&f, "execve", EAGAIN, (const uint64_t[6]){0});
	judge(&f);
	assert_allows(&f, CAUSE_RLIMIT_NPROC);
	f.s.uid_tasks = 6;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_NPROC);
	f.s.status.uid = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_machine(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.tasks = 3699;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.tasks = 3700;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_THREADS_MAX);
	f.s.tasks = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* pid_max 400: 98 to 128 forks with 55 tasks, not 345, since no id below 300 is given out a second time. */
static void test_pid_max(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	clone_call(&f, EAGAIN, 17);
	assert_allows(&f, CAUSE_PID_MAX);
	assert_sum(&f, CAUSE_PID_MAX, 60, 1, 32468);
	f.s.sysctl[SYSCTL_PID_MAX] = 400;
	f.s.tasks = 55 + 98;
	f.s.pid_ids = 100;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_PID_MAX);
	assert_sum(&f, CAUSE_PID_MAX, 100, 1, 100);
	clone_call(&f, ENOMEM, 17); /* it never says that */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.pid_ids = 99;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	/* pids.max of a group while many tasks hold low ids: they prove nothing */
	f.s.cgroup.value[CGROUP_PIDS_MAX] = 2;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_PIDS_MAX);
	/* not counted, and it could be: nothing is claimed */
	f.s.cgroup.value[CGROUP_PIDS_MAX] = ENOMEM_UNLIMITED;
	f.s.pid_ids = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_PID_MAX));
	f.s.tasks = 34; /* 34 tasks hold 102 ids at most */
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_PID_MAX));
	f.s.tasks = 32;
	clone_call(&f, EAGAIN, 17);
	assert_allows(&f, CAUSE_PID_MAX);
	f.s.sysctl[SYSCTL_PID_MAX] = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_null(state_of(&f, CAUSE_PID_MAX));
	/* with threads-max: both say EAGAIN, both are told */
	f.s.sysctl[SYSCTL_PID_MAX] = 400;
	f.s.pid_ids = 100;
	f.s.sysctl[SYSCTL_THREADS_MAX] = 32;
	clone_call(&f, EAGAIN, 17);
	assert_int_equal(named(&f), CAUSE_THREADS_MAX);
	assert_true(state_of(&f, CAUSE_PID_MAX)->refuses);
}

/* 6.14 and later: 301 in a pid namespace of its own gives 299 forks, the last one with id 300. */
static void test_namespace_pid_max(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.namespace_pid_max = 301;
	f.s.namespace_pid_ids = 1;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_PID_MAX);
	const struct limit_state *own = &f.report.state[f.report.count - 1];
	assert_int_equal(own->in_use, 1);
	assert_int_equal(own->bound, 1);
	assert_allows(&f, CAUSE_PID_MAX); /* the machine's */
	f.s.namespace_pid_ids = 0;        /* 300 is free again */
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.namespace_pid_ids = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.namespace_pid_ids = 1;
	f.s.namespace_pid_max = ENOMEM_ABSENT;
	clone_call(&f, EAGAIN, 17);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_dead_pid_namespace(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	clone_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.pidns_children_dead = true;
	clone_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_DEAD_PID_NAMESPACE);
	assert_sum(&f, CAUSE_DEAD_PID_NAMESPACE, 0, 1, 0);
	clone_call(&f, ENOMEM, CLONE_VM | CLONE_VFORK | 17);
	assert_only(&f, CAUSE_DEAD_PID_NAMESPACE);
	clone_call(&f, EINVAL, THREAD);
	assert_only(&f, CAUSE_DEAD_PID_NAMESPACE);
	clone_call(&f, ENOMEM, THREAD);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	clone_call(&f, EINVAL, 17);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* with pids.max: the errno tells which one it met */
	f.s.cgroup.value[CGROUP_PIDS_MAX] = 2;
	clone_call(&f, ENOMEM, 17);
	assert_int_equal(named(&f), CAUSE_DEAD_PID_NAMESPACE);
	clone_call(&f, EAGAIN, 17);
	assert_int_equal(named(&f), CAUSE_PIDS_MAX);
}

/* A tiny RLIMIT_AS: the new image has nothing in use yet. */
static void test_exec(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_AS] = 1200 * KB;
	fixture_call(&f, "execve", ENOMEM, (const uint64_t[6]){0});
	f.r.asked_bytes = 1200 * KB;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.asked_bytes = 1200 * KB + 1;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_sum(&f, CAUSE_RLIMIT_AS, 0, 1204 * KB, 1200 * KB);
	f.r.asked_bytes = 0;
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_AS));
}

/* Arguments above a quarter of the stack limit: no other limit says E2BIG, and this one says nothing else. */
static void test_exec_arguments(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_STACK] = 2 * MB;
	fixture_call(&f, "execve", E2BIG, (const uint64_t[6]){0});
	f.r.asked_bytes = 512 * KB;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_RLIMIT_STACK);
	f.r.asked_bytes = 512 * KB + 1;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_STACK);
	assert_sum(&f, CAUSE_RLIMIT_STACK, 0, 512 * KB + 1, 512 * KB);
	f.s.rlimit[RLIMIT_AS] = 16 * PAGE; /* not looked at before */
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_STACK);
	f.s.rlimit[RLIMIT_STACK] = ENOMEM_UNLIMITED; /* three quarters of 8 MB all the same */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.asked_bytes = 6 * MB + 1;
	judge(&f);
	assert_sum(&f, CAUSE_RLIMIT_STACK, 0, 6 * MB + 1, 6 * MB);
	f.s.rlimit[RLIMIT_STACK] = ENOMEM_ABSENT;
	judge(&f);
	assert_int_equal(f.report.count, 0);
	f.s.rlimit[RLIMIT_STACK] = 2 * MB;
	fixture_call(&f, "execve", ENOMEM, (const uint64_t[6]){0});
	f.r.asked_bytes = 16 * MB;
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_STACK));
}

/* A new image's data: no more than all of it, so RLIMIT_DATA counts only where no other limit explains the failure. */
static void test_exec_data_limit(void **state)
{
	struct fixture f;
	(void)state;
	fixture_init(&f);
	f.r.asked_bytes = 33 * PAGE - 1;
	fixture_call(&f, "execve", ENOMEM, (const uint64_t[6]){0});
	f.s.rlimit[RLIMIT_DATA] = 33 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.rlimit[RLIMIT_DATA] = 33 * PAGE - 1;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_DATA);
	f.s.data_limit_ignored = true;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.data_limit_ignored = false;
	f.s.rlimit[RLIMIT_AS] = 33 * PAGE - 1;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_name),
		cmocka_unit_test(test_pids_max),
		cmocka_unit_test(test_nproc),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_dead_pid_namespace),
		cmocka_unit_test(test_exec_arguments),
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_exec_data_limit),
		cmocka_unit_test(test_pid_max),
		cmocka_unit_test(test_namespace_pid_max),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
