// SPDX-License-Identifier: MIT
/*
 * Reading every counter at once, from descriptors opened beforehand and into static buffers. See snapshot.h.
 */
#include "snapshot.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "cleanup.h"
#include "number.h"

#if defined(__x86_64__)
#define TASK_SIZE_BYTES 0x7ffffffff000ULL
#else
#define TASK_SIZE_BYTES (1ULL << 48)
#endif

/* The lowest address mmap() hands out where vm.mmap_min_addr cannot be read: Debian's default. */
#define MMAP_MIN_ADDR_DEFAULT 65536

#define X(id, name, path)     name,
const char *const sysctl_names[SYSCTL_COUNT] = {SYSCTL_KEYS(X)};
#undef X
#define X(id, name, path) path,
static const char *const sysctl_paths[SYSCTL_COUNT] = {SYSCTL_KEYS(X)};
#undef X

/* The harness takes one snapshot at a time, from the witness's thread; static, so that nothing is allocated. */
static char text[64 * 1024];

int snapshot_source_open(const struct cgroup *cgroup, struct snapshot_source *ret)
{
	auto_close int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return -errno;
	auto_close int sys_fd = openat(proc_fd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ret->meminfo_fd = openat(proc_fd, "meminfo", O_RDONLY | O_CLOEXEC);
	ret->vmstat_fd = openat(proc_fd, "vmstat", O_RDONLY | O_CLOEXEC);
	ret->loadavg_fd = openat(proc_fd, "loadavg", O_RDONLY | O_CLOEXEC);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		ret->sysctl_fd[i] = sys_fd < 0 ? -1 : openat(sys_fd, sysctl_paths[i], O_RDONLY | O_CLOEXEC);
	ret->cgroup = cgroup;
	ret->ancestors.count = 0;
	if (cgroup)
		cgroup_ancestors_open(cgroup, &ret->ancestors);
	ret->task_size = TASK_SIZE_BYTES;
	ret->proc_fd = steal_fd(proc_fd);
	return 0;
}

void snapshot_source_close(struct snapshot_source *s)
{
	closep(&s->meminfo_fd);
	closep(&s->vmstat_fd);
	closep(&s->loadavg_fd);
	closep(&s->proc_fd);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		closep(&s->sysctl_fd[i]);
	cgroup_ancestors_close(&s->ancestors);
}

static void set_absent(uint64_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		values[i] = ENOMEM_ABSENT;
}

static void take_machine(const struct snapshot_source *s, struct snapshot *ret)
{
	set_absent(ret->meminfo.value, MEMINFO_COUNT);
	set_absent(ret->vmstat.value, VMSTAT_COUNT);
	set_absent(ret->sysctl, SYSCTL_COUNT);
	ret->tasks = ENOMEM_ABSENT;
	if (procfs_read_fd(s->meminfo_fd, text, sizeof(text)) > 0)
		(void)procfs_parse_meminfo(text, &ret->meminfo);
	if (procfs_read_fd(s->vmstat_fd, text, sizeof(text)) > 0)
		(void)procfs_parse_vmstat(text, &ret->vmstat);
	if (procfs_read_fd(s->loadavg_fd, text, sizeof(text)) > 0)
		(void)procfs_parse_loadavg_tasks(text, &ret->tasks);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		if (s->sysctl_fd[i] >= 0)
			(void)procfs_read_number_fd(s->sysctl_fd[i], &ret->sysctl[i]);
}

static void take_groups(const struct snapshot_source *s, struct snapshot *ret)
{
	set_absent(ret->cgroup.value, CGROUP_VALUE_COUNT);
	if (s->cgroup)
		cgroup_read(s->cgroup, &ret->cgroup);
	ret->ancestor_count = 0;
	for (unsigned i = 0; i < s->ancestors.count; i++) {
		struct ancestor_numbers *a = &ret->ancestor[ret->ancestor_count++];
		a->controller = s->ancestors.at[i].controller;
		a->current = a->max = ENOMEM_ABSENT;
		(void)procfs_read_number_fd(s->ancestors.at[i].current_fd, &a->current);
		(void)procfs_read_number_fd(s->ancestors.at[i].max_fd, &a->max);
	}
}

/* Does PID sit in the run's own group, or below it, in every hierarchy that has one? */
static bool sits_in_cgroup(const struct cgroup *cg, const char *self_cgroup, char *ret_elsewhere, size_t size)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (cg->path[c][0] == '\0')
			continue;
		char path[1024];
		const char *controller = cg->system.at[c].version == CGROUP_V2 ? "" : cgroup_controller_names[c];
		if (procfs_parse_cgroup(self_cgroup, controller, path, sizeof(path)) < 0)
			(void)snprintf(path, sizeof(path), "unreadable");
		const char *found = strstr(path, cg->name);
		size_t length = strlen(cg->name);
		if (!found || found == path || found[-1] != '/' || (found[length] != '\0' && found[length] != '/')) {
			(void)snprintf(ret_elsewhere, size, "%s:%.200s", controller, path);
			return false;
		}
	}
	return true;
}

/* Calls back for every process directory in /proc, without opendir()'s allocation. */
static void each_process(int proc_fd, bool (*visit)(int proc_fd, const char *pid, void *data), void *data)
{
	static char entries[32 * 1024] __attribute__((aligned(8)));
	auto_close int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	for (;;) {
		long n = syscall(SYS_getdents64, fd, entries, sizeof(entries));
		if (n <= 0)
			return;
		for (long at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(void *)(entries + at);
			at += d->d_reclen;
			if (d->d_name[0] >= '1' && d->d_name[0] <= '9' && !visit(proc_fd, d->d_name, data))
				return;
		}
	}
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
static void take_pid_namespace(const struct snapshot_source *s, struct snapshot *ret)
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
	each_process(s->proc_fd, visit_namespace, &search);
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

static void take_uid_tasks(const struct snapshot_source *s, struct snapshot *ret)
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
	each_process(s->proc_fd, visit_user, &search);
	ret->uid_tasks = search.tasks;
}

static int open_of_process(const struct snapshot_source *s, pid_t pid, const char *file)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%d/%s", pid, file);
	return openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
}

static ssize_t read_of_process(const struct snapshot_source *s, pid_t pid, const char *file)
{
	auto_close int fd = open_of_process(s, pid, file);
	return fd < 0 ? -errno : procfs_read_fd(fd, text, sizeof(text));
}

static void take_process(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	ret->pid = request->pid;
	if (read_of_process(s, ret->pid, "status") <= 0 || procfs_parse_status(text, &ret->status) < 0)
		return;
	ret->process_seen = true;
	set_absent(ret->rlimit, PROCFS_RLIMITS);
	if (read_of_process(s, ret->pid, "limits") > 0)
		(void)procfs_parse_limits(text, ret->rlimit);
	if (s->cgroup && read_of_process(s, ret->pid, "cgroup") > 0)
		ret->in_cgroup = sits_in_cgroup(s->cgroup, text, ret->elsewhere, sizeof(ret->elsewhere));
	if (request->maps) {
		auto_close int fd = open_of_process(s, ret->pid, "maps");
		uint64_t lowest = ret->sysctl[SYSCTL_MMAP_MIN_ADDR];
		if (lowest == ENOMEM_ABSENT)
			lowest = MMAP_MIN_ADDR_DEFAULT;
		ret->maps_seen = fd >= 0 && maps_read_fd(fd, lowest, s->task_size, request->address, request->length,
							 &ret->maps) == 0;
	}
	if (request->commit) {
		auto_close int fd = open_of_process(s, ret->pid, "smaps");
		ret->commit_seen = fd >= 0 && smaps_read_fd(fd, &ret->commit) == 0;
	}
	if (request->pidns)
		take_pid_namespace(s, ret);
	if (request->uid_tasks)
		take_uid_tasks(s, ret);
}

void snapshot_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	memset(ret, 0, sizeof(*ret));
	ret->taken = true;
	ret->time_ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	ret->uid_tasks = ENOMEM_ABSENT;
	ret->in_cgroup = true;
	take_machine(s, ret);
	take_groups(s, ret);
	if (request->pid > 0)
		take_process(s, request, ret);
}
