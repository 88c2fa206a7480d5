// SPDX-License-Identifier: MIT
/*
 * Room in a delegated group. systemd puts a program into the group that it delegates to it, and there the rule against
 * internal processes holds (cgroup_vet_subtree_control_enable(), kernel/cgroup/cgroup.c): a group with processes passes
 * no controller on. Whoever was given the group is expected to move into one below it first; see "Delegation" in
 * https://systemd.io/CGROUP_DELEGATION.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "procfs.h"

/*
 * Who is not root and owns the group's directory was given it. systemd marks what it delegates, to root's services too;
 * but its user managers, which may not set the mark that only root can read, did not always.
 */
static bool is_delegated(const char *dir)
{
	char value[8];
	struct stat st;
	if (geteuid() != 0)
		return stat(dir, &st) == 0 && st.st_uid == geteuid();
	ssize_t n = getxattr(dir, "user.delegate", value, sizeof(value));
	if (n < 0)
		n = getxattr(dir, "trusted.delegate", value, sizeof(value));
	return n == 1 && value[0] == '1';
}

/* Somebody else's processes stay where they are. */
static bool only_we_are_in(const char *dir)
{
	char path[1100], text[64], own[32];
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	(void)snprintf(own, sizeof(own), "%d\n", getpid());
	return procfs_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 && strcmp(text, own) == 0;
}

static int move_into(const char *dir)
{
	char path[1200];
	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;
}

static bool is_ours_on_v2(const struct cgroup_system *sys)
{
	return sys->unified_mount[0] &&
	       (sys->at[CGROUP_MEMORY].version == CGROUP_V2 || sys->at[CGROUP_PIDS].version == CGROUP_V2);
}

int cgroup_leaf_enter(const struct cgroup_system *sys, cgroup_announce announce, void *data, struct cgroup_leaf *ret)
{
	char self[512], text[4096];
	struct cgroup_hierarchy at = {.version = CGROUP_V2};
	*ret = (struct cgroup_leaf){.path = ""};
	if (!is_ours_on_v2(sys) || procfs_read_at(AT_FDCWD, "/proc/self/cgroup", text, sizeof(text)) <= 0 ||
	    procfs_parse_cgroup(text, "", self, sizeof(self)) < 0)
		return 0;
	(void)snprintf(at.mount, sizeof(at.mount), "%s", sys->unified_mount);
	(void)snprintf(at.parent, sizeof(at.parent), "%s", self);
	if (cgroup_own_directory(&at, "", ret->parent, sizeof(ret->parent)) < 0 || !is_delegated(ret->parent) ||
	    !only_we_are_in(ret->parent))
		return 0;
	char leaf[sizeof(ret->path)];
	(void)snprintf(leaf, sizeof(leaf), "%s/enomem-%d-leaf", ret->parent, getpid());
	int r = announce ? announce(leaf, 0, data) : 0;
	if (r < 0)
		return r;
	unsigned enabled = cgroup_read_controllers(ret->parent, "cgroup.subtree_control");
	if (mkdir(leaf, 0755) < 0)
		return -errno;
	r = move_into(leaf);
	if (r < 0) {
		(void)rmdir(leaf);
		return r;
	}
	(void)memcpy(ret->path, leaf, sizeof(leaf));
	ret->pid = getpid();
	ret->enabled_before = enabled;
	return 1;
}

/* What is enabled was enabled for a group of ours, and stays where others came to have groups, whose limits it holds.
 */
static int give_back(const struct cgroup_leaf *leaf)
{
	auto_close int lock = cgroup_lock_parent(leaf->parent);
	if (lock < 0)
		return -EBUSY;
	unsigned enabled = cgroup_read_controllers(leaf->parent, "cgroup.subtree_control") & ~leaf->enabled_before;
	if (enabled && cgroup_has_children_but(lock, strrchr(leaf->path, '/') + 1))
		return -EBUSY;
	int r = enabled ? cgroup_write_subtree_control(leaf->parent, '-', enabled) : 0;
	return r < 0 ? r : move_into(leaf->parent);
}

int cgroup_leaf_leave(struct cgroup_leaf *leaf)
{
	if (!leaf->path[0] || leaf->pid != getpid())
		return 0;
	int r = give_back(leaf);
	if (r == 0 && rmdir(leaf->path) < 0 && errno != ENOENT)
		r = -errno;
	leaf->path[0] = '\0';
	return r;
}
