// SPDX-License-Identifier: MIT
/*
 * See capture-tree.h.
 */
#include "capture-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "write.h"

#define LENGTH_MAX (48L << 20)
#define DEPTH_MAX  16

struct packing {
	FILE *out;
	size_t skip; /* of each path: the directory's own */
	int error;
};

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void pack_file(struct packing *p, const char *path)
{
	char chunk[16384];
	struct stat st;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0) {
		p->error = -errno;
		return;
	}
	fprintf(p->out, "%s%c%lld%c", path + p->skip, '\0', (long long)st.st_size, '\0');
	off_t left = st.st_size;
	for (ssize_t n = 1; left > 0 && n > 0; left -= n) {
		n = read(fd, chunk, left < (off_t)sizeof(chunk) ? (size_t)left : sizeof(chunk));
		if (n > 0)
			(void)fwrite(chunk, 1, (size_t)n, p->out);
	}
	if (left > 0)
		p->error = -EIO;
	if (ftell(p->out) > LENGTH_MAX)
		p->error = -EFBIG;
}

static void pack_directory(struct packing *p, const char *directory, unsigned depth)
{
	struct dirent **entries = NULL;
	int count = depth > DEPTH_MAX ? -1 : scandir(directory, &entries, NULL, by_bytes);
	if (count < 0)
		p->error = depth > DEPTH_MAX ? -ELOOP : -errno;
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		struct stat st;
		const char *name = entries[i]->d_name;
		bool wanted = strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && !p->error &&
			      (size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) < sizeof(path) &&
			      lstat(path, &st) == 0;
		if (wanted && S_ISDIR(st.st_mode))
			pack_directory(p, path, depth + 1);
		else if (wanted && S_ISREG(st.st_mode))
			pack_file(p, path);
		free(entries[i]);
	}
	free(entries);
}

int capture_tree_pack(const char *directory, char **ret, size_t *ret_length)
{
	char *data = NULL;
	size_t length = 0;
	struct packing p = {.out = open_memstream(&data, &length), .skip = strlen(directory) + 1};
	if (!p.out)
		return -errno;
	pack_directory(&p, directory, 0);
	if (ferror(p.out) && !p.error)
		p.error = -ENOMEM;
	if (fclose(p.out) != 0 && !p.error)
		p.error = -ENOMEM;
	if (p.error) {
		free(data);
		return p.error;
	}
	*ret = data;
	*ret_length = length;
	return 0;
}

/* A relative path that stays where it is. */
static bool is_inside(const char *path)
{
	for (const char *part = path;; part++) {
		size_t length = strcspn(part, "/");
		if (length == 0 || (length == 1 && part[0] == '.') || (length == 2 && strncmp(part, "..", 2) == 0))
			return false;
		part += length;
		if (*part == '\0')
			return true;
	}
}

static int write_file(char *path, size_t skip, const char *data, size_t length)
{
	for (char *slash = strchr(path + skip, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
		*slash = '/';
		if (r < 0)
			return r;
	}
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	return write_whole(fd, data, length);
}

int capture_tree_unpack(const char *directory, const char *data, size_t length, char *at, size_t size)
{
	const char *end = data + length;
	char path[PATH_MAX];
	(void)snprintf(at, size, "%s", directory);
	while (data < end) {
		const char *name = data, *number = memchr(name, '\0', (size_t)(end - name));
		const char *bytes = number ? memchr(number + 1, '\0', (size_t)(end - number - 1)) : NULL;
		char *digits = NULL;
		if (!bytes || !is_inside(name))
			return -EBADMSG;
		errno = 0;
		unsigned long long n = strtoull(number + 1, &digits, 10);
		bytes++;
		if (digits != bytes - 1 || number[1] < '0' || number[1] > '9' || errno ||
		    n > (unsigned long long)(end - bytes))
			return -EBADMSG;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path))
			return -ENAMETOOLONG;
		(void)snprintf(at, size, "%s", path);
		int r = write_file(path, strlen(directory) + 1, bytes, (size_t)n);
		if (r < 0)
			return r;
		data = bytes + n;
	}
	return 0;
}
