// SPDX-License-Identifier: MIT
/*
 * What a tool has left behind after it killed its keeper. For as long as the tool runs the harness is who takes over
 * orphans; of its children those are the tool's that were not there before and that are none of the run's, which the
 * witness traces.
 */
#include <ctype.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "hold-tool.h"
#include "procfs.h"

#define END_TIMEOUT_NS 5000000000ULL

/* By a thread of ours. */
static bool is_traced_by_us(pid_t pid)
{
	char path[64], line[256];
	(void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
	auto_fclose FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, "TracerPid:", 10)) {
			(void)snprintf(path, sizeof(path), "/proc/self/task/%ld", strtol(line + 10, NULL, 10));
			return access(path, F_OK) == 0;
		}
	return false;
}

static bool is_spared(const struct hold_strays *s, pid_t pid)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->own[i] == pid)
			return true;
	return is_traced_by_us(pid);
}

/* Each child of ours; false: there are more than fit, or /proc cannot be read. */
static bool list_children(pid_t *ret, unsigned most, unsigned *ret_count)
{
	const pid_t self = getpid();
	auto_closedir DIR *d = opendir("/proc");
	struct dirent *entry;
	*ret_count = 0;
	while (d && (entry = readdir(d))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
		if (pid <= 1 || procfs_parent_of(pid) != self)
			continue;
		if (*ret_count == most)
			return false;
		ret[(*ret_count)++] = pid;
	}
	return d != NULL;
}

void hold_strays_begin(struct hold_strays *s)
{
	s->ready = prctl(PR_GET_CHILD_SUBREAPER, &s->was_reaper) == 0 &&
		   list_children(s->own, ARRAY_SIZE(s->own), &s->count) && prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

static bool end_some(const struct hold_strays *s)
{
	pid_t child[HOLD_STRAYS_MAX];
	unsigned count;
	bool some = !list_children(child, ARRAY_SIZE(child), &count);
	for (unsigned i = 0; i < count; i++) {
		if (is_spared(s, child[i]))
			continue;
		some = true;
		(void)kill(child[i], SIGKILL);
		(void)waitpid(child[i], NULL, WNOHANG | __WALL);
	}
	return some;
}

void hold_strays_end(struct hold_strays *s, bool lost)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	const uint64_t begin = clock_now_ns();
	if (!s->ready)
		return;
	/* Whose parent is killed becomes our child: in the end all of them do. */
	while (lost && end_some(s) && clock_now_ns() - begin < END_TIMEOUT_NS)
		(void)nanosleep(&pause, NULL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, s->was_reaper);
	s->ready = false;
}
