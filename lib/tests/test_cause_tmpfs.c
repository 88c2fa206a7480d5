// SPDX-License-Identifier: MIT
/*
 * Causes of a full tmpfs: numbers of one of 32 KiB with 4 inodes, as 6.1 showed them.
 */
#include "cause-fixture.h"

#include <linux/magic.h>
#include <signal.h>

#define MAPPED 0x7f1200000000ULL

static void tmpfs_init(struct fixture *f, uint64_t used, uint64_t inodes_used)
{
	fixture_init(f);
	f->s.file_seen = true;
	f->s.file = (struct file_system){.type = TMPFS_MAGIC,
					 .size = 32 * KB,
					 .free = 32 * KB - used,
					 .inodes = 4,
					 .inodes_free = 4 - inodes_used};
}

/* A file of 24 KiB, mapped as a whole */
static void map(struct fixture *f)
{
	f->s.area_seen = true;
	f->s.area = (struct area_kind){.start = MAPPED, .end = MAPPED + 24 * KB, .page_size = PAGE, .inode = 3};
	f->s.file_bytes = 24 * KB;
}

static void call(struct fixture *f, const char *name, int error, uint64_t address, uint64_t length)
{
	fixture_call(f, name, error, (const uint64_t[6]){address, length});
	f->r.asked_bytes = length;
	judge(f);
}

static void fault(struct fixture *f, int code, uint64_t address)
{
	f->signal = (struct fatal_signal){.signal = SIGBUS, .code = code, .address = address};
	judge_signal(f);
}

static void test_write(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 32 * KB, 3);
	call(&f, "write", ENOSPC, 3, 8 * KB);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 32 * KB, PAGE, 32 * KB); /* the first page of it decides */
	assert_null(state_of(&f, CAUSE_TMPFS_SIZE)->unit);
	tmpfs_init(&f, 28 * KB, 3); /* that page fitted: something else said no */
	call(&f, "write", ENOSPC, 3, 8 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_TMPFS_SIZE);
	tmpfs_init(&f, 32 * KB, 3);
	f.s.file_seen = false;
	call(&f, "write", ENOSPC, 3, 8 * KB);
	assert_int_equal(f.report.count, 0);
	tmpfs_init(&f, 32 * KB, 3);
	f.s.file.type = EXT4_SUPER_MAGIC; /* a full disk is none of ours */
	call(&f, "write", ENOSPC, 3, 8 * KB);
	assert_int_equal(f.report.count, 0);
	tmpfs_init(&f, 32 * KB, 3);
	call(&f, "write", ENOMEM, 3, 8 * KB); /* a group that kills nobody: the tmpfs says ENOSPC */
	assert_null(state_of(&f, CAUSE_TMPFS_SIZE));
	/* more free than there is: numbers of another moment */
	tmpfs_init(&f, 0, 3);
	f.s.file.free = 36 * KB;
	call(&f, "write", ENOSPC, 3, 8 * KB);
	assert_int_equal(f.report.count, 0);
}

static void test_fallocate(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 16 * KB, 3);
	call(&f, "fallocate", ENOSPC, 3, 24 * KB);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 16 * KB, 24 * KB, 32 * KB);
	call(&f, "fallocate", ENOSPC, 3, 16 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_create(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 16 * KB, 4);
	call(&f, "openat", ENOSPC, 0, 0);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 4, 1, 4);
	assert_string_equal(state_of(&f, CAUSE_TMPFS_SIZE)->unit, "inodes");
	tmpfs_init(&f, 32 * KB, 3); /* an empty file takes no page */
	call(&f, "openat", ENOSPC, 0, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_TMPFS_SIZE);
	tmpfs_init(&f, 16 * KB, 4);
	f.s.file.inodes = f.s.file.inodes_free = 0; /* nr_inodes=0: no limit */
	call(&f, "openat", ENOSPC, 0, 0);
	assert_int_equal(f.report.count, 0);
	tmpfs_init(&f, 16 * KB, 4);
	f.s.file.type = EXT4_SUPER_MAGIC;
	call(&f, "openat", ENOSPC, 0, 0);
	assert_int_equal(f.report.count, 0);
}

static void test_touch(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 32 * KB, 3);
	map(&f);
	fault(&f, BUS_ADRERR, MAPPED + 16 * KB);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 32 * KB, PAGE, 32 * KB);
	fault(&f, BUS_ADRERR, MAPPED + 24 * KB - 1);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	/* cut short by somebody: the file system is full, but that is not why */
	f.s.file_bytes = 16 * KB;
	fault(&f, BUS_ADRERR, MAPPED + 16 * KB);
	assert_int_equal(f.report.count, 0);
	/* the last page is there as a whole, and the area may begin anywhere in the file */
	f.s.file_bytes = 16 * KB + 1;
	fault(&f, BUS_ADRERR, MAPPED + 20 * KB - 1);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	f.s.area.offset = PAGE;
	fault(&f, BUS_ADRERR, MAPPED + 16 * KB);
	assert_int_equal(f.report.count, 0);
	map(&f);
	f.s.file.free = PAGE;
	fault(&f, BUS_ADRERR, MAPPED);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_TMPFS_SIZE);
	f.s.file.free = 0;
	fault(&f, BUS_MCEERR_AR, MAPPED); /* broken memory */
	assert_int_equal(f.report.count, 0);
	fault(&f, BUS_ADRERR, MAPPED - 1); /* not of this area */
	assert_int_equal(f.report.count, 0);
	f.s.file_bytes = ENOMEM_ABSENT;
	fault(&f, BUS_ADRERR, MAPPED);
	assert_int_equal(f.report.count, 0);
	map(&f);
	f.s.area_seen = false;
	fault(&f, BUS_ADRERR, MAPPED);
	assert_int_equal(f.report.count, 0);
}

/* A memory file has no size to fill, but its pages are promised one by one. */
static void test_touch_under_strict_commit(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 0, 0);
	map(&f);
	f.s.file = (struct file_system){.type = TMPFS_MAGIC};
	fault(&f, BUS_ADRERR, MAPPED);
	assert_int_equal(f.report.count, 0);
	f.s.sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 2;
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 243448 * KB;
	fault(&f, BUS_ADRERR, MAPPED);
	assert_only(&f, CAUSE_COMMIT_LIMIT);
	f.s.meminfo.value[MEMINFO_COMMITTED_AS] = 30000 * KB;
	fault(&f, BUS_ADRERR, MAPPED);
	assert_only(&f, CAUSE_UNKNOWN);
}

static void test_calls_that_fault(void **state)
{
	(void)state;
	struct fixture f;
	tmpfs_init(&f, 32 * KB, 3);
	map(&f);
	call(&f, "mlock", ENOMEM, MAPPED, 24 * KB);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	assert_sum(&f, CAUSE_TMPFS_SIZE, 32 * KB, PAGE, 32 * KB);
	call(&f, "read", EFAULT, 3, MAPPED + 16 * KB); /* read(fd, address, ...) */
	assert_only(&f, CAUSE_TMPFS_SIZE);
	call(&f, "read", EFAULT, 3, MAPPED + 24 * KB); /* a bad pointer */
	assert_int_equal(f.report.count, 0);
	/* locked beyond the file's end: ENOMEM as well, whatever is free */
	f.s.file_bytes = 16 * KB;
	call(&f, "mlock", ENOMEM, MAPPED, 24 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	call(&f, "mlock", ENOMEM, MAPPED, 16 * KB);
	assert_only(&f, CAUSE_TMPFS_SIZE);
	/* what the user may lock comes first */
	f.s.rlimit[RLIMIT_MEMLOCK] = 8 * KB;
	f.s.file.free = 16 * KB;
	call(&f, "mlock", ENOMEM, MAPPED, 16 * KB);
	assert_only(&f, CAUSE_RLIMIT_MEMLOCK);
	assert_allows(&f, CAUSE_TMPFS_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_fallocate),
		cmocka_unit_test(test_create),
		cmocka_unit_test(test_touch),
		cmocka_unit_test(test_touch_under_strict_commit),
		cmocka_unit_test(test_calls_that_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
