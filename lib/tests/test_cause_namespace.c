// SPDX-License-Identifier: MIT
/*
 * Causes of refused namespaces.
 */
#include "cause-fixture.h"

#include <sched.h>

static void call(struct fixture *f, const char *name, int error, uint64_t flags)
{
	fixture_call(f, name, error, (const uint64_t[6]){flags});
	f->r.clone_flags = strcmp(name, "unshare") == 0 ? 0 : flags;
	judge(f);
}

static void test_clone(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.namespaces[NAMESPACE_UTS] = (struct namespace_numbers){.max = 3, .in_use = 3, .depth = ENOMEM_ABSENT};
	call(&f, "clone", ENOSPC, CLONE_NEWUTS | 17);
	assert_only(&f, CAUSE_NAMESPACES_MAX);
	assert_sum(&f, CAUSE_NAMESPACES_MAX, 3, 1, 3);
	assert_string_equal(state_of(&f, CAUSE_NAMESPACES_MAX)->where, "/proc/sys/user/max_uts_namespaces");
	f.s.namespaces[NAMESPACE_UTS].in_use = 2;
	call(&f, "clone", ENOSPC, CLONE_NEWUTS | 17);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_NAMESPACES_MAX);
	/* pids.max says EAGAIN, and here it was not asked */
	f.s.cgroup.value[CGROUP_PIDS_MAX] = 2;
	call(&f, "clone", EAGAIN, CLONE_NEWUTS | 17);
	assert_only(&f, CAUSE_PIDS_MAX);
	/* without a new namespace their number does not matter */
	fixture_init(&f);
	f.s.namespaces[NAMESPACE_UTS] = (struct namespace_numbers){.max = 3, .in_use = 3, .depth = ENOMEM_ABSENT};
	call(&f, "clone", ENOSPC, 17);
	assert_null(state_of(&f, CAUSE_NAMESPACES_MAX));
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "clone", ENOSPC, CLONE_NEWIPC | 17); /* another kind, not counted */
	assert_null(state_of(&f, CAUSE_NAMESPACES_MAX));
	call(&f, "clone", ENOMEM, CLONE_NEWUTS | 17); /* not what it says */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

static void test_unshare(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.namespaces[NAMESPACE_USER] = (struct namespace_numbers){.max = 0, .in_use = 0, .depth = ENOMEM_ABSENT};
	f.s.namespaces[NAMESPACE_NET] = (struct namespace_numbers){.max = 9, .in_use = 4, .depth = ENOMEM_ABSENT};
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER | CLONE_NEWNET);
	assert_only(&f, CAUSE_NAMESPACES_MAX);
	assert_sum(&f, CAUSE_NAMESPACES_MAX, 0, 1, 0);
	assert_int_equal(f.report.count, 2);
	f.s.namespaces[NAMESPACE_USER].max = 1;
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER | CLONE_NEWNET);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.namespaces[NAMESPACE_USER].in_use = ENOMEM_ABSENT;
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER);
	assert_int_equal(f.report.count, 0);
}

/* In others, however many there may be: measured, the 33rd pid namespace and the 34th user namespace. */
static void test_depth(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.namespaces[NAMESPACE_PID] = (struct namespace_numbers){.max = 1000, .in_use = 40, .depth = 32};
	call(&f, "unshare", ENOSPC, CLONE_NEWPID);
	assert_only(&f, CAUSE_NAMESPACES_MAX);
	assert_sum(&f, CAUSE_NAMESPACES_MAX, 32, 1, 32);
	assert_string_equal(state_of(&f, CAUSE_NAMESPACES_MAX)->unit, "levels");
	f.s.namespaces[NAMESPACE_PID].depth = 31;
	call(&f, "clone", ENOSPC, CLONE_NEWPID | 17);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER);
	assert_int_equal(f.report.count, 0);
	f.s.namespaces[NAMESPACE_USER] = (struct namespace_numbers){.max = 1000, .in_use = 40, .depth = 32};
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.namespaces[NAMESPACE_USER].depth = 33;
	call(&f, "unshare", ENOSPC, CLONE_NEWUSER);
	assert_only(&f, CAUSE_NAMESPACES_MAX);
	assert_sum(&f, CAUSE_NAMESPACES_MAX, 33, 1, 33);
	call(&f, "unshare", ENOMEM, CLONE_NEWUSER);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_clone), cmocka_unit_test(test_unshare),
					   cmocka_unit_test(test_depth)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
