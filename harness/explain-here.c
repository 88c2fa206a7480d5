// SPDX-License-Identifier: MIT
/*
 * A cause on this machine: how to tell that it was it, what of it is set here and in use, and what lifts it. The
 * numbers and commands are those of triage. See explain.h.
 */
#include <errno.h>
#include <string.h>

#include "cause.h"
#include "cleanup.h"
#include "explain.h"
#include "report-text.h"

#define COMMAND_ROOM 5000
#define WHAT_ROOM    1200
#define ROWS_MAX     3

const char *const explain_tell_names[TELLS] = {"counter", "process", "machine", "trace"};

static bool is_of_process(enum triage_limit limit)
{
	return limit <= TRIAGE_LARGEST_AREA;
}

/* The first limit of triage that is of the cause; TRIAGE_LIMITS where it reads none. */
static enum triage_limit limit_of(const char *cause)
{
	enum triage_limit limit = 0;
	while (limit < TRIAGE_LIMITS && strcmp(triage_limit_infos[limit].cause, cause) != 0)
		limit++;
	return limit;
}

/*
 * What counts a cause. Kills are counted where somebody is killed: a full group that refuses or waits instead has been
 * at its limit, which it counts as well. After a panic nobody reads anything. What the machine counts, it counts of
 * every group as well: that is a number of the machine, and no counter of a cause.
 */
static const char *counter_of(const char *cause, const char *outcome)
{
	int id = cause_by_name(cause);
	const char *counter = id < 0 ? NULL : cause_infos[id].counter;
	if (counter && (strncmp(counter, "vmstat.", strlen("vmstat.")) == 0 || (outcome && !strcmp(outcome, "panic"))))
		return NULL;
	if (counter && outcome && strcmp(outcome, "SIGKILL") != 0 && !strcmp(counter, "cgroup.memory.events.oom_kill"))
		return "cgroup.memory.events.max";
	return counter;
}

/* Causes that triage has no row for and that a file has numbers of all the same. */
static const struct other {
	enum cause_id cause;
	enum explain_tell tell;
	const char *show; /* NULL: it needs the pid */
} others[] = {
	{CAUSE_RLIMIT_CPU, TELL_PROCESS, NULL},
	{CAUSE_IPC_LIMIT, TELL_MACHINE, "ipcs -l; ipcs -u"},
	{CAUSE_INOTIFY_WATCHES_MAX, TELL_MACHINE, "sysctl fs.inotify.max_user_watches"},
	{CAUSE_INOTIFY_INSTANCES_MAX, TELL_MACHINE, "sysctl fs.inotify.max_user_instances"},
	{CAUSE_EPOLL_WATCHES_MAX, TELL_MACHINE, "sysctl fs.epoll.max_user_watches"},
	{CAUSE_KEYS_MAX, TELL_MACHINE, "cat /proc/key-users"},
	{CAUSE_RLIMIT_MSGQUEUE, TELL_PROCESS, NULL},
	{CAUSE_AIO_MAX, TELL_MACHINE, "sysctl fs.aio-nr fs.aio-max-nr"},
	{CAUSE_PIPE_MAX_SIZE, TELL_MACHINE, "sysctl fs.pipe-max-size"},
	{CAUSE_PIPE_USER_PAGES, TELL_MACHINE, "sysctl fs.pipe-user-pages-soft fs.pipe-user-pages-hard"},
	{CAUSE_HUGETLB_SIZE, TELL_MACHINE, "ls /sys/kernel/mm/hugepages"},
	{CAUSE_OPTMEM_MAX, TELL_MACHINE, "sysctl net.core.optmem_max"},
	{CAUSE_PERF_MLOCK, TELL_MACHINE, "sysctl kernel.perf_event_mlock_kb; nproc; ulimit -l"},
	{CAUSE_RLIMIT_SIGPENDING, TELL_PROCESS, NULL},
	{CAUSE_NAMESPACES_MAX, TELL_MACHINE, "sysctl -a -r '^user[.]max_.*_namespaces'"},
};

static const struct other *other_of(const char *cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (!strcmp(cause_infos[others[i].cause].name, cause))
			return &others[i];
	return NULL;
}

enum explain_tell explain_tell_of(const char *cause, const char *outcome)
{
	enum triage_limit limit = limit_of(cause);
	if (counter_of(cause, outcome))
		return TELL_COUNTER;
	if (outcome && !strcmp(outcome, "panic"))
		return TELL_TRACE;
	if (limit == TRIAGE_LIMITS)
		return other_of(cause) ? other_of(cause)->tell : TELL_TRACE;
	return is_of_process(limit) ? TELL_PROCESS : TELL_MACHINE;
}

static const struct triage_row *next_row(const struct triage *t, const char *cause, size_t *at)
{
	for (; *at < t->count; (*at)++)
		if (!strcmp(triage_limit_infos[t->row[*at].limit].cause, cause))
			return &t->row[(*at)++];
	return NULL;
}

/* "cgroup.pids.events.max": as this machine names the file and the line in it. */
static void show_counter(const struct explain_world *w, const char *counter, char *buf, size_t size)
{
	static const char groups[] = "cgroup.";
	int value = strncmp(counter, groups, strlen(groups)) == 0 ? cgroup_value_by_name(counter + strlen(groups)) : -1;
	if (value < 0)
		return;
	const struct cgroup_value_file *f = &cgroup_value_files[value];
	bool v1 = w->machine.cgroup.at[f->controller].version == CGROUP_V1;
	const char *key = v1 ? f->v1_key : f->v2_key;
	char name[64];
	if (*triage_file_name(&w->triage, v1 ? CGROUP_V1 : CGROUP_V2, (enum cgroup_value)value, name, sizeof(name)))
		(void)snprintf(buf, size, "grep -H %s GROUP/%s  # GROUP: of /proc/PID/cgroup", key ? key : ".", name);
}

/* The command that shows its numbers; "" where there is none. */
static char *show_of(const struct explain_world *w, const char *cause, const char *outcome, char *buf, size_t size)
{
	size_t at = 0;
	enum triage_limit limit = limit_of(cause);
	const char *counter = counter_of(cause, outcome);
	const struct triage_row *row = next_row(&w->triage, cause, &at);
	const struct triage_row other = {
		.limit = limit, .kind = is_of_process(limit) ? TRIAGE_OF_PROCESS : TRIAGE_OF_MACHINE, .pid = w->pid};
	const struct other *known = other_of(cause);
	buf[0] = '\0';
	if (outcome && !strcmp(outcome, "panic"))
		return buf;
	if (row)
		return triage_show(&w->triage, row, buf, size);
	if (counter)
		show_counter(w, counter, buf, size);
	else if (limit == TRIAGE_TMPFS_BYTES)
		(void)snprintf(buf, size, "df -h /dev/shm; df -i /dev/shm");
	else if (limit == TRIAGE_HUGETLBFS)
		(void)snprintf(buf, size, "grep hugetlbfs /proc/mounts; df -t hugetlbfs");
	else if (known && known->cause == CAUSE_RLIMIT_CPU)
		(void)snprintf(buf, size, "ps -o time= -p %d; grep 'Max cpu time' /proc/%d/limits", w->pid, w->pid);
	else if (known && known->cause == CAUSE_RLIMIT_SIGPENDING)
		(void)snprintf(buf, size, "grep SigQ /proc/%d/status; grep 'Max pending signals' /proc/%d/limits",
			       w->pid, w->pid);
	else if (known && known->cause == CAUSE_RLIMIT_MSGQUEUE)
		(void)snprintf(buf, size, "ls -l /dev/mqueue; grep 'Max msgqueue size' /proc/%d/limits", w->pid);
	else if (known)
		(void)snprintf(buf, size, "%s", known->show);
	else if (limit < TRIAGE_LIMITS)
		(void)triage_show(&w->triage, &other, buf, size);
	return buf;
}

/* Unlimited is no row; of an area that is nowhere near, or a pool that nobody set up, neither. */
static json_t *limit_json(const struct triage *t, const struct triage_row *row)
{
	const struct triage_limit_info *info = &triage_limit_infos[row->limit];
	char what[WHAT_ROOM], show[COMMAND_ROOM], fix[COMMAND_ROOM];
	return json_pack("{s:s, s:I, s:I, s:s, s:I, s:I, s:s, s:s, s:s}", "what",
			 text_clean(triage_what(row, show, sizeof(show)), false, what, sizeof(what)), "in_use",
			 (json_int_t)row->in_use, "bound", (json_int_t)row->bound, "unit", info->unit, "basis_points",
			 (json_int_t)row->basis_points, "refused", (json_int_t)row->refused, "fails", info->fails,
			 "show", triage_show(t, row, show, sizeof(show)), "fix", triage_fix(t, row, fix, sizeof(fix)));
}

/* The scenarios whose triggers it refuses. */
static int add_shown_by(const struct explain_world *w, const char *cause, json_t *list)
{
	const json_t *row = NULL, *name = NULL, *known = NULL;
	size_t i, k, j;
	json_array_foreach (w->symptoms, i, row) {
		if (strcmp(text_of(row, "cause"), cause) != 0)
			continue;
		json_array_foreach (json_object_get(row, "scenarios"), k, name) {
			bool there = false;
			json_array_foreach (list, j, known)
				there |= json_equal(known, name);
			if (!there && json_array_append(list, (json_t *)name) < 0)
				return -ENOMEM;
		}
	}
	return 0;
}

json_t *explain_cause_here(const struct explain_world *w, const char *cause, const char *outcome)
{
	json_auto_t *limits = json_array(), *shown_by = json_array();
	char show[COMMAND_ROOM], note[TEXT_MAX];
	int id = cause_by_name(cause);
	size_t at = 0;
	const struct triage_row *row, *first = next_row(&w->triage, cause, &at);
	enum triage_limit limit = limit_of(cause);
	bool reads = limit < TRIAGE_LIMITS || other_of(cause) || counter_of(cause, outcome);
	at = 0;
	while (json_array_size(limits) < ROWS_MAX && (row = next_row(&w->triage, cause, &at)))
		(void)json_array_append_new(limits, limit_json(&w->triage, row));
	if (add_shown_by(w, cause, shown_by) < 0)
		return NULL;
	json_t *here = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:O, s:O}", "cause", cause, "unit", id < 0 ? "" : cause_infos[id].unit,
		"tell", explain_tell_names[explain_tell_of(cause, outcome)], "show",
		show_of(w, cause, outcome, show, sizeof(show)), "note",
		explain_note(w, id, first, reads, note, sizeof(note)), "limits", limits, "shown_by", shown_by);
	/* Of shared memory triage counts nothing for one process. */
	if (here && ((limit < TRIAGE_LIMITS && limit != TRIAGE_SHM_BYTES && limit != TRIAGE_IPC_QUEUES) ||
		     id == CAUSE_RLIMIT_CPU))
		(void)json_object_set_new(here, "set", json_boolean(explain_is_set(w, id, first)));
	return here;
}
