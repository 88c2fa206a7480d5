// SPDX-License-Identifier: MIT
/*
 * See own-group.h.
 */
#include "own-group.h"

#include <stdlib.h>
#include <unistd.h>

#include "cgroup.h"
#include "say.h"
#include "sysctl.h"

static struct cgroup_leaf leaf;
static struct journal journal = {.fd = -1, .dir_fd = -1};

static int announce(const char *path, unsigned enables, void *data)
{
	(void)enables;
	return journal_cgroup(data, path);
}

void own_group_leave(void)
{
	if (!leaf.path[0] || leaf.pid != getpid())
		return;
	if (cgroup_leaf_leave(&leaf) == 0) {
		journal_close(&journal);
		return;
	}
	say_note("%s: keeps the controllers that it got, since others have groups in it now", leaf.parent);
	journal_abandon(&journal);
}

/* What cannot be had so is told where it is needed: groups are made elsewhere then, or nowhere. */
void own_group_make_room(void)
{
	struct cgroup_system system;
	if (leaf.path[0] || cgroup_detect_self(&system) < 0 || journal_open_leaf(&journal) < 0)
		return;
	if (cgroup_leaf_enter(&system, announce, &journal, &leaf) <= 0)
		journal_close(&journal);
	else if (atexit(own_group_leave) != 0)
		own_group_leave();
}
