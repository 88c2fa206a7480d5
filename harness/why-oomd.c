// SPDX-License-Identifier: MIT
/*
 * systemd-oomd kills with SIGKILL, which tells nobody who sent it; but it leaves a mark at the group whose processes it
 * is about to kill (oomd_cgroup_kill(), src/oom/oomd-util.c: user.oomd_ooms goes up by one before the kill). It kills
 * those of the groups below as well, which have no mark then; and a group that outlives a kill keeps the mark of it.
 * See why.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "json-memory.h"
#include "number.h"
#include "why.h"

uint64_t why_oomd_mark(const char *dir)
{
	char text[32];
	uint64_t count;
	ssize_t n = getxattr(dir, "user.oomd_ooms", text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return number_parse_count(text, &count) == 0 ? count : 0;
}

/* From dir to the one above it; false: that is `top`, or nowhere. */
static bool ascend(char *dir, const char *top)
{
	char *slash = strrchr(dir, '/');
	if (!slash)
		return false;
	*slash = '\0';
	return strlen(dir) > strlen(top);
}

static const struct why_mark *find_mark(const struct why_marks *marks, const char *dir)
{
	for (unsigned i = 0; i < marks->count; i++)
		if (strcmp(marks->mark[i].dir, dir) == 0)
			return &marks->mark[i];
	return NULL;
}

void why_oomd_note(struct why_marks *marks, const char *dir, const char *top)
{
	char at[1024];
	if (!dir[0] || (size_t)snprintf(at, sizeof(at), "%s", dir) >= sizeof(at))
		return;
	do {
		if (marks->count == WHY_MARKS)
			return;
		char *name = find_mark(marks, at) ? NULL : json_memory_noted(strdup(at));
		if (name)
			marks->mark[marks->count++] = (struct why_mark){name, why_oomd_mark(at)};
	} while (ascend(at, top));
}

void why_oomd(struct why_moment *m, const struct why_marks *marks, const char *dir, const char *top)
{
	char at[1024];
	if (!m || m->cause != CAUSE_KILLED_BY_OTHER || !dir[0] ||
	    (size_t)snprintf(at, sizeof(at), "%s", dir) >= sizeof(at))
		return;
	do {
		const struct why_mark *before = find_mark(marks, at);
		uint64_t kills = why_oomd_mark(at);
		if (kills <= (before ? before->kills : 0))
			continue;
		free(m->place);
		m->place = json_memory_noted(strdup(at));
		m->oomd_kills = m->place ? kills : 0;
		return;
	} while (ascend(at, top));
}

void why_oomd_free(struct why_marks *marks)
{
	for (unsigned i = 0; i < marks->count; i++)
		free(marks->mark[i].dir);
	marks->count = 0;
}
