// SPDX-License-Identifier: MIT
/*
 * A tmpfs in the mount namespace of a child is resized from outside; needs root, or does nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "held-child.h"
#include "number.h"
#include "tmpfs.h"

#define AT "/dev/shm"

/* A tmpfs in a namespace of its own. */
static bool mount_tmpfs(void)
{
	return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) == 0 &&
	       mount("test", AT, "tmpfs", 0, "size=32k,nr_inodes=4") == 0;
}

static struct statfs seen_by(pid_t pid)
{
	char path[64];
	struct statfs fs;
	(void)snprintf(path, sizeof(path), "/proc/%d/root" AT, pid);
	assert_int_equal(statfs(path, &fs), 0);
	return fs;
}

static void test_resize(void **state)
{
	(void)state;
	int hold;
	struct statfs before, after;
	pid_t pid = hold_child(mount_tmpfs, &hold);
	if (pid == 0)
		skip();
	assert_int_equal(statfs(AT, &before), 0);
	assert_int_equal(tmpfs_resize(pid, AT, 64 << 10, ENOMEM_ABSENT), 0);
	assert_int_equal(seen_by(pid).f_blocks * 4096, 64 << 10);
	assert_int_equal(seen_by(pid).f_files, 4);
	assert_int_equal(tmpfs_resize(pid, AT, ENOMEM_ABSENT, 9), 0);
	assert_int_equal(seen_by(pid).f_blocks * 4096, 64 << 10);
	assert_int_equal(seen_by(pid).f_files, 9);
	assert_int_equal(tmpfs_resize(pid, "/proc", 64 << 10, ENOMEM_ABSENT), -EINVAL);
	assert_int_equal(tmpfs_resize(pid, AT "/none", 64 << 10, ENOMEM_ABSENT), -ENOENT);
	/* what everybody else has there is as it was */
	assert_int_equal(statfs(AT, &after), 0);
	assert_int_equal(after.f_blocks, before.f_blocks);
	assert_int_equal(after.f_files, before.f_files);
	end_child(pid, hold);
	assert_int_equal(tmpfs_resize(pid, AT, 64 << 10, ENOMEM_ABSENT), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_resize)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
