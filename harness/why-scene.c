// SPDX-License-Identifier: MIT
/*
 * The numbers of the machine and of the groups of whoever is looked at. Those of a group when it was first seen are
 * kept, so that it can be said which of its counters moved. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cleanup.h"
#include "json-memory.h"
#include "procfs.h"
#include "why.h"

#define MOUNTS_MAX (1U << 20)

int why_scene_open(struct why_scene *s)
{
	memset(s, 0, sizeof(*s));
	cgroup_init(&s->cgroup);
	s->log_fd = -1;
	(void)kmsg_open(&s->log_fd);
	int r = snapshot_source_open(NULL, &s->source);
	s->source.follows = true;
	return r;
}

void why_scene_close(struct why_scene *s)
{
	for (unsigned i = 0; i < s->seen_count; i++) {
		free(s->seen[i].groups);
		free(s->seen[i].before);
	}
	free(s->groups);
	why_oomd_free(&s->marks);
	cgroup_close(&s->cgroup);
	snapshot_source_close(&s->source);
	closep(&s->log_fd);
}

static char *read_mounts(void)
{
	for (size_t size = 16384; size <= MOUNTS_MAX; size *= 2) {
		auto_free char *text = json_memory_noted(malloc(size));
		ssize_t n = text ? procfs_read_at(AT_FDCWD, "/proc/self/mountinfo", text, size) : -ENOMEM;
		if (n >= 0)
			return steal(text);
		if (n != -E2BIG)
			break;
	}
	return NULL;
}

static void open_groups(struct why_scene *s, const char *groups)
{
	struct cgroup_system sys;
	auto_free char *mounts = read_mounts();
	cgroup_ancestors_close(&s->source.ancestors);
	cgroup_close(&s->cgroup);
	cgroup_init(&s->cgroup);
	s->source.cgroup = NULL;
	free(s->groups);
	s->groups = json_memory_noted(strdup(groups));
	if (!s->groups || !mounts || cgroup_detect(mounts, groups, "", &sys) < 0)
		return;
	cgroup_open_detected(&sys, &s->cgroup);
	cgroup_ancestors_open(&s->cgroup, &s->source.ancestors);
	s->source.cgroup = &s->cgroup;
}

static const struct snapshot *first_seen(struct why_scene *s)
{
	const struct snapshot_request nothing = {0};
	if (!s->groups)
		return NULL;
	for (unsigned i = 0; i < s->seen_count; i++)
		if (strcmp(s->seen[i].groups, s->groups) == 0)
			return s->seen[i].before;
	if (s->seen_count == WHY_SCENES)
		return NULL;
	auto_free char *groups = json_memory_noted(strdup(s->groups));
	struct snapshot *before = json_memory_noted(malloc(sizeof(*before)));
	if (!groups || !before) {
		free(before);
		return NULL;
	}
	snapshot_take(&s->source, &nothing, before);
	s->seen[s->seen_count].groups = steal(groups);
	s->seen[s->seen_count++].before = before;
	return before;
}

const struct snapshot *why_scene_enter(struct why_scene *s, pid_t pid)
{
	char name[64], groups[4096];
	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", pid);
	if (procfs_read_at(AT_FDCWD, name, groups, sizeof(groups)) > 0 &&
	    (!s->groups || strcmp(groups, s->groups) != 0))
		open_groups(s, groups);
	return first_seen(s);
}

void why_scene_note_marks(struct why_scene *s)
{
	const struct cgroup *g = &s->cgroup;
	why_oomd_note(&s->marks, g->path[CGROUP_MEMORY], g->system.at[CGROUP_MEMORY].mount);
}

/* Two lines tell of one kill: merged by pid. */
static void note_kill(struct why_scene *s, const struct kmsg_oom *line)
{
	unsigned i = 0;
	while (i < s->kill_count && s->kill[i].pid != line->pid)
		i++;
	if (i == WHY_KILLS) { /* the oldest is the least wanted */
		memmove(&s->kill[0], &s->kill[1], sizeof(s->kill) - sizeof(s->kill[0]));
		i = --s->kill_count;
	}
	struct kmsg_oom *kill = &s->kill[i];
	if (i == s->kill_count) {
		*kill = *line;
		s->kill_count++;
		return;
	}
	kill->memcg |= line->memcg;
	if (line->comm[0])
		memcpy(kill->comm, line->comm, sizeof(kill->comm));
	if (line->task_memcg[0])
		memcpy(kill->task_memcg, line->task_memcg, sizeof(kill->task_memcg));
	if (line->oom_memcg[0])
		memcpy(kill->oom_memcg, line->oom_memcg, sizeof(kill->oom_memcg));
}

/* The log's pids are those of the initial namespace: elsewhere a victim is known by its group and name. */
static bool is_about(const struct why_scene *s, const struct kmsg_oom *kill, pid_t pid, const char *comm)
{
	const char *own = s->cgroup.path[CGROUP_MEMORY];
	size_t length = strlen(own), tail = strlen(kill->task_memcg);
	if (kill->pid == pid)
		return !kill->comm[0] || strncmp(kill->comm, comm, WHY_COMM - 1) == 0;
	return tail > 1 && tail <= length && strcmp(own + length - tail, kill->task_memcg) == 0 &&
	       strncmp(kill->comm, comm, WHY_COMM - 1) == 0;
}

unsigned why_scene_group_of(const struct why_scene *s, const struct kmsg_oom *kill)
{
	const struct cgroup_ancestors *above = &s->source.ancestors;
	size_t mount = strlen(s->cgroup.system.at[CGROUP_MEMORY].mount), task = strlen(kill->task_memcg);
	const char *own = s->cgroup.path[CGROUP_MEMORY];
	if (strlen(own) < mount || strlen(own + mount) > task)
		return 0;
	/* The log names groups from the machine's own root: what is mounted here may begin below it. */
	size_t root = task - strlen(own + mount);
	if (strcmp(kill->task_memcg + root, own + mount) != 0 || strncmp(kill->oom_memcg, kill->task_memcg, root) != 0)
		return 0;
	if (strcmp(kill->oom_memcg + root, own + mount) == 0)
		return LOG_GROUP_OWN;
	for (unsigned i = 0; i < above->count; i++)
		if (above->at[i].controller == CGROUP_MEMORY && strlen(above->at[i].path) >= mount &&
		    strcmp(above->at[i].path + mount, kill->oom_memcg + root) == 0)
			return LOG_GROUP_ABOVE + i;
	return 0;
}

const struct kmsg_oom *why_scene_kill_of(struct why_scene *s, pid_t pid, const char *comm)
{
	static struct kmsg_record line;
	while (s->log_fd >= 0 && kmsg_next(s->log_fd, &line) == 1) {
		struct kmsg_oom oom = {0};
		if (line.from_kernel && kmsg_oom_line(line.text, &oom) && oom.pid > 0)
			note_kill(s, &oom);
	}
	for (unsigned i = s->kill_count; i-- > 0;)
		if (is_about(s, &s->kill[i], pid, comm))
			return &s->kill[i];
	return NULL;
}
