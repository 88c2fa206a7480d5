// SPDX-License-Identifier: MIT
/*
 * Copying /proc, cgroupfs and the kernel log. See capture.h.
 */
#include "capture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "clock.h"
#include "hold-tool.h"
#include "hold.h"
#include "kmsg.h"
#include "procfs.h"

enum {
	OTHERS_MAX = 64, /* processes beside the program, of each moment */
	GENERATIONS_MAX = 64,
	KTHREADD = 2, /* the parent of kernel threads */
};

static const char *const machine_files[] = {
	"/proc/buddyinfo",       "/proc/cgroups",     "/proc/cmdline",      "/proc/cpuinfo",      "/proc/filesystems",
	"/proc/loadavg",         "/proc/meminfo",     "/proc/pagetypeinfo", "/proc/pressure/cpu", "/proc/pressure/io",
	"/proc/pressure/memory", "/proc/slabinfo",    "/proc/stat",         "/proc/swaps",        "/proc/sysvipc/msg",
	"/proc/sysvipc/sem",     "/proc/sysvipc/shm", "/proc/uptime",       "/proc/version",      "/proc/vmallocinfo",
	"/proc/vmstat",          "/proc/zoneinfo",
};

static const char *const machine_directories[] = {
	"/proc/sys/vm", "/proc/sys/kernel",     "/proc/sys/user",
	"/proc/sys/fs", "/proc/sys/fs/inotify", "/sys/kernel/mm/transparent_hugepage",
};

static const char *const process_files[] = {
	"cgroup",        "cmdline", "comm",         "limits", "maps",  "mountinfo", "mounts",  "oom_adj", "oom_score",
	"oom_score_adj", "smaps",   "smaps_rollup", "stat",   "statm", "status",    "syscall", "wchan",
};

static void fail(struct capture *c, int error, const char *path)
{
	if (c->error == 0) {
		c->error = error;
		(void)snprintf(c->error_at, sizeof(c->error_at), "%.*s", CAPTURE_PATH_MAX - 1, path);
	}
}

/* All directories of a path that is below c->directory. */
static int make_directories(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int r = mkdir(path, 0777);
		*slash = '/';
		if (r < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* All of it: a file that cannot be read, or not to its end, is left out; half of one would pass for the whole. */
static void copy(struct capture *c, const char *moment, const char *path)
{
	static char chunk[65536];
	char to[2 * CAPTURE_PATH_MAX];
	auto_close int in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
	ssize_t n = in < 0 ? -1 : read(in, chunk, sizeof(chunk));
	if (n < 0)
		return;
	(void)snprintf(to, sizeof(to), "%s/%s%s", c->directory, moment, path);
	int r = make_directories(to);
	auto_close int out = r < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0) {
		fail(c, r < 0 ? r : -errno, to);
		return;
	}
	for (; n > 0; n = read(in, chunk, sizeof(chunk)))
		if (write(out, chunk, (size_t)n) != n) {
			fail(c, -(errno ? errno : ENOSPC), to);
			return;
		}
	if (n < 0) {
		(void)unlink(to);
		return;
	}
	c->files++;
}

/* The readable files of a directory, not of those in it. */
static void copy_directory(struct capture *c, const char *moment, const char *directory)
{
	auto_closedir DIR *d = opendir(directory);
	struct dirent *entry;
	struct stat st;
	char path[2 * CAPTURE_PATH_MAX];
	if (!d && errno == ENOMEM) { /* one that is not there, or is not ours to read, is left out */
		(void)snprintf(path, sizeof(path), "%s/%s%s", c->directory, moment, directory);
		fail(c, -ENOMEM, path);
	}
	while (d && (entry = readdir(d))) {
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		    !(st.st_mode & 0444))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		copy(c, moment, path);
	}
}

static void copy_groups(struct capture *c, const char *moment, const struct cgroup *group)
{
	for (; group; group = group->above)
		for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
			bool done = !group->path[i][0];
			for (unsigned k = 0; k < i; k++) /* v2 has one directory for all of them */
				done |= strcmp(group->path[i], group->path[k]) == 0;
			if (!done)
				copy_directory(c, moment, group->path[i]);
		}
}

/* The records since the run began, as /dev/kmsg has them. */
static void copy_log(struct capture *c, const char *moment, int log_fd)
{
	static char record[KMSG_RECORD_MAX];
	char to[2 * CAPTURE_PATH_MAX];
	ssize_t n;
	if (log_fd < 0)
		return;
	(void)snprintf(to, sizeof(to), "%s/%s/kmsg", c->directory, moment);
	auto_close int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (out < 0)
		fail(c, -errno, to);
	while (out >= 0 && ((n = read(log_fd, record, sizeof(record))) > 0 || (n < 0 && errno == EPIPE)))
		if (n > 0 && write(out, record, (size_t)n) != n)
			fail(c, -(errno ? errno : ENOSPC), to);
	c->files++;
}

static void copy_process(struct capture *c, const char *moment, pid_t pid)
{
	char path[64];
	for (size_t i = 0; i < ARRAY_SIZE(process_files); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, process_files[i]);
		copy(c, moment, path);
	}
}

static bool descends_from(pid_t pid, pid_t ancestor)
{
	for (unsigned depth = 0; pid > 1 && depth < GENERATIONS_MAX; depth++) {
		if (pid == ancestor)
			return true;
		pid = procfs_parent_of(pid);
	}
	return false;
}

/* Who is in the run's groups, a number on each line; "" where it has none. */
static const char *members_of(const struct run_record *record)
{
	static char members[65536];
	size_t length = 0;
	for (const struct cgroup *group = record->cgroup; group; group = group->above)
		for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
			char path[CAPTURE_PATH_MAX + 16];
			if (!group->path[i][0])
				continue;
			(void)snprintf(path, sizeof(path), "%s/cgroup.procs", group->path[i]);
			auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
			ssize_t n = fd < 0 ? 0 : read(fd, members + length, sizeof(members) - 1 - length);
			length += n > 0 ? (size_t)n : 0;
			break; /* of each controller the same */
		}
	members[length] = '\0';
	return members;
}

static bool is_member(const char *members, pid_t pid)
{
	char line[16];
	int length = snprintf(line, sizeof(line), "%d\n", pid);
	for (const char *at = members; (at = strstr(at, line)); at += length)
		if (at == members || at[-1] == '\n')
			return true;
	return false;
}

/*
 * Who is there beside the program: what it started and what else is in its group; in a guest everybody. Kernel threads
 * have next to nothing to show, and are many.
 */
static bool is_beside(const struct capture *c, const char *members, pid_t pid, pid_t other)
{
	if (c->everybody)
		return other != KTHREADD && procfs_parent_of(other) != KTHREADD;
	return is_member(members, other) || (pid > 0 && descends_from(other, pid));
}

/* Without opendir(), which asks for memory where there may be none. /proc has them in the order of their numbers. */
static void copy_others(struct capture *c, const char *moment, const struct run_record *record, pid_t pid)
{
	char entries[4096] __attribute__((aligned(__alignof__(struct dirent64))));
	const char *members = members_of(record);
	unsigned copied = 0;
	auto_close int list = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (ssize_t n; list >= 0 && (n = getdents64(list, entries, sizeof(entries))) > 0;)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *entry = (const void *)(entries + at);
			pid_t other = (pid_t)strtol(entry->d_name, NULL, 10); /* 0: no process */
			at += entry->d_reclen;
			if (other <= 0 || other == pid || copied == OTHERS_MAX || !is_beside(c, members, pid, other))
				continue;
			copy_process(c, moment, other);
			copied++;
		}
}

static void copy_all(struct capture *c, const char *moment, const struct run_record *record, pid_t pid)
{
	/* What moves fastest first. */
	if (pid > 0)
		copy_process(c, moment, pid);
	copy_groups(c, moment, record->cgroup);
	for (size_t i = 0; i < ARRAY_SIZE(machine_files); i++)
		copy(c, moment, machine_files[i]);
	for (size_t i = 0; i < ARRAY_SIZE(machine_directories); i++)
		copy_directory(c, moment, machine_directories[i]);
	copy_others(c, moment, record, pid);
	copy_log(c, moment, c->log_fd[c->moments]);
	c->moments++;
}

static void before(pid_t pid, void *data)
{
	struct run_record *record = data;
	uint64_t begin = clock_now_ns();
	copy_all(record->observed_by, "before", record, pid);
	/* It has not begun: what this took is not its time. */
	record->sampler.deadline_ns += clock_now_ns() - begin;
}

static void failure(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct capture *c = record->observed_by;
	if (c->has_failure || !hold_is_moment(record))
		return;
	c->has_failure = true;
	copy_all(c, "failure", record, pid);
}

void capture_attach(struct run_record *record, void *data)
{
	struct capture *c = data;
	for (size_t i = 0; i < ARRAY_SIZE(c->log_fd); i++)
		if (kmsg_open(&c->log_fd[i]) < 0)
			c->log_fd[i] = -1;
	record->witness.at_start = before;
	record->witness.look = record->run->expect.stall ? NULL : failure;
	record->sampler.look = record->run->expect.stall ? failure : NULL;
}

/* The process is gone, and has no files any more. */
void capture_ended(struct run_record *record, void *data)
{
	struct capture *c = data;
	if (c->has_failure)
		copy_all(c, "after", record, 0);
	for (size_t i = 0; i < ARRAY_SIZE(c->log_fd); i++)
		closep(&c->log_fd[i]);
}

void capture_remove(const char *directory)
{
	auto_close int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	hold_remove_directory(fd, directory); /* which needs no memory */
}
