// SPDX-License-Identifier: MIT
/*
 * Removing what a tool was told, and whatever it has put there. It may have put another directory, or a link to one, in
 * the place of ours: only what is below the descriptor is ours, and only in its own file system.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "hold-tool.h"

/* A directory that is really there, neither a link nor something mounted; opened even if its owner may not read it. */
static int open_below(int at_fd, const char *name)
{
	const struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
				     .resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
	int fd = (int)syscall(SYS_openat2, at_fd, name, &how, sizeof(how));
	if (fd >= 0 || errno != EACCES)
		return fd;
	(void)fchmodat(at_fd, name, 0700, 0);
	return (int)syscall(SYS_openat2, at_fd, name, &how, sizeof(how));
}

/* What is deeper comes up, under a name of its own: no depth is too deep. */
static void lift(int from_fd, int to_fd, const char *name, unsigned *serial)
{
	char up[32];
	struct stat st;
	do
		(void)snprintf(up, sizeof(up), "%u", (*serial)++);
	while (fstatat(to_fd, up, &st, AT_SYMLINK_NOFOLLOW) == 0);
	(void)fchmodat(from_fd, name, 0700, 0); /* to move a directory is to write into it */
	(void)renameat(from_fd, name, to_fd, up);
}

static bool is_directory(int fd, const char *name)
{
	struct stat st;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool remove_entry(int top_fd, int fd, const char *name, unsigned *serial);

/*
 * true: something went away, and there may be more. Without opendir(), which asks for memory: there may be none left,
 * and nothing may stay behind.
 */
static bool empty_once(int top_fd, int fd, unsigned *serial)
{
	char entries[4096] __attribute__((aligned(__alignof__(struct dirent64))));
	auto_close int list = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool some = false;
	for (ssize_t n; list >= 0 && (n = getdents64(list, entries, sizeof(entries))) > 0;)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(entries + at);
			some |= remove_entry(top_fd, fd, entry->d_name, serial);
			at += entry->d_reclen;
		}
	return some;
}

static bool remove_entry(int top_fd, int fd, const char *name, unsigned *serial)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	if (!is_directory(fd, name))
		return unlinkat(fd, name, 0) == 0;
	if (fd != top_fd) {
		lift(fd, top_fd, name, serial);
		return false;
	}
	auto_close int below = open_below(top_fd, name);
	if (below >= 0)
		(void)empty_once(top_fd, below, serial);
	return unlinkat(top_fd, name, AT_REMOVEDIR) == 0;
}

void hold_remove_directory(int directory_fd, const char *name)
{
	unsigned serial = 0;
	struct stat ours, there;
	if (directory_fd < 0)
		return;
	(void)fchmod(directory_fd, 0700);
	while (empty_once(directory_fd, directory_fd, &serial))
		;
	if (fstat(directory_fd, &ours) == 0 && fstatat(AT_FDCWD, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		(void)rmdir(name);
}
