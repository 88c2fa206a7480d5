// SPDX-License-Identifier: MIT
/*
 * The files of a profile: which of a directory are read, in which order, and how much of each. See profile.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "cleanup.h"
#include "profile-internal.h"

/* In order of precedence: a file hides those of the same name further down. */
static const char *const directories[] = {"etc/sysctl.d", "run/sysctl.d", "usr/local/lib/sysctl.d", "usr/lib/sysctl.d",
					  "lib/sysctl.d"};
#define LAST_FILE "etc/sysctl.conf"
#define FILES_MAX 1024

struct source_file {
	char *name; /* by which it is sorted, and hides others */
	char *path; /* from the directory that was named */
};

struct reading {
	const char *path; /* as the user wrote it */
	int fd;           /* of the directory */
	bool root;
	struct profile_errors *errors;
	struct source_file *file;
	size_t count;
};

static int told(struct profile_errors *e, const char *path, int error)
{
	profile_error(e, path, 0, error == ENOENT ? "name a file, or a directory with *.conf files" : NULL,
		      "cannot be read: %s (%s)", strerror(error), strerrorname_np(error));
	return -error;
}

/* In a root, absolute links start at the root, as they will where it is booted. */
static int open_in(const struct reading *r, const char *path, int flags)
{
	if (!r->root)
		return openat(r->fd, path, flags | O_CLOEXEC);
	struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	return (int)syscall(SYS_openat2, r->fd, path, &how, sizeof(how));
}

static bool is_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/* A link to /dev/null, which a root has no need to hold. */
static bool is_masked(const struct reading *r, const char *path)
{
	char target[64];
	auto_close int link = open_in(r, path, O_PATH | O_NOFOLLOW);
	ssize_t n = link < 0 ? -1 : readlinkat(link, "", target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	const char *rest = target;
	while (!strncmp(rest, "../", 3))
		rest += 3;
	return !strcmp(rest[0] == '/' ? rest + 1 : rest, "dev/null");
}

static int parse_text(struct profile *p, const char *file, const char *text, size_t length, struct profile_errors *e)
{
	int result = 0;
	unsigned line = 1;
	const char *end = text + length;
	for (const char *at = text; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		int r = profile_line(p, file, line, at, (size_t)(newline - at), e);
		if (r == -ENOMEM || r == -E2BIG)
			return r == -E2BIG ? -EINVAL : r;
		if (r < 0)
			result = r;
		at = newline + 1;
	}
	return result;
}

static int read_fd(struct profile *p, int fd, const char *file, struct profile_errors *e)
{
	size_t length = 0;
	auto_free char *text = malloc(PROFILE_FILE_MAX + 1);
	if (!text)
		return -ENOMEM;
	for (ssize_t n; length <= PROFILE_FILE_MAX; length += (size_t)n) {
		n = read(fd, text + length, PROFILE_FILE_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return told(e, file, errno);
		else if (n == 0)
			return parse_text(p, file, text, length, e);
	}
	unsigned line = 1;
	for (size_t i = 0; i < PROFILE_FILE_MAX; i++)
		line += text[i] == '\n';
	profile_error(e, file, line, NULL, "the file is larger than %u bytes", PROFILE_FILE_MAX);
	return -EINVAL;
}

/* A file of a directory: regular, or /dev/null; a pipe or a device could keep us forever. */
static int read_listed(struct reading *r, const char *path, struct profile *p)
{
	auto_free char *file = NULL;
	struct stat st;
	bool slash = r->path[0] && r->path[strlen(r->path) - 1] == '/';
	if (asprintf(&file, "%s%s%s", r->path, slash ? "" : "/", path) < 0) {
		file = NULL;
		return -ENOMEM;
	}
	if (is_masked(r, path))
		return 0;
	auto_close int fd = open_in(r, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return told(r->errors, file, errno);
	if (is_null(&st))
		return 0;
	if (!S_ISREG(st.st_mode)) {
		profile_error(r->errors, file, 0, "a link to /dev/null hides a file of the same name",
			      "not a regular file");
		return -EINVAL;
	}
	return read_fd(p, fd, file, r->errors);
}

static int remember(struct reading *r, const char *directory, const char *name)
{
	for (size_t i = 0; i < r->count; i++) {
		if (!strcmp(r->file[i].name, name))
			return 0;
	}
	if (r->count >= FILES_MAX) {
		profile_error(r->errors, r->path, 0, NULL, "more than %d *.conf files", FILES_MAX);
		return -EINVAL;
	}
	struct source_file *file = reallocarray(r->file, r->count + 1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	r->file = file;
	struct source_file new = {.name = strdup(name)};
	if (asprintf(&new.path, "%s%s%s", directory, *directory ? "/" : "", name) < 0)
		new.path = NULL;
	if (!new.name || !new.path) {
		free(new.name);
		free(new.path);
		return -ENOMEM;
	}
	r->file[r->count++] = new;
	return 0;
}

/* -ENOENT when there is no such directory */
static int list(struct reading *r, const char *directory)
{
	int fd = open_in(r, *directory ? directory : ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : told(r->errors, r->path, errno);
	auto_closedir DIR *d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return -ENOMEM;
	}
	for (struct dirent *entry; (entry = readdir(d));) {
		size_t length = strlen(entry->d_name);
		if (entry->d_name[0] == '.' || length < 5 || strcmp(entry->d_name + length - 5, ".conf") != 0)
			continue;
		int result = remember(r, directory, entry->d_name);
		if (result < 0)
			return result;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct source_file *)a)->name, ((const struct source_file *)b)->name);
}

/* List the files of a root; *ret_last: it has etc/sysctl.conf. -ENOENT when this is no root. */
static int list_root(struct reading *r, bool *ret_last)
{
	int result = -ENOENT;
	r->root = true;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		int one = list(r, directories[i]);
		if (one < 0 && one != -ENOENT)
			return one;
		if (one == 0)
			result = 0;
	}
	auto_close int fd = open_in(r, LAST_FILE, O_PATH | O_NOFOLLOW);
	*ret_last = fd >= 0;
	r->root = result == 0 || *ret_last;
	return r->root ? 0 : -ENOENT;
}

static int read_directory(struct reading *r, struct profile *p)
{
	bool last = false;
	int result = list_root(r, &last);
	if (result == -ENOENT)
		result = list(r, "");
	if (result < 0)
		return result;
	if (r->count == 0 && !last) {
		profile_error(r->errors, r->path, 0,
			      "name a file, a directory with *.conf files, or a root that has " LAST_FILE
			      " or etc/sysctl.d",
			      "no *.conf file in it");
		return -EINVAL;
	}
	if (r->count)
		qsort(r->file, r->count, sizeof(*r->file), by_name);
	for (size_t i = 0; i < r->count + last; i++) {
		int one = read_listed(r, i < r->count ? r->file[i].path : LAST_FILE, p);
		if (one == -ENOMEM)
			return one;
		if (one < 0 && result == 0)
			result = one;
	}
	return result;
}

/* Put new behind the profiles read so far, before what --sysctl gave. Empties new. */
static int insert(struct profile *p, struct profile *new)
{
	size_t at = p->count, total = p->count + new->count, room = 1;
	if (new->count == 0)
		return 0;
	while (room < total) /* profile_append() counts on powers of two */
		room *= 2;
	struct profile_setting *item = reallocarray(p->item, room, sizeof(*item));
	if (!item)
		return -ENOMEM;
	p->item = item;
	while (at > 0 && item[at - 1].line == 0)
		at--;
	memmove(item + at + new->count, item + at, (p->count - at) * sizeof(*item));
	memcpy(item + at, new->item, new->count * sizeof(*item));
	p->count = total;
	free(steal(new->item));
	new->count = 0;
	return 0;
}

int profile_read(const char *path, FILE *errors, struct profile *p)
{
	struct profile_errors e = {.out = errors};
	struct profile new = {0};
	struct stat st;
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return told(&e, path, errno);
	struct reading r = {.path = path, .fd = fd, .errors = &e};
	int result = S_ISDIR(st.st_mode) ? read_directory(&r, &new) : read_fd(&new, fd, path, &e);
	if (result == 0 && p->count + new.count > PROFILE_SETTINGS_MAX) {
		profile_error(&e, path, 0, NULL, "more than %u settings together", PROFILE_SETTINGS_MAX);
		result = -EINVAL;
	}
	if (result == 0)
		result = insert(p, &new);
	if (result == -ENOMEM)
		profile_error(&e, path, 0, NULL, "%s (ENOMEM)", strerror(ENOMEM));
	for (size_t i = 0; i < r.count; i++) {
		free(r.file[i].name);
		free(r.file[i].path);
	}
	free(r.file);
	profile_free(&new);
	return result;
}
