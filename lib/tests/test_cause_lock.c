// SPDX-License-Identifier: MIT
/*
 * Causes of refused locks that mlock() and mmap() are not: segments, a heap that would be locked, and pages faulted in
 * for the caller in a group with nobody to kill.
 */
#include "cause-fixture.h"

/* Segments count by user, and nobody tells how much that is: what one asks by itself must be above the limit. */
static void test_lock_of_segment(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	fixture_call(&f, "shmctl", ENOMEM, (const uint64_t[6]){1, 11 /* SHM_LOCK */});
	f.r.asked_bytes = 17 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 17 * PAGE, 64 * KB);
	f.r.asked_bytes = 16 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.asked_bytes = 0; /* its namespace could not be asked */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.error = EPERM;
	f.r.asked_bytes = PAGE;
	f.s.rlimit[RLIMIT_MEMLOCK] = 0;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
}

/* No limit, but the same errno. Numbers of 6.18: 16 pages without access, then 15 pages and a hole. */
static void test_lock_of_hole(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	fixture_call(&f, "mlock", ENOMEM, (const uint64_t[6]){0x10000, 16 * PAGE});
	f.s.status.value[STATUS_VM_LOCKED] = 16 * PAGE; /* by this very call */
	f.s.maps.target_missing = 16 * PAGE;
	f.s.maps.target_reach = 16 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_NOT_MAPPED);
	assert_sum(&f, CAUSE_NOT_MAPPED, 0, 16 * PAGE, 0);
	f.s.status.value[STATUS_VM_LOCKED] = f.s.maps.target_reach = 15 * PAGE;
	f.s.maps.target_missing = PAGE;
	judge(&f);
	assert_only(&f, CAUSE_NOT_MAPPED);
	assert_sum(&f, CAUSE_NOT_MAPPED, 0, 16 * PAGE, 15 * PAGE);
	/* above the limit as well, which is looked at first */
	f.r.args[1] = 17 * PAGE;
	f.s.status.value[STATUS_VM_LOCKED] = 0;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_RLIMIT_MEMLOCK);
	/* all of it is there */
	f.r.args[1] = 16 * PAGE;
	f.s.maps.target_missing = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* EAGAIN is something else */
	f.s.maps.target_missing = PAGE;
	f.r.error = EAGAIN;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

/* After mlockall(MCL_FUTURE) a heap that would grow is locked as well; an exact limit explains before that does. */
static void test_lock_of_break(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	fixture_call(&f, "brk", ENOMEM, (const uint64_t[6]){0x601000});
	f.r.asked_bytes = PAGE;
	f.s.status.value[STATUS_VM_LOCKED] = 64 * KB;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 64 * KB, PAGE, 64 * KB);
	f.s.status.value[STATUS_VM_LOCKED] = 60 * KB;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.status.value[STATUS_VM_LOCKED] = 0; /* nothing is locked: there was no mlockall() */
	f.r.asked_bytes = 17 * PAGE;
	f.r.args[0] = 0x611000;
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_MEMLOCK));
	f.s.status.value[STATUS_VM_LOCKED] = 64 * KB;
	f.s.rlimit[RLIMIT_AS] = f.s.status.value[STATUS_VM_SIZE];
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
}

/* Calls that fault pages in for their caller, in a group with nobody to kill. */
static void test_full_group_of_faults(void **state)
{
	(void)state;
	struct fixture f;
	const struct {
		const char *call;
		uint64_t args[6];
		int error;
	} faulting[] = {{"mlock", {0x10000, 4 * PAGE}, EAGAIN}, {"madvise", {0x10000, 4 * PAGE, 23}, ENOMEM}};
	for (unsigned i = 0; i < sizeof(faulting) / sizeof(faulting[0]); i++) {
		fixture_init(&f);
		f.s.in_cgroup = true;
		f.s.cgroup.value[CGROUP_MEMORY_MAX] = 16 * MB;
		f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 16 * MB;
		fixture_call(&f, faulting[i].call, faulting[i].error, faulting[i].args);
		judge(&f);
		assert_only(&f, CAUSE_MEMCG_MAX);
		f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 8 * MB;
		judge(&f);
		assert_only(&f, CAUSE_UNKNOWN);
	}
}

/* As perf-mlock measured it, with one processor and 68 KiB for each: 17 pages for the user, 16 to be locked. */
static void test_ring(void **state)
{
	(void)state;
	struct fixture f;
	const uint64_t args[6] = {0, 2049 * PAGE, 3, 1 /* MAP_SHARED */, 7, 0};
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 16 * PAGE;
	f.s.status.value[STATUS_VM_PINNED] = 0;
	f.s.status.value[STATUS_VM_LOCKED] = 16 * PAGE; /* that counts apart */
	f.s.counted.perf_mlock_kb = 68;
	f.s.counted.perf_cpus = 1;
	f.s.counted.perf_rings = f.s.counted.perf_lenient = 0;
	fixture_call(&f, "mmap", EPERM, args);
	judge(&f);
	assert_only(&f, CAUSE_PERF_MLOCK);
	assert_sum(&f, CAUSE_PERF_MLOCK, 0, 2049, 33);
	f.r.args[1] = 33 * PAGE;
	judge(&f);
	assert_allows(&f, CAUSE_PERF_MLOCK);
	/* Page by page: those of the user first, then those that are pinned. */
	f.r.args[1] = PAGE;
	f.s.counted.perf_rings = 17;
	f.s.status.value[STATUS_VM_PINNED] = 15 * PAGE;
	judge(&f);
	assert_allows(&f, CAUSE_PERF_MLOCK);
	f.s.status.value[STATUS_VM_PINNED] = 16 * PAGE;
	judge(&f);
	assert_sum(&f, CAUSE_PERF_MLOCK, 33, 1, 33);
	assert_only(&f, CAUSE_PERF_MLOCK);
	f.s.counted.perf_rings = 1000; /* the limit was lowered since: more than it is none */
	judge(&f);
	assert_sum(&f, CAUSE_PERF_MLOCK, 33, 1, 33);
	f.s.counted.perf_cpus = 2;
	f.s.counted.perf_rings = 17;
	judge(&f);
	assert_allows(&f, CAUSE_PERF_MLOCK);
	assert_sum(&f, CAUSE_PERF_MLOCK, 33, 1, 50);
}

/* What it is not: another errno's, of somebody who is exempt, or of nobody knows what. */
static void test_no_ring(void **state)
{
	(void)state;
	struct fixture f;
	const uint64_t args[6] = {0, 2049 * PAGE, 3, 1 /* MAP_SHARED */, 7, 0};
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 16 * PAGE;
	f.s.status.value[STATUS_VM_PINNED] = 0;
	f.s.counted.perf_mlock_kb = 68;
	f.s.counted.perf_cpus = 1;
	f.s.counted.perf_rings = f.s.counted.perf_lenient = 0;
	fixture_call(&f, "mmap", ENOMEM, args);
	judge(&f);
	assert_null(state_of(&f, CAUSE_PERF_MLOCK));
	fixture_call(&f, "mmap", EPERM, args);
	f.s.counted.perf_lenient = 1; /* kernel.perf_event_paranoid is -1 */
	judge(&f);
	assert_null(state_of(&f, CAUSE_PERF_MLOCK));
	f.s.counted.perf_lenient = ENOMEM_ABSENT;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.counted.perf_lenient = 0;
	f.s.counted.perf_rings = ENOMEM_ABSENT;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.counted.perf_rings = 0;
	f.s.rlimit[RLIMIT_MEMLOCK] = ENOMEM_UNLIMITED;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* The capability is held in a namespace of its own, or nothing would have been refused. */
	f.s.rlimit[RLIMIT_MEMLOCK] = 16 * PAGE;
	f.s.status.cap_effective = 1ULL << 14 /* CAP_IPC_LOCK */;
	judge(&f);
	assert_only(&f, CAUSE_PERF_MLOCK);
	/* Another limit that is full as well is told, and not taken for this one. */
	f.s.rlimit[RLIMIT_AS] = f.s.status.value[STATUS_VM_SIZE];
	f.s.status.cap_effective = 0;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_PERF_MLOCK);
	assert_true(state_of(&f, CAUSE_RLIMIT_AS)->refuses && !state_of(&f, CAUSE_RLIMIT_AS)->errno_fits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_of_segment),
		cmocka_unit_test(test_lock_of_break),
		cmocka_unit_test(test_lock_of_hole),
		cmocka_unit_test(test_full_group_of_faults),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_no_ring),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
