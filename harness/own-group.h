// SPDX-License-Identifier: MIT
/*
 * The group that this process was started in, when systemd delegated it to its user.
 */
#pragma once

/* What a user types before `enomem run` to have cgroups; in messages, which tests read. */
#define OWN_GROUP_COMMAND "systemd-run --user --scope -p Delegate=yes"

/* Make room in it for the groups of runs, until this process ends: see cgroup_leaf_enter(). Silent, and harmless
 * anywhere else. Before the machine is probed. */
void own_group_make_room(void);

/* Back again, for who ends without exit(3). Does nothing a second time, or in any other process. */
void own_group_leave(void);
