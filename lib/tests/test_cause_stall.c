// SPDX-License-Identifier: MIT
/*
 * Programs that hang: throttled, or waiting in a full group. And those that merely are not done.
 */
#include "cause-fixture.h"

static void group_init(struct fixture *f)
{
	fixture_init(f);
	uint64_t *v = f->s.cgroup.value;
	v[CGROUP_MEMORY_CURRENT] = 1 * MB;
	v[CGROUP_MEMORY_MAX] = v[CGROUP_MEMORY_HIGH] = ENOMEM_UNLIMITED;
	v[CGROUP_MEMORY_EVENTS_HIGH] = v[CGROUP_MEMORY_EVENTS_OOM] = v[CGROUP_MEMORY_EVENTS_OOM_KILL] = 0;
	v[CGROUP_MEMORY_EVENTS_MAX] = 0;
	f->s.status.state = 'D';
	f->before = f->s;
}

/* memory.high of 8 MB, 16 MB to be touched: what each kernel showed after four seconds. */
static void test_high(void **state)
{
	(void)state;
	static const struct {
		uint64_t current, events;
	} seen[] = {{9592832, 154} /* 5.10 */, {9990144, 103} /* 6.1 */, {9986048, 103} /* 6.12, 7.2 */};
	struct fixture f;
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
		group_init(&f);
		f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = seen[i].current;
		f.s.cgroup.value[CGROUP_MEMORY_HIGH] = 8 * MB;
		f.s.cgroup.value[CGROUP_MEMORY_EVENTS_HIGH] = seen[i].events;
		judge_stall(&f);
		assert_only(&f, CAUSE_MEMCG_HIGH);
		assert_sum(&f, CAUSE_MEMCG_HIGH, seen[i].current, PAGE, 8 * MB);
	}
	/* it came back below: whatever it waits for now, it is not throttled */
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 7 * MB;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_MEMCG_HIGH);
	/* above, but its counter stood still, or is not known to have moved */
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 9 * MB;
	f.before.cgroup.value[CGROUP_MEMORY_EVENTS_HIGH] = 103;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.before.taken = false;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	group_init(&f); /* no limit */
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_HIGH] = 5;
	judge_stall(&f);
	assert_int_equal(f.report.count, 0);
}

/* v1, memory.oom_control 1: who faults in a full group sleeps. */
static void test_oom_kill_disabled(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f);
	uint64_t *v = f.s.cgroup.value;
	v[CGROUP_MEMORY_HIGH] = v[CGROUP_MEMORY_EVENTS_HIGH] = v[CGROUP_MEMORY_EVENTS_OOM] = ENOMEM_ABSENT;
	v[CGROUP_MEMORY_MAX] = v[CGROUP_MEMORY_CURRENT] = 8 * MB;
	v[CGROUP_MEMORY_OOM_CONTROL] = v[CGROUP_MEMORY_UNDER_OOM] = 1;
	judge_stall(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	v[CGROUP_MEMORY_CURRENT] = 8 * MB - 14 * PAGE;
	judge_stall(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	v[CGROUP_MEMORY_CURRENT] = 6 * MB;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	v[CGROUP_MEMORY_CURRENT] = 8 * MB;
	v[CGROUP_MEMORY_UNDER_OOM] = 0; /* full of page cache, say: nobody waits */
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	v[CGROUP_MEMORY_UNDER_OOM] = 1;
	v[CGROUP_MEMORY_OOM_CONTROL] = 0; /* somebody is being killed */
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* v2, everybody in the group has oom_score_adj -1000: OOMs are counted, kills are not. */
static void test_nobody_to_kill(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f);
	uint64_t *v = f.s.cgroup.value;
	v[CGROUP_MEMORY_MAX] = v[CGROUP_MEMORY_CURRENT] = 8 * MB;
	v[CGROUP_MEMORY_EVENTS_OOM] = 365;
	judge_stall(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	v[CGROUP_MEMORY_EVENTS_OOM_KILL] = 1;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	v[CGROUP_MEMORY_EVENTS_OOM_KILL] = 0;
	v[CGROUP_MEMORY_EVENTS_OOM] = 0;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* memory.high as well: both hold it, and both are told */
	v[CGROUP_MEMORY_EVENTS_OOM] = v[CGROUP_MEMORY_EVENTS_HIGH] = 5;
	v[CGROUP_MEMORY_HIGH] = 4 * MB;
	judge_stall(&f);
	assert_int_equal(named(&f), CAUSE_MEMCG_HIGH);
	assert_true(state_of(&f, CAUSE_MEMCG_MAX)->refuses);
}

/* v1, memory.kmem.tcp.limit_in_bytes of 1 MB: what 5.10 and 6.1 count, and 6.18 does not. */
static void test_sockets(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f);
	uint64_t *v = f.s.cgroup.value;
	f.before.cgroup.value[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX] = 0;
	v[CGROUP_MEMORY_KMEM_TCP_MAX] = 1 * MB;
	v[CGROUP_MEMORY_KMEM_TCP_CURRENT] = 1 * MB - 8 * PAGE;
	v[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX] = 62;
	f.s.sleeps_sending = true;
	judge_stall(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 1 * MB - 8 * PAGE, PAGE, 1 * MB);
	v[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX] = 0;
	judge_stall(&f); /* there is room */
	assert_only(&f, CAUSE_UNKNOWN);
	v[CGROUP_MEMORY_KMEM_TCP_CURRENT] = 1 * MB;
	judge_stall(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.sleeps_sending = false; /* it waits for something else, a timer say */
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sleeps_sending = true;
	v[CGROUP_MEMORY_KMEM_TCP_MAX] = 64 * PAGE; /* of which nothing is in use */
	v[CGROUP_MEMORY_KMEM_TCP_CURRENT] = 0;
	v[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX] = 1;
	judge_stall(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	v[CGROUP_MEMORY_KMEM_TCP_MAX] = ENOMEM_UNLIMITED;
	judge_stall(&f);
	assert_int_equal(f.report.count, 0);
}

static void test_nothing_to_go_by(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f);
	judge_stall(&f); /* an endless loop */
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_OOM_CONTROL] = f.s.cgroup.value[CGROUP_MEMORY_UNDER_OOM] = 1;
	f.s.in_cgroup = false;
	judge_stall(&f);
	assert_int_equal(f.report.count, 0);
	f.s.in_cgroup = true;
	f.s.process_seen = false;
	judge_stall(&f);
	assert_int_equal(f.report.count, 0);
	f.s.process_seen = true;
	f.s.taken = false;
	judge_stall(&f);
	assert_int_equal(f.report.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_high),
		cmocka_unit_test(test_oom_kill_disabled),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_nobody_to_kill),
		cmocka_unit_test(test_nothing_to_go_by),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
