// SPDX-License-Identifier: MIT
/*
 * In a guest: files of scenarios from the disk that came with the job. See guest-cargo.h.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "guest-cargo.h"
#include "write.h"

/* As much as is read at once; whole blocks, since the disk is read past the page cache: what a guest has cached counts.
 */
#define ALIGNMENT 4096
#define CHUNK     (256 << 10)

struct unloading {
	int disk;
	char *buffer;
};

static int copy(const struct unloading *u, int to, uint64_t offset, uint64_t length)
{
	while (length > 0) {
		size_t want = length < CHUNK ? (size_t)length : CHUNK;
		ssize_t n = pread(u->disk, u->buffer, (want + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT, (off_t)offset);
		if (n < 0)
			return -errno;
		if ((size_t)n < want)
			return -EIO;
		int r = write_whole(to, u->buffer, want);
		if (r < 0)
			return r;
		offset += want;
		length -= want;
	}
	return 0;
}

static void make_parents(const char *path)
{
	char parent[PATH_MAX];
	(void)snprintf(parent, sizeof(parent), "%s", path);
	for (char *slash = strchr(parent + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(parent, 0755);
		*slash = '/';
	}
}

/* What one entry of the list says. */
struct entry {
	const char *name, *text; /* text: instead of a place on the disk; NULL */
	size_t text_length;
	int executable;
	json_int_t offset, length;
};

static int put(const struct unloading *u, const char *path, const struct entry *e)
{
	struct stat st;
	if (stat(path, &st) == 0)
		return 0;
	make_parents(path);
	auto_close int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, e->executable ? 0755 : 0644);
	if (to < 0)
		return -errno;
	/* The harness's umask is not asked. */
	if (fchmod(to, e->executable ? 0755 : 0644) < 0)
		return -errno;
	return e->text ? write_whole(to, e->text, e->text_length)
		       : copy(u, to, (uint64_t)e->offset, (uint64_t)e->length);
}

static bool read_entry(json_t *from, struct entry *ret)
{
	*ret = (struct entry){0};
	if (json_unpack(from, "[s, b, s%!]", &ret->name, &ret->executable, &ret->text, &ret->text_length) < 0) {
		ret->text = NULL;
		if (json_unpack(from, "[s, b, I, I!]", &ret->name, &ret->executable, &ret->offset, &ret->length) < 0)
			return false;
	}
	return ret->name[0] == '/' && !strstr(ret->name, "/../") && ret->offset >= 0 && ret->offset % ALIGNMENT == 0 &&
	       ret->length >= 0;
}

static int unload_one(const struct unloading *u, const char *root, json_t *entry, char *why, size_t size)
{
	char path[PATH_MAX];
	struct entry e;
	if (!read_entry(entry, &e)) {
		(void)snprintf(why, size, "the list of its files is garbled");
		return -EBADMSG;
	}
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, e.name) >= sizeof(path))
		return -ENAMETOOLONG;
	int r = put(u, path, &e);
	if (r < 0)
		(void)snprintf(why, size, "%s: cannot be unloaded (%s)%s", e.name, strerrorname_np(-r),
			       r == -ENOSPC || r == -ENOMEM ? ": say a larger --guest-memory" : "");
	return r;
}

int guest_cargo_unload(const char *disk, const char *root, const json_t *files, char *why, size_t size)
{
	json_t *entry;
	size_t i;
	int r = 0;
	auto_close int fd = open(disk, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 && errno == EINVAL)
		fd = open(disk, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		(void)snprintf(why, size, "%s: cannot be opened (%s)", disk, strerrorname_np(-r));
		return r;
	}
	struct unloading u = {.disk = fd};
	u.buffer = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (u.buffer == MAP_FAILED) {
		r = -errno;
		(void)snprintf(why, size, "no memory to unload it");
		return r;
	}
	json_array_foreach (files, i, entry) {
		r = unload_one(&u, root, entry, why, size);
		if (r < 0)
			break;
	}
	(void)munmap(u.buffer, CHUNK);
	return r;
}
