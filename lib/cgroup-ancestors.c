// SPDX-License-Identifier: MIT
/*
 * The limits above a group, up to the root of its hierarchies.
 */
#include <stdio.h>
#include <string.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "number.h"
#include "procfs.h"

static enum cgroup_value refusals_of(enum cgroup_controller controller)
{
	return controller == CGROUP_MEMORY ? CGROUP_MEMORY_EVENTS_MAX : CGROUP_PIDS_EVENTS_MAX;
}

/* One ancestor directory; the root of a hierarchy has no limits (pids, v2) or none that bind (memory on v1). */
static bool open_ancestor(const char *dir, enum cgroup_version version, unsigned controller,
			  struct cgroup_ancestors *ret)
{
	enum cgroup_value current = controller == CGROUP_MEMORY ? CGROUP_MEMORY_CURRENT : CGROUP_PIDS_CURRENT;
	enum cgroup_value max = controller == CGROUP_MEMORY ? CGROUP_MEMORY_MAX : CGROUP_PIDS_MAX;
	auto_close int current_fd = cgroup_open_value(dir, version, current, false);
	auto_close int max_fd = cgroup_open_value(dir, version, max, false);
	if (current_fd < 0 || max_fd < 0)
		return false;
	(void)snprintf(ret->at[ret->count].path, sizeof(ret->at[0].path), "%s", dir);
	ret->at[ret->count].controller = controller;
	ret->at[ret->count].version = version;
	ret->at[ret->count].current_fd = steal_fd(current_fd);
	ret->at[ret->count].max_fd = steal_fd(max_fd);
	ret->at[ret->count].events_fd = cgroup_open_value(dir, version, refusals_of(controller), false);
	ret->count++;
	return true;
}

void cgroup_ancestor_read(const struct cgroup_ancestors *a, unsigned index, uint64_t *ret_current, uint64_t *ret_max,
			  uint64_t *ret_refused)
{
	const struct cgroup_value_file *f = &cgroup_value_files[refusals_of(a->at[index].controller)];
	const char *key = a->at[index].version == CGROUP_V1 ? f->v1_key : f->v2_key;
	int fd = a->at[index].events_fd;
	char text[CGROUP_KEYED_BYTES];
	*ret_current = cgroup_plain_number(a->at[index].current_fd);
	*ret_max = cgroup_plain_number(a->at[index].max_fd);
	*ret_refused = ENOMEM_ABSENT;
	if (fd >= 0 && !key)
		*ret_refused = cgroup_plain_number(fd);
	else if (fd >= 0 && procfs_read_fd(fd, text, sizeof(text)) >= 0)
		*ret_refused = cgroup_keyed_number(text, key);
}

uint64_t cgroup_ancestor_peak(const struct cgroup_ancestors *a, unsigned index)
{
	if (a->at[index].controller != CGROUP_MEMORY)
		return ENOMEM_ABSENT;
	auto_close int fd = cgroup_open_value(a->at[index].path, a->at[index].version, CGROUP_MEMORY_PEAK, false);
	return fd < 0 ? ENOMEM_ABSENT : cgroup_plain_number(fd);
}

void cgroup_ancestors_open(const struct cgroup *cg, struct cgroup_ancestors *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned c = CGROUP_MEMORY; cg && c <= CGROUP_PIDS; c++) {
		const struct cgroup_hierarchy *at = &cg->system.at[c];
		char dir[1024];
		if (at->version == CGROUP_NONE)
			continue;
		if (cg->path[c][0]) {
			memcpy(dir, cg->path[c], sizeof(dir));
			*strrchr(dir, '/') = '\0';
		} else if (cgroup_own_directory(at, "", dir, sizeof(dir)) < 0) { /* the run stays where we are */
			continue;
		}
		size_t top = strlen(at->mount);
		for (unsigned n = 0; n < CGROUP_ANCESTORS && strlen(dir) >= top;) {
			n += open_ancestor(dir, at->version, c, ret);
			char *slash = strrchr(dir, '/');
			if (!slash || slash == dir)
				break;
			*slash = '\0';
		}
	}
}

void cgroup_ancestors_close(struct cgroup_ancestors *a)
{
	for (unsigned i = 0; i < a->count; i++) {
		(void)close(a->at[i].current_fd);
		(void)close(a->at[i].max_fd);
		closep(&a->at[i].events_fd);
	}
	a->count = 0;
}
