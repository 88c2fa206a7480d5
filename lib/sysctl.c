// SPDX-License-Identifier: MIT
/*
 * Reading and writing files below /proc/sys, and nowhere else.
 */
#include "sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "journal-internal.h"
#include "procfs.h"

const char *sysctl_root = "/proc/sys";

int sysctl_path(const char *name, char *ret, size_t size)
{
	size_t length = strlen(name);
	char separator = name[strcspn(name, "./")];
	if (length >= size)
		return -ENAMETOOLONG;
	for (size_t i = 0; i <= length; i++) {
		char c = name[i];
		/* sysctl(8): the first separator decides; the other character is then part of a name ("eth0/100"). */
		if (separator == '.' && (c == '.' || c == '/'))
			c = c == '.' ? '/' : '.';
		ret[i] = c;
	}
	for (const char *p = ret;; p++) {
		size_t n = strcspn(p, "/");
		if (n == 0 || (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.'))))
			return -EINVAL;
		p += n;
		if (!*p)
			return 0;
	}
}

/* Component by component, so that no link leads out of the root. */
int sysctl_open(const char *name, int flags, int *ret_fd)
{
	char path[256];
	int r = sysctl_path(name, path, sizeof(path));
	if (r < 0)
		return r;
	auto_close int dir = open(sysctl_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	char *component = path;
	for (char *slash; (slash = strchr(component, '/')); component = slash + 1) {
		*slash = '\0';
		int next = openat(dir, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		(void)close(dir);
		dir = next;
	}
	int fd = openat(dir, component, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int sysctl_read(const char *name, char *ret_value, size_t size)
{
	char buf[4096];
	int opened = -1;
	int r = sysctl_open(name, O_RDONLY, &opened);
	if (r < 0)
		return r;
	auto_close int fd = opened;
	ssize_t n = procfs_read_fd(fd, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	if (n > 0 && buf[n - 1] == '\n')
		n--;
	if ((size_t)n >= size)
		return -E2BIG;
	memcpy(ret_value, buf, (size_t)n);
	ret_value[n] = '\0';
	return 0;
}

int sysctl_write_fd(int fd, const char *value)
{
	char buf[SYSCTL_VALUE_MAX + 1];
	size_t length = strlen(value);
	if (length >= SYSCTL_VALUE_MAX || strchr(value, '\n'))
		return -EINVAL;
	memcpy(buf, value, length);
	buf[length] = '\n';
	/* What open() with O_TRUNC would do, too; files of /proc do not mind. */
	if (ftruncate(fd, 0) < 0 && errno != EINVAL && errno != EPERM)
		return -errno;
	ssize_t n = pwrite(fd, buf, length + 1, 0);
	if (n < 0)
		return -errno;
	return (size_t)n == length + 1 ? 0 : -EIO;
}

int sysctl_write(const char *name, const char *value)
{
	int opened = -1;
	int r = sysctl_open(name, O_WRONLY, &opened);
	if (r < 0)
		return r;
	auto_close int fd = opened;
	return sysctl_write_fd(fd, value);
}

bool sysctl_same_value(const char *a, const char *b)
{
	for (;;) {
		a += strspn(a, " \t\n");
		b += strspn(b, " \t\n");
		size_t n = strcspn(a, " \t\n");
		if (n != strcspn(b, " \t\n") || memcmp(a, b, n) != 0)
			return false;
		if (n == 0)
			return true;
		a += n;
		b += n;
	}
}

bool sysctl_lifts_commit_limit(const char *name, const char *old_value)
{
	char path[128] = "";
	return sysctl_path(name, path, sizeof(path)) == 0 && strcmp(path, "vm/overcommit_memory") == 0 &&
	       !sysctl_same_value(old_value, "2");
}
