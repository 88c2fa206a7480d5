// SPDX-License-Identifier: MIT
/*
 * Reading every counter at once, from descriptors opened beforehand and into static buffers. See snapshot.h.
 */
#include "snapshot.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "number.h"
#include "snapshot-internal.h"

#if defined(__x86_64__)
#define TASK_SIZE_BYTES 0x7ffffffff000ULL
#else
#define TASK_SIZE_BYTES (1ULL << 48)
#endif

#define X(id, name, path) name,
const char *const sysctl_names[SYSCTL_COUNT] = {SYSCTL_KEYS(X)};
#undef X
#define X(id, name, path) path,
static const char *const sysctl_paths[SYSCTL_COUNT] = {SYSCTL_KEYS(X)};
#undef X

/* Static, so that nothing is allocated, and so for one thread at a time. */
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;
char snapshot_text[SNAPSHOT_TEXT_BYTES];

int snapshot_source_open(const struct cgroup *cgroup, struct snapshot_source *ret)
{
	auto_close int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc_fd < 0)
		return -errno;
	auto_close int sys_fd = openat(proc_fd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ret->meminfo_fd = openat(proc_fd, "meminfo", O_RDONLY | O_CLOEXEC);
	ret->vmstat_fd = openat(proc_fd, "vmstat", O_RDONLY | O_CLOEXEC);
	ret->loadavg_fd = openat(proc_fd, "loadavg", O_RDONLY | O_CLOEXEC);
	ret->buddyinfo_fd = openat(proc_fd, "buddyinfo", O_RDONLY | O_CLOEXEC);
	ret->pressure_fd = openat(proc_fd, "pressure/memory", O_RDONLY | O_CLOEXEC);
	ret->ignore_data_fd = open("/sys/module/kernel/parameters/ignore_rlimit_data", O_RDONLY | O_CLOEXEC);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		ret->sysctl_fd[i] = sys_fd < 0 ? -1 : openat(sys_fd, sysctl_paths[i], O_RDONLY | O_CLOEXEC);
	ret->cgroup = cgroup;
	ret->follows = false;
	ret->ancestors.count = 0;
	if (cgroup)
		cgroup_ancestors_open(cgroup, &ret->ancestors);
	ret->task_size = TASK_SIZE_BYTES;
	ret->namespace_pid_max = ENOMEM_ABSENT;
	ret->proc_fd = steal_fd(proc_fd);
	return 0;
}

void snapshot_source_close(struct snapshot_source *s)
{
	closep(&s->meminfo_fd);
	closep(&s->vmstat_fd);
	closep(&s->loadavg_fd);
	closep(&s->buddyinfo_fd);
	closep(&s->pressure_fd);
	closep(&s->ignore_data_fd);
	closep(&s->proc_fd);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		closep(&s->sysctl_fd[i]);
	cgroup_ancestors_close(&s->ancestors);
}

void snapshot_set_absent(uint64_t *values, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		values[i] = ENOMEM_ABSENT;
}

static void take_machine(const struct snapshot_source *s, struct snapshot *ret)
{
	snapshot_set_absent(ret->meminfo.value, MEMINFO_COUNT);
	snapshot_set_absent(ret->vmstat.value, VMSTAT_COUNT);
	snapshot_set_absent(ret->sysctl, SYSCTL_COUNT);
	snapshot_set_absent(ret->buddy.blocks, BUDDY_ORDERS);
	ret->pressure = (struct pressure){ENOMEM_ABSENT, ENOMEM_ABSENT};
	ret->tasks = ENOMEM_ABSENT;
	if (procfs_read_fd(s->meminfo_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		(void)procfs_parse_meminfo(snapshot_text, &ret->meminfo);
	if (procfs_read_fd(s->vmstat_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		(void)procfs_parse_vmstat(snapshot_text, &ret->vmstat);
	if (procfs_read_fd(s->loadavg_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		(void)procfs_parse_loadavg_tasks(snapshot_text, &ret->tasks);
	if (procfs_read_fd(s->buddyinfo_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		(void)procfs_parse_buddyinfo(snapshot_text, &ret->buddy);
	if (procfs_read_fd(s->pressure_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		(void)procfs_parse_pressure(snapshot_text, &ret->pressure);
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		if (s->sysctl_fd[i] >= 0)
			(void)procfs_read_number_fd(s->sysctl_fd[i], &ret->sysctl[i]);
}

static void take_groups(const struct snapshot_source *s, bool dying, struct snapshot *ret)
{
	snapshot_set_absent(ret->cgroup.value, CGROUP_VALUE_COUNT);
	if (s->cgroup)
		cgroup_read(s->cgroup, &ret->cgroup);
	snapshot_set_absent(ret->cgroup_above.value, CGROUP_VALUE_COUNT);
	if (s->cgroup && s->cgroup->above)
		cgroup_read(s->cgroup->above, &ret->cgroup_above);
	ret->ancestor_count = 0;
	for (unsigned i = 0; i < s->ancestors.count; i++) {
		struct ancestor_numbers *a = &ret->ancestor[ret->ancestor_count++];
		a->controller = s->ancestors.at[i].controller;
		cgroup_ancestor_read(&s->ancestors, i, &a->current, &a->max, &a->refused);
		a->peak = dying ? cgroup_ancestor_peak(&s->ancestors, i) : ENOMEM_ABSENT;
	}
}

/*
 * A victim of the OOM killer that is held still keeps its memory, until the OOM reaper takes it after two seconds
 * (OOM_REAPER_DELAY, mm/oom_kill.c, since 5.18). Opening its files needs memory, and would wait for that.
 */
static bool memory_is_gone(const struct snapshot *s)
{
	uint64_t total = s->meminfo.value[MEMINFO_MEM_TOTAL], unused = s->meminfo.value[MEMINFO_MEM_FREE];
	return total != ENOMEM_ABSENT && unused != ENOMEM_ABSENT && unused < total / 32;
}

static void take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->taken = true;
	ret->time_ns = clock_now_ns();
	ret->cpu_ns = ret->cpu_hard_limit_ns = ret->file_bytes = ENOMEM_ABSENT;
	ret->uid_tasks = ret->open_files = ret->pid_ids = ret->namespace_pid_ids = ret->oom_score = ENOMEM_ABSENT;
	ret->namespace_pid_max = s->namespace_pid_max;
	for (unsigned i = 0; i < NAMESPACE_COUNT; i++)
		ret->namespaces[i] = (struct namespace_numbers){ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	ret->inotify = (struct inotify_numbers){ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	ret->signals_queued = ENOMEM_ABSENT;
	ret->counted = (struct counted_numbers)COUNTED_ABSENT;
	ret->in_cgroup = true;
	take_machine(s, ret);
	take_groups(s, request->dying, ret);
	if (request->pid > 0 && !(request->dying && memory_is_gone(ret)))
		snapshot_take_process(s, request, ret);
}

void snapshot_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	(void)pthread_mutex_lock(&busy);
	take(s, request, ret);
	(void)pthread_mutex_unlock(&busy);
}

bool snapshot_try_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	if (pthread_mutex_trylock(&busy) != 0)
		return false;
	take(s, request, ret);
	(void)pthread_mutex_unlock(&busy);
	return true;
}
