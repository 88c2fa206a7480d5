// SPDX-License-Identifier: MIT
/*
 * What is in a directory that becomes an image: whether all of it can be read, how much it is, and a hash that tells it
 * from what was there before any change. See guest-root.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-image.h"
#include "guest-root.h"
#include "say.h"

#define BLOCK     4096U
#define DEPTH_MAX 256U

struct walk {
	const char *directory;
	char path[PATH_MAX]; /* of where we are, as seen from the directory */
	unsigned depth;
	dev_t device;
	struct guest_root_tree tree;
};

static int fail(const struct walk *w, int error, const char *why)
{
	(void)say_error(error, "--root: %s%s: %s", w->directory, w->path, why);
	return error < 0 ? error : -error;
}

/* The time of change is set by every change and by nothing else. */
static void add(struct walk *w, const char *name, const struct stat *st)
{
	const struct {
		uint64_t inode, size, seconds, nanoseconds;
		uint32_t mode, uid, gid, depth;
	} what = {st->st_ino,
		  (uint64_t)st->st_size,
		  (uint64_t)st->st_ctim.tv_sec,
		  (uint64_t)st->st_ctim.tv_nsec,
		  st->st_mode,
		  st->st_uid,
		  st->st_gid,
		  w->depth};
	w->tree.hash = hash_bytes(w->tree.hash, name, strlen(name) + 1);
	w->tree.hash = hash_bytes(w->tree.hash, &what, sizeof(what));
	w->tree.inodes++;
	/* Attributes may need a block of their own, long names make directories grow. */
	w->tree.blocks += 1 + (S_ISREG(st->st_mode) ? ((uint64_t)st->st_blocks * 512 + BLOCK - 1) / BLOCK
						    : ((uint64_t)st->st_size + BLOCK - 1) / BLOCK);
}

static int walk_directory(struct walk *w, int fd);

static int walk_one(struct walk *w, int parent, const char *name)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, -errno, "cannot be read");
	add(w, name, &st);
	if (S_ISREG(st.st_mode) && faccessat(parent, name, R_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) < 0) {
		int r = fail(w, -errno, "cannot be read");
		say_hint("as root it can; or run it on a copy without that file");
		return r;
	}
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (st.st_dev != w->device) {
		int r = fail(w, -EXDEV, "another file system is mounted there");
		say_hint("umount '%s%s'", w->directory, w->path);
		return r;
	}
	if (w->depth == DEPTH_MAX)
		return fail(w, -ELOOP, "too deep");
	auto_close int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(w, -errno, "cannot be read");
	w->depth++;
	int r = walk_directory(w, fd);
	w->depth--;
	return r;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int walk_directory(struct walk *w, int fd)
{
	struct dirent **entries = NULL;
	size_t length = strlen(w->path);
	int r = 0, count = scandirat(fd, ".", &entries, is_entry, by_bytes);
	if (count < 0)
		return fail(w, -errno, "cannot be read");
	for (int i = 0; i < count; i++) {
		int n = snprintf(w->path + length, sizeof(w->path) - length, "/%s", entries[i]->d_name);
		if (r == 0)
			r = n < (int)(sizeof(w->path) - length) ? walk_one(w, fd, entries[i]->d_name)
								: fail(w, -ENAMETOOLONG, "too long a path");
		w->path[length] = '\0';
		free(entries[i]);
	}
	free(entries);
	return r;
}

int guest_root_walk(int directory_fd, const char *directory, struct guest_root_tree *ret)
{
	auto_free struct walk *w = calloc(1, sizeof(*w));
	struct stat st;
	if (!w)
		return -ENOMEM;
	auto_close int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->directory = directory;
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(w, -errno, "cannot be read");
	w->device = st.st_dev;
	w->tree.hash = HASH_START;
	add(w, directory, &st);
	int r = walk_directory(w, fd);
	*ret = w->tree;
	return r;
}
