// SPDX-License-Identifier: MIT
/*
 * What is found out by walking /proc: tasks by user, by pid namespace, the ids they hold, and what a process has open.
 * See snapshot.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "snapshot-internal.h"

/* Calls back for every entry that is a number, without opendir()'s allocation, until one returns false. */
static void each_number(int dirfd, char *entries, size_t size, snapshot_visitor visit, void *data)
{
	for (;;) {
		long n = syscall(SYS_getdents64, dirfd, entries, size);
		if (n <= 0)
			return;
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(void *)(entries + at);
			at += d->d_reclen;
			if (d->d_name[0] >= '0' && d->d_name[0] <= '9' && !visit(dirfd, d->d_name, data))
				return;
		}
	}
}

void snapshot_each_process(int proc_fd, snapshot_visitor visit, void *data)
{
	static char entries[32 * 1024] __attribute__((aligned(8)));
	auto_close int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		each_number(fd, entries, sizeof(entries), visit, data);
}

bool snapshot_each_file(int proc_fd, const char *pid, snapshot_visitor visit, void *data)
{
	static char entries[32 * 1024] __attribute__((aligned(8)));
	char name[64];
	(void)snprintf(name, sizeof(name), "%s/fd", pid);
	auto_close int fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		each_number(fd, entries, sizeof(entries), visit, data);
	return fd >= 0;
}

struct file_search {
	uint64_t limit, files;
};

static bool visit_file(int dirfd, const char *number, void *data)
{
	struct file_search *search = data;
	(void)dirfd;
	search->files += strtoull(number, NULL, 10) < search->limit;
	return true;
}

/* A limit that was lowered leaves descriptors above it open; they take no room below. */
void snapshot_take_open_files(const struct snapshot_source *s, struct snapshot *ret)
{
	struct file_search search = {.limit = ret->rlimit[RLIMIT_NOFILE]};
	char pid[32];
	(void)snprintf(pid, sizeof(pid), "%d", ret->pid);
	if (search.limit != ENOMEM_ABSENT && snapshot_each_file(s->proc_fd, pid, visit_file, &search))
		ret->open_files = search.files;
}

struct namespace_search {
	ino_t inode;
	bool found;
};

static bool visit_namespace(int proc_fd, const char *pid, void *data)
{
	struct namespace_search *search = data;
	char name[64];
	struct stat st;
	(void)snprintf(name, sizeof(name), "%s/ns/pid", pid);
	if (fstatat(proc_fd, name, &st, 0) == 0 && st.st_ino == search->inode)
		search->found = true;
	return !search->found;
}

/*
 * A namespace whose init died keeps its inode but has no member. One that never had an init is not shown at all
 * (pidns_for_children_get(), kernel/pid_namespace.c), so the two cannot be confused.
 */
void snapshot_take_pid_namespace(const struct snapshot_source *s, struct snapshot *ret)
{
	char name[64];
	struct stat st;
	(void)snprintf(name, sizeof(name), "%d/ns/pid", ret->pid);
	if (fstatat(s->proc_fd, name, &st, 0) == 0)
		ret->pidns_inode = st.st_ino;
	(void)snprintf(name, sizeof(name), "%d/ns/pid_for_children", ret->pid);
	if (fstatat(s->proc_fd, name, &st, 0) == 0)
		ret->pidns_children_inode = st.st_ino;
	if (!ret->pidns_inode || !ret->pidns_children_inode || ret->pidns_inode == ret->pidns_children_inode)
		return;
	struct namespace_search search = {.inode = ret->pidns_children_inode};
	snapshot_each_process(s->proc_fd, visit_namespace, &search);
	ret->pidns_children_dead = !search.found;
}

struct user_search {
	uint32_t uid;
	uint64_t tasks;
};

static bool visit_user(int proc_fd, const char *pid, void *data)
{
	static char status_text[8 * 1024];
	struct user_search *search = data;
	struct process_status status;
	char name[64];
	(void)snprintf(name, sizeof(name), "%s/status", pid);
	if (procfs_read_at(proc_fd, name, status_text, sizeof(status_text)) > 0 &&
	    procfs_parse_status(status_text, &status) == 0 && status.uid == search->uid)
		search->tasks += status.value[STATUS_THREADS] == ENOMEM_ABSENT ? 1 : status.value[STATUS_THREADS];
	return true;
}

void snapshot_take_uid_tasks(const struct snapshot_source *s, struct snapshot *ret)
{
	uint64_t limit = ret->rlimit[RLIMIT_NPROC];
	/* Walking /proc is only worth it where the limit could bind: one user cannot hold more tasks than the machine.
	 */
	if (limit == ENOMEM_UNLIMITED || limit == ENOMEM_ABSENT)
		return;
	if (ret->tasks != ENOMEM_ABSENT && ret->tasks + 1 <= limit) {
		ret->uid_tasks = ret->tasks;
		return;
	}
	struct user_search search = {.uid = ret->status.uid};
	snapshot_each_process(s->proc_fd, visit_user, &search);
	ret->uid_tasks = search.tasks;
}

/* --- task ids ---------------------------------------------------------------------------------------------------- */

#define PID_IDS_MAX 65536 /* above that, ids do not run out before memory does, and counting them would take long */
static uint64_t id_seen[PID_IDS_MAX / 64];
static uint64_t ids_counted, ids_below;

/* A limit that was lowered leaves ids above it in use; they take no room below. */
static void note_id(uint64_t id)
{
	if (id < LIMIT_RESERVED_PIDS || id >= ids_below || id_seen[id / 64] >> id % 64 & 1)
		return;
	id_seen[id / 64] |= 1ULL << id % 64;
	ids_counted++;
}

static bool visit_thread(int dirfd, const char *tid, void *data)
{
	(void)dirfd;
	(void)data;
	note_id(strtoull(tid, NULL, 10));
	return true;
}

/* The id of a process group or session stays in use for as long as it has a member, whether or not its leader lives. */
static bool visit_ids(int proc_fd, const char *pid, void *data)
{
	static char entries[32 * 1024] __attribute__((aligned(8)));
	char name[64];
	uint64_t parent, group, session;
	(void)data;
	note_id(strtoull(pid, NULL, 10));
	(void)snprintf(name, sizeof(name), "%s/task", pid);
	auto_close int fd = openat(proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		each_number(fd, entries, sizeof(entries), visit_thread, NULL);
	(void)snprintf(name, sizeof(name), "%s/stat", pid);
	if (procfs_read_at(proc_fd, name, snapshot_text, SNAPSHOT_TEXT_BYTES) > 0 &&
	    procfs_parse_stat_family(snapshot_text, &parent, &group, &session) == 0) {
		note_id(group);
		note_id(session);
	}
	return true;
}

static uint64_t count_ids(int proc_fd, uint64_t pid_max)
{
	ids_below = pid_max;
	memset(id_seen, 0, sizeof(id_seen));
	ids_counted = 0;
	snapshot_each_process(proc_fd, visit_ids, NULL);
	return ids_counted;
}

/* The /proc that the run's own mount namespace has shows its own pid namespace, with the ids valid there. */
static uint64_t count_ids_of_namespace(const struct snapshot_source *s, const struct snapshot *snapshot)
{
	char name[64];
	struct stat task, init;
	(void)snprintf(name, sizeof(name), "%d/root/proc", snapshot->pid);
	auto_close int fd = openat(s->proc_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(name, sizeof(name), "%d/ns/pid", snapshot->pid);
	if (fd < 0 || fstatat(s->proc_fd, name, &task, 0) < 0 || fstatat(fd, "1/ns/pid", &init, 0) < 0 ||
	    task.st_ino != init.st_ino)
		return ENOMEM_ABSENT;
	return count_ids(fd, snapshot->namespace_pid_max);
}

void snapshot_take_pid_ids(const struct snapshot_source *s, struct snapshot *ret)
{
	uint64_t pid_max = ret->sysctl[SYSCTL_PID_MAX];
	/* A task holds three ids at most: its own, its group's, its session's. */
	if (pid_max <= PID_IDS_MAX && ret->tasks != ENOMEM_ABSENT && 3 * ret->tasks + 1 > limit_pid_capacity(pid_max))
		ret->pid_ids = count_ids(s->proc_fd, pid_max);
	if (s->namespace_pid_max <= PID_IDS_MAX)
		ret->namespace_pid_ids = count_ids_of_namespace(s, ret);
}
