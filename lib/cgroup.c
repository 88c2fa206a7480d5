// SPDX-License-Identifier: MIT
/*
 * The life of a transient group: made in every hierarchy we need, entered, emptied, removed. Controllers that are
 * enabled for it are disabled again with it, under a lock on the parent directory that every enomem takes.
 */
#include "cgroup.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "clock.h"
#include "procfs.h"

#define PARENT_LOCK_TIMEOUT_NS UINT64_C(1000000000)
#define UNDO_TIMEOUT_NS        UINT64_C(1000000000)

void cgroup_init(struct cgroup *cg)
{
	memset(cg, 0, sizeof(*cg));
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		cg->dir[c] = cg->procs_fd[c] = -1;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		cg->value_fd[i] = -1;
	cg->memsw_failcnt_fd = -1;
}

int cgroup_lock_parent(const char *dir)
{
	uint64_t deadline_ns = deadline_after(PARENT_LOCK_TIMEOUT_NS);
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_now_ns() >= deadline_ns)
			return -1;
		sleep_ns(2000000);
	}
	return steal_fd(fd);
}

/* One write for all of them, so that either all or none are enabled. */
int cgroup_write_subtree_control(const char *dir, char sign, unsigned controllers)
{
	char text[64] = "", path[1100];
	size_t length = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (controllers & 1U << c)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%c%s", length ? " " : "",
						   sign, cgroup_controller_names[c]);
	}
	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, length) < 0)
		return -errno;
	return 0;
}

/* The highest of the places where the wanted controllers are: they are all on the way from our group to the root. */
static const struct cgroup_hierarchy *highest_v2(const struct cgroup_system *sys, unsigned wanted)
{
	const struct cgroup_hierarchy *at = NULL;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if ((wanted & 1U << c) && (!at || strlen(sys->at[c].parent) < strlen(at->parent)))
			at = &sys->at[c];
	}
	return at;
}

/*
 * Find the directory in which a v2 group with these controllers can be made. A group with processes in it may not pass
 * controllers on (EBUSY from cgroup_vet_subtree_control_enable(), kernel/cgroup/cgroup.c; a threaded one says
 * EOPNOTSUPP): then the group is made beside us, one level up. *ret_lock must be held until the group is there.
 */
static int choose_v2_parent(const struct cgroup_system *sys, unsigned wanted, cgroup_announce announce, void *data,
			    char *ret_dir, size_t size, int *ret_lock, unsigned *ret_enabled)
{
	const struct cgroup_hierarchy *at = highest_v2(sys, wanted);
	int result = cgroup_own_directory(at, "", ret_dir, size);
	if (result < 0)
		return result;
	for (result = -ENODEV;;) {
		if ((cgroup_read_controllers(ret_dir, "cgroup.controllers") & wanted) == wanted) {
			auto_close int lock = cgroup_lock_parent(ret_dir);
			unsigned missing = wanted & ~cgroup_read_controllers(ret_dir, "cgroup.subtree_control");
			/* Without the lock nothing would be disabled by us either. */
			int r = missing && announce && lock >= 0 ? announce(ret_dir, missing, data) : 0;
			if (r < 0)
				return r;
			r = missing ? cgroup_write_subtree_control(ret_dir, '+', missing) : 0;
			if (r == 0) {
				*ret_enabled = lock >= 0 ? missing : 0;
				*ret_lock = steal_fd(lock);
				return 0;
			}
			if (r != -EBUSY && r != -EOPNOTSUPP)
				return r;
			result = r;
		}
		char *slash = strrchr(ret_dir, '/');
		if (strlen(ret_dir) <= strlen(at->mount) || !slash)
			return result;
		*slash = '\0';
	}
}

/* Make one directory, or share the one that another controller has made. */
static int make_directory(struct cgroup *cg, unsigned c, const char *parent, cgroup_announce announce, void *data)
{
	char path[sizeof(cg->path[0])];
	int n = snprintf(path, sizeof(path), "%s/%s", parent, cg->name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	for (unsigned other = 0; other < c; other++) {
		if (strcmp(cg->path[other], path) == 0) {
			memcpy(cg->path[c], path, sizeof(path));
			return 0;
		}
	}
	int r = announce ? announce(path, 0, data) : 0;
	if (r < 0)
		return r;
	if (mkdir(path, 0755) < 0)
		return -errno;
	memcpy(cg->path[c], path, sizeof(path)); /* from here on it is ours to remove */
	cg->dir[c] = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cg->dir[c] < 0) {
		r = -errno;
		(void)rmdir(path);
		return r;
	}
	cg->procs_fd[c] = openat(cg->dir[c], "cgroup.procs", O_WRONLY | O_CLOEXEC);
	return cg->procs_fd[c] < 0 ? -errno : 0;
}

static int make_v2(struct cgroup *cg, unsigned wanted, cgroup_announce announce, void *data)
{
	char parent[sizeof(cg->path[0])];
	auto_close int lock = -1;
	int r = choose_v2_parent(&cg->system, wanted, announce, data, parent, sizeof(parent), &lock, &cg->enabled);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		if (wanted & 1U << c)
			r = make_directory(cg, c, parent, announce, data);
	}
	/* Before there is a group, cgroup_remove() does not know where. */
	if (r < 0 && cg->enabled && !cg->path[__builtin_ctz(wanted)][0]) {
		if (!cgroup_has_children(lock))
			(void)cgroup_write_subtree_control(parent, '-', cg->enabled);
		cg->enabled = 0;
	}
	return r;
}

static int make_v1(struct cgroup *cg, unsigned c, cgroup_announce announce, void *data)
{
	char parent[sizeof(cg->path[0])];
	int r = cgroup_own_directory(&cg->system.at[c], "", parent, sizeof(parent));
	return r < 0 ? r : make_directory(cg, c, parent, announce, data);
}

/* A group that is none yet: only its name and where it will be. */
static int begin(const struct cgroup_system *sys, const char *name, struct cgroup *ret)
{
	cgroup_init(ret);
	if (strncmp(name, "enomem-", 7) != 0 || !name[7] || strchr(name, '/') || strlen(name) >= sizeof(ret->name))
		return -EINVAL;
	memcpy(ret->name, name, strlen(name));
	ret->system = *sys;
	return 0;
}

int cgroup_create_announced(const struct cgroup_system *sys, const char *name, unsigned controllers,
			    cgroup_announce announce, void *data, struct cgroup *ret)
{
	struct cgroup cg;
	unsigned v2 = 0;
	int r = begin(sys, name, &cg);
	if (r < 0)
		return r;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		if (!(controllers & 1U << c))
			continue;
		if (sys->at[c].version == CGROUP_V1)
			r = make_v1(&cg, c, announce, data);
		else if (sys->at[c].version == CGROUP_V2)
			v2 |= 1U << c;
	}
	if (r == 0 && v2)
		r = make_v2(&cg, v2, announce, data);
	if (r < 0) {
		(void)cgroup_remove(&cg, UNDO_TIMEOUT_NS);
		return r;
	}
	cgroup_open_values(&cg);
	*ret = cg;
	return 0;
}

int cgroup_create(const struct cgroup_system *sys, const char *name, unsigned controllers, struct cgroup *ret)
{
	return cgroup_create_announced(sys, name, controllers, NULL, NULL, ret);
}

/*
 * Until 5.11 a v1 group's memory limit bound those inside it only where memory.use_hierarchy said so before they were
 * made; since then it always does, and the file says 1. Where it is gone, so is the choice.
 */
static int pass_memory_limit_on(const struct cgroup *outer)
{
	uint64_t on = 0;
	int dir = outer->dir[CGROUP_MEMORY];
	if (outer->system.at[CGROUP_MEMORY].version != CGROUP_V1 || dir < 0)
		return 0;
	int r = procfs_read_number_at(dir, "memory.use_hierarchy", &on);
	if (r == -ENOENT || (r == 0 && on == 1))
		return 0;
	auto_close int fd = openat(dir, "memory.use_hierarchy", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) < 0)
		return -ENOTSUP;
	return 0;
}

/* v2: the outer group passes on what it has itself, to nobody but us. It is removed as a whole, nothing to disable. */
static int pass_controllers_on(const struct cgroup *outer)
{
	const char *path = NULL;
	unsigned controllers = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (outer->system.at[c].version != CGROUP_V2 || !outer->path[c][0])
			continue;
		controllers |= 1U << c;
		path = outer->path[c];
	}
	return path ? cgroup_write_subtree_control(path, '+', controllers) : 0;
}

int cgroup_create_inside(struct cgroup *outer, const char *name, cgroup_announce announce, void *data,
			 struct cgroup *ret)
{
	struct cgroup cg;
	int r = begin(&outer->system, name, &cg);
	if (r < 0)
		return r;
	r = pass_memory_limit_on(outer);
	if (r == 0)
		r = pass_controllers_on(outer);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		if (outer->path[c][0])
			r = make_directory(&cg, c, outer->path[c], announce, data);
	}
	if (r < 0) {
		(void)cgroup_remove(&cg, UNDO_TIMEOUT_NS);
		return r;
	}
	cgroup_open_values(&cg);
	cg.above = outer;
	*ret = cg;
	return 0;
}

int cgroup_attach(const struct cgroup *cg, pid_t pid)
{
	char text[16];
	if (pid < 0)
		return -EINVAL;
	int n = snprintf(text, sizeof(text), "%d", pid);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (cg->procs_fd[c] >= 0 && write(cg->procs_fd[c], text, (size_t)n) < 0)
			return -errno;
	}
	return 0;
}

/* pids first: what forks faster than it is killed can only be stopped there. */
static const unsigned kill_order[CGROUP_CONTROLLERS] = {CGROUP_PIDS, CGROUP_MEMORY, CGROUP_HUGETLB};

int cgroup_kill(const struct cgroup *cg, uint64_t timeout_ns)
{
	uint64_t deadline_ns = deadline_after(timeout_ns);
	int result = 0;
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
		int dirfd = cg->dir[kill_order[i]];
		int r = dirfd >= 0 ? cgroup_kill_directory(dirfd, deadline_ns) : 0;
		if (r < 0 && result == 0)
			result = r;
	}
	return result;
}

/* Give the parent back as it was, unless others came to use what we enabled. */
static void disable_controllers(const struct cgroup *cg)
{
	char parent[sizeof(cg->path[0])] = "";
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (cg->system.at[c].version == CGROUP_V2 && cg->path[c][0])
			memcpy(parent, cg->path[c], sizeof(parent));
	}
	char *slash = strrchr(parent, '/');
	if (!slash)
		return;
	*slash = '\0';
	auto_close int lock = cgroup_lock_parent(parent);
	if (lock >= 0 && !cgroup_has_children(lock))
		(void)cgroup_write_subtree_control(parent, '-', cg->enabled);
}

int cgroup_disable_path(const char *path, unsigned controllers, bool dry_run)
{
	struct statfs fs;
	auto_close int lock = cgroup_lock_parent(path);
	if (lock < 0)
		return faccessat(AT_FDCWD, path, F_OK, 0) < 0 ? 0 : -EBUSY;
	if (fstatfs(lock, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		return -EINVAL;
	unsigned enabled = controllers & cgroup_read_controllers(path, "cgroup.subtree_control");
	if (!enabled || cgroup_has_children_but(lock, CGROUP_LEAF_NAMES))
		return 0;
	/* Who lived in that one is not gone, or it could not be removed: to be tried again. */
	if (!dry_run && cgroup_has_children(lock))
		return -EBUSY;
	int r = dry_run ? 0 : cgroup_write_subtree_control(path, '-', enabled);
	return r < 0 ? r : 1;
}

static void close_one(struct cgroup *cg)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		closep(&cg->dir[c]);
		closep(&cg->procs_fd[c]);
	}
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		closep(&cg->value_fd[i]);
	closep(&cg->memsw_failcnt_fd);
	cgroup_init(cg);
}

static int remove_one(struct cgroup *cg, uint64_t timeout_ns)
{
	uint64_t deadline_ns = deadline_after(timeout_ns);
	int result = cgroup_kill(cg, timeout_ns);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		int r = cg->dir[c] >= 0 ? cgroup_remove_directory(cg->dir[c], cg->path[c], deadline_ns) : 0;
		if (r < 0 && result == 0)
			result = r;
	}
	if (cg->enabled)
		disable_controllers(cg);
	close_one(cg);
	return result;
}

int cgroup_remove(struct cgroup *cg, uint64_t timeout_ns)
{
	int result = 0;
	for (struct cgroup *above; cg; cg = above) {
		above = cg->above;
		int r = remove_one(cg, timeout_ns);
		if (result == 0)
			result = r;
	}
	return result;
}

void cgroup_close(struct cgroup *cg)
{
	for (struct cgroup *above; cg; cg = above) {
		above = cg->above;
		close_one(cg);
	}
}
