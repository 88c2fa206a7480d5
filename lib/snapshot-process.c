// SPDX-License-Identifier: MIT
/*
 * The process at hand: its status, limits, group and areas. See snapshot.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>

#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "snapshot-internal.h"

/* The lowest address mmap() hands out where vm.mmap_min_addr cannot be read: Debian's default. */
#define MMAP_MIN_ADDR_DEFAULT 65536
#define NS_PER_SECOND         1000000000ULL

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

static int open_of_process(const struct snapshot_source *s, pid_t pid, const char *file)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%d/%s", pid, file);
	return openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
}

static ssize_t read_of_process(const struct snapshot_source *s, pid_t pid, const char *file)
{
	auto_close int fd = open_of_process(s, pid, file);
	return fd < 0 ? -errno : procfs_read_fd(fd, snapshot_text, sizeof(snapshot_text));
}

/* The score is a positive number; the adjustment may be negative. */
static void take_oom_score(const struct snapshot_source *s, struct snapshot *ret)
{
	char *end;
	if (read_of_process(s, ret->pid, "oom_score") > 0) {
		unsigned long long score = strtoull(snapshot_text, &end, 10);
		if (end != snapshot_text && *end == '\n')
			ret->oom_score = score;
	}
	if (read_of_process(s, ret->pid, "oom_score_adj") > 0) {
		long adjustment = strtol(snapshot_text, &end, 10);
		ret->oom_score_adj_seen = end != snapshot_text && *end == '\n';
		ret->oom_score_adj = ret->oom_score_adj_seen ? (int)adjustment : 0;
	}
}

/* The symbol's name has no newline behind it; "0" stands for awake, and for hidden. */
static void take_wchan(const struct snapshot_source *s, struct snapshot *ret)
{
	ssize_t length = read_of_process(s, ret->pid, "wchan");
	if (length > 0 && (size_t)length < sizeof(ret->wchan) && strcmp(snapshot_text, "0") != 0)
		memcpy(ret->wchan, snapshot_text, (size_t)length + 1);
}

/* "44 0x3 0x..." while it sleeps in a call, "running" otherwise (proc_pid_syscall(5)). */
static void take_sleeping_call(const struct snapshot_source *s, struct snapshot *ret)
{
	static const long sending[] = {SYS_write,    SYS_writev,   SYS_sendto, SYS_sendmsg,
				       SYS_sendmmsg, SYS_sendfile, SYS_splice};
	char *end;
	if (read_of_process(s, ret->pid, "syscall") <= 0)
		return;
	long number = strtol(snapshot_text, &end, 10);
	for (size_t i = 0; end != snapshot_text && i < ARRAY_SIZE(sending); i++)
		ret->sleeps_sending |= number == sending[i];
}

/*
 * clock_getcpuclockid(3) knows only the clock of the scheduler; the limit is on user and system time, CPUCLOCK_PROF of
 * the kernel's posix-timers.h, as the timer tick counts it.
 */
static void take_cpu_time(struct snapshot *ret)
{
	struct timespec used;
	uint64_t seconds;
	if (procfs_parse_hard_cpu_limit(snapshot_text, &seconds) < 0 ||
	    clock_gettime((clockid_t)(~(unsigned)ret->pid << 3), &used) < 0)
		return;
	ret->cpu_ns = (uint64_t)used.tv_sec * NS_PER_SECOND + (uint64_t)used.tv_nsec;
	ret->cpu_hard_limit_ns = seconds > UINT64_MAX / 2 / NS_PER_SECOND ? ENOMEM_UNLIMITED : seconds * NS_PER_SECOND;
}

/* Hexadecimal digits; 0, the usual one, where it cannot be read. */
static uint64_t personality_of(const struct snapshot_source *s, pid_t pid)
{
	return read_of_process(s, pid, "personality") > 0 ? strtoull(snapshot_text, NULL, 16) : 0;
}

void snapshot_take_process(const struct snapshot_source *s, const struct snapshot_request *request,
			   struct snapshot *ret)
{
	ret->pid = request->pid;
	if (read_of_process(s, ret->pid, "status") <= 0 || procfs_parse_status(snapshot_text, &ret->status) < 0)
		return;
	ret->process_seen = true;
	(void)procfs_parse_signals_queued(snapshot_text, &ret->signals_queued);
	snapshot_set_absent(ret->rlimit, PROCFS_RLIMITS);
	if (read_of_process(s, ret->pid, "limits") > 0)
		(void)procfs_parse_limits(snapshot_text, ret->rlimit);
	if (request->dying)
		take_cpu_time(ret); /* from the limits just read */
	if (ret->rlimit[RLIMIT_DATA] < ENOMEM_ABSENT &&
	    procfs_read_fd(s->ignore_data_fd, snapshot_text, sizeof(snapshot_text)) > 0)
		ret->data_limit_ignored = snapshot_text[0] == 'Y';
	take_oom_score(s, ret);
	if (request->sleeps_where) {
		take_wchan(s, ret);
		take_sleeping_call(s, ret);
	}
	if (s->cgroup && !s->follows && read_of_process(s, ret->pid, "cgroup") > 0)
		ret->in_cgroup = sits_in_cgroup(s->cgroup, snapshot_text, ret->elsewhere, sizeof(ret->elsewhere));
	if (request->maps) {
		auto_close int fd = open_of_process(s, ret->pid, "maps");
		uint64_t lowest = ret->sysctl[SYSCTL_MMAP_MIN_ADDR];
		if (lowest == ENOMEM_ABSENT)
			lowest = MMAP_MIN_ADDR_DEFAULT;
		ret->address_end = request->ia32 ? limit_task_size_ia32(personality_of(s, ret->pid)) : s->task_size;
		ret->maps_seen = fd >= 0 && maps_read_fd(fd, lowest, ret->address_end, request->address,
							 request->length, &ret->maps) == 0;
	}
	if (request->commit) {
		auto_close int fd = open_of_process(s, ret->pid, "smaps");
		ret->commit_seen = fd >= 0 && smaps_read_fd(fd, &ret->commit) == 0;
	}
	if (request->area || request->area_file) {
		auto_close int fd = open_of_process(s, ret->pid, request->area ? "smaps" : "maps");
		ret->area_seen = fd >= 0 && smaps_area_fd(fd, request->address, &ret->area) == 0;
	}
	snapshot_take_file(s, request, ret);
	if (request->group_limit)
		snapshot_take_group_limit(s, request, ret);
	if (request->namespaces)
		snapshot_take_namespaces(s, request->namespaces, ret);
	if (request->inotify)
		snapshot_take_inotify(s, ret);
	if (request->epoll)
		snapshot_take_epoll(s, ret);
	snapshot_take_counted(s, request, ret);
	if (request->queue)
		ret->queue_seen = ipc_namespace_queues(ret->pid, (uid_t)ret->status.uid, &ret->queue) == 0;
	if (request->shm)
		ret->shm_seen = ipc_namespace_shm(ret->pid, &ret->shm) == 0;
	if (request->sysv)
		ret->sysv_seen = ipc_namespace_sysv(ret->pid, &ret->sysv) == 0;
	if (request->pidns)
		snapshot_take_pid_namespace(s, ret);
	if (request->open_files)
		snapshot_take_open_files(s, ret);
	if (request->uid_tasks)
		snapshot_take_uid_tasks(s, ret);
	if (request->pid_ids)
		snapshot_take_pid_ids(s, ret);
}
