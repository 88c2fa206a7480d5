// SPDX-License-Identifier: MIT
/*
 * The file a process was refused space for, and the file system it is on, seen from outside: the process may live in a
 * mount namespace of its own. O_PATH opens nothing: no driver is called, and a file that is deleted is there still.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot-internal.h"

static int open_path_of(const struct snapshot_source *s, pid_t pid, const char *what)
{
	char name[80];
	(void)snprintf(name, sizeof(name), "%d/%s", pid, what);
	return openat(s->proc_fd, name, O_PATH | O_CLOEXEC);
}

/* As the process would find it: links lead within its root, which is not ours. */
static int open_as_process(const struct snapshot_source *s, pid_t pid, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = path[0] == '/' ? RESOLVE_IN_ROOT : 0};
	auto_close int base = open_path_of(s, pid, path[0] == '/' ? "root" : "cwd");
	return base < 0 ? -1 : (int)syscall(SYS_openat2, base, path, &how, sizeof(how));
}

static int open_directory(const struct snapshot_source *s, pid_t pid, const char *path)
{
	char directory[256];
	const char *slash = strrchr(path, '/');
	if (strlen(path) >= sizeof(directory))
		return -1;
	(void)snprintf(directory, sizeof(directory), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	return open_as_process(s, pid, directory);
}

/* By the kernel's own link, which takes a capability, else by its path. Either must lead to the very file. */
static int open_mapped(const struct snapshot_source *s, pid_t pid, const struct area_kind *area, uint64_t *ret_bytes)
{
	char link[64];
	struct stat st;
	if (area->inode == 0)
		return -1;
	(void)snprintf(link, sizeof(link), "map_files/%lx-%lx", area->start, area->end);
	auto_close int fd = open_path_of(s, pid, link);
	if (fd < 0 && area->path[0] == '/')
		fd = open_as_process(s, pid, area->path);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != makedev(area->major, area->minor) ||
	    st.st_ino != area->inode || st.st_size < 0)
		return -1;
	*ret_bytes = (uint64_t)st.st_size;
	return steal_fd(fd);
}

void snapshot_take_file(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret)
{
	char link[32];
	struct statfs fs;
	auto_close int fd = -1;
	if (request->file) {
		(void)snprintf(link, sizeof(link), "fd/%d", request->fd);
		fd = open_path_of(s, ret->pid, link);
	} else if (request->create) {
		fd = open_directory(s, ret->pid, request->create);
	} else if (ret->area_seen) {
		fd = open_mapped(s, ret->pid, &ret->area, &ret->file_bytes);
	}
	ret->file_seen = fd >= 0 && fstatfs(fd, &fs) == 0;
	if (ret->file_seen)
		ret->file = (struct file_system){.type = (uint64_t)fs.f_type,
						 .block = (uint64_t)fs.f_bsize,
						 .size = (uint64_t)fs.f_blocks * (uint64_t)fs.f_bsize,
						 .free = (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize,
						 .inodes = fs.f_files,
						 .inodes_free = fs.f_ffree};
}

/* By what it is, not by its path: any name a process has for the file will do. */
void snapshot_take_group_limit(const struct snapshot_source *s, const struct snapshot_request *request,
			       struct snapshot *ret)
{
	static const enum cgroup_value limit[] = {CGROUP_MEMORY_MAX, CGROUP_HUGETLB_MAX, CGROUP_HUGETLB_RSVD_MAX};
	char link[32];
	struct stat file, own;
	(void)snprintf(link, sizeof(link), "fd/%d", request->fd);
	auto_close int fd = open_path_of(s, ret->pid, link);
	if (fd < 0 || !s->cgroup || fstat(fd, &file) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(limit) && !ret->group_limit_seen; i++) {
		int own_fd = s->cgroup->value_fd[limit[i]];
		ret->group_limit_seen = own_fd >= 0 && fstat(own_fd, &own) == 0 && own.st_dev == file.st_dev &&
					own.st_ino == file.st_ino;
		ret->group_limit = limit[i];
	}
}
