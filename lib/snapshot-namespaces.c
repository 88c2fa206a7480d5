// SPDX-License-Identifier: MIT
/*
 * How many namespaces there are and may be. The kernel counts them by user and shows the count nowhere; what can be
 * counted is those that have a member.
 */
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot-internal.h"

/* More than that are not counted: a limit so high is not what was met. */
#define NAMESPACES_MAX    1024

#define X(id, name, flag) {name, flag},
const struct namespace_info namespace_infos[NAMESPACE_COUNT] = {NAMESPACE_KINDS(X)};
#undef X

static struct {
	const char *kind;
	unsigned count;
	ino_t inode[NAMESPACES_MAX + 1]; /* the first is the one everybody begins in */
} seen;

static bool visit(int proc_fd, const char *pid, void *data)
{
	char name[64];
	struct stat st;
	(void)data;
	(void)snprintf(name, sizeof(name), "%s/ns/%s", pid, seen.kind);
	if (fstatat(proc_fd, name, &st, 0) < 0)
		return true;
	for (unsigned i = 0; i < seen.count; i++)
		if (seen.inode[i] == st.st_ino)
			return true;
	if (seen.count > NAMESPACES_MAX)
		return false;
	seen.inode[seen.count++] = st.st_ino;
	return true;
}

static uint64_t count(int proc_fd, const char *kind)
{
	seen.kind = kind;
	seen.count = 0;
	if (!visit(proc_fd, "1", NULL) || seen.count != 1)
		return ENOMEM_ABSENT;
	snapshot_each_process(proc_fd, visit, NULL);
	return seen.count > NAMESPACES_MAX ? ENOMEM_ABSENT : seen.count - 1;
}

/*
 * Users and tasks have namespaces in namespaces. NS_GET_PARENT leads outwards, up to the first one that is the
 * harness's own: EPERM.
 */
static uint64_t depth(const struct snapshot_source *s, pid_t pid, const char *kind)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "%d/ns/%s", pid, kind);
	auto_close int fd = openat(s->proc_fd, name, O_RDONLY | O_CLOEXEC);
	for (uint64_t n = 0; fd >= 0; n++) {
		int parent = ioctl(fd, NS_GET_PARENT);
		if (parent < 0)
			return errno == EPERM ? n : ENOMEM_ABSENT;
		(void)close(fd);
		fd = parent;
	}
	return ENOMEM_ABSENT;
}

void snapshot_take_namespaces(const struct snapshot_source *s, uint64_t flags, struct snapshot *ret)
{
	for (unsigned i = 0; i < NAMESPACE_COUNT; i++) {
		struct namespace_numbers *numbers = &ret->namespaces[i];
		char name[64];
		*numbers = (struct namespace_numbers){ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
		if (!(flags & namespace_infos[i].flag))
			continue;
		(void)snprintf(name, sizeof(name), "sys/user/max_%s_namespaces", namespace_infos[i].name);
		if (procfs_read_number_at(s->proc_fd, name, &numbers->max) < 0)
			numbers->max = ENOMEM_ABSENT;
		else if (numbers->max == 0)
			numbers->in_use = 0; /* whatever there is, there may be none */
		else if (numbers->max < NAMESPACES_MAX)
			numbers->in_use = count(s->proc_fd, namespace_infos[i].name);
		if (i == NAMESPACE_USER || i == NAMESPACE_PID)
			numbers->depth = depth(s, ret->pid, namespace_infos[i].name);
	}
}
