// SPDX-License-Identifier: MIT
/*
 * Small files of /proc, /proc/sys and cgroupfs, read through a descriptor as often as needed without allocating.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "procfs.h"

ssize_t procfs_read_fd(int fd, char *buf, size_t size)
{
	size_t length = 0;

	if (size == 0)
		return -EINVAL;
	for (;;) {
		char more;
		bool full = length + 1 == size;
		ssize_t n = pread(fd, full ? &more : buf + length, full ? 1 : size - 1 - length, (off_t)length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n > 0 && full)
			return -E2BIG;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	buf[length] = '\0';
	return (ssize_t)length;
}

ssize_t procfs_read_at(int dirfd, const char *name, char *buf, size_t size)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return procfs_read_fd(fd, buf, size);
}

pid_t procfs_parent_of(pid_t pid)
{
	char name[64], text[1024];
	uint64_t parent, group, session;

	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0 ||
	    procfs_parse_stat_family(text, &parent, &group, &session) < 0)
		return 0;
	return (pid_t)parent;
}

int procfs_read_number_fd(int fd, uint64_t *ret)
{
	char text[64];
	ssize_t length = procfs_read_fd(fd, text, sizeof(text));

	if (length < 0)
		return length == -E2BIG ? -EBADMSG : (int)length;
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	if (memchr(text, '\0', (size_t)length))
		return -EBADMSG;
	if (strcmp(text, "max") == 0) {
		*ret = ENOMEM_UNLIMITED;
		return 0;
	}
	int r = number_parse_count(text, ret);
	return r == -EINVAL ? -EBADMSG : r;
}

int procfs_read_number_at(int dirfd, const char *name, uint64_t *ret)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return -errno;
	return procfs_read_number_fd(fd, ret);
}
