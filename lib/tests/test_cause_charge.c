// SPDX-License-Identifier: MIT
/*
 * Causes of refused kernel memory: blocks that are too large or not to be had in one piece, and full memory groups.
 */
#include "cause-fixture.h"

#include <linux/magic.h>

/* A memory group of 8 MB; its counter of refusals moves by `moved`. */
static void group_init(struct fixture *f, uint64_t current, uint64_t moved)
{
	fixture_init(f);
	f->s.cgroup.value[CGROUP_MEMORY_MAX] = 8 * MB;
	f->s.cgroup.value[CGROUP_MEMORY_CURRENT] = current;
	f->s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 100;
	f->before = f->s;
	f->before.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 100 - moved;
	f->before.taken = true;
}

static void call(struct fixture *f, const char *name, int error, uint64_t asked)
{
	fixture_call(f, name, error, (const uint64_t[6]){0});
	f->r.asked_bytes = asked;
	f->r.clone_flags = 17;
	judge(f);
}

static void test_kmalloc_max(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	/* F_SETPIPE_SZ 2^29 is refused at once, 2^28 is not */
	call(&f, "fcntl", ENOMEM, 5 * MB);
	assert_only(&f, CAUSE_KMALLOC_MAX);
	assert_sum(&f, CAUSE_KMALLOC_MAX, 0, 5 * MB, 4 * MB);
	call(&f, "fcntl", ENOMEM, 4 * MB);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_KMALLOC_MAX);
	call(&f, "fcntl", EPERM, 5 * MB); /* fs.pipe-max-size, where nobody has looked */
	assert_int_equal(f.report.count, 0);
	call(&f, "fcntl", ENOMEM, 0);
	assert_int_equal(f.report.count, 0);
	/* no limit of memory is asked when the request is absurd */
	group_init(&f, 8 * MB, 3);
	call(&f, "fcntl", ENOMEM, 5 * MB);
	assert_only(&f, CAUSE_KMALLOC_MAX);
}

static void test_fragmentation(void **state)
{
	(void)state;
	struct fixture f;
	const uint64_t asked = 65536 * 40; /* F_SETPIPE_SZ 2^28 */
	fixture_init(&f);
	for (unsigned i = 0; i <= 10; i++)
		f.s.buddy.blocks[i] = i < 10 ? 5 : 0;
	call(&f, "fcntl", ENOMEM, asked);
	assert_only(&f, CAUSE_FRAGMENTATION);
	assert_sum(&f, CAUSE_FRAGMENTATION, 0, 4 * MB, 2 * MB);
	f.s.buddy.blocks[10] = 1;
	call(&f, "fcntl", ENOMEM, asked);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_FRAGMENTATION);
	f.s.buddy.blocks[10] = 0;
	call(&f, "fcntl", EAGAIN, asked);
	assert_only(&f, CAUSE_UNKNOWN);
	/* with too little memory it is not its pieces that lack */
	f.s.meminfo.value[MEMINFO_MEM_FREE] = 4 * MB;
	call(&f, "fcntl", ENOMEM, asked);
	assert_null(state_of(&f, CAUSE_FRAGMENTATION));
	f.s.meminfo.value[MEMINFO_MEM_FREE] = 64 * MB;
	for (unsigned i = 0; i <= 10; i++)
		f.s.buddy.blocks[i] = ENOMEM_ABSENT;
	call(&f, "fcntl", ENOMEM, asked);
	assert_null(state_of(&f, CAUSE_FRAGMENTATION));
	/* a group without room for the block refuses before its pieces matter */
	group_init(&f, 5 * MB, 1);
	for (unsigned i = 0; i <= 10; i++)
		f.s.buddy.blocks[i] = 1;
	call(&f, "fcntl", ENOMEM, asked);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 5 * MB, 4 * MB, 8 * MB);
}

/* A memory file in a group of 8 MB where nobody may be killed, 6.1: refused after 8323072 bytes. */
static void test_fallocate(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f, 8384512, 18);
	call(&f, "fallocate", ENOMEM, 65536);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 8384512, 65536, 8 * MB);
	call(&f, "fallocate", ENOSPC, 65536); /* a group never says that here */
	assert_only(&f, CAUSE_UNKNOWN);
	/* its counter stood still: whoever said no, it was not this group */
	group_init(&f, 8384512, 0);
	call(&f, "fallocate", ENOMEM, 65536);
	assert_only(&f, CAUSE_UNKNOWN);
	/* v1 without swap: the sum refuses first, and 6.18 does not count that */
	f.s.cgroup.value[CGROUP_MEMORY_MEMSW_PEAK] = 8 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_MAX] = 0;
	call(&f, "fallocate", ENOMEM, 65536);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_SWAP_MAX] = 4 * MB;
	call(&f, "fallocate", ENOMEM, 65536);
	assert_only(&f, CAUSE_UNKNOWN);
	/* room enough, although the counter moved once */
	group_init(&f, 4 * MB, 1);
	call(&f, "fallocate", ENOMEM, 65536);
	assert_only(&f, CAUSE_UNKNOWN);
	group_init(&f, 8384512, 18);
	f.s.cgroup.value[CGROUP_MEMORY_MAX] = ENOMEM_UNLIMITED;
	call(&f, "fallocate", ENOMEM, 65536);
	assert_null(state_of(&f, CAUSE_MEMCG_MAX));
	group_init(&f, 8384512, 18);
	f.s.in_cgroup = false;
	call(&f, "fallocate", ENOMEM, 65536);
	assert_int_equal(f.report.count, 0);
	group_init(&f, 8384512, 18);
	call(&f, "memfd_create", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	call(&f, "fallocate", ENOMEM, UINT64_MAX);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Messages, datagrams and semaphores in groups where nobody may be killed, as full as 6.1 showed them. */
static void test_queues(void **state)
{
	(void)state;
	static const struct {
		const char *call;
		int error, other;
		uint64_t in_use;
	} row[] = {{"msgsnd", ENOMEM, ENOSPC, 8 * MB},
		   {"sendto", ENOBUFS, ENOSPC, 8 * MB - 9 * PAGE},
		   {"semget", ENOMEM, ENOSPC, 8 * MB}};
	struct fixture f;
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		group_init(&f, row[i].in_use, 18);
		call(&f, row[i].call, row[i].error, 65536);
		assert_only(&f, CAUSE_MEMCG_MAX);
		assert_sum(&f, CAUSE_MEMCG_MAX, row[i].in_use, PAGE, 8 * MB);
		call(&f, row[i].call, row[i].other, 65536); /* somebody else's limit */
		assert_only(&f, CAUSE_UNKNOWN);
		group_init(&f, row[i].in_use, 0); /* its counter stood still */
		call(&f, row[i].call, row[i].error, 65536);
		assert_only(&f, CAUSE_UNKNOWN);
		group_init(&f, 4 * MB, 1);
		call(&f, row[i].call, row[i].error, 65536);
		assert_only(&f, CAUSE_UNKNOWN);
	}
}

/* What fork() had got is given back by the time anybody looks: 6.1 showed one page of room. */
static void test_fork(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f, 8384512, 54);
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	call(&f, "clone", EAGAIN, 0);
	assert_null(state_of(&f, CAUSE_MEMCG_MAX));
	group_init(&f, 8384512, 0);
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	group_init(&f, 8 * MB - 66 * PAGE, 54); /* more room than one fork takes */
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	/* nearly full, but something else is exactly at its limit: that it was */
	group_init(&f, 8384512, 54);
	f.s.pidns_children_dead = true;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_DEAD_PID_NAMESPACE);
	/* full to the brim as well: both are told */
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 8 * MB;
	call(&f, "fork", ENOMEM, 0);
	assert_int_equal(named(&f), CAUSE_MEMCG_MAX);
	assert_true(state_of(&f, CAUSE_DEAD_PID_NAMESPACE)->refuses);
	/* a group above */
	fixture_init(&f);
	f.s.ancestor_count = 1;
	f.s.ancestor[0] = (struct ancestor_numbers){CGROUP_MEMORY, 8 * MB, 8 * MB, 7, ENOMEM_ABSENT};
	f.before = f.s;
	f.before.ancestor[0].refused = 6;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.before.ancestor[0].refused = 7;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* v1 on 5.10: kernel memory has a limit of its own, and its own counter. */
static void test_kmem(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f, 3 * MB, 0);
	f.s.cgroup.value[CGROUP_MEMORY_KMEM_MAX] = 2 * MB;
	f.s.cgroup.value[CGROUP_MEMORY_KMEM_CURRENT] = 2 * MB - 8 * PAGE;
	f.s.cgroup.value[CGROUP_MEMORY_KMEM_EVENTS_MAX] = 1;
	f.before.cgroup.value[CGROUP_MEMORY_KMEM_EVENTS_MAX] = 0;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	unsigned index;
	uint32_t also;
	(void)cause_name(&f.report, &index, &also);
	assert_int_equal(f.report.state[index].bound, 2 * MB);
	assert_string_equal(f.report.state[index].where, "memory.kmem.limit_in_bytes of its group");
	f.before.cgroup.value[CGROUP_MEMORY_KMEM_EVENTS_MAX] = 1;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_KMEM_MAX] = ENOMEM_UNLIMITED; /* 6.1: written, and without effect */
	f.before.cgroup.value[CGROUP_MEMORY_KMEM_EVENTS_MAX] = 0;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* 5.10 says ENFILE where 7.2 says ENOMEM. */
static void test_pipe(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f, 8384512, 3);
	call(&f, "pipe2", ENFILE, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	call(&f, "pipe", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	group_init(&f, 8384512, 0); /* fs.file-max says ENFILE, too */
	call(&f, "pipe2", ENFILE, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	group_init(&f, 1 * MB, 3);
	call(&f, "pipe2", ENFILE, 0);
	assert_only(&f, CAUSE_UNKNOWN);
}

/* Without any earlier snapshot only a group that is exactly full counts, and only where nothing else explains it. */
static void test_nothing_to_compare(void **state)
{
	(void)state;
	struct fixture f;
	group_init(&f, 8 * MB, 0);
	f.before.taken = false;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.pidns_children_dead = true;
	call(&f, "fork", ENOMEM, 0);
	assert_only(&f, CAUSE_DEAD_PID_NAMESPACE);
}

static void test_no_space(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.file_seen = true;
	f.s.file = (struct file_system){.type = TMPFS_MAGIC, .size = 1 * MB, .free = 64 * KB};
	call(&f, "fallocate", ENOSPC, 64 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "fallocate", ENOSPC, 64 * KB + 1);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 960 * KB, 68 * KB, 1 * MB);
	f.s.file.type = EXT4_SUPER_MAGIC;
	call(&f, "fallocate", ENOSPC, 64 * KB + 1);
	assert_int_equal(f.report.count, 0);
	/* a memory file, strict overcommit: its pages are charged one by one */
	f.s.file = (struct file_system){.type = TMPFS_MAGIC};
	call(&f, "fallocate", ENOSPC, 300 * MB);
	assert_int_equal(f.report.count, 0);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	call(&f, "fallocate", ENOSPC, 300 * MB);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	call(&f, "fallocate", ENOSPC, 1 * MB);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.file_seen = false;
	call(&f, "fallocate", ENOSPC, 300 * MB);
	assert_int_equal(f.report.count, 0);
}

/* 32 MiB and a little in use when 16 were written: numbers of 6.1 with cgroup v1. */
static void test_limit_lowered(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_call(&f, "write", EBUSY, (const uint64_t[6]){3, 0x7ffc0000, 8});
	f.r.number = 16 * MB;
	f.s.group_limit_seen = true;
	f.s.group_limit = CGROUP_MEMORY_MAX;
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 33730560;
	judge(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 33730560, 0, 16 * MB);
	f.r.number = 33730560; /* just what is in use would have been taken: something else said no */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_MEMCG_MAX);
	f.r.number = 33730559; /* rounded down to a page */
	judge(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 33730560, 0, 33730560 - PAGE);
	f.r.error = ENOSPC; /* no such answer of this limit */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.error = EBUSY;
	f.r.number = ENOMEM_ABSENT; /* "max", or no number at all */
	judge(&f);
	assert_int_equal(f.report.count, 0);
	f.r.number = 16 * MB;
	f.s.group_limit_seen = false; /* some other file */
	judge(&f);
	assert_int_equal(f.report.count, 0);
}

static void test_huge_limit_lowered(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	fixture_call(&f, "write", EBUSY, (const uint64_t[6]){3, 0x7ffc0000, 7});
	f.r.number = 3 * MB;
	f.s.group_limit_seen = true;
	f.s.group_limit = CGROUP_HUGETLB_MAX;
	f.s.cgroup.value[CGROUP_HUGETLB_CURRENT] = 4 * MB;
	f.s.cgroup.value[CGROUP_HUGETLB_RSVD_CURRENT] = 0;
	judge(&f);
	assert_only(&f, CAUSE_HUGETLB_CGROUP);
	assert_sum(&f, CAUSE_HUGETLB_CGROUP, 4 * MB, 0, 2 * MB); /* whole pages */
	f.s.group_limit = CGROUP_HUGETLB_RSVD_MAX;               /* of which nothing is reserved */
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_sum(&f, CAUSE_HUGETLB_CGROUP, 0, 0, 2 * MB);
	f.s.meminfo.value[MEMINFO_HUGEPAGE_SIZE] = ENOMEM_ABSENT;
	judge(&f);
	assert_int_equal(f.report.count, 0);
}

/* As memory-unkillable measured it: read() of a full group that can kill nobody has no page for its buffer. */
static void test_read(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	const uint64_t args[6] = {3, 0x7f0000000000, MB};
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = f.s.cgroup.value[CGROUP_MEMORY_MAX] = 4 * MB;
	f.before = f.s;
	f.before.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = f.before.cgroup.value[CGROUP_MEMORY_EVENTS_OOM] = 0;
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 18;
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_OOM] = 1;
	fixture_call(&f, "read", EFAULT, args);
	judge(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	assert_sum(&f, CAUSE_MEMCG_MAX, 4 * MB, PAGE, 4 * MB);
	/* a wrong pointer in a group that page cache fills: it is refused and reclaims, and never looks for a victim */
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_OOM] = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_OOM] = ENOMEM_ABSENT; /* v1 does not tell */
	judge(&f);
	assert_only(&f, CAUSE_MEMCG_MAX);
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_OOM] = 1;
	/* a wrong pointer: the group was never at its limit, or has room */
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 0;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.cgroup.value[CGROUP_MEMORY_EVENTS_MAX] = 18;
	f.s.cgroup.value[CGROUP_MEMORY_CURRENT] = 2 * MB;
	judge(&f);
	assert_only(&f, CAUSE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),          cmocka_unit_test(test_kmalloc_max),
		cmocka_unit_test(test_fragmentation), cmocka_unit_test(test_fallocate),
		cmocka_unit_test(test_fork),          cmocka_unit_test(test_queues),
		cmocka_unit_test(test_kmem),          cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_no_space),      cmocka_unit_test(test_nothing_to_compare),
		cmocka_unit_test(test_limit_lowered), cmocka_unit_test(test_huge_limit_lowered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
