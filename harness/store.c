// SPDX-License-Identifier: MIT
/*
 * Files written as a whole. See store.h.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "json-memory.h"

static int write_all(int fd, store_writer *writer, void *data)
{
	auto_fclose FILE *out = fdopen(fd, "w");
	if (!out) {
		int error = errno;
		(void)close(fd);
		return -error;
	}
	errno = 0;
	int r = writer(out, data);
	if (r == 0 && json_memory_refused())
		r = -ENOMEM; /* it would not be all of it */
	if (r < 0)
		return r;
	if (fflush(out) == EOF || ferror(out))
		return errno ? -errno : -EIO;
	/* Devices and pipes cannot be synced and need not be. */
	if (fsync(fileno(out)) < 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP)
		return -errno;
	FILE *closing = steal(out);
	return fclose(closing) == EOF ? -errno : 0;
}

/* Make the rename itself last. */
static void sync_directory(const char *path)
{
	char directory[PATH_MAX];
	const char *slash = strrchr(path, '/');
	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	auto_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		(void)fsync(fd);
}

/* mkostemp() makes files for the owner only; these are ordinary ones. */
static void ordinary_mode(int fd, const char *path)
{
	struct stat st;
	mode_t mask = umask(0);
	(void)umask(mask);
	(void)fchmod(fd, stat(path, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask);
}

int store_file(const char *path, store_writer *writer, void *data)
{
	char resolved[PATH_MAX], temporary[PATH_MAX + 16];
	struct stat st;
	/* Renaming over /dev/stdout or a pipe would replace it: write into what is no file. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		int fd = open(path, O_WRONLY | O_CLOEXEC);
		return fd < 0 ? -errno : write_all(fd, writer, data);
	}
	const char *target = realpath(path, resolved) ? resolved : path; /* a symbolic link stays one */
	if (strlen(target) + 8 > sizeof(temporary))
		return -ENAMETOOLONG;
	(void)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", target);
	int fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ordinary_mode(fd, target);
	int r = write_all(fd, writer, data);
	if (!r && rename(temporary, target) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	else
		sync_directory(target);
	return r;
}

bool store_replaces(const char *path, const char *file)
{
	struct stat there, other;
	return stat(path, &there) == 0 && stat(file, &other) == 0 && S_ISREG(other.st_mode) &&
	       there.st_dev == other.st_dev && there.st_ino == other.st_ino;
}
