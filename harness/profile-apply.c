// SPDX-License-Identifier: MIT
/*
 * Writing a resolved profile below /proc/sys, and making sure that the kernel took it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "procfs.h"
#include "profile-internal.h"

#define READ_MAX (2 * PROFILE_LINE_MAX)

/* Files that may be read but hold nothing: writing does something once. The others of their kind are write-only. */
static const char *const triggers[] = {"vm/stat_refresh", "vm/compact_memory", "vm/drop_caches"};

/* Component by component, so that no link leads out of the root. */
static int open_below(int root, const char *name, int flags)
{
	auto_free char *path = strdup(name);
	auto_close int dir = -1;
	if (!path)
		return -ENOMEM;
	char *component = path;
	for (char *slash; (slash = strchr(component, '/')); component = slash + 1) {
		*slash = '\0';
		int next = openat(dir < 0 ? root : dir, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return -errno;
		closep(&dir);
		dir = next;
	}
	int fd = openat(dir < 0 ? root : dir, component, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int write_value(int root, const char *name, const char *value)
{
	auto_free char *text = NULL;
	auto_close int fd = open_below(root, name, O_WRONLY);
	if (fd < 0)
		return fd;
	int length = asprintf(&text, "%s\n", value); /* in one write: the kernel takes no second part */
	if (length < 0) {
		text = NULL;
		return -ENOMEM;
	}
	/* What open() with O_TRUNC would do, too; files of /proc do not mind. */
	if (ftruncate(fd, 0) < 0 && errno != EINVAL && errno != EPERM)
		return -errno;
	ssize_t n = pwrite(fd, text, (size_t)length, 0);
	if (n < 0)
		return -errno;
	return n == length ? 0 : -EIO;
}

/* *ret: what it reads, NULL when it holds nothing to read. */
static int read_value(int root, const char *name, char **ret)
{
	struct stat st;
	for (size_t i = 0; i < ARRAY_SIZE(triggers); i++) {
		if (!strcmp(name, triggers[i])) {
			*ret = NULL;
			return 0;
		}
	}
	auto_close int path = open_below(root, name, O_PATH);
	if (path < 0)
		return path;
	if (fstat(path, &st) < 0)
		return -errno;
	if (!(st.st_mode & 0444)) { /* root could open it elsewhere than in /proc */
		*ret = NULL;
		return 0;
	}
	auto_close int fd = open_below(root, name, O_RDONLY);
	if (fd < 0)
		return fd;
	auto_free char *text = malloc(READ_MAX + 1);
	if (!text)
		return -ENOMEM;
	ssize_t n = procfs_read_fd(fd, text, READ_MAX);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	*ret = steal(text);
	return 0;
}

static const char *reason(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return "this kernel has no such setting";
	case EISDIR:
		return "it is a directory";
	case EACCES:
	case EPERM:
	case EROFS:
		return "it may not be written";
	default:
		return strerror(error);
	}
}

/* "FILE:LINE: vm.foo: " in failed. Returns its length. */
static size_t put_place(const struct profile_setting *s, char *failed, size_t size)
{
	char name[PROFILE_NAME_MAX];
	profile_dotted(s->name, name, sizeof(name));
	int n = s->line ? snprintf(failed, size, "%s:%u: %s: ", s->file, s->line, name)
			: snprintf(failed, size, "%s: %s: ", s->file, name);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

/* A failure that is not to be ignored. */
static int fail(const struct profile_setting *s, int error, const char *is, char *failed, size_t size)
{
	if (size == 0)
		return error;
	failed[0] = '\0';
	size_t at = put_place(s, failed, size);
	if (s->glob)
		(void)snprintf(failed + at, size - at, "matches no setting of this kernel: ENOENT");
	else if (is)
		(void)snprintf(failed + at, size - at, "was set to %.80s, but reads %.80s", s->value, is);
	else
		(void)snprintf(failed + at, size - at, "cannot be set to %.80s: %s (%s)", s->value,
			       strerrorname_np(-error) ? strerrorname_np(-error) : "?", reason(-error));
	for (char *c = failed; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	for (size_t n = strlen(failed); n > 0 && failed[n - 1] == ' '; n--)
		failed[n - 1] = '\0';
	return error;
}

static int apply_one(const struct profile_setting *s, int root, char *failed, size_t size)
{
	auto_free char *is = NULL;
	if (!s->value)
		return 0;
	if (!profile_is_name(s->name))
		return fail(s, -EINVAL, NULL, failed, size);
	if (s->glob)
		return s->ignore_failure ? 0 : fail(s, -ENOENT, NULL, failed, size);
	int written = write_value(root, s->name, s->value);
	int r = read_value(root, s->name, &is);
	if (s->ignore_failure || (r == 0 && is && profile_same_value(s->value, is)))
		return 0;
	if (written < 0)
		return fail(s, written, NULL, failed, size);
	if (r < 0)
		return fail(s, r, NULL, failed, size);
	return is ? fail(s, -EIO, *is ? is : "empty", failed, size) : 0;
}

int profile_apply(const struct profile *resolved, const char *root, char *failed, size_t size)
{
	auto_close int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		int error = errno;
		(void)snprintf(failed, size, "%s: %s", root, strerrorname_np(error));
		return -error;
	}
	for (size_t i = 0; i < resolved->count; i++) {
		int r = apply_one(&resolved->item[i], fd, failed, size);
		if (r < 0)
			return r;
	}
	return 0;
}
