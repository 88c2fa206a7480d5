// SPDX-License-Identifier: MIT
/*
 * Writing a knob and reading it back. See knob.h.
 */
#include "knob.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "journal-internal.h"
#include "procfs.h"

const char *knob_sys_root = "/sys";

/* The kernel counts on from there, for whoever is started meanwhile. */
static bool moves_by_itself(const char *name)
{
	return strcmp(name, "kernel.ns_last_pid") == 0;
}

int knob_set_sysctl(const char *name, const char *value)
{
	char now[SYSCTL_VALUE_MAX];
	int r = sysctl_write(name, value);
	if (r < 0 || moves_by_itself(name))
		return r;
	r = sysctl_read(name, now, sizeof(now));
	if (r == -EACCES) /* not even root may read what has no permission for it: test_perm(), proc_sysctl.c */
		return 0;
	if (r < 0)
		return r;
	return sysctl_same_value(now, value) ? 0 : -EIO;
}

/* /sys is full of links from one of its directories to another: they may lead anywhere below it, and nowhere else. */
static int open_below(const char *name, int flags)
{
	const struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
				     .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	auto_close int root = open(knob_sys_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	int fd = (int)syscall(SYS_openat2, root, name, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

bool knob_shows(const char *text, const char *value)
{
	char choice[SYSCTL_VALUE_MAX];
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
	if (!close)
		return sysctl_same_value(text, value);
	return (size_t)snprintf(choice, sizeof(choice), "%.*s", (int)(close - open - 1), open + 1) < sizeof(choice) &&
	       sysctl_same_value(choice, value);
}

static bool is_now(const char *name, const char *value)
{
	char now[4096];
	auto_close int fd = open_below(name, O_RDONLY);
	return fd >= 0 && procfs_read_fd(fd, now, sizeof(now)) >= 0 && knob_shows(now, value);
}

int knob_set_sys(const char *name, const char *value)
{
	auto_close int fd = open_below(name, O_WRONLY | O_TRUNC);
	size_t length = strlen(value);
	struct stat st;
	if (fd < 0)
		return fd;
	ssize_t n = write(fd, value, length);
	if (n < 0 || fstat(fd, &st) < 0)
		return -errno;
	if ((size_t)n != length)
		return -EIO;
	return !(st.st_mode & (S_IRUSR | S_IRGRP | S_IROTH)) || is_now(name, value) ? 0 : -EIO;
}
