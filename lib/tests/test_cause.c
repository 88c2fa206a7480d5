// SPDX-License-Identifier: MIT
/*
 * Causes of refused memory: for each a request that is one unit too large, the one just below that goes through, and
 * two limits at once.
 */
#include "cause-fixture.h"

#include <linux/capability.h>

#include <sys/mman.h>
#include <sys/shm.h>

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED  (MAP_SHARED | MAP_ANONYMOUS)
#define RW      (PROT_READ | PROT_WRITE)

static void map_call(struct fixture *f, int error, uint64_t length, uint64_t prot, uint64_t flags)
{
	fixture_call(f, "mmap", error, (const uint64_t[6]){0, length, prot, flags, UINT64_MAX, 0});
	f->r.asked_bytes = length;
	judge(f);
}

static void test_rlimit_as(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	/* 64 KiB of room and a bit that does not count */
	f.s.rlimit[RLIMIT_AS] = 1016 * PAGE + 4095;
	map_call(&f, ENOMEM, 16 * PAGE, PROT_NONE, PRIVATE | MAP_NORESERVE);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_RLIMIT_AS);
	map_call(&f, ENOMEM, 16 * PAGE + 1, PROT_NONE, PRIVATE | MAP_NORESERVE);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_sum(&f, CAUSE_RLIMIT_AS, 1000 * PAGE, 17 * PAGE, 1016 * PAGE);
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, MAP_SHARED);
	assert_only(&f, CAUSE_RLIMIT_AS);
	/* another errno: refusing, yet not what was met */
	map_call(&f, EAGAIN, 17 * PAGE, PROT_READ, MAP_SHARED);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	assert_true(state_of(&f, CAUSE_RLIMIT_AS)->refuses);
	assert_false(state_of(&f, CAUSE_RLIMIT_AS)->errno_fits);
	/* a program that replaces its own areas is not charged for them */
	f.s.maps.target_mapped = true;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	assert_null(state_of(&f, CAUSE_RLIMIT_AS));
	f.s.maps.target_mapped = false;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	assert_only(&f, CAUSE_RLIMIT_AS);
	/* an area that begins where the request ends is not replaced, one that begins before is */
	f.s.maps.above_start = 17 * PAGE;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.s.maps.above_start = 16 * PAGE;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	assert_null(state_of(&f, CAUSE_RLIMIT_AS));
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.s.maps_seen = false;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	assert_int_equal(f.report.count, 0);
	f.s.maps_seen = true;
	/* where there are no addresses the limit was never asked; up to there, it was */
	f.s.maps.above_start = 0;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	f.r.args[0] = 0x7ffffffff000 - 17 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.r.args[0] += PAGE;
	judge(&f);
	assert_true(state_of(&f, CAUSE_ADDRESS_SPACE)->refuses);
#ifdef MAP_32BIT
	map_call(&f, ENOMEM, 1024 * MB, PROT_READ, PRIVATE | MAP_32BIT);
	assert_only(&f, CAUSE_RLIMIT_AS);
	map_call(&f, ENOMEM, 1024 * MB + PAGE, PROT_READ, PRIVATE | MAP_32BIT);
	assert_true(state_of(&f, CAUSE_ADDRESS_SPACE)->refuses);
#endif
	/* nothing known of the process */
	f.s.process_seen = false;
	map_call(&f, ENOMEM, 17 * PAGE, PROT_READ, PRIVATE);
	assert_null(state_of(&f, CAUSE_RLIMIT_AS));
	f.s.taken = false;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	assert_int_equal(f.report.count, 0);
}

static void test_rlimit_data(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_DATA] = 116 * PAGE;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE | MAP_NORESERVE);
	assert_only(&f, CAUSE_RLIMIT_DATA);
	map_call(&f, ENOMEM, 16 * PAGE, RW, PRIVATE);
	assert_allows(&f, CAUSE_RLIMIT_DATA);
	/* exempt, with 1700 pages measured */
	map_call(&f, ENOMEM, 1700 * PAGE, RW, SHARED);
	assert_null(state_of(&f, CAUSE_RLIMIT_DATA));
	map_call(&f, ENOMEM, 1700 * PAGE, PROT_READ, PRIVATE);
	assert_null(state_of(&f, CAUSE_RLIMIT_DATA));
	map_call(&f, ENOMEM, 1700 * PAGE, RW, PRIVATE | MAP_GROWSDOWN);
	assert_null(state_of(&f, CAUSE_RLIMIT_DATA));
	/* both limits */
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	unsigned index;
	uint32_t also;
	assert_int_equal(cause_name(&f.report, &index, &also), CAUSE_RLIMIT_AS);
	assert_int_equal(__builtin_popcount(also), 1);
	assert_int_equal(f.report.state[__builtin_ctz(also)].id, CAUSE_RLIMIT_DATA);
	/* a soft limit of 0 may be the one the kernel lets through: any exact limit goes first */
	f.s.rlimit[RLIMIT_DATA] = 0;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	assert_only(&f, CAUSE_RLIMIT_DATA);
	/* ignore_rlimit_data, which brk() does not know */
	f.s.rlimit[RLIMIT_DATA] = 116 * PAGE;
	f.s.data_limit_ignored = true;
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	assert_null(state_of(&f, CAUSE_RLIMIT_DATA));
	fixture_call(&f, "brk", ENOMEM, (const uint64_t[6]){0x500000 + 17 * PAGE});
	f.r.asked_bytes = 17 * PAGE;
	judge(&f);
	assert_true(state_of(&f, CAUSE_RLIMIT_DATA)->refuses);
}

static void test_rlimit_memlock(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	map_call(&f, EAGAIN, 17 * PAGE, RW, PRIVATE | MAP_LOCKED);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	map_call(&f, EAGAIN, 16 * PAGE, RW, PRIVATE | MAP_LOCKED);
	assert_only(&f, CAUSE_UNKNOWN);
	map_call(&f, EAGAIN, 17 * PAGE, RW, PRIVATE); /* mlockall(MCL_FUTURE) */
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	map_call(&f, ENOMEM, 17 * PAGE, RW, PRIVATE);
	assert_null(state_of(&f, CAUSE_RLIMIT_MEMLOCK));

	fixture_call(&f, "mlock", ENOMEM, (const uint64_t[6]){0x10000, 16 * PAGE});
	judge(&f);
	assert_allows(&f, CAUSE_RLIMIT_MEMLOCK);
	fixture_call(&f, "mlock2", ENOMEM, (const uint64_t[6]){0x10001, 16 * PAGE});
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 17 * PAGE, 64 * KB);
	fixture_call(&f, "mlockall", ENOMEM, (const uint64_t[6]){MCL_CURRENT});
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 1000 * PAGE, 64 * KB);
	fixture_call(&f, "mlockall", ENOMEM, (const uint64_t[6]){MCL_FUTURE});
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_MEMLOCK));

	/* a limit below a page bounds, one of 0 forbids */
	fixture_call(&f, "mlock", EPERM, (const uint64_t[6]){0x10000, 1});
	f.s.rlimit[RLIMIT_MEMLOCK] = 1;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.rlimit[RLIMIT_MEMLOCK] = 0;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	map_call(&f, EPERM, PAGE, RW, PRIVATE | MAP_LOCKED);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	f.r.error = ENOMEM;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	map_call(&f, EAGAIN, PAGE, RW, PRIVATE); /* mlockall(MCL_FUTURE): only an explicit lock is forbidden */
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);

	/* CAP_IPC_LOCK: root's lifts the limit, a user's may be of his own namespace only */
	fixture_call(&f, "mlock", ENOMEM, (const uint64_t[6]){0x10000, 17 * PAGE});
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	f.s.status.cap_effective = 1ULL << 14;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	f.s.maps.count = 65530;
	f.s.maps.target_splits = 1;
	judge(&f);
	assert_only(&f, CAUSE_MAX_MAP_COUNT);
	f.s.status.uid = 0;
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_MEMLOCK));
}

/* A process with exactly max + k areas: the table that was measured on five kernels. */
static void test_max_map_count(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint64_t args[6], asked, splits, above_start;
		int last_k; /* 2: never refused */
		uint64_t gains;
	} row[] = {
		{"mmap", {0, PAGE, PROT_NONE, PRIVATE}, PAGE, 0, 0, 0, 1},
		{"brk", {0x600000}, PAGE, 0, 0, 0, 1},
		{"shmat", {1, 0, 0}, PAGE, 0, 0, 0, 1},
		{"munmap", {0x10000, PAGE}, 0, 2, 0x90000, -1, 1},
		{"munmap", {0x10000, PAGE}, 0, 1, 0x90000, 2, 0},               /* a tail */
		{"munmap", {0x10000, 2 * PAGE}, 0, 2, 0x11000, 2, 0},           /* from one area into the next */
		{"mprotect", {0x10000, PAGE, PROT_READ}, 0, 1, 0x90000, -1, 1}, /* a head */
		{"mprotect", {0x10000, PAGE, PROT_READ}, 0, 2, 0x90000, -2, 2}, /* the middle */
		{"pkey_mprotect", {0x10000, PAGE, PROT_READ}, 0, 2, 0x90000, -2, 2},
		{"mprotect", {0x10000, PAGE, PROT_READ}, 0, 0, 0x90000, 2, 0}, /* a whole area */
		{"mlock", {0x10000, PAGE}, 0, 2, 0x90000, -2, 2},
		{"mmap", {0x10000, PAGE, PROT_NONE, PRIVATE | MAP_FIXED}, 0, 2, 0x90000, -1, 2},
		{"mmap", {0x10000, PAGE, PROT_NONE, PRIVATE | MAP_FIXED}, 0, 1, 0x90000, 0, 1},
		{"remap_file_pages", {0x10000, PAGE}, 0, 2, 0x90000, -1, 2},
		{"madvise", {0x10000, PAGE, MADV_DONTFORK}, 0, 2, 0x90000, -2, 2},
		{"madvise", {0x10000, PAGE, MADV_DONTNEED}, 0, 2, 0x90000, 2, 0},
		{"mremap", {0x10000, PAGE, 3 * PAGE, MREMAP_MAYMOVE}, 0, 0, 0x11000, -4, 1}, /* must move */
		{"mremap", {0x10000, PAGE, 3 * PAGE, 0}, 0, 0, 0x90000, -4, 1}, /* stays: 7.1 asks all the same */
		{"mremap", {0x10000, PAGE, 3 * PAGE, 0}, 0, 0, 0x11000, 2, 0},  /* no room, and may not move */
	};
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		for (int k = -6; k <= 1; k++) {
			struct fixture f;
			fixture_init(&f);
			f.s.maps.count = 65530 + (uint64_t)(int64_t)k;
			f.s.maps.target_splits = row[i].splits;
			f.s.maps.target_mapped = row[i].splits > 0;
			f.s.maps.target_start_area = 0x8000;
			f.s.maps.above_start = row[i].above_start;
			f.r.asked_bytes = row[i].asked;
			fixture_call(&f, row[i].name, ENOMEM, row[i].args);
			judge(&f);
			const struct limit_state *count = state_of(&f, CAUSE_MAX_MAP_COUNT);
			assert_true((count != NULL) == (row[i].last_k != 2));
			if (count)
				assert_int_equal(count->asked, row[i].gains);
			if (k > row[i].last_k)
				assert_only(&f, CAUSE_MAX_MAP_COUNT);
			else
				assert_only(&f, CAUSE_UNKNOWN);
		}
	}
}

static void test_max_map_count_doubts(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.maps.count = 65531;
	/* room to grow in place: not checked before 7.1, so only the last resort */
	f.s.maps.above_start = 0x90000;
	fixture_call(&f, "mremap", ENOMEM, (const uint64_t[6]){0x10000, PAGE, 3 * PAGE, MREMAP_MAYMOVE});
	judge(&f);
	assert_only(&f, CAUSE_MAX_MAP_COUNT);
	f.s.rlimit[RLIMIT_AS] = 1001 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	/* a fixed place elsewhere, or a second copy: it moves for certain */
	f.s.rlimit[RLIMIT_AS] = 1001 * PAGE;
	f.r.args[3] = MREMAP_MAYMOVE | MREMAP_FIXED;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_RLIMIT_AS);
	assert_true(state_of(&f, CAUSE_MAX_MAP_COUNT)->refuses);
	assert_null(state_of(&f, CAUSE_ADDRESS_SPACE));
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	/* madvise says EAGAIN on most kernels, mprotect never */
	f.s.maps.target_splits = 1;
	fixture_call(&f, "madvise", EAGAIN, (const uint64_t[6]){0x10000, PAGE, MADV_DONTFORK});
	judge(&f);
	assert_only(&f, CAUSE_MAX_MAP_COUNT);
	fixture_call(&f, "mprotect", EAGAIN, (const uint64_t[6]){0x10000, PAGE, PROT_READ});
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* not counted, or no such sysctl */
	f.r.error = ENOMEM;
	f.s.maps_seen = false;
	judge(&f);
	assert_int_equal(f.report.count, 0);
	f.s.maps_seen = true;
	f.s.sysctl[SYSCTL_MAX_MAP_COUNT] = ENOMEM_ABSENT;
	judge(&f);
	assert_int_equal(f.report.count, 0);
}

static void test_holes(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	/* 2048 holes of one page */
	f.s.maps.free_bytes = 2048 * PAGE;
	f.s.maps.largest_hole_bytes = PAGE;
	map_call(&f, ENOMEM, 2 * PAGE, PROT_NONE, PRIVATE);
	assert_only(&f, CAUSE_FRAGMENTATION);
	assert_sum(&f, CAUSE_FRAGMENTATION, 0, 2 * PAGE, PAGE);
	assert_allows(&f, CAUSE_ADDRESS_SPACE);
	map_call(&f, ENOMEM, 1, PROT_NONE, PRIVATE);
	assert_only(&f, CAUSE_UNKNOWN);
	map_call(&f, ENOMEM, 2048 * PAGE, PROT_NONE, PRIVATE);
	assert_only(&f, CAUSE_FRAGMENTATION);
	map_call(&f, ENOMEM, 2049 * PAGE, PROT_NONE, PRIVATE);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
	assert_sum(&f, CAUSE_ADDRESS_SPACE, 1000 * PAGE, 2049 * PAGE, 3048 * PAGE);
	fixture_call(&f, "shmat", ENOMEM, (const uint64_t[6]){1, 0, 0});
	judge(&f);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
	f.r.args[1] = 0x10000;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* 2^62 bytes, with two limits against it */
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	map_call(&f, ENOMEM, 1ULL << 62, PROT_NONE, PRIVATE);
	assert_int_equal(named(&f), CAUSE_RLIMIT_AS);
	assert_true(state_of(&f, CAUSE_ADDRESS_SPACE)->refuses);
	/* the place is fixed, or another part of the space is searched */
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	map_call(&f, ENOMEM, 2 * PAGE, PROT_NONE, PRIVATE | MAP_FIXED);
	assert_only(&f, CAUSE_UNKNOWN);
	map_call(&f, ENOMEM, 2 * PAGE, PROT_NONE, PRIVATE | MAP_FIXED_NOREPLACE);
	assert_only(&f, CAUSE_UNKNOWN);

	/* mremap: the new size must fit somewhere, unless it fits where it is */
	f.s.maps.above_start = 0x10000 + 3 * PAGE;
	fixture_call(&f, "mremap", ENOMEM, (const uint64_t[6]){0x10000, PAGE, 4 * PAGE, MREMAP_MAYMOVE});
	judge(&f);
	assert_only(&f, CAUSE_FRAGMENTATION);
	f.r.args[2] = 3 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.maps.free_bytes = f.s.maps.largest_hole_bytes =
		2 * PAGE; /* what it has and the hole above: more than all holes */
	judge(&f);
	assert_null(state_of(&f, CAUSE_ADDRESS_SPACE));
	f.r.args[2] = 4 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
	f.r.args[3] = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void break_call(struct fixture *f, uint64_t from, uint64_t to)
{
	fixture_call(f, "brk", ENOMEM, (const uint64_t[6]){to});
	f->r.asked_bytes = to - from;
	judge(f);
}

static void test_break(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	/* one page must stay free below the next area */
	f.s.maps.target_mapped = true;
	f.s.maps.target_start_area = 0x500000;
	f.s.maps.above_start = 0x610000;
	break_call(&f, 0x600000, 0x60f000);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_ADDRESS_SPACE);
	break_call(&f, 0x600000, 0x60f001);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
	assert_sum(&f, CAUSE_ADDRESS_SPACE, 0, 0x10000, 0xf000);
	f.s.maps.above_is_stack = true; /* and the guard gap below a stack */
	break_call(&f, 0x600000, 0x600001);
	assert_only(&f, CAUSE_ADDRESS_SPACE);
	f.s.maps.above_start = 0x610000 + 0x100000;
	break_call(&f, 0x600000, 0x60f000);
	assert_only(&f, CAUSE_UNKNOWN);
	/* the next area begins at the break */
	f.s.maps.target_start_area = 0x600000;
	break_call(&f, 0x600000, 0x600001);
	assert_only(&f, CAUSE_ADDRESS_SPACE);

	f.s.process_seen = false;
	break_call(&f, 0x600000, 0x600001);
	assert_null(state_of(&f, CAUSE_ADDRESS_SPACE));

	/* within the page that the break is in already nothing is asked */
	fixture_init(&f);
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	break_call(&f, 0x600001, 0x600fff);
	assert_int_equal(f.report.count, 0);
	break_call(&f, 0x600001, 0x601001);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_sum(&f, CAUSE_RLIMIT_AS, 1000 * PAGE, PAGE, 1000 * PAGE);
	/* brk has its own check of RLIMIT_DATA, which 0 does not pass */
	f.s.rlimit[RLIMIT_DATA] = 0;
	break_call(&f, 0x600001, 0x601001);
	assert_true(state_of(&f, CAUSE_RLIMIT_DATA)->refuses);
	assert_true(state_of(&f, CAUSE_RLIMIT_AS)->refuses);
	/* heap of more than all memory */
	fixture_init(&f);
	break_call(&f, 0x600000, 0x600000 + RAM_BYTES + 1);
	assert_only(&f, CAUSE_COMMIT_HEURISTIC);
}

static void test_remap(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_AS] = 1016 * PAGE;
	fixture_call(&f, "mremap", ENOMEM, (const uint64_t[6]){0x10000, 4 * PAGE, 20 * PAGE, MREMAP_MAYMOVE});
	judge(&f);
	assert_allows(&f, CAUSE_RLIMIT_AS);
	f.r.args[2] = 21 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	f.r.args[2] = 20 * PAGE;
	f.r.args[3] = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	/* shrinking asks for nothing, even of a process that is over its limit */
	f.s.rlimit[RLIMIT_AS] = PAGE;
	fixture_call(&f, "mremap", ENOMEM, (const uint64_t[6]){0x10000, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE});
	judge(&f);
	assert_int_equal(f.report.count, 0);

	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	f.s.rlimit[RLIMIT_DATA] = 100 * PAGE;
	fixture_call(&f, "mremap", ENOMEM,
		     (const uint64_t[6]){0x10000, 4 * PAGE, RAM_BYTES + 5 * PAGE, MREMAP_MAYMOVE});
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN); /* neither data nor accounted */
	f.s.maps.target_private_writable = true;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_RLIMIT_DATA);
	assert_true(state_of(&f, CAUSE_COMMIT_HEURISTIC)->refuses);
	f.r.args[2] -= PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_DATA);
	/* a locked area */
	f.s.rlimit[RLIMIT_MEMLOCK] = 64 * KB;
	fixture_call(&f, "mremap", EAGAIN, (const uint64_t[6]){0x10000, 4 * PAGE, 21 * PAGE, MREMAP_MAYMOVE});
	f.s.maps.target_private_writable = false;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
}

static void test_hugetlb(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	map_call(&f, ENOMEM, 1, RW, PRIVATE | MAP_HUGETLB);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 0, 1, 0);
	/* four pages, one used, two promised */
	f.s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = 4;
	f.s.meminfo.value[MEMINFO_HUGEPAGES_FREE] = 3;
	f.s.meminfo.value[MEMINFO_HUGEPAGES_RSVD] = 2;
	map_call(&f, ENOMEM, 2 * MB, RW, PRIVATE | MAP_HUGETLB);
	assert_only(&f, CAUSE_UNKNOWN);
	map_call(&f, ENOMEM, 2 * MB + 1, RW, SHARED | MAP_HUGETLB);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 3, 2, 4);
	map_call(&f, ENOMEM, 4 * MB, RW, PRIVATE | MAP_HUGETLB | 21 << 26);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	map_call(&f, ENOMEM, 1ULL << 30, RW, PRIVATE | MAP_HUGETLB | 30 << 26); /* another pool */
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
	map_call(&f, ENOMEM, 4 * MB, RW, PRIVATE | MAP_HUGETLB | MAP_NORESERVE);
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
	f.s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 1;
	map_call(&f, ENOMEM, 4 * MB, RW, PRIVATE | MAP_HUGETLB);
	assert_only(&f, CAUSE_UNKNOWN);
	/* huge pages are in no commit account, but they are address space */
	map_call(&f, ENOMEM, RAM_BYTES * 2, RW, PRIVATE | MAP_HUGETLB);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	f.s.rlimit[RLIMIT_AS] = 1000 * PAGE;
	map_call(&f, ENOMEM, RAM_BYTES * 2, RW, PRIVATE | MAP_HUGETLB);
	assert_int_equal(named(&f), CAUSE_RLIMIT_AS);
	assert_true(state_of(&f, CAUSE_HUGETLB_POOL)->refuses);

	fixture_call(&f, "shmget", ENOMEM, (const uint64_t[6]){0, 6 * MB, SHM_HUGETLB | 0600});
	judge(&f);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	f.s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = ENOMEM_ABSENT;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_pinned_buffers(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_call(&f, "io_uring_register", ENOMEM, (const uint64_t[6]){3, 0, 0x10000, 1});
	f.s.rlimit[RLIMIT_MEMLOCK] = 16 * PAGE + 1;
	f.r.asked_bytes = 17 * PAGE;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 17 * PAGE, 16 * PAGE);
	f.r.asked_bytes = 16 * PAGE; /* other rings of the user may hold the rest: nobody can tell */
	judge(&f);
	assert_allows(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.asked_bytes = 17 * PAGE;
	f.s.status.value[STATUS_VM_LOCKED] = 8 * PAGE; /* counted apart */
	judge(&f);
	assert_sum(&f, CAUSE_RLIMIT_MEMLOCK, 0, 17 * PAGE, 16 * PAGE);
	f.s.status.uid = 0;
	f.s.status.cap_effective = 1ULL << CAP_IPC_LOCK;
	judge(&f);
	assert_null(state_of(&f, CAUSE_RLIMIT_MEMLOCK));
	assert_only(&f, CAUSE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rlimit_as),
		cmocka_unit_test(test_rlimit_data),
		cmocka_unit_test(test_rlimit_memlock),
		cmocka_unit_test(test_max_map_count),
		cmocka_unit_test(test_max_map_count_doubts),
		cmocka_unit_test(test_holes),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_remap),
		cmocka_unit_test(test_hugetlb),
		cmocka_unit_test(test_pinned_buffers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
