// SPDX-License-Identifier: MIT
/*
 * Causes of refused huge pages: at the mapping (ENOMEM), and at the fault (SIGBUS).
 */
#include "cause-fixture.h"

#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>

static void pool(struct fixture *f, uint64_t total, uint64_t free_pages, uint64_t reserved)
{
	f->s.meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = total;
	f->s.meminfo.value[MEMINFO_HUGEPAGES_FREE] = free_pages;
	f->s.meminfo.value[MEMINFO_HUGEPAGES_RSVD] = reserved;
	f->s.meminfo.value[MEMINFO_HUGEPAGES_SURP] = 0;
}

static void map(struct fixture *f, uint64_t pages, uint64_t more_flags)
{
	fixture_call(f, "mmap", ENOMEM,
		     (const uint64_t[6]){0, pages * 2 * MB, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | more_flags});
	judge(f);
}

static void fault(struct fixture *f)
{
	f->signal = (struct fatal_signal){.signal = SIGBUS,
					  .code = BUS_ADRERR,
					  .address = 0x7f0000000000,
					  .log_names_pid = -1,
					  .swap_free_least = ENOMEM_ABSENT};
	f->s.area_seen = true;
	f->s.area = (struct area_kind){.page_size = 2 * MB, .huge_pages = true};
	judge_signal(f);
}

static void test_surplus(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	pool(&f, 4, 4, 4);
	map(&f, 1, 0);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 4, 1, 4);
	/* one of the four was made on demand, and one more may be */
	f.s.meminfo.value[MEMINFO_HUGEPAGES_SURP] = 1;
	f.s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 2;
	map(&f, 1, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 4, 1, 5);
	map(&f, 2, 0);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	map(&f, 2, MAP_NORESERVE);
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
}

/* A memory file of huge pages in a guest of 6.1: three pages, two of them promised to its neighbour. */
static void test_file(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	pool(&f, 3, 3, 2);
	f.s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 0;
	f.s.file_seen = true;
	f.s.file = (struct file_system){.type = HUGETLBFS_MAGIC, .block = 2 * MB};
	uint64_t args[6] = {0, 4 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, 3};
	fixture_call(&f, "mmap", ENOMEM, args);
	judge(&f);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 2, 2, 3);
	/* another limit that refuses for sure comes first: some of the pages may be the file's already */
	f.s.rlimit[RLIMIT_AS] = 1 * MB;
	judge(&f);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_allows(&f, CAUSE_HUGETLB_POOL);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	f.s.file.block = 1024 * MB; /* of which the pool tells nothing */
	judge(&f);
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
	f.s.file = (struct file_system){.type = TMPFS_MAGIC, .block = PAGE};
	judge(&f);
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
	f.s.file = (struct file_system){.type = HUGETLBFS_MAGIC, .block = 2 * MB};
	args[1] = 2 * MB; /* one is left */
	fixture_call(&f, "mmap", ENOMEM, args);
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	args[1] = 4 * MB;
	args[3] |= MAP_NORESERVE;
	fixture_call(&f, "mmap", ENOMEM, args);
	judge(&f);
	assert_null(state_of(&f, CAUSE_HUGETLB_POOL));
}

/* A page may be made on demand, but there is no free block of its size. */
static void test_fragmentation(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	pool(&f, 0, 0, 0);
	f.s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 8;
	for (unsigned i = 0; i <= 10; i++)
		f.s.buddy.blocks[i] = i < 9 ? 100 : 0;
	map(&f, 1, 0);
	assert_only(&f, CAUSE_FRAGMENTATION);
	f.s.buddy.blocks[9] = 1;
	map(&f, 1, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.buddy.blocks[9] = 0;
	pool(&f, 1, 1, 0); /* the pool has it: nothing is to be made */
	map(&f, 1, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	pool(&f, 0, 0, 0);
	f.s.sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 0;
	map(&f, 1, 0);
	assert_only(&f, CAUSE_HUGETLB_POOL);
}

static void test_group_reservation(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	pool(&f, 8, 8, 1);
	f.s.cgroup.value[CGROUP_HUGETLB_RSVD_CURRENT] = 2 * MB;
	f.s.cgroup.value[CGROUP_HUGETLB_RSVD_MAX] = 4 * MB;
	map(&f, 1, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	map(&f, 2, 0);
	assert_only(&f, CAUSE_HUGETLB_CGROUP);
	assert_sum(&f, CAUSE_HUGETLB_CGROUP, 2 * MB, 4 * MB, 4 * MB);
	map(&f, 8, 0);
	assert_int_equal(named(&f), CAUSE_HUGETLB_CGROUP);
	assert_true(state_of(&f, CAUSE_HUGETLB_POOL)->refuses);
	map(&f, 2, 30ULL << 26); /* pages of 1 GiB: nobody counted them */
	assert_null(state_of(&f, CAUSE_HUGETLB_CGROUP));
	f.s.in_cgroup = false;
	map(&f, 2, 0);
	assert_null(state_of(&f, CAUSE_HUGETLB_CGROUP));
	f.s.in_cgroup = true;
	f.s.cgroup.value[CGROUP_HUGETLB_RSVD_MAX] = ENOMEM_UNLIMITED;
	map(&f, 2, 0);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_fault(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	pool(&f, 0, 0, 0);
	fault(&f);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	assert_sum(&f, CAUSE_HUGETLB_POOL, 0, 1, 0);
	pool(&f, 4, 2, 2); /* free, but promised to somebody else */
	fault(&f);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	pool(&f, 4, 2, 1); /* one is left: it was something else, the end of a file for one */
	fault(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* the group's limit, while the pool has pages */
	f.s.cgroup.value[CGROUP_HUGETLB_CURRENT] = 2 * MB;
	f.s.cgroup.value[CGROUP_HUGETLB_MAX] = 2 * MB;
	fault(&f);
	assert_only(&f, CAUSE_HUGETLB_CGROUP);
	assert_sum(&f, CAUSE_HUGETLB_CGROUP, 2 * MB, 2 * MB, 2 * MB);
	/* all that is left is promised, perhaps to this fault: the pool need not have refused */
	pool(&f, 4, 2, 2);
	fault(&f);
	assert_only(&f, CAUSE_HUGETLB_CGROUP);
	pool(&f, 2, 0, 0); /* nothing is left at all: it would have */
	fault(&f);
	assert_int_equal(named(&f), CAUSE_HUGETLB_CGROUP);
	assert_true(state_of(&f, CAUSE_HUGETLB_POOL)->refuses);
	pool(&f, 4, 2, 1);
	f.s.cgroup.value[CGROUP_HUGETLB_CURRENT] = 0;
	fault(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	/* a limit on reservations has no say at the fault */
	f.s.cgroup.value[CGROUP_HUGETLB_RSVD_CURRENT] = f.s.cgroup.value[CGROUP_HUGETLB_RSVD_MAX] = 2 * MB;
	fault(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* An empty pool is nothing to a fault in an area of another kind. */
static void test_other_faults(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fault(&f);
	assert_only(&f, CAUSE_HUGETLB_POOL);
	f.s.area.huge_pages = false; /* a full tmpfs */
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	f.s.area = (struct area_kind){.page_size = 1024 * MB, .huge_pages = true};
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	fault(&f);
	f.s.area_seen = false;
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	fault(&f);
	f.signal.code = BUS_ADRALN;
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
	f.signal.code = BUS_ADRERR;
	f.s.process_seen = false;
	judge_signal(&f);
	assert_int_equal(f.report.count, 0);
}

/* A size that is not offered, as hugetlb-size measured it: 16 MiB, and 2 MiB are. */
static void test_page_size(void **state)
{
	(void)state;
	struct fixture f;
	uint64_t args[6] = {0, 16 * MB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE | 24U << 26};
	fixture_init(&f);
	pool(&f, 4, 4, 0);
	f.s.counted.huge_pages_of_size = 0;
	fixture_call(&f, "mmap", EINVAL, args);
	judge(&f);
	assert_only(&f, CAUSE_HUGETLB_SIZE);
	assert_sum(&f, CAUSE_HUGETLB_SIZE, 0, 1, 0);
	args[1]++;
	fixture_call(&f, "mmap", EINVAL, args);
	judge(&f);
	assert_sum(&f, CAUSE_HUGETLB_SIZE, 0, 2, 0);
	fixture_call(&f, "shmget", EINVAL, (const uint64_t[6]){0, 16 * MB, 04000 | 010000 | 0600 | 24U << 26});
	judge(&f);
	assert_only(&f, CAUSE_HUGETLB_SIZE);
	/* it is offered, or nobody could look */
	f.s.counted.huge_pages_of_size = 1;
	fixture_call(&f, "mmap", EINVAL, args);
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.counted.huge_pages_of_size = ENOMEM_ABSENT;
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* of no size by name it is not this */
	f.s.counted.huge_pages_of_size = 0;
	args[3] &= (1U << 26) - 1;
	fixture_call(&f, "mmap", EINVAL, args);
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	/* nor with a file */
	args[3] = MAP_PRIVATE | MAP_HUGETLB | 24U << 26;
	fixture_call(&f, "mmap", EINVAL, args);
	judge(&f);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
}

/* As hugetlbfs-size measured it: a mount of two pages that has given out both, and two more in the pool. */
static void test_mount_size(void **state)
{
	(void)state;
	struct fixture f;
	const uint64_t map_file[6] = {0, 2 * MB, PROT_READ | PROT_WRITE, MAP_SHARED, 3};
	fixture_init(&f);
	pool(&f, 4, 4, 2);
	f.s.file_seen = true;
	f.s.file = (struct file_system){.type = HUGETLBFS_MAGIC, .block = 2 * MB, .size = 4 * MB, .free = 0};
	fixture_call(&f, "mmap", ENOMEM, map_file);
	judge(&f);
	assert_only(&f, CAUSE_HUGETLBFS_SIZE);
	assert_sum(&f, CAUSE_HUGETLBFS_SIZE, 4 * MB, 2 * MB, 4 * MB);
	assert_allows(&f, CAUSE_HUGETLB_POOL);
	fixture_call(&f, "fallocate", ENOSPC, (const uint64_t[6]){3, 0, 4 * MB, 1});
	f.r.asked_bytes = 1; /* rounded up to a page of the file system */
	judge(&f);
	assert_only(&f, CAUSE_HUGETLBFS_SIZE);
	assert_sum(&f, CAUSE_HUGETLBFS_SIZE, 4 * MB, 2 * MB, 4 * MB);
	fault(&f);
	assert_only(&f, CAUSE_HUGETLBFS_SIZE);
	f.s.file.free = 2 * MB; /* room for one more */
	fixture_call(&f, "mmap", ENOMEM, map_file);
	judge(&f);
	assert_allows(&f, CAUSE_HUGETLBFS_SIZE);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.file.size = 0; /* mounted without a size */
	judge(&f);
	assert_null(state_of(&f, CAUSE_HUGETLBFS_SIZE));
	f.s.file = (struct file_system){.type = TMPFS_MAGIC, .block = PAGE, .size = 4 * MB};
	fixture_call(&f, "fallocate", ENOSPC, (const uint64_t[6]){3, 0, 4 * MB, 1});
	judge(&f);
	assert_null(state_of(&f, CAUSE_HUGETLBFS_SIZE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_surplus),       cmocka_unit_test(test_file),
		cmocka_unit_test(test_fragmentation), cmocka_unit_test(test_group_reservation),
		cmocka_unit_test(test_page_size),     cmocka_unit_test(test_mount_size),
		cmocka_unit_test(test_fault),         cmocka_unit_test(test_other_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
