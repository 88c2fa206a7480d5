// SPDX-License-Identifier: MIT
/*
 * See tmpfs.h. fspick(2) takes a mount by a descriptor, whichever namespace it belongs to; mount(8) would have to be in
 * there.
 */
#include "tmpfs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "number.h"

/* linux/mount.h, which cannot be included beside sys/mount.h everywhere. */
#define PICK_CLOEXEC    1
#define PICK_EMPTY_PATH 8
#define SET_STRING      1
#define RECONFIGURE     7

static int set_number(int fs, const char *key, uint64_t number)
{
	char value[32];
	if (number == ENOMEM_ABSENT)
		return 0;
	(void)snprintf(value, sizeof(value), "%" PRIu64, number);
	return syscall(SYS_fsconfig, fs, SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

int tmpfs_open(pid_t pid, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	struct statfs st;
	char root[64];
	(void)snprintf(root, sizeof(root), "/proc/%d/root", pid);
	auto_close int base = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_close int at = base < 0 ? -1 : (int)syscall(SYS_openat2, base, path, &how, sizeof(how));
	if (at < 0 || fstatfs(at, &st) < 0)
		return -errno;
	return st.f_type == TMPFS_MAGIC ? steal_fd(at) : -EINVAL;
}

int tmpfs_resize_at(int directory_fd, uint64_t bytes, uint64_t inodes)
{
	auto_close int fs = (int)syscall(SYS_fspick, directory_fd, "", PICK_CLOEXEC | PICK_EMPTY_PATH);
	if (fs < 0)
		return -errno;
	int r = set_number(fs, "size", bytes);
	if (r == 0)
		r = set_number(fs, "nr_inodes", inodes);
	if (r == 0 && syscall(SYS_fsconfig, fs, RECONFIGURE, NULL, NULL, 0) < 0)
		r = -errno;
	return r;
}

int tmpfs_resize(pid_t pid, const char *path, uint64_t bytes, uint64_t inodes)
{
	auto_close int at = tmpfs_open(pid, path);
	return at < 0 ? at : tmpfs_resize_at(at, bytes, inodes);
}
