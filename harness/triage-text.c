// SPDX-License-Identifier: MIT
/*
 * The texts of a row: what it is about, the command that prints its numbers, and the one that lifts the limit. Commands
 * are complete: whoever reads them copies them. See triage.h.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/param.h>

#include "limits.h"
#include "number.h"
#include "triage.h"

#define PATH_ROOM   1300
#define PID_MAX_MAX 4194304 /* PID_MAX_LIMIT, include/linux/threads.h */

/* Control characters, and marks that turn the direction of writing around: nothing that shows them as they are can be
 * copied. How many bytes the one here has, 0 for any other. */
static size_t unseen(const char *at)
{
	const unsigned char *c = (const unsigned char *)at;
	if (*c < ' ' || *c == 0x7f)
		return 1;
	if (*c == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
		return 2;
	if (*c != 0xe2 || (c[1] != 0x80 && c[1] != 0x81))
		return 0;
	return c[1] == 0x81 ? (c[2] >= 0xa6 && c[2] <= 0xa9 ? 3 : 0)
			    : (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae) ? 3 : 0);
}

/* $'a\nb' of bash, ksh and zsh. */
static char *quote_escaped(const char *text, char *buf, size_t size)
{
	size_t used = 2;
	memcpy(buf, "$'", 2);
	for (size_t left = 0; *text && used + 6 < size; text++) {
		left = left ? left : unseen(text);
		if (*text == '\n' || *text == '\t')
			used += (size_t)snprintf(buf + used, size - used, *text == '\n' ? "\\n" : "\\t");
		else if (left)
			used += (size_t)snprintf(buf + used, size - used, "\\%03o", (unsigned char)*text);
		else
			used += (size_t)snprintf(buf + used, size - used,
						 *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
		left -= left > 0;
	}
	memcpy(buf + used, "'", 2);
	return buf;
}

char *triage_quote(const char *path, char *buf, size_t size)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_.,:@%+=-";
	if (*path && path[strspn(path, plain)] == '\0') {
		(void)snprintf(buf, size, "%s", path);
		return buf;
	}
	size_t used = 0;
	if (size < 8)
		return buf;
	for (const char *at = path; *at; at++)
		if (unseen(at))
			return quote_escaped(path, buf, size);
	buf[used++] = '\'';
	for (; *path && used + 6 < size; path++) {
		if (*path != '\'') {
			buf[used++] = *path;
			continue;
		}
		memcpy(buf + used, "'\\''", 4);
		used += 4;
	}
	buf[used++] = '\'';
	buf[used] = '\0';
	return buf;
}

char *triage_what(const struct triage_row *row, char *buf, size_t size)
{
	switch (row->kind) {
	case TRIAGE_OF_PROCESS:
		(void)snprintf(buf, size, "process %d (%s)", row->pid, row->name);
		break;
	case TRIAGE_OF_GROUP:
		(void)snprintf(buf, size, "group %s", row->path);
		break;
	case TRIAGE_OF_MOUNT:
		(void)snprintf(buf, size, "%s %s", row->limit == TRIAGE_HUGETLBFS ? "hugetlbfs" : "tmpfs", row->path);
		break;
	case TRIAGE_OF_MACHINE:
		(void)snprintf(buf, size, "machine");
		break;
	}
	return buf;
}

/* What a limit of a process is called in prlimit(1) and in /proc/PID/limits, and what uses it up. */
static const struct process_words {
	const char *option, *row, *used;
} process_words[TRIAGE_LIMITS] = {
	[TRIAGE_AS] = {"as", "Max address space", "VmSize"},
	[TRIAGE_DATA] = {"data", "Max data size", "VmData"},
	[TRIAGE_STACK] = {"stack", "Max stack size", "VmStk"},
	[TRIAGE_MEMLOCK] = {"memlock", "Max locked memory", "VmLck"},
	[TRIAGE_NPROC] = {"nproc", "Max processes", NULL},
	[TRIAGE_NOFILE] = {"nofile", "Max open files", NULL},
};

/* The files of a group's limit, by v2's names. */
static const struct group_words {
	enum cgroup_value current, max, events;
} group_words[TRIAGE_LIMITS] = {
	[TRIAGE_MEMORY_MAX] = {CGROUP_MEMORY_CURRENT, CGROUP_MEMORY_MAX, CGROUP_MEMORY_EVENTS_MAX},
	[TRIAGE_KMEM_MAX] = {CGROUP_MEMORY_KMEM_CURRENT, CGROUP_MEMORY_KMEM_MAX, CGROUP_MEMORY_KMEM_EVENTS_MAX},
	[TRIAGE_TCP_MAX] = {CGROUP_MEMORY_KMEM_TCP_CURRENT, CGROUP_MEMORY_KMEM_TCP_MAX,
			    CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX},
	[TRIAGE_SWAP_MAX] = {CGROUP_MEMORY_SWAP_CURRENT, CGROUP_MEMORY_SWAP_MAX, CGROUP_MEMORY_SWAP_EVENTS_MAX},
	[TRIAGE_MEMORY_HIGH] = {CGROUP_MEMORY_CURRENT, CGROUP_MEMORY_HIGH, CGROUP_MEMORY_EVENTS_HIGH},
	[TRIAGE_PIDS_MAX] = {CGROUP_PIDS_CURRENT, CGROUP_PIDS_MAX, CGROUP_PIDS_EVENTS_MAX},
	[TRIAGE_HUGE_GROUP] = {CGROUP_HUGETLB_CURRENT, CGROUP_HUGETLB_MAX, CGROUP_HUGETLB_EVENTS_MAX},
	[TRIAGE_HUGE_GROUP_RESERVED] = {CGROUP_HUGETLB_RSVD_CURRENT, CGROUP_HUGETLB_RSVD_MAX,
					CGROUP_HUGETLB_EVENTS_MAX},
};

const char *triage_file_name(const struct triage *t, enum cgroup_version version, enum cgroup_value value, char *buf,
			     size_t size)
{
	const struct cgroup_value_file *f = &cgroup_value_files[value];
	const char *file = version == CGROUP_V1 ? f->v1_file : f->v2_file, *star = file ? strchr(file, '*') : NULL;
	bool giga = t->huge_page >= 1ULL << 30, mega = t->huge_page >= 1ULL << 20;
	if (!star) {
		(void)snprintf(buf, size, "%s", file ? file : "");
		return buf;
	}
	(void)snprintf(buf, size, "%.*s%" PRIu64 "%s%s", (int)(star - file), file,
		       t->huge_page >> (giga   ? 30
					: mega ? 20
					       : 10),
		       giga   ? "GB"
		       : mega ? "MB"
			      : "KB",
		       star + 1);
	return buf;
}

/* "DIR/memory.max", as the group's version has it and a shell reads it; "" where it has no such file. */
static const char *group_file(const struct triage *t, const struct triage_row *row, enum cgroup_value value, char *buf,
			      size_t size)
{
	char path[PATH_ROOM], name[64];
	buf[0] = '\0';
	if (triage_file_name(t, row->version, value, name, sizeof(name))[0] == '\0')
		return buf;
	(void)snprintf(path, sizeof(path), "%s/%s", row->path, name);
	return triage_quote(path, buf, size);
}

static void show_group(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	const struct group_words *words = &group_words[row->limit];
	char current[PATH_ROOM], max[PATH_ROOM], events[PATH_ROOM], stat[PATH_ROOM];
	(void)snprintf(stat, sizeof(stat), "%s/memory.stat", row->path);
	(void)group_file(t, row, words->current, current, sizeof(current));
	(void)group_file(t, row, words->max, max, sizeof(max));
	(void)group_file(t, row, words->events, events, sizeof(events));
	(void)snprintf(buf, size, "grep -H . %s %s %s", current, max, events);
	size_t used = strlen(buf);
	char quoted[PATH_ROOM];
	if (used && buf[used - 1] == ' ')
		buf[--used] = '\0';
	if (row->limit == TRIAGE_MEMORY_MAX || row->limit == TRIAGE_MEMORY_HIGH)
		(void)snprintf(buf + used, size - used, "; grep -E '^%s(in)?active_file' %s",
			       row->version == CGROUP_V1 ? "total_" : "", triage_quote(stat, quoted, sizeof(quoted)));
}

static void show_process(const struct triage_row *row, char *buf, size_t size)
{
	const struct process_words *words = &process_words[row->limit];
	int pid = row->pid;
	switch (row->limit) {
	case TRIAGE_NPROC:
		(void)snprintf(buf, size, "ps -L -U %u -o tid= | wc -l; grep '%s' /proc/%d/limits", row->uid,
			       words->row, pid);
		break;
	case TRIAGE_NOFILE:
		(void)snprintf(buf, size, "ls /proc/%d/fd | awk '$1 < %" PRIu64 "' | wc -l; grep '%s' /proc/%d/limits",
			       pid, row->setting, words->row, pid);
		break;
	case TRIAGE_MAP_COUNT:
		(void)snprintf(buf, size, "grep -vcF '[vsyscall]' /proc/%d/maps; sysctl vm.max_map_count", pid);
		break;
	case TRIAGE_ADDRESS_SPACE:
		(void)snprintf(buf, size, "grep VmSize /proc/%d/status", pid);
		break;
	case TRIAGE_LARGEST_AREA:
		(void)snprintf(buf, size, "pmap -x %d | sort -k2n | tail -n 3; free -k", pid);
		break;
	case TRIAGE_DEAD_NAMESPACE:
		(void)snprintf(buf, size, "readlink /proc/%d/ns/pid_for_children; lsns -t pid", pid);
		break;
	default:
		(void)snprintf(buf, size, "grep -h -e %s -e '%s' /proc/%d/status /proc/%d/limits", words->used,
			       words->row, pid, pid);
		break;
	}
}

char *triage_show(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	char path[PATH_ROOM];
	if (row->kind == TRIAGE_OF_GROUP) {
		show_group(t, row, buf, size);
		return buf;
	}
	switch (row->limit) {
	case TRIAGE_COMMIT_RATIO:
	case TRIAGE_COMMIT_KBYTES:
		(void)snprintf(buf, size, "grep Commit /proc/meminfo; sysctl vm.overcommit_memory vm.overcommit_%s",
			       row->limit == TRIAGE_COMMIT_RATIO ? "ratio" : "kbytes");
		break;
	case TRIAGE_PID_MAX:
	case TRIAGE_THREADS_MAX:
		(void)snprintf(buf, size, "cut -d' ' -f4 /proc/loadavg; sysctl kernel.%s",
			       row->limit == TRIAGE_PID_MAX ? "pid_max" : "threads-max");
		break;
	case TRIAGE_RAM:
	case TRIAGE_SWAP:
		(void)snprintf(buf, size,
			       "grep -E '^(MemTotal|MemAvailable|Swap(Total|Free)):' /proc/meminfo; grep "
			       "oom_kill /proc/vmstat");
		break;
	case TRIAGE_HUGE_POOL:
		triage_huge_show(t, buf, size);
		break;
	case TRIAGE_HUGE_SIZE:
		(void)snprintf(buf, size, "ls /sys/kernel/mm/hugepages");
		break;
	case TRIAGE_HUGETLBFS:
	case TRIAGE_TMPFS_BYTES:
	case TRIAGE_TMPFS_FILES:
		(void)snprintf(buf, size, "df %s %s", row->limit == TRIAGE_TMPFS_FILES ? "-i" : "-B1",
			       triage_quote(row->path, path, sizeof(path)));
		break;
	case TRIAGE_SHM_BYTES:
	case TRIAGE_SHM_SEGMENTS:
		(void)snprintf(buf, size, "ipcs -m -u; sysctl kernel.%s",
			       row->limit == TRIAGE_SHM_BYTES ? "shmall" : "shmmni");
		break;
	case TRIAGE_IPC_QUEUES:
	case TRIAGE_IPC_SETS:
	case TRIAGE_IPC_SEMAPHORES:
		if (row->pid > 0)
			(void)snprintf(buf, size, "nsenter -i -t %d sh -c 'ipcs -l; ipcs -u'", row->pid);
		else
			(void)snprintf(buf, size, "ipcs -l; ipcs -u");
		break;
	default:
		show_process(row, buf, size);
		break;
	}
	return buf;
}

static uint64_t twice(uint64_t n)
{
	uint64_t sum = limit_add(n, n);
	return sum > INT64_MAX ? INT64_MAX : sum;
}

/* Twice what is allowed, or twice what is in use where that is more already. */
static uint64_t raised(const struct triage_row *row)
{
	return MAX(twice(MAX(row->setting, row->in_use)), 2);
}

/*
 * The soft limit goes up to the hard one by itself; beyond, both go, which takes CAP_SYS_RESOURCE. A number without a
 * colon is both.
 */
static void fix_rlimit(const struct triage_row *row, char *buf, size_t size)
{
	const char *option = process_words[row->limit].option;
	uint64_t wanted = raised(row);
	if (row->ceiling > row->setting)
		(void)snprintf(buf, size, "prlimit --pid=%d --%s=%" PRIu64 ":", row->pid, option,
			       MIN(wanted, row->ceiling));
	else
		(void)snprintf(buf, size, "prlimit --pid=%d --%s=%" PRIu64 "  # needs CAP_SYS_RESOURCE", row->pid,
			       option, wanted);
}

/*
 * v1 refuses a memory limit above that of memory and swap together, and that one goes first; its swap.max is the
 * difference.
 */
static void fix_group_memory(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	char max[PATH_ROOM], sum[PATH_ROOM];
	bool swap = row->limit == TRIAGE_SWAP_MAX;
	uint64_t wanted = raised(row);
	(void)group_file(t, row, CGROUP_MEMORY_MAX, max, sizeof(max));
	(void)group_file(t, row, CGROUP_MEMORY_SWAP_MAX, sum, sizeof(sum));
	if (swap) /* v1: of the sum, memory's part stays */
		(void)snprintf(buf, size, "echo %" PRIu64 " > %s",
			       row->version == CGROUP_V1 ? limit_add(row->ceiling, wanted) : wanted, sum);
	else if (row->version == CGROUP_V1 && row->ceiling < ENOMEM_ABSENT)
		(void)snprintf(buf, size, "echo %" PRIu64 " > %s && echo %" PRIu64 " > %s",
			       limit_add(wanted, row->ceiling), sum, wanted, max);
	else
		(void)snprintf(buf, size, "echo %" PRIu64 " > %s", wanted, max);
}

static void fix_group(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	char max[PATH_ROOM];
	if (row->limit == TRIAGE_MEMORY_MAX || row->limit == TRIAGE_SWAP_MAX) {
		fix_group_memory(t, row, buf, size);
		return;
	}
	(void)snprintf(buf, size, "echo %" PRIu64 " > %s", raised(row),
		       group_file(t, row, group_words[row->limit].max, max, sizeof(max)));
}

static void fix_sysctl(const char *name, uint64_t value, char *buf, size_t size)
{
	(void)snprintf(buf, size, "sysctl -w %s=%" PRIu64, name, value);
}

static void fix_mount(const struct triage_row *row, char *buf, size_t size)
{
	char path[PATH_ROOM];
	(void)snprintf(buf, size, "mount -o remount,%s=%" PRIu64 " %s",
		       row->limit == TRIAGE_TMPFS_BYTES ? "size" : "nr_inodes", raised(row),
		       triage_quote(row->path, path, sizeof(path)));
}

static void fix_machine(const struct triage_row *row, char *buf, size_t size)
{
	uint64_t doubled = twice(row->setting);
	switch (row->limit) {
	case TRIAGE_MAP_COUNT:
		fix_sysctl("vm.max_map_count", doubled, buf, size);
		break;
	case TRIAGE_LARGEST_AREA:
		fix_sysctl("vm.overcommit_memory", 1, buf, size);
		break;
	case TRIAGE_COMMIT_RATIO:
		fix_sysctl("vm.overcommit_ratio", MAX(doubled, 50), buf, size);
		break;
	case TRIAGE_COMMIT_KBYTES:
		fix_sysctl("vm.overcommit_kbytes", doubled, buf, size);
		break;
	case TRIAGE_PID_MAX:
		fix_sysctl("kernel.pid_max", MIN(doubled, PID_MAX_MAX), buf, size);
		break;
	case TRIAGE_THREADS_MAX:
		fix_sysctl("kernel.threads-max", doubled, buf, size);
		break;
	case TRIAGE_SHM_BYTES:
		fix_sysctl("kernel.shmall", doubled, buf, size);
		break;
	case TRIAGE_SHM_SEGMENTS:
		fix_sysctl("kernel.shmmni", doubled, buf, size);
		break;
	case TRIAGE_IPC_QUEUES:
	case TRIAGE_IPC_SETS:
	case TRIAGE_IPC_SEMAPHORES:
		triage_ipc_fix(row, buf, size);
		break;
	case TRIAGE_DEAD_NAMESPACE:
		(void)snprintf(buf, size, "unshare --pid --fork COMMAND  # start it anew: no limit can be raised");
		break;
	case TRIAGE_ADDRESS_SPACE:
		(void)snprintf(buf, size, "kill %d  # and start it anew, with less mapped: no limit can be raised",
			       row->pid);
		break;
	default:
		(void)snprintf(buf, size,
			       "fallocate -l 2G /swapfile && chmod 600 /swapfile && mkswap /swapfile && swapon "
			       "/swapfile");
		break;
	}
}

char *triage_fix(const struct triage *t, const struct triage_row *row, char *buf, size_t size)
{
	if (row->kind == TRIAGE_OF_GROUP)
		fix_group(t, row, buf, size);
	else if (row->limit == TRIAGE_HUGE_POOL || row->limit == TRIAGE_HUGETLBFS || row->limit == TRIAGE_HUGE_SIZE)
		triage_huge_fix(t, row, buf, size);
	else if (row->kind == TRIAGE_OF_MOUNT)
		fix_mount(row, buf, size);
	else if (process_words[row->limit].option)
		fix_rlimit(row, buf, size);
	else
		fix_machine(row, buf, size);
	return buf;
}
