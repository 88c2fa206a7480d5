// SPDX-License-Identifier: MIT
/*
 * Causes of refused memory in the two modes of commit accounting that refuse, and what no argument may do to any
 * evaluator.
 */
#include "cause-fixture.h"

#include <sched.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED  (MAP_SHARED | MAP_ANONYMOUS)
#define RW      (PROT_READ | PROT_WRITE)

/* 243448 kB less the administrator's 8192 kB, less 1000 pages / 32, and strictly less than that. */
#define BOUND   (243448 * KB - 8192 * KB - 31 * PAGE - PAGE)
#define ROOM    (BOUND - 30000 * KB)
#define SLACK   (1904 * KB) /* 486896 kB / 256, in whole pages */

static void map_call(struct fixture *f, uint64_t length, uint64_t prot, uint64_t flags)
{
	fixture_call(f, "mmap", ENOMEM, (const uint64_t[6]){0, length, prot, flags, UINT64_MAX, 0});
	f->r.asked_bytes = length;
	judge(f);
}

/* Mode 0: one request against all RAM and swap, exact to the page. */
static void test_heuristic(void **state)
{
	(void)state;
	static const struct {
		uint64_t prot, flags;
		bool charged;
	} row[] = {
		{RW, PRIVATE, true},
		{RW, MAP_PRIVATE, true}, /* of a file */
		{RW, SHARED, true},
		{PROT_NONE, SHARED, true},
		{PROT_READ, PRIVATE, false},
		{PROT_NONE, PRIVATE, false},
		{RW, MAP_SHARED, false},
		{RW, PRIVATE | MAP_NORESERVE, false},
		{RW, SHARED | MAP_NORESERVE, false},
	};
	struct fixture f;
	fixture_init(&f);
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		map_call(&f, RAM_BYTES, row[i].prot, row[i].flags);
		assert_only(&f, CAUSE_UNKNOWN);
		map_call(&f, RAM_BYTES + 1, row[i].prot, row[i].flags);
		assert_only(&f, row[i].charged ? CAUSE_COMMIT_HEURISTIC : CAUSE_UNKNOWN);
	}
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_sum(&f, CAUSE_COMMIT_HEURISTIC, 0, RAM_BYTES + PAGE, RAM_BYTES);
	assert_null(state_of(&f, CAUSE_COMMIT_LIMIT));
	/* together with another limit */
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_int_equal(named(&f), CAUSE_RLIMIT_AS);
	assert_true(state_of(&f, CAUSE_COMMIT_HEURISTIC)->refuses);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	/* swap helps, and so does mode 1 */
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = PAGE;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = 0;
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 1;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = ENOMEM_ABSENT;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 0;
	f.s.meminfo.value[MEMINFO_MEM_TOTAL] = ENOMEM_ABSENT;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* MAP_FIXED over a reservation is charged, over what was charged already we cannot say. */
static void test_committing_a_reservation(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.maps.target_mapped = true;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE | MAP_FIXED);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
	f.s.maps.target_private_writable = true;
	map_call(&f, RAM_BYTES + 1, RW, PRIVATE | MAP_FIXED);
	assert_only(&f, CAUSE_UNKNOWN);

	fixture_init(&f);
	f.s.rlimit[RLIMIT_DATA] = ENOMEM_UNLIMITED;
	f.s.maps.target_mapped = true;
	fixture_call(&f, "mprotect", ENOMEM, (const uint64_t[6]){0x10000, RAM_BYTES + PAGE, RW});
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
	f.s.rlimit[RLIMIT_DATA] = 116 * PAGE;
	f.r.args[1] = 16 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.args[1] = 17 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_DATA);
	f.r.args[2] = PROT_READ;
	judge(&f);
	assert_int_equal(f.report.count, 0);
	f.r.args[2] = RW;
	f.s.maps.target_private_writable = true;
	judge(&f);
	assert_int_equal(f.report.count, 0);
}

static void test_strict(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	/* beyond the slack on either side the sum decides */
	map_call(&f, ROOM + SLACK + PAGE, RW, PRIVATE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	assert_sum(&f, CAUSE_COMMIT_LIMIT, 30000 * KB, ROOM + SLACK + PAGE, BOUND);
	map_call(&f, ROOM - SLACK - PAGE, RW, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_COMMIT_LIMIT);
	/* mode 2 knows neither MAP_NORESERVE nor the rule of mode 0 */
	map_call(&f, 2 * RAM_BYTES, RW, PRIVATE | MAP_NORESERVE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	map_call(&f, 2 * RAM_BYTES, PROT_READ, PRIVATE);
	assert_null(state_of(&f, CAUSE_COMMIT_LIMIT));
	/* within the slack it explains what nothing exact does ... */
	map_call(&f, ROOM, RW, PRIVATE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	map_call(&f, ROOM - SLACK, RW, PRIVATE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	map_call(&f, ROOM + SLACK, RW, PRIVATE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	/* ... but gives way to what does, and to another errno */
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	map_call(&f, ROOM + SLACK, RW, PRIVATE);
	assert_only(&f, CAUSE_RLIMIT_AS);
	map_call(&f, ROOM + SLACK + PAGE, RW, PRIVATE);
	assert_int_equal(named(&f), CAUSE_RLIMIT_AS);
	assert_true(state_of(&f, CAUSE_COMMIT_LIMIT)->refuses);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	f.r.error = EAGAIN;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* CAP_SYS_ADMIN has the administrator's reserve: 2048 pages */
	map_call(&f, ROOM + SLACK + PAGE, RW, PRIVATE);
	f.s.status.cap_effective = 1ULL << 21;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_int_equal(state_of(&f, CAUSE_COMMIT_LIMIT)->bound, BOUND + 2048 * PAGE);
	/* a giant of PROT_NONE costs its owner the user's reserve */
	f.s.status.value[STATUS_VM_SIZE] = 4096 * MB;
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	f.s.sysctl[SYSCTL_USER_RESERVE_KBYTES] = ENOMEM_ABSENT;
	judge(&f);
	assert_null(state_of(&f, CAUSE_COMMIT_LIMIT));
}

/* CommitLimit far below what is committed: everything is refused, even one page. */
static void test_strict_overdrawn(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	f.s.meminfo.value[MEMINFO_COMMIT_LIMIT] = 1000 * KB;
	map_call(&f, PAGE, RW, PRIVATE);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	assert_sum(&f, CAUSE_COMMIT_LIMIT, 30000 * KB, PAGE, 0);
	fixture_call(&f, "brk", ENOMEM, (const uint64_t[6]){0x601000});
	f.r.asked_bytes = PAGE;
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	fixture_call(&f, "execve", ENOMEM, (const uint64_t[6]){0});
	f.r.asked_bytes = 900 * KB;
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
}

static void test_shmget(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_call(&f, "shmget", ENOMEM, (const uint64_t[6]){0, RAM_BYTES + 1, 0600});
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
	f.r.args[1] = RAM_BYTES;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.args[1] = RAM_BYTES + 1;
	f.r.args[2] |= SHM_NORESERVE;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	f.r.error = ENOSPC; /* shmall or shmmni: not ours to guess */
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* shmat takes address space of the size the witness found out */
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	fixture_call(&f, "shmat", ENOMEM, (const uint64_t[6]){1, 0, 0});
	f.r.asked_bytes = 1;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.r.asked_bytes = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void fork_call(struct fixture *f, int error, uint64_t flags)
{
	fixture_call(f, "clone", error, (const uint64_t[6]){flags});
	f->r.clone_flags = flags;
	judge(f);
}

static void test_fork(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.commit_seen = true;
	f.s.commit.fork_charge_bytes = 4 * RAM_BYTES; /* in pieces */
	f.s.commit.largest_area_bytes = RAM_BYTES;
	fork_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.commit.largest_area_bytes = RAM_BYTES + PAGE; /* two of them merged */
	fork_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
	/* vfork, posix_spawn, threads copy nothing */
	fork_call(&f, ENOMEM, CLONE_VM | CLONE_VFORK | 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	f.s.commit.fork_charge_bytes = ROOM * 6 / 10;
	fork_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] += f.s.commit.fork_charge_bytes; /* what the parent itself holds */
	fork_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	fork_call(&f, ENOMEM, CLONE_VM | CLONE_VFORK | 17);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.commit_seen = false;
	fork_call(&f, ENOMEM, 17);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Arguments are the program's, numbers the kernel's: any of them may be anything. */
static void test_extremes(void **state)
{
	(void)state;
	static const uint64_t value[] = {
		0, 1, 4095, 1ULL << 47, UINT64_MAX / 2, UINT64_MAX - 4095, UINT64_MAX - 1, UINT64_MAX};
	struct fixture f;

	for (const struct call_info *call = watched_calls; call->name; call++) {
		for (unsigned i = 0; i < ARRAY_SIZE(value) * ARRAY_SIZE(value) * ARRAY_SIZE(value); i++) {
			uint64_t a = value[i % 8], b = value[i / 8 % 8], d = value[i / 64];
			for (unsigned variant = 0; variant < 4; variant++) {
				fixture_init(&f);
				if (variant & 1) {
					/* not pointers: every number of the machine and the process is d */
					for (unsigned k = 0; k < PROCFS_RLIMITS; k++)
						f.s.rlimit[k] = d;
					for (unsigned k = 0; k < MEMINFO_COUNT; k++)
						f.s.meminfo.value[k] = k % 2 ? b : d;
					for (unsigned k = 1; k < SYSCTL_COUNT; k++)
						f.s.sysctl[k] = d;
					for (unsigned k = 0; k < STATUS_COUNT; k++)
						f.s.status.value[k] = a;
					f.s.maps = (struct maps_summary){a, b,    d, a, b,    d, a, true, b,
									 2, true, d, a, true, b, a, b,    d};
					f.s.commit = (struct smaps_commit){a, b};
					f.s.commit_seen = true;
					f.s.tasks = f.s.uid_tasks = b;
				}
				if (variant & 2)
					f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
				fixture_call(&f, call->name, ENOMEM, (const uint64_t[6]){a, b, d, a, b, d});
				f.r.asked_bytes = b;
				f.r.clone_flags = d;
				judge(&f);
				(void)named(&f);
			}
		}
	}
	/* the largest request there is: one page short of the wrap */
	fixture_init(&f);
	map_call(&f, UINT64_MAX, PROT_NONE, PRIVATE);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
}

/* On a machine made up: 60 MB of swap, mode 2, nearly all promised. */
static void test_swapoff(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_call(&f, "swapoff", ENOMEM, (const uint64_t[6]){0});
	f.s.status.cap_effective = 1ULL << 21; /* CAP_SYS_ADMIN */
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	f.s.meminfo.value[MEMINFO_SWAP_TOTAL] = f.s.meminfo.value[MEMINFO_SWAP_FREE] = 60 * MB;
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 243448 * KB - 20 * MB;
	judge(&f);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	assert_int_equal(state_of(&f, CAUSE_COMMIT_LIMIT)->asked, 60 * MB);
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 100 * MB;
	judge(&f);
	assert_allows(&f, CAUSE_COMMIT_LIMIT);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 243448 * KB - 20 * MB;
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 0; /* there nobody is asked: pages that found no room */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heuristic), cmocka_unit_test(test_committing_a_reservation),
		cmocka_unit_test(test_strict),    cmocka_unit_test(test_strict_overdrawn),
		cmocka_unit_test(test_shmget),    cmocka_unit_test(test_fork),
		cmocka_unit_test(test_extremes),  cmocka_unit_test(test_swapoff),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
