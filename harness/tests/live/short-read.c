// SPDX-License-Identifier: MIT
/*
 * Preloaded: files of a name that is in $SHORT_READ can be read once, and then there is an error.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

ssize_t read(int fd, void *buf, size_t size)
{
	char link[64], path[4096];
	const char *name = getenv("SHORT_READ");
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = name ? readlink(link, path, sizeof(path) - 1) : -1;
	path[n > 0 ? n : 0] = '\0';
	if (n > 0 && !strcmp(path, name) && lseek(fd, 0, SEEK_CUR) > 0) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_read, fd, buf, size);
}
