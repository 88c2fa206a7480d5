// SPDX-License-Identifier: MIT
/*
 * Rows of control groups, of either version, and the ways to them: all of a hierarchy, those of a process, one by its
 * path. See triage.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "number.h"
#include "triage.h"

#define GROUPS_MAX     20000 /* a look at each costs some 20 microseconds */
#define PATH_ROOM      1024
#define TEXT_MAX       (16U * 1024 * 1024)
#define UNLIMITED_FROM (1ULL << 62) /* v1 writes "no limit" as nearly 2^63 */

/* Where the limit was met; v2 says how often by it alone, v1 and old kernels in one counter. */
static uint64_t first_of(const struct cgroup_numbers *n, enum cgroup_value local, enum cgroup_value all)
{
	return n->value[local] != ENOMEM_ABSENT ? n->value[local] : n->value[all];
}

static void count_refusals(struct triage_row *row, uint64_t count, const char *counter)
{
	row->refused = count < ENOMEM_ABSENT ? count : 0;
	row->counter = counter;
}

/*
 * Charges that met memory.max are told, and those of them that ended in a kill are told instead. File pages are given
 * up before anybody is refused.
 */
static int add_memory(struct triage *t, const struct cgroup_numbers *n, uint64_t cache, struct triage_row row)
{
	const uint64_t *v = n->value;
	bool v1 = row.version == CGROUP_V1;
	uint64_t used = v[CGROUP_MEMORY_CURRENT];
	if (used < ENOMEM_ABSENT && cache < ENOMEM_ABSENT)
		used -= cache < used ? cache : used;
	row.limit = TRIAGE_MEMORY_MAX;
	row.in_use = used;
	row.bound = v[CGROUP_MEMORY_MAX];
	row.ceiling = v[CGROUP_MEMORY_SWAP_MAX];
	count_refusals(&row, first_of(n, CGROUP_MEMORY_EVENTS_LOCAL_MAX, CGROUP_MEMORY_EVENTS_MAX),
		       v1 ? "memory.failcnt" : "memory.events max");
	uint64_t kills = v[CGROUP_MEMORY_EVENTS_OOM_KILL];
	if (row.refused && kills && kills < ENOMEM_ABSENT)
		count_refusals(&row, kills, v1 ? "oom_kill of memory.oom_control" : "memory.events oom_kill");
	int r = triage_add(t, &row);
	count_refusals(&row, 0, NULL);
	row.limit = TRIAGE_MEMORY_HIGH;
	row.bound = v[CGROUP_MEMORY_HIGH];
	if (r == 0)
		r = triage_add(t, &row);
	row.limit = TRIAGE_SWAP_MAX;
	row.in_use = v[CGROUP_MEMORY_SWAP_CURRENT];
	row.bound = v[CGROUP_MEMORY_SWAP_MAX];
	row.ceiling = v[CGROUP_MEMORY_MAX];
	if (row.bound && r == 0) /* 0: no swap for this group, by intent */
		r = triage_add(t, &row);
	row.limit = TRIAGE_KMEM_MAX;
	row.in_use = v[CGROUP_MEMORY_KMEM_CURRENT];
	row.bound = v[CGROUP_MEMORY_KMEM_MAX];
	count_refusals(&row, v[CGROUP_MEMORY_KMEM_EVENTS_MAX], "memory.kmem.failcnt");
	if (r == 0)
		r = triage_add(t, &row);
	row.limit = TRIAGE_TCP_MAX;
	row.in_use = v[CGROUP_MEMORY_KMEM_TCP_CURRENT];
	row.bound = v[CGROUP_MEMORY_KMEM_TCP_MAX];
	count_refusals(&row, v[CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX], "memory.kmem.tcp.failcnt");
	return r < 0 ? r : triage_add(t, &row);
}

int triage_group_numbers(struct triage *t, const char *dir, enum cgroup_version version, const struct cgroup_numbers *n,
			 uint64_t file_cache)
{
	struct triage_row row = {.kind = TRIAGE_OF_GROUP, .path = (char *)(uintptr_t)dir, .version = version};
	const uint64_t *v = n->value;
	int r = add_memory(t, n, file_cache, row);
	row.limit = TRIAGE_PIDS_MAX;
	row.in_use = v[CGROUP_PIDS_CURRENT];
	row.bound = v[CGROUP_PIDS_MAX];
	count_refusals(&row, first_of(n, CGROUP_PIDS_EVENTS_LOCAL_MAX, CGROUP_PIDS_EVENTS_MAX), "pids.events max");
	if (r == 0)
		r = triage_add(t, &row);
	row.limit = TRIAGE_HUGE_GROUP;
	row.in_use = v[CGROUP_HUGETLB_CURRENT];
	row.bound = v[CGROUP_HUGETLB_MAX];
	count_refusals(&row, v[CGROUP_HUGETLB_EVENTS_MAX], "hugetlb events max");
	if (r == 0)
		r = triage_add(t, &row);
	row.limit = TRIAGE_HUGE_GROUP_RESERVED;
	row.in_use = v[CGROUP_HUGETLB_RSVD_CURRENT];
	row.bound = v[CGROUP_HUGETLB_RSVD_MAX];
	count_refusals(&row, 0, NULL); /* one counter for both */
	return r < 0 ? r : triage_add(t, &row);
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

static uint64_t huge_page_bytes(void)
{
	char text[8192];
	struct meminfo info;
	if (procfs_read_at(AT_FDCWD, "/proc/meminfo", text, sizeof(text)) < 0 ||
	    procfs_parse_meminfo(text, &info) < 0 || info.value[MEMINFO_HUGEPAGE_SIZE] == ENOMEM_ABSENT)
		return 1024; /* there are none, and no files of that name */
	return info.value[MEMINFO_HUGEPAGE_SIZE];
}

/* Most groups have no limit at all: a few small files tell, before two dozen are opened. */
static unsigned limited(const struct triage *t, int dirfd, enum cgroup_version version, unsigned controllers)
{
	static const enum cgroup_value limits[] = {
		CGROUP_MEMORY_MAX,          CGROUP_MEMORY_HIGH, CGROUP_MEMORY_SWAP_MAX, CGROUP_MEMORY_KMEM_MAX,
		CGROUP_MEMORY_KMEM_TCP_MAX, CGROUP_PIDS_MAX,    CGROUP_HUGETLB_MAX,     CGROUP_HUGETLB_RSVD_MAX,
	};
	unsigned found = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		enum cgroup_controller controller = cgroup_value_files[limits[i]].controller;
		char file[64];
		uint64_t number;
		if (controllers >> controller & 1 && !(found >> controller & 1) &&
		    triage_file_name(t, version, limits[i], file, sizeof(file))[0] &&
		    procfs_read_number_at(dirfd, file, &number) == 0 && number < UNLIMITED_FROM)
			found |= 1U << controller;
	}
	return found;
}

int triage_group(struct triage *t, const char *dir, enum cgroup_version version, unsigned controllers)
{
	struct cgroup_numbers numbers;
	uint64_t cache;
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!t->huge_page)
		t->huge_page = huge_page_bytes();
	t->groups++;
	if (fd < 0) {
		t->unreadable_groups += errno != ENOENT;
		return 0;
	}
	controllers = limited(t, fd, version, controllers);
	if (!controllers)
		return 0;
	cgroup_read_path(dir, version, controllers, &numbers, &cache);
	return triage_group_numbers(t, dir, version, &numbers, cache);
}

int triage_group_and_above(struct triage *t, const char *dir, const char *mount, enum cgroup_version version,
			   unsigned controllers)
{
	char at[PATH_ROOM];
	size_t top = strlen(mount);
	if (snprintf(at, sizeof(at), "%s", dir) >= (int)sizeof(at))
		return 0;
	while (strlen(at) >= top && strncmp(at, mount, top) == 0) {
		int r = triage_group(t, at, version, controllers);
		char *slash = strrchr(at, '/');
		if (r < 0 || !slash || slash == at)
			return r;
		*slash = '\0';
	}
	return 0;
}

/* A directory of a hierarchy and all below it, depth first; `at` is extended in place. */
static int walk(struct triage *t, char *at, size_t size, enum cgroup_version version, unsigned controllers)
{
	size_t length = strlen(at);
	if (t->groups >= GROUPS_MAX) {
		t->unlooked_groups = 1;
		return 0;
	}
	int r = triage_group(t, at, version, controllers);
	auto_closedir DIR *dir = opendir(at);
	const struct dirent *d;
	while (r == 0 && dir && (d = readdir(dir))) {
		if (d->d_type != DT_DIR || d->d_name[0] == '.')
			continue;
		if ((size_t)snprintf(at + length, size - length, "/%s", d->d_name) < size - length)
			r = walk(t, at, size, version, controllers);
		at[length] = '\0';
	}
	return r;
}

/* The controllers that one mount serves, each mount once: those with a lower number have been asked for already. */
static unsigned served_together(const struct cgroup_system *sys, unsigned c)
{
	unsigned mask = 0;
	if (sys->at[c].version == CGROUP_NONE)
		return 0;
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (sys->at[i].version != sys->at[c].version || strcmp(sys->at[i].mount, sys->at[c].mount) != 0)
			continue;
		if (i < c)
			return 0;
		mask |= 1U << i;
	}
	return mask;
}

int triage_all_groups(struct triage *t, const struct cgroup_system *sys)
{
	int r = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		unsigned controllers = served_together(sys, c);
		char at[PATH_ROOM];
		(void)snprintf(at, sizeof(at), "%s", sys->at[c].mount);
		if (controllers)
			r = walk(t, at, sizeof(at), sys->at[c].version, controllers);
	}
	return r;
}

static char *read_text(const char *path)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t size = 16384; fd >= 0 && size <= TEXT_MAX; size *= 2) {
		auto_free char *text = malloc(size);
		ssize_t n = text ? procfs_read_fd(fd, text, size) : -ENOMEM;
		if (n >= 0)
			return steal(text);
		if (n != -E2BIG)
			break;
	}
	return NULL;
}

/* The hierarchies, with the process's groups in them in place of our own. */
int triage_groups_of(struct triage *t, int32_t pid)
{
	char path[64];
	struct cgroup_system sys;
	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	auto_free char *own = read_text(path);
	auto_free char *mounts = read_text("/proc/self/mountinfo");
	if (!own || !mounts || access(path, F_OK) < 0)
		return -ENOENT;
	int r = cgroup_detect(mounts, own, "", &sys);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS && r == 0; c++) {
		char dir[PATH_ROOM];
		unsigned controllers = served_together(&sys, c);
		/* On v2 they share a mount, but a group may have got some of them only further up. */
		for (unsigned i = c; i < CGROUP_CONTROLLERS && r == 0; i++) {
			if (!(controllers >> i & 1))
				continue;
			const struct cgroup_hierarchy *at = &sys.at[i];
			(void)snprintf(dir, sizeof(dir), "%s%s", at->mount,
				       strcmp(at->parent, "/") == 0 ? "" : at->parent);
			r = triage_group_and_above(t, dir, at->mount, at->version, 1U << i);
		}
	}
	return r;
}

/* A directory that lies on cgroupfs: which of the hierarchies shows it. */
static int group_of_directory(struct triage *t, const struct cgroup_system *sys, const char *dir)
{
	int r = -ENOENT;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		const struct cgroup_hierarchy *at = &sys->at[c];
		unsigned controllers = served_together(sys, c);
		size_t length = strlen(at->mount);
		if (!controllers || strncmp(dir, at->mount, length) != 0 || (dir[length] && dir[length] != '/'))
			continue;
		r = triage_group_and_above(t, dir, at->mount, at->version, controllers);
		if (r < 0)
			return r;
	}
	return r;
}

int triage_groups_at(struct triage *t, const char *path)
{
	struct cgroup_system sys;
	struct statfs fs;
	int r = cgroup_detect_self(&sys), found = -ENOENT;
	if (r < 0)
		return r;
	auto_free char *real = realpath(path, NULL);
	if (real && statfs(real, &fs) == 0 && (fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC))
		return group_of_directory(t, &sys, real);
	for (unsigned c = 0; path[0] == '/' && c < CGROUP_CONTROLLERS; c++) {
		char dir[PATH_ROOM];
		struct stat st;
		if (!served_together(&sys, c) ||
		    snprintf(dir, sizeof(dir), "%s%s", sys.at[c].mount, path) >= (int)sizeof(dir) ||
		    stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		found = group_of_directory(t, &sys, dir);
		if (found < 0)
			return found;
	}
	return found;
}
