// SPDX-License-Identifier: MIT
/*
 * See write.h.
 */
#include "write.h"

#include <errno.h>
#include <unistd.h>

int write_whole(int fd, const void *data, size_t length)
{
	const char *at = data;
	while (length > 0) {
		ssize_t n = write(fd, at, length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		length -= (size_t)n;
	}
	return 0;
}
