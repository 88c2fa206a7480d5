// SPDX-License-Identifier: MIT
/*
 * The POSIX message queues of an IPC namespace: those that have a name. They are files of a file system that need not
 * be mounted anywhere; it is looked at through a mount of its own that nobody else sees and that ends with its
 * descriptor.
 */
#include <dirent.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/param.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "ipc-namespace-internal.h"
#include "limits.h"
#include "procfs.h"

#define SYSCTLS "/proc/sys/fs/mqueue/"

static int open_queues(void)
{
	auto_close int context = fsopen("mqueue", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	auto_close int mount = fsmount(context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		return -errno;
	int fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The library's mq_open() wants a slash before the name, which the kernel does not. */
static void add_queue(int directory, const char *name, uid_t uid, struct queue_numbers *ret)
{
	struct stat st;
	struct mq_attr attr;
	ret->queues++;
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_uid != uid)
		return;
	auto_close int fd = (int)syscall(SYS_mq_open, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0, NULL);
	if (fd >= 0 && syscall(SYS_mq_getsetattr, fd, NULL, &attr) == 0)
		ret->bytes =
			limit_add(ret->bytes, limit_queue_bytes((uint64_t)attr.mq_maxmsg, (uint64_t)attr.mq_msgsize));
}

static int count_queues(uid_t uid, struct queue_numbers *ret)
{
	static char text[4096]; /* one thread at a time takes a snapshot */
	auto_close int directory = open_queues();
	ssize_t n;
	if (directory < 0)
		return directory;
	while ((n = syscall(SYS_getdents64, directory, text, sizeof(text))) > 0) {
		const struct dirent64 *entry;
		for (ssize_t at = 0; at < n; at += entry->d_reclen) {
			entry = (const void *)(text + at);
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
				add_queue(directory, entry->d_name, uid, ret);
		}
	}
	return n < 0 ? -errno : 0;
}

static int read_queues(uid_t uid, struct queue_numbers *ret)
{
	uint64_t messages, bytes;
	const struct {
		const char *path;
		uint64_t *number;
	} sysctls[] = {{SYSCTLS "queues_max", &ret->queues_max},
		       {SYSCTLS "msg_max", &ret->messages_max},
		       {SYSCTLS "msgsize_max", &ret->message_bytes_max},
		       {SYSCTLS "msg_default", &messages},
		       {SYSCTLS "msgsize_default", &bytes}};
	for (size_t i = 0; i < ARRAY_SIZE(sysctls); i++) {
		int r = procfs_read_number_at(AT_FDCWD, sysctls[i].path, sysctls[i].number);
		if (r < 0)
			return r;
	}
	ret->messages = MIN(messages, ret->messages_max);
	ret->message_bytes = MIN(bytes, ret->message_bytes_max);
	return count_queues(uid, ret);
}

int ipc_namespace_queues(pid_t pid, uid_t uid, struct queue_numbers *ret)
{
	struct queue_numbers all = {0};
	auto_close int back = -1;
	int r = ipc_namespace_enter(pid, &back);
	if (r < 0)
		return r;
	r = read_queues(uid, &all);
	int left = ipc_namespace_leave(back);
	if (r == 0)
		*ret = all;
	return r < 0 ? r : left;
}
