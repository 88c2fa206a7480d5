// SPDX-License-Identifier: MIT
/*
 * Finding a kernel's modules. See guest-modules.h. A directory above an image may be anybody's (/tmp): from there on
 * each part of the way is opened by itself, is no link, and is somebody's who is trusted.
 */
#include "guest-modules.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-modules-internal.h"

bool modules_trusted(const struct stat *st, uid_t owner)
{
	return !(st->st_mode & (S_IWGRP | S_IWOTH)) &&
	       (st->st_uid == owner || st->st_uid == geteuid() || st->st_uid == 0);
}

/* A directory in `from`, which is closed. */
static int step(int from, const char *name, uid_t owner, bool *trusted)
{
	struct stat st;
	auto_close int above = from;
	auto_close int at = openat(above, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0 || fstat(at, &st) < 0)
		return -errno;
	*trusted &= modules_trusted(&st, owner);
	return steal_fd(at);
}

/* 1 when the way leads to a directory and all of it is trusted, 0 when not, -errno when that cannot be found out. */
static int look(const char *above, const char *const *part, uid_t owner, const char *path, FILE *errors)
{
	bool trusted = true;
	int at = open(above[0] ? above : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		at = -errno;
	for (; at >= 0 && *part; part++)
		at = step(at, *part, owner, &trusted);
	/* A link is none, too: Debian's /lib is one, to the usr/lib that is looked at as well. */
	if (at == -ENOENT || at == -ENOTDIR || at == -ELOOP || at == -EACCES)
		return 0;
	if (at < 0)
		return at;
	(void)close(at);
	if (!trusted)
		fprintf(errors,
			"enomem: %s: its modules are not taken: it or a directory on the way belongs to somebody else, "
			"or "
			"others may write to it (chmod go-w)\n",
			path);
	return trusted;
}

int guest_modules_find(const char *image, const char *release, char *ret, size_t size, FILE *errors)
{
	const char *const way[][5] = {{"lib", "modules", release, NULL}, {"usr", "lib", "modules", release, NULL}};
	static const char *const place[] = {"lib/modules", "usr/lib/modules"};
	char above[PATH_MAX], path[PATH_MAX];
	struct stat st;
	if (!release[0] || strlen(image) >= sizeof(above))
		return -ENOENT;
	if (stat(image, &st) < 0)
		return -errno;
	(void)strcpy(above, image);
	for (char *slash; (slash = strrchr(above, '/'));) {
		*slash = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(place); i++) {
			int n = snprintf(path, sizeof(path), "%s/%s/%s", above, place[i], release);
			if (n >= (int)sizeof(path) || (size_t)n >= size)
				continue;
			int r = look(above, way[i], st.st_uid, path, errors);
			if (r < 0) {
				fprintf(errors, "enomem: %s: cannot be read (%s)\n", path, strerrorname_np(-r));
				return r;
			}
			if (r == 0)
				continue;
			(void)strcpy(ret, path);
			return 0;
		}
	}
	return -ENOENT;
}
