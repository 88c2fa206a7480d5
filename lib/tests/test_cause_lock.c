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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_of_segment),
		cmocka_unit_test(test_lock_of_break),
		cmocka_unit_test(test_lock_of_hole),
		cmocka_unit_test(test_full_group_of_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
