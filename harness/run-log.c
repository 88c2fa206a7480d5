// SPDX-License-Identifier: MIT
/*
 * Attributing OOM kills: ours, another's at our limit, or nobody's business. See run-log.h.
 */
#include "run-log.h"

#include <string.h>

#include "cleanup.h"

#define KILLS_MAX 32

/* "oom-kill:" and "Killed process" are two lines about one kill: merge them by pid. */
static void merge(struct kmsg_oom *kills, unsigned *count, const struct kmsg_oom *line)
{
	unsigned i = 0;
	while (i < *count && kills[i].pid != line->pid)
		i++;
	if (i == KILLS_MAX)
		return;
	if (i == *count) {
		kills[(*count)++] = *line;
		return;
	}
	kills[i].memcg |= line->memcg;
	if (line->comm[0])
		memcpy(kills[i].comm, line->comm, sizeof(kills[i].comm));
	if (line->task_memcg[0])
		memcpy(kills[i].task_memcg, line->task_memcg, sizeof(kills[i].task_memcg));
	if (line->oom_memcg[0])
		memcpy(kills[i].oom_memcg, line->oom_memcg, sizeof(kills[i].oom_memcg));
}

/* Is `limit` the run's own group or one above it? Then memory charged by the run may have made its limit kill somebody.
 */
static bool limits_the_run(const struct run_record *record, const char *limit)
{
	const struct cgroup *cg = record->cgroup;
	if (!cg)
		return false;
	const char *parent = cg->system.at[CGROUP_MEMORY].parent;
	size_t length = strlen(limit);
	if (strstr(limit, cg->name))
		return true;
	return length > 1 && strncmp(parent, limit, length) == 0 && (parent[length] == '/' || parent[length] == '\0');
}

static void attribute(struct run_record *record, const struct kmsg_oom *kill)
{
	bool ours = kill->pid == record->witness.program && record->witness.program > 0;
	record->own_kill_is_program |= ours;
	/* In a container the log's pids are the host's; the group's name is unique on the machine. */
	if (record->cgroup && strstr(kill->task_memcg, record->cgroup->name))
		ours = true;
	if (ours) {
		record->own_kill_logged = 1;
		record->own_kill_is_memcg |= kill->memcg;
	} else if (!kill->memcg || limits_the_run(record, kill->oom_memcg)) {
		record->others_killed++;
	}
}

/*
 * The report of one kill may be longer than the room there is, and the line that names the victim is its last: that one
 * displaces the last line that names none, never another victim's.
 */
static void keep(struct run_record *record, const char *text, bool names_a_kill, bool *is_kill)
{
	const unsigned room = ARRAY_SIZE(record->log);
	if (record->log_lines == room) {
		unsigned out = room;
		while (out > 0 && is_kill[out - 1])
			out--;
		if (!names_a_kill || out-- == 0)
			return;
		memmove(record->log[out], record->log[out + 1], (room - out - 1) * sizeof(record->log[0]));
		memmove(is_kill + out, is_kill + out + 1, (room - out - 1) * sizeof(*is_kill));
		record->log_lines--;
	}
	is_kill[record->log_lines] = names_a_kill;
	(void)snprintf(record->log[record->log_lines++], sizeof(record->log[0]), "%.511s", text);
}

void run_read_log(struct run_record *record, int fd)
{
	static struct kmsg_oom kills[KILLS_MAX];
	static struct kmsg_record line;
	bool is_kill[ARRAY_SIZE(record->log)] = {false};
	unsigned count = 0;
	record->own_kill_logged = record->log_readable ? 0 : -1;
	if (fd < 0)
		return;
	while (kmsg_next(fd, &line) == 1) {
		static struct kmsg_oom oom;
		if (!line.from_kernel)
			continue;
		memset(&oom, 0, sizeof(oom));
		bool names_a_kill = kmsg_oom_line(line.text, &oom) && oom.pid > 0;
		keep(record, line.text, names_a_kill, is_kill);
		if (names_a_kill)
			merge(kills, &count, &oom);
	}
	for (unsigned i = 0; i < count; i++)
		attribute(record, &kills[i]);
}
