// SPDX-License-Identifier: MIT
/*
 * The cache directory. What lies in it is executed (kernels, memory of guests): it must belong to the user.
 */
#include "cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cache_path(const char *sub, char *ret, size_t size)
{
	const char *own = secure_getenv("ENOMEM_CACHE_DIR"), *xdg = secure_getenv("XDG_CACHE_HOME"),
		   *home = secure_getenv("HOME");
	int n;
	if (own && *own)
		n = snprintf(ret, size, "%s/%s", own, sub);
	else if (xdg && *xdg == '/')
		n = snprintf(ret, size, "%s/enomem/%s", xdg, sub);
	else if (home && *home == '/')
		n = snprintf(ret, size, "%s/.cache/enomem/%s", home, sub);
	else
		return -ENOENT;
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int cache_directory(const char *sub, char *ret, size_t size)
{
	struct stat st;
	int r = cache_path(sub, ret, size);
	if (r < 0)
		return r;
	for (char *slash = strchr(ret + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		r = mkdir(ret, 0700) < 0 && errno != EEXIST ? -errno : 0;
		if (slash)
			*slash = '/';
		if (r < 0)
			return r;
		if (!slash)
			break;
	}
	if (stat(ret, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return st.st_uid == geteuid() && !(st.st_mode & 022) ? 0 : -EPERM;
}
