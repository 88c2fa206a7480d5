// SPDX-License-Identifier: MIT
/*
 * Causes of fatal signals: the stack that may not grow, the group or machine that is full, somebody else's kill.
 */
#include "cause-fixture.h"

#include <signal.h>

#define STACK_END   0x7ffffffff000ULL
#define STACK_START (STACK_END - 132 * KB)
#define GUARD_GAP   (256 * PAGE)

static void segv(struct fixture *f, int code, uint64_t address)
{
	f->signal = (struct fatal_signal){.signal = SIGSEGV,
					  .code = code,
					  .address = address,
					  .log_names_pid = -1,
					  .swap_free_least = ENOMEM_ABSENT};
	judge_signal(f);
}

static void stack_init(struct fixture *f)
{
	fixture_init(f);
	f->s.maps.stack_start = f->s.maps.above_start = STACK_START;
	f->s.maps.stack_end = STACK_END;
	f->s.maps.above_is_stack = true;
	f->s.maps.below_end = STACK_END - 64 * MB;
	f->s.rlimit[RLIMIT_STACK] = 256 * KB;
}

static void test_rlimit_stack(void **state)
{
	(void)state;
	struct fixture f;
	stack_init(&f);
	segv(&f, SEGV_MAPERR, STACK_END - 256 * KB - 300); /* as measured: less than 300 bytes below the limit */
	assert_only(&f, CAUSE_RLIMIT_STACK);
	assert_sum(&f, CAUSE_RLIMIT_STACK, 132 * KB, 128 * KB, 256 * KB);
	segv(&f, SEGV_MAPERR, STACK_END - 256 * KB - 1);
	assert_only(&f, CAUSE_RLIMIT_STACK);
	segv(&f, SEGV_MAPERR, STACK_END - 256 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_RLIMIT_STACK);
	f.s.rlimit[RLIMIT_STACK] = ENOMEM_UNLIMITED;
	segv(&f, SEGV_MAPERR, STACK_END - 32 * MB);
	assert_allows(&f, CAUSE_RLIMIT_STACK);
	f.s.rlimit[RLIMIT_STACK] = ENOMEM_ABSENT;
	segv(&f, SEGV_MAPERR, STACK_END - 32 * MB);
	assert_null(state_of(&f, CAUSE_RLIMIT_STACK));
}

/* Other faults are bugs of the program. */
static void test_no_stack_growth(void **state)
{
	(void)state;
	struct fixture f;
	stack_init(&f);
	segv(&f, SEGV_ACCERR, STACK_END - 256 * KB - 1);
	assert_int_equal(f.report.count, 0);
	segv(&f, INT32_MIN, STACK_END - 256 * KB - 1);
	assert_int_equal(f.report.count, 0);
	segv(&f, SEGV_MAPERR, STACK_START); /* in the stack */
	assert_int_equal(f.report.count, 0);
	/* the guard gap above the next area */
	segv(&f, SEGV_MAPERR, f.s.maps.below_end + GUARD_GAP);
	assert_only(&f, CAUSE_RLIMIT_STACK);
	segv(&f, SEGV_MAPERR, f.s.maps.below_end + GUARD_GAP - 1);
	assert_int_equal(f.report.count, 0);
	f.s.maps.above_is_stack = false;
	segv(&f, SEGV_MAPERR, 0);
	assert_int_equal(f.report.count, 0);
	stack_init(&f);
	f.s.maps_seen = false;
	segv(&f, SEGV_MAPERR, STACK_END - 256 * KB - 1);
	assert_int_equal(f.report.count, 0);
	stack_init(&f);
	f.s.process_seen = false;
	segv(&f, SEGV_MAPERR, STACK_END - 256 * KB - 1);
	assert_int_equal(f.report.count, 0);
	stack_init(&f);
	f.s.maps.below_end = UINT64_MAX;
	segv(&f, SEGV_MAPERR, UINT64_MAX);
	assert_int_equal(f.report.count, 0);
}

static void test_stack_growth_other_limits(void **state)
{
	(void)state;
	struct fixture f;
	stack_init(&f);
	f.s.rlimit[RLIMIT_STACK] = 8 * MB;
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE + 256 * KB;
	segv(&f, SEGV_MAPERR, STACK_START - 256 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	segv(&f, SEGV_MAPERR, STACK_START - 256 * KB - 1);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_sum(&f, CAUSE_RLIMIT_AS, 1000 * PAGE, 256 * KB + PAGE, 1000 * PAGE + 256 * KB);
	f.s.rlimit[RLIMIT_STACK] = 256 * KB;
	segv(&f, SEGV_MAPERR, STACK_START - 256 * KB - 1);
	assert_int_equal(named(&f), CAUSE_RLIMIT_STACK);
	assert_true(state_of(&f, CAUSE_RLIMIT_AS)->refuses);

	stack_init(&f);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 243448 * KB;
	segv(&f, SEGV_MAPERR, STACK_START - 1);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 30000 * KB;
	segv(&f, SEGV_MAPERR, STACK_START - 1);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void kill_call(struct fixture *f, bool counter_moved, int log_names_pid, bool log_says_memcg)
{
	f->signal = (struct fatal_signal){.signal = SIGKILL,
					  .code = INT32_MIN,
					  .oom_counter_moved = counter_moved,
					  .log_names_pid = log_names_pid,
					  .log_says_memcg = log_says_memcg,
					  .swap_free_least = ENOMEM_ABSENT};
	judge_signal(f);
}

/* As cpu-limit measured it on 6.18: killed by the first ticks under a hard limit of 0 seconds. */
static void test_cpu_time(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.cpu_ns = 76000000;
	f.s.cpu_hard_limit_ns = 0;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_RLIMIT_CPU);
	assert_sum(&f, CAUSE_RLIMIT_CPU, 76000000, 1, 0);
	kill_call(&f, false, -1, false); /* no log, but the group counts */
	assert_only(&f, CAUSE_RLIMIT_CPU);
	/* at the limit to the nanosecond, and one below */
	f.s.cpu_ns = f.s.cpu_hard_limit_ns = 2000000000;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_RLIMIT_CPU);
	f.s.cpu_ns--;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	assert_allows(&f, CAUSE_RLIMIT_CPU);
	/* no limit, or nobody looked */
	f.s.cpu_hard_limit_ns = ENOMEM_UNLIMITED;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	f.s.cpu_hard_limit_ns = ENOMEM_ABSENT;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	f.s.cpu_ns = 76000000;
	f.s.cpu_hard_limit_ns = 0;
	f.s.process_seen = false;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	f.s.process_seen = true;
	/* the OOM killer's doing stays that, whatever time was used */
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4096 * PAGE;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_null(state_of(&f, CAUSE_RLIMIT_CPU));
	/* and what is unclear stays unclear */
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 10 * PAGE;
	kill_call(&f, false, 0, false);
	f.signal.oom_kill_unclear = true;
	judge_signal(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_memcg(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = 4096 * PAGE;
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4096 * PAGE;
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 10 * PAGE; /* the victim is gone */
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 4096 * PAGE, PAGE, 4096 * PAGE);
	kill_call(&f, true, -1, false);
	assert_only(&f, CAUSE_MEMCG_MAX);
	/* the group had an OOM kill, and nobody knows of whom */
	kill_call(&f, false, -1, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	f.signal.oom_kill_unclear = true;
	judge_signal(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* killed 9 to 14 pages below the limit, by batches of 64 */
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4082 * PAGE;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_int_equal(state_of(&f, CAUSE_MEMCG_MAX)->in_use, 4082 * PAGE);
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4032 * PAGE;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4031 * PAGE;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_UNKNOWN);
	/* killed by a limit above; a limit of pids up there is none of memory */
	f.s.ancestor_count = 3;
	f.s.ancestor[0] =
		(struct ancestor_numbers){CGROUP_MEMORY, 90 * MB, ENOMEM_UNLIMITED, ENOMEM_ABSENT, ENOMEM_ABSENT};
	f.s.ancestor[1] = (struct ancestor_numbers){CGROUP_PIDS, 10, 1, ENOMEM_ABSENT, ENOMEM_ABSENT};
	f.s.ancestor[2] =
		(struct ancestor_numbers){CGROUP_MEMORY, 64 * MB - PAGE, 64 * MB, ENOMEM_ABSENT, ENOMEM_ABSENT};
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_allows(&f, CAUSE_MEMCG_MAX); /* not its own */
	f.s.ancestor[2].current = 32 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.ancestor[2].current = 64 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4096 * PAGE;
	kill_call(&f, true, 1, true);
	unsigned index;
	uint32_t also;
	assert_int_equal(cause_name(&f.report, &index, &also), CAUSE_MEMCG_MAX);
	assert_int_equal(index, 0);
	assert_int_equal(also, 1U << 1);
}

/* The kernel's line names the group: a victim's memory is given back before anybody in the full group can look. */
static void test_memcg_by_name(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = ENOMEM_UNLIMITED;
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 40 * MB;
	f.s.ancestor_count = 2;
	f.s.ancestor[0] = (struct ancestor_numbers){CGROUP_MEMORY, 30 * MB, ENOMEM_UNLIMITED, ENOMEM_ABSENT, 40 * MB};
	f.s.ancestor[1] = (struct ancestor_numbers){CGROUP_MEMORY, 30 * MB, 40 * MB, ENOMEM_ABSENT, 40 * MB};
	struct fatal_signal killed = {.signal = SIGKILL,
				      .code = INT32_MIN,
				      .oom_counter_moved = true,
				      .log_names_pid = 1,
				      .log_says_memcg = true,
				      .swap_free_least = ENOMEM_ABSENT};
	f.signal = killed;
	judge_signal(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.signal.log_group = LOG_GROUP_ABOVE + 1;
	judge_signal(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_int_equal(f.report.state[1].in_use, 40 * MB);
	/* no peak: the number is what was measured */
	f.s.ancestor[1].peak = ENOMEM_ABSENT;
	judge_signal(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_int_equal(f.report.state[1].in_use, 30 * MB);
	/* its own group was full once, and is not who killed; and the other way round */
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = 40 * MB;
	judge_signal(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_false(f.report.state[0].refuses);
	assert_true(f.report.state[1].refuses);
	f.s.ancestor[1].current = 40 * MB;
	f.signal.log_group = LOG_GROUP_OWN;
	judge_signal(&f);
	assert_true(f.report.state[0].refuses);
	assert_false(f.report.state[1].refuses);
	/* a log that cannot be read names nobody */
	f.signal.log_group = LOG_GROUP_ABOVE + 1;
	f.signal.log_names_pid = -1;
	f.s.ancestor[1].current = 30 * MB;
	f.s.ancestor[1].peak = 40 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = ENOMEM_UNLIMITED;
	judge_signal(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Without memory.peak (v2 before 5.19) only the kernel's line is left, if the numbers say nothing. */
static void test_memcg_without_peak(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = 4096 * PAGE;
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 4090 * PAGE;
	kill_call(&f, true, -1, false);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 10 * PAGE;
	kill_call(&f, true, -1, false);
	assert_only(&f, CAUSE_UNKNOWN);
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_int_equal(state_of(&f, CAUSE_MEMCG_MAX)->in_use, 10 * PAGE);
	f.s.ancestor_count = 2; /* a full group above explains it, whatever comes after */
	f.s.ancestor[0] = (struct ancestor_numbers){CGROUP_MEMORY, 64 * MB, 64 * MB, ENOMEM_ABSENT, ENOMEM_ABSENT};
	f.s.ancestor[1] = (struct ancestor_numbers){CGROUP_MEMORY, 64 * MB, 640 * MB, ENOMEM_ABSENT, ENOMEM_ABSENT};
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_allows(&f, CAUSE_MEMCG_MAX);
	f.s.ancestor_count = 0;
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = ENOMEM_UNLIMITED;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = ENOMEM_ABSENT;
	kill_call(&f, true, 1, true);
	assert_int_equal(f.report.count, 0);
}

static void test_other_kills(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 4096 * PAGE;
	/* the whole machine; a group counts that kill too */
	kill_call(&f, true, 1, false);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	assert_sum(&f, CAUSE_SYSTEM_OOM, RAM_BYTES / 2, PAGE, RAM_BYTES);
	kill_call(&f, false, 1, false);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = 64 * MB;
	f.s.meminfo.value[MEMINFO_SWAP_FREE] = 24 * MB;
	kill_call(&f, true, 1, false);
	assert_sum(&f, CAUSE_SYSTEM_OOM, RAM_BYTES / 2 + 40 * MB, PAGE, RAM_BYTES + 64 * MB);
	f.s.meminfo.value[MEMINFO_MEM_AVAILABLE] = ENOMEM_ABSENT;
	kill_call(&f, false, 1, false);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	/* somebody else: a full group proves nothing when the log does not name the victim */
	kill_call(&f, true, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	kill_call(&f, false, -1, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	/* a group of the program's own */
	kill_call(&f, false, 1, true);
	assert_only(&f, CAUSE_UNKNOWN);
	/* neither counter nor log */
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL] = ENOMEM_ABSENT;
	kill_call(&f, false, -1, false);
	assert_only(&f, CAUSE_UNKNOWN);
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	kill_call(&f, false, 1, true); /* no counter, but the line is sure */
	assert_only(&f, CAUSE_MEMCG_MAX);
	/* other signals tell nothing */
	f.signal = (struct fatal_signal){.signal = SIGBUS, .code = BUS_ADRERR, .address = 0x10000};
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	f.signal.signal = SIGTERM;
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	f.s.taken = false;
	kill_call(&f, true, 1, true);
	assert_int_equal(f.report.count, 0);
}

/* A guest's zram of 64 MB: 0 to 3.6 MB were left of it when the kernel killed. */
static void test_swap_full(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = 64 * MB;
	f.s.meminfo.value[MEMINFO_SWAP_FREE] = 3600 * KB;
	kill_call(&f, false, 1, false);
	assert_only(&f, CAUSE_SWAP_FULL);
	assert_sum(&f, CAUSE_SWAP_FULL, RAM_BYTES / 2 + 64 * MB - 3600 * KB, PAGE, RAM_BYTES + 64 * MB);
	/* the victim's swap is free again, but was seen used up */
	f.s.meminfo.value[MEMINFO_SWAP_FREE] = 40 * MB;
	kill_call(&f, false, 1, false);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	f.signal.swap_free_least = 0;
	judge_signal(&f);
	assert_only(&f, CAUSE_SWAP_FULL);
	assert_sum(&f, CAUSE_SWAP_FULL, RAM_BYTES / 2 + 64 * MB, PAGE, RAM_BYTES + 64 * MB);
	f.signal.swap_free_least = 7 * MB;
	judge_signal(&f);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	/* in swapoff(2) what is free of it takes nothing, however little that is: RAM alone has to do */
	f.signal.swap_free_least = 0;
	f.signal.in_swapoff = true;
	judge_signal(&f);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	assert_sum(&f, CAUSE_SYSTEM_OOM, RAM_BYTES / 2, PAGE, RAM_BYTES);
	f.signal.in_swapoff = false;
	judge_signal(&f);
	assert_only(&f, CAUSE_SWAP_FULL);
	/* without any swap nothing of it can be full */
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = f.s.meminfo.value[MEMINFO_SWAP_FREE] = f.signal.swap_free_least = 0;
	judge_signal(&f);
	assert_only(&f, CAUSE_SYSTEM_OOM);
	/* somebody else's kill, and a group's, whatever swap is left */
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = 64 * MB;
	kill_call(&f, false, 0, false);
	assert_only(&f, CAUSE_KILLED_BY_OTHER);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 16 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
}

/* memory.max 16 MB and memory.swap.max 8 MB, both full when it was killed. */
static void swapping_group(struct fixture *f)
{
	fixture_init(f);
	uint64_t *v = f->s.cgroup.value;
	v[CGROUP_MEMORY_MAX] = v[CGROUP_MEMORY_PEAK] = 16 * MB;
	v[CGROUP_MEMORY_SWAP_MAX] = 8 * MB;
	v[CGROUP_MEMORY_SWAP_CURRENT] = 0; /* given back */
	v[CGROUP_MEMORY_SWAP_EVENTS_MAX] = v[CGROUP_MEMORY_SWAP_EVENTS_FAIL] = 0;
	f->before = f->s;
}

static void test_swap_max(void **state)
{
	(void)state;
	struct fixture f;
	/* 6.12 and 7.2 keep a peak, and count no refusals */
	swapping_group(&f);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_PEAK] = 8388608;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_SWAP_MAX);
	assert_sum(&f, CAUSE_MEMCG_SWAP_MAX, 24 * MB, PAGE, 24 * MB);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_PEAK] = 4 * MB; /* the machine's swap ran out before the group's */
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_EVENTS_MAX] = 8; /* with a peak the counter has no say */
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	/* 5.10 and 6.1 keep none, but count */
	swapping_group(&f);
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_EVENTS_MAX] = 8;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_SWAP_MAX);
	f.before.taken = false;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	/* no limit of swap, or none allowed at all: memory.max it is */
	swapping_group(&f);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_PEAK] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_MAX] = ENOMEM_UNLIMITED;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_MAX] = f.s.cgroup.value[CGROUP_MEMORY_SWAP_PEAK] = 0;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	/* memory was never full: no group of ours killed */
	swapping_group(&f);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_PEAK] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_PEAK] = 12 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* v1 limits and measures both together. */
static void test_memsw(void **state)
{
	(void)state;
	struct fixture f;
	swapping_group(&f);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_CURRENT] = 1 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_MEMSW_PEAK] = 24 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_SWAP_MAX);
	assert_sum(&f, CAUSE_MEMCG_SWAP_MAX, 24 * MB, PAGE, 24 * MB);
	f.s.cgroup.value[CGROUP_MEMORY_MEMSW_PEAK] = 18 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_MEMSW_PEAK] = 10 * MB;
	kill_call(&f, true, 1, true);
	assert_only(&f, CAUSE_MEMCG_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rlimit_stack),
		cmocka_unit_test(test_no_stack_growth),
		cmocka_unit_test(test_stack_growth_other_limits),
		cmocka_unit_test(test_cpu_time),
		cmocka_unit_test(test_memcg),
		cmocka_unit_test(test_memcg_by_name),
		cmocka_unit_test(test_memcg_without_peak),
		cmocka_unit_test(test_other_kills),
		cmocka_unit_test(test_swap_full),
		cmocka_unit_test(test_swap_max),
		cmocka_unit_test(test_memsw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
