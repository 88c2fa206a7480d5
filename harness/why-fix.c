// SPDX-License-Identifier: MIT
/*
 * The commands that belong to a cause: triage's, where the limit is still there when they are read. That of a process
 * that has ended is not, so there it is how to start it with more. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <mntent.h>
#include <string.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "cleanup.h"
#include "json-memory.h"
#include "limits.h"
#include "number.h"
#include "triage.h"
#include "why.h"

#define COMMAND_ROOM 3000

/* Which limit of triage's a cause is, where there is one kind only. */
static const struct {
	enum cause_id cause;
	enum triage_limit limit;
	enum triage_kind kind;
	int resource; /* of an rlimit, -1 for others */
} known[] = {
	{CAUSE_RLIMIT_AS, TRIAGE_AS, TRIAGE_OF_PROCESS, RLIMIT_AS},
	{CAUSE_RLIMIT_DATA, TRIAGE_DATA, TRIAGE_OF_PROCESS, RLIMIT_DATA},
	{CAUSE_RLIMIT_STACK, TRIAGE_STACK, TRIAGE_OF_PROCESS, RLIMIT_STACK},
	{CAUSE_RLIMIT_MEMLOCK, TRIAGE_MEMLOCK, TRIAGE_OF_PROCESS, RLIMIT_MEMLOCK},
	{CAUSE_RLIMIT_NPROC, TRIAGE_NPROC, TRIAGE_OF_PROCESS, RLIMIT_NPROC},
	{CAUSE_RLIMIT_NOFILE, TRIAGE_NOFILE, TRIAGE_OF_PROCESS, RLIMIT_NOFILE},
	{CAUSE_MAX_MAP_COUNT, TRIAGE_MAP_COUNT, TRIAGE_OF_PROCESS, -1},
	{CAUSE_ADDRESS_SPACE, TRIAGE_ADDRESS_SPACE, TRIAGE_OF_PROCESS, -1},
	{CAUSE_COMMIT_HEURISTIC, TRIAGE_LARGEST_AREA, TRIAGE_OF_PROCESS, -1},
	{CAUSE_COMMIT_LIMIT, TRIAGE_COMMIT_RATIO, TRIAGE_OF_MACHINE, -1},
	{CAUSE_PIDS_MAX, TRIAGE_PIDS_MAX, TRIAGE_OF_GROUP, -1},
	{CAUSE_PID_MAX, TRIAGE_PID_MAX, TRIAGE_OF_MACHINE, -1},
	{CAUSE_THREADS_MAX, TRIAGE_THREADS_MAX, TRIAGE_OF_MACHINE, -1},
	{CAUSE_DEAD_PID_NAMESPACE, TRIAGE_DEAD_NAMESPACE, TRIAGE_OF_PROCESS, -1},
	{CAUSE_MEMCG_MAX, TRIAGE_MEMORY_MAX, TRIAGE_OF_GROUP, -1},
	{CAUSE_MEMCG_SWAP_MAX, TRIAGE_SWAP_MAX, TRIAGE_OF_GROUP, -1},
	{CAUSE_SYSTEM_OOM, TRIAGE_RAM, TRIAGE_OF_MACHINE, -1},
	{CAUSE_SWAP_FULL, TRIAGE_SWAP, TRIAGE_OF_MACHINE, -1},
	{CAUSE_HUGETLB_POOL, TRIAGE_HUGE_POOL, TRIAGE_OF_MACHINE, -1},
	{CAUSE_HUGETLB_CGROUP, TRIAGE_HUGE_GROUP, TRIAGE_OF_GROUP, -1},
	{CAUSE_TMPFS_SIZE, TRIAGE_TMPFS_BYTES, TRIAGE_OF_MOUNT, -1},
	{CAUSE_SHM_LIMIT, TRIAGE_SHM_BYTES, TRIAGE_OF_MACHINE, -1},
};

/* --- whose limit it is ------------------------------------------------------------------------------------------- */

/* The group whose numbers the state has: the process's own, or one above. */
static bool find_group(const struct why *w, const struct snapshot *s, const struct limit_state *state,
		       enum cgroup_controller controller, struct triage_row *row)
{
	const struct why_scene *scene = &w->scene;
	const struct cgroup_ancestors *above = &scene->source.ancestors;
	bool is_above = strstr(state->where, "above") != NULL;
	if (!is_above) {
		row->path = (char *)(uintptr_t)scene->cgroup.path[controller];
		row->version = scene->cgroup.system.at[controller].version;
		return row->path[0] != '\0';
	}
	for (unsigned i = 0; i < above->count && i < s->ancestor_count; i++)
		if (above->at[i].controller == controller && s->ancestor[i].max == state->bound) {
			row->path = (char *)(uintptr_t)above->at[i].path;
			row->version = above->at[i].version;
			return true;
		}
	return false;
}

/* Where a file system is mounted, as its process sees it. */
static bool find_mount(pid_t pid, unsigned major, unsigned minor, char *ret, size_t size)
{
	char name[64], line[1024], escaped[512];
	unsigned line_major, line_minor;
	(void)snprintf(name, sizeof(name), "/proc/%d/mountinfo", pid);
	auto_fclose FILE *mounts = fopen(name, "re");
	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*d %*d %u:%u %*s %511s", &line_major, &line_minor, escaped) != 3 || // NOLINT
		    line_major != major || line_minor != minor)
			continue;
		(void)snprintf(ret, size, "%s", escaped);
		return strchr(escaped, '\\') == NULL; /* a name with blanks in it is left to the reader */
	}
	return false;
}

static bool shares_our_mounts(pid_t pid)
{
	char name[64];
	struct stat its, ours;
	(void)snprintf(name, sizeof(name), "/proc/%d/ns/mnt", pid);
	if (stat(name, &its) < 0 || stat("/proc/self/ns/mnt", &ours) < 0)
		return true; /* a kernel without them, or nothing to be known */
	return its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* *ret_apart: nowhere but in the mount namespace of the process, which is not ours. */
static bool mount_of(const struct why_moment *m, const struct snapshot *s, char *ret, size_t size, bool *ret_apart)
{
	char name[64];
	struct stat st;
	dev_t device = makedev(s->area.major, s->area.minor);
	if (!s->area_seen || !s->area.inode) {
		(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", m->pid, (int)m->refusal.args[0]);
		if (!m->refusal.call || stat(name, &st) < 0)
			return false;
		device = st.st_dev;
	}
	*ret_apart = false;
	if (shares_our_mounts(m->pid))
		return find_mount(m->pid, major(device), minor(device), ret, size);
	if (find_mount(getpid(), major(device), minor(device), ret, size))
		return true;
	*ret_apart = true;
	return find_mount(m->pid, major(device), minor(device), ret, size);
}

/* When this is read: the command that was watched has ended, and so has a process of which a signal is the moment. */
static bool is_gone(const struct why *w, const struct why_moment *m)
{
	return w->argv || !m->refusal.call;
}

/* A command that is to be typed in the mount namespace of a process: of one that has ended, where a next run makes it.
 */
static char *command_apart(const struct why *w, const struct why_moment *m, char *command)
{
	char *text;
	int r = is_gone(w, m)
			? asprintf(&text, "# only in the program's own mount namespace, once it is mounted there: %s",
				   command)
			: asprintf(&text, "nsenter --target %d --mount %s", m->pid, command);
	free(command);
	return json_memory_noted(r < 0 ? NULL : text);
}

/* --- the row ----------------------------------------------------------------------------------------------------- */

static uint64_t hard_limit(pid_t pid, int resource)
{
	char name[64], text[4096];
	uint64_t hard[PROCFS_RLIMITS];
	(void)snprintf(name, sizeof(name), "/proc/%d/limits", pid);
	if (resource < 0 || procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0 ||
	    procfs_parse_hard_limits(text, hard) < 0)
		return ENOMEM_ABSENT;
	return hard[resource];
}

/* What else the texts of a row need, by limit. */
static void fill_row(const struct snapshot *s, const struct limit_state *state, struct triage_row *row)
{
	switch (row->limit) {
	case TRIAGE_MAP_COUNT:
		row->setting = s->sysctl[SYSCTL_MAX_MAP_COUNT];
		break;
	case TRIAGE_COMMIT_RATIO:
		if (s->sysctl[SYSCTL_OVERCOMMIT_KBYTES] && s->sysctl[SYSCTL_OVERCOMMIT_KBYTES] != ENOMEM_ABSENT)
			row->limit = TRIAGE_COMMIT_KBYTES;
		row->setting = s->sysctl[row->limit == TRIAGE_COMMIT_KBYTES ? SYSCTL_OVERCOMMIT_KBYTES
									    : SYSCTL_OVERCOMMIT_RATIO];
		break;
	case TRIAGE_PID_MAX:
		row->setting = s->sysctl[SYSCTL_PID_MAX];
		break;
	case TRIAGE_MEMORY_MAX:
		row->ceiling = s->cgroup.value[CGROUP_MEMORY_SWAP_MAX];
		break;
	case TRIAGE_SWAP_MAX:
		row->setting = s->cgroup.value[CGROUP_MEMORY_SWAP_MAX];
		row->ceiling = s->cgroup.value[CGROUP_MEMORY_MAX];
		row->in_use = row->setting;
		break;
	case TRIAGE_HUGE_GROUP:
		if (strstr(state->where, "rsvd"))
			row->limit = TRIAGE_HUGE_GROUP_RESERVED;
		break;
	case TRIAGE_HUGE_POOL:
		row->ceiling = s->sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES];
		row->bound = MAX(row->bound, state->asked);
		break;
	case TRIAGE_TMPFS_BYTES:
		if (strstr(state->where, "nr_inodes"))
			row->limit = TRIAGE_TMPFS_FILES;
		break;
	case TRIAGE_SHM_BYTES:
		if (strstr(state->where, "shmmni"))
			row->limit = TRIAGE_SHM_SEGMENTS;
		break;
	default:
		break;
	}
}

/* The limit of a process ends with it: that of the command's next run. */
static char *start_with_more(const struct why *w, const struct why_moment *m, int resource,
			     const struct triage_row *row)
{
	return why_start_with_more(w->argv, why_limit_of(resource), row, m->change);
}

/* --- the fix ----------------------------------------------------------------------------------------------------- */

static int resource_of(enum cause_id cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].cause == cause)
			return known[i].resource;
	return cause == CAUSE_RLIMIT_SIGPENDING ? RLIMIT_SIGPENDING
	       : cause == CAUSE_RLIMIT_MSGQUEUE ? RLIMIT_MSGQUEUE
						: -1;
}

static bool is_sysctl(enum cause_id cause)
{
	return cause == CAUSE_NAMESPACES_MAX || cause == CAUSE_INOTIFY_WATCHES_MAX ||
	       cause == CAUSE_INOTIFY_INSTANCES_MAX || cause == CAUSE_AIO_MAX || cause == CAUSE_PIPE_MAX_SIZE ||
	       cause == CAUSE_PIPE_USER_PAGES || cause == CAUSE_OPTMEM_MAX || cause == CAUSE_EPOLL_WATCHES_MAX ||
	       cause == CAUSE_KEYS_MAX;
}

/* Where the numbers are of limits that triage has no row for. */
static char *other_show(const struct why_moment *m)
{
	if (m->cause == CAUSE_HUGETLB_SIZE) /* no setting helps: these are the sizes that can be asked for */
		return json_memory_noted(strdup("ls /sys/kernel/mm/hugepages"));
	if (m->cause == CAUSE_PERF_MLOCK)
		return json_memory_noted(strdup("sysctl kernel.perf_event_mlock_kb; nproc; ulimit -l"));
	return NULL;
}

/* What is mapped and asked for, by the processors, in the whole pages that the kernel makes of it. */
static uint64_t kib_of_rings(const struct limit_state *state)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t processors = online > 0 ? (uint64_t)online : 1;
	uint64_t pages = MAX(2 * state->bound, limit_add(state->in_use, state->asked));
	return (pages + processors - 1) / processors * (uint64_t)(sysconf(_SC_PAGESIZE) / 1024);
}

/* Limits that triage has no row for. */
static char *other_fix(const struct why_moment *m, const struct limit_state *state)
{
	static const char sys[] = "/proc/sys/";
	char *text = NULL;
	int r = 0;
	if (m->cause == CAUSE_FRAGMENTATION && !strstr(state->where, "/maps"))
		r = asprintf(&text, "sysctl -w vm.compact_memory=1");
	else if (m->cause == CAUSE_PERF_MLOCK) /* enough for each processor, whatever may be locked */
		r = asprintf(&text, "sysctl -w kernel.perf_event_mlock_kb=%" PRIu64, kib_of_rings(state));
	else if (is_sysctl(m->cause) && strncmp(state->where, sys, sizeof(sys) - 1) == 0)
		r = asprintf(&text, "echo %" PRIu64 " > %s", 2 * MAX(state->bound, 1), state->where);
	return r < 0 ? json_memory_noted(NULL) : text;
}

/* Of all programs of a user, and each of his processes shows how many. */
static void fix_signals(const struct why *w, struct why_moment *m, const struct snapshot *s,
			const struct limit_state *state)
{
	const struct triage_row row = {.in_use = limit_add(state->in_use, state->asked),
				       .setting = s->rlimit[RLIMIT_SIGPENDING],
				       .ceiling = hard_limit(m->pid, RLIMIT_SIGPENDING)};
	int r = 0;
	if (!w->argv)
		r = asprintf(&m->show, "grep SigQ /proc/%d/status", m->pid);
	else if (s->status.uid == getuid())
		m->show = json_memory_noted(strdup("grep SigQ /proc/self/status"));
	if (r < 0)
		m->show = json_memory_noted(NULL);
	if (w->argv)
		m->fix = start_with_more(w, m, RLIMIT_SIGPENDING, &row);
	else if (asprintf(&m->fix, "prlimit --pid %d --sigpending=%" PRIu64, m->pid, 2 * MAX(state->bound, 1)) < 0)
		m->fix = json_memory_noted(NULL);
}

/* Of all programs of a user; where no mount shows his queues, one has to be made. */
static void fix_queues(const struct why *w, struct why_moment *m, const struct snapshot *s,
		       const struct limit_state *state)
{
	const struct triage_row row = {.in_use = limit_add(state->in_use, state->asked),
				       .setting = s->rlimit[RLIMIT_MSGQUEUE],
				       .ceiling = hard_limit(m->pid, RLIMIT_MSGQUEUE)};
	m->show = json_memory_noted(strdup("ls -l /dev/mqueue"));
	if (w->argv)
		m->fix = start_with_more(w, m, RLIMIT_MSGQUEUE, &row);
	else if (asprintf(&m->fix, "prlimit --pid %d --msgqueue=%" PRIu64, m->pid, 2 * MAX(state->bound, 1)) < 0)
		m->fix = json_memory_noted(NULL);
}

static bool find_place(const struct why *w, struct why_moment *m, const struct snapshot *s,
		       const struct limit_state *state, struct triage_row *row, bool *ret_apart)
{
	static char mount[512];
	enum cgroup_controller controller = m->cause == CAUSE_PIDS_MAX         ? CGROUP_PIDS
					    : m->cause == CAUSE_HUGETLB_CGROUP ? CGROUP_HUGETLB
									       : CGROUP_MEMORY;
	if (row->kind == TRIAGE_OF_MOUNT) {
		row->path = mount;
		if (!mount_of(m, s, mount, sizeof(mount), ret_apart))
			return false;
	} else if (row->kind == TRIAGE_OF_GROUP && !find_group(w, s, state, controller, row)) {
		return false;
	}
	if (row->path)
		m->place = json_memory_noted(strdup(row->path));
	return true;
}

void why_fix(struct why *w, struct why_moment *m, const struct snapshot *s)
{
	static char show[COMMAND_ROOM], fix[COMMAND_ROOM];
	static const struct triage no_table = {.huge_page = 2 << 20};
	if (m->named >= m->report.count)
		return;
	const struct limit_state *state = &m->report.state[m->named];
	int resource = resource_of(m->cause);
	if (resource >= 0)
		m->change = why_limits_changed(&w->limits, m->pid, resource, s->rlimit[resource]);
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].cause != m->cause)
			continue;
		struct triage t = no_table;
		struct triage_row row = {.limit = known[i].limit,
					 .kind = known[i].kind,
					 .pid = m->pid,
					 .uid = s->status.uid,
					 .in_use = limit_add(state->in_use, state->asked),
					 .bound = state->bound,
					 .setting = state->bound,
					 .ceiling = hard_limit(m->pid, known[i].resource)};
		if (known[i].resource >= 0)
			row.setting = s->rlimit[known[i].resource];
		if (s->meminfo.value[MEMINFO_HUGEPAGE_SIZE] < ENOMEM_ABSENT)
			t.huge_page = s->meminfo.value[MEMINFO_HUGEPAGE_SIZE];
		bool apart = false;
		if (!find_place(w, m, s, state, &row, &apart))
			return;
		fill_row(s, state, &row);
		/* What shows the numbers of a process that is gone when this is read shows nothing. */
		if (apart ? !is_gone(w, m) : row.kind != TRIAGE_OF_PROCESS || !w->argv)
			m->show = json_memory_noted(strdup(triage_show(&t, &row, show, sizeof(show))));
		if (known[i].resource >= 0 && w->argv)
			m->fix = start_with_more(w, m, known[i].resource, &row);
		else if (row.limit != TRIAGE_ADDRESS_SPACE) /* there is none: only asking for less helps */
			m->fix = json_memory_noted(strdup(triage_fix(&t, &row, fix, sizeof(fix))));
		if (apart && m->show)
			m->show = command_apart(w, m, m->show);
		if (apart && m->fix)
			m->fix = command_apart(w, m, m->fix);
		return;
	}
	if (m->cause == CAUSE_RLIMIT_SIGPENDING) {
		fix_signals(w, m, s, state);
		return;
	}
	if (m->cause == CAUSE_RLIMIT_MSGQUEUE) {
		fix_queues(w, m, s, state);
		return;
	}
	m->show = other_show(m);
	m->fix = other_fix(m, state);
}
