// SPDX-License-Identifier: MIT
/*
 * Emptying and removing groups. Only directories of a cgroup file system whose name starts with "enomem-" are ever
 * touched by path: a damaged journal must not make recover kill or remove anything else.
 */
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "clock.h"

#define DEPTH_MAX          16
#define ROUNDS_BEFORE_STOP 30

/* What a walk over a group and the groups below it found. */
struct census {
	uint64_t processes;
	bool caller_inside;
	int error;
};

/* cgroup.procs shows a process of another pid namespace as 0, and kill(0) would be our own process group. */
static void count_process(uint64_t pid, bool kill_it, struct census *census)
{
	census->processes++;
	if (pid == (uint64_t)getpid())
		census->caller_inside = true;
	else if (kill_it && pid > 1 && pid <= INT32_MAX)
		(void)kill((pid_t)pid, SIGKILL);
}

static void count_processes(int dirfd, bool kill_them, struct census *census)
{
	char buf[4096];
	uint64_t pid = 0;
	ssize_t n;
	bool digits = false;
	auto_close int fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		if (errno != ENOENT && errno != ENODEV)
			census->error = -errno;
		return;
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (uint64_t)(buf[i] - '0');
				digits = true;
			} else if (digits) {
				count_process(pid, kill_them, census);
				pid = 0;
				digits = false;
			}
		}
	}
	if (n < 0 && errno != ENODEV) /* ENODEV: removed under our feet */
		census->error = -errno;
}

static DIR *list_directory(int dirfd)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d && fd >= 0)
		(void)close(fd);
	return d;
}

static const char *next_child(DIR *d)
{
	struct dirent *entry;
	while ((entry = readdir(d))) {
		if (entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	}
	return NULL;
}

bool cgroup_has_children(int dirfd)
{
	return cgroup_has_children_but(dirfd, "");
}

bool cgroup_has_children_but(int dirfd, const char *pattern)
{
	auto_closedir DIR *d = list_directory(dirfd);
	for (const char *name; d && (name = next_child(d));)
		if (fnmatch(pattern, name, 0) != 0)
			return true;
	return false;
}

// NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep
static void take_census(int dirfd, bool kill_them, unsigned depth, struct census *census)
{
	count_processes(dirfd, kill_them, census);
	auto_closedir DIR *d = depth < DEPTH_MAX ? list_directory(dirfd) : NULL;
	for (const char *name; d && (name = next_child(d));) {
		auto_close int child = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child >= 0)
			take_census(child, kill_them, depth + 1, census);
	}
}

static void write_control(int dirfd, const char *file, const char *text)
{
	auto_close int fd = openat(dirfd, file, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		return; /* the loop over cgroup.procs does without */
}

int cgroup_kill_directory(int dirfd, uint64_t deadline_ns)
{
	struct census census = {0};
	take_census(dirfd, false, 0, &census);
	/* cgroup.kill (5.14) would take the caller along. */
	if (census.processes > 0 && !census.caller_inside)
		write_control(dirfd, "cgroup.kill", "1");
	for (unsigned round = 0;; round++) {
		census = (struct census){0};
		take_census(dirfd, true, 0, &census);
		if (census.error)
			return census.error;
		if (census.processes == 0)
			return 0;
		if (census.processes == 1 && census.caller_inside)
			return -EBUSY;
		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		/* Something forks faster than we kill. Not done at once: it makes pids.events count. */
		if (round == ROUNDS_BEFORE_STOP)
			write_control(dirfd, "pids.max", "0");
		sleep_ns(round < 10 ? 200000 : 2000000);
	}
}

static int remove_retrying(int dirfd, const char *path, uint64_t deadline_ns)
{
	for (;;) {
		if (unlinkat(dirfd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != EBUSY || clock_now_ns() >= deadline_ns)
			return -errno;
		sleep_ns(1000000);
	}
}

// NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep
static int remove_children(int dirfd, unsigned depth, uint64_t deadline_ns)
{
	auto_closedir DIR *d = depth < DEPTH_MAX ? list_directory(dirfd) : NULL;
	int result = 0;
	for (const char *name; d && (name = next_child(d));) {
		auto_close int child = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (child < 0)
			continue;
		int r = remove_children(child, depth + 1, deadline_ns);
		if (r == 0)
			r = remove_retrying(dirfd, name, deadline_ns);
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

int cgroup_remove_directory(int dirfd, const char *path, uint64_t deadline_ns)
{
	int r = remove_children(dirfd, 0, deadline_ns);
	return r < 0 ? r : remove_retrying(AT_FDCWD, path, deadline_ns);
}

bool cgroup_path_is_ours(const char *path)
{
	if (path[0] != '/')
		return false;
	const char *last = path;
	for (const char *p = path; *p;) {
		const char *name = p + 1;
		size_t length = strcspn(name, "/");
		if (length == 0 || (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'))))
			return false;
		last = name;
		p = name + length;
	}
	return strncmp(last, "enomem-", 7) == 0 && last[7] != '\0';
}

/* The directory lies on a cgroup file system and is not the root of one that somebody mounted under such a name. */
static bool is_cgroup_below_mount(int dirfd)
{
	struct statfs fs;
	struct stat st, parent;
	if (fstatfs(dirfd, &fs) < 0 || (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC))
		return false;
	return fstat(dirfd, &st) == 0 && fstatat(dirfd, "..", &parent, 0) == 0 && st.st_dev == parent.st_dev;
}

int cgroup_remove_path(const char *path, uint64_t timeout_ns)
{
	uint64_t deadline_ns = deadline_after(timeout_ns);
	if (!cgroup_path_is_ours(path))
		return -EINVAL;
	auto_close int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	if (!is_cgroup_below_mount(dirfd))
		return -EINVAL;
	int r = cgroup_kill_directory(dirfd, deadline_ns);
	return r < 0 ? r : cgroup_remove_directory(dirfd, path, deadline_ns);
}
