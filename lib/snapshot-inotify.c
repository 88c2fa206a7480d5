// SPDX-License-Identifier: MIT
/*
 * How many inotify instances and watches a user has, and how many files his epolls watch. The kernel counts them by
 * user (fs/notify/inotify/inotify_user.c, fs/eventpoll.c) and shows the count nowhere; what can be counted is what the
 * descriptors of that user's processes stand for.
 */
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "snapshot-internal.h"

/* More instances than that are not counted: the kernel allows 128 unless told otherwise. */
#define INSTANCES_MAX 1024

struct instance {
	pid_t pid;
	unsigned long fd;
};

/* What the descriptor's link says, and how a line of its fdinfo begins that stands for a watch. */
static const struct kind {
	const char *link, *line;
} inotify = {"anon_inode:inotify", "inotify wd:"}, epoll = {"anon_inode:[eventpoll]", "tfd:"};

static struct {
	const struct kind *kind;
	int proc_fd;
	uid_t uid;
	ino_t user_namespace; /* 0: whichever */
	pid_t pid;            /* the process being looked at */
	unsigned count;
	struct instance at[INSTANCES_MAX]; /* in the kernel's own order, see kcmp(2) */
	uint64_t watches;
} seen;

static uint64_t watches_of(const char *fdinfo)
{
	const char *line = seen.kind->line;
	uint64_t watches = 0;
	size_t matched = 0, length = strlen(line);
	bool in_line = true; /* so far it is one of these lines */
	auto_close int fd = openat(seen.proc_fd, fdinfo, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	while (fd >= 0 && (n = read(fd, snapshot_text, sizeof(snapshot_text))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			if (snapshot_text[i] == '\n') {
				in_line = true;
				matched = 0;
			} else if (in_line) {
				in_line = snapshot_text[i] == line[matched++] && matched < length;
				watches += matched == length && snapshot_text[i] == ':';
			}
		}
	}
	return watches;
}

/* Where it belongs in the order, or that it is there: children have their parent's descriptors. */
static bool is_new(const struct instance *one, unsigned *ret_place)
{
	unsigned low = 0, high = seen.count;
	while (low < high) {
		unsigned middle = (low + high) / 2;
		const struct instance *other = &seen.at[middle];
		long order = syscall(SYS_kcmp, one->pid, other->pid, KCMP_FILE, one->fd, other->fd);
		if (order == 0)
			return false;
		if (order == 1)
			high = middle;
		else /* where the kernel does not tell, as well */
			low = middle + 1;
	}
	*ret_place = low;
	return true;
}

static bool visit_file(int fd_dir, const char *number, void *data)
{
	char target[32], name[64];
	unsigned place;
	(void)data;
	ssize_t n = readlinkat(fd_dir, number, target, sizeof(target) - 1);
	if (n <= 0)
		return true;
	target[n] = '\0';
	struct instance one = {.pid = seen.pid, .fd = strtoul(number, NULL, 10)};
	if (strcmp(target, seen.kind->link) != 0 || seen.count == INSTANCES_MAX || !is_new(&one, &place))
		return seen.count < INSTANCES_MAX;
	memmove(&seen.at[place + 1], &seen.at[place], (seen.count - place) * sizeof(seen.at[0]));
	seen.at[place] = one;
	seen.count++;
	(void)snprintf(name, sizeof(name), "%d/fdinfo/%s", seen.pid, number);
	seen.watches += watches_of(name);
	return true;
}

/* Who it is to the kernel: its user, and the user namespace in which that one is counted. */
static bool look_at(int proc_fd, const char *pid, uid_t *ret_uid, ino_t *ret_namespace)
{
	char name[64];
	struct stat st;
	if (fstatat(proc_fd, pid, &st, 0) < 0)
		return false;
	*ret_uid = st.st_uid;
	(void)snprintf(name, sizeof(name), "%s/ns/user", pid);
	if (fstatat(proc_fd, name, &st, 0) < 0)
		return false;
	*ret_namespace = st.st_ino;
	return true;
}

static bool visit_process(int proc_fd, const char *pid, void *data)
{
	uid_t uid;
	ino_t user_namespace;
	if (!look_at(proc_fd, pid, &uid, &user_namespace) || uid != seen.uid ||
	    (seen.user_namespace && user_namespace != seen.user_namespace))
		return true;
	seen.pid = (pid_t)strtol(pid, NULL, 10);
	snapshot_each_file(proc_fd, pid, visit_file, data);
	return true;
}

static void begin(const struct snapshot_source *s, const struct kind *kind)
{
	seen.kind = kind;
	seen.proc_fd = s->proc_fd;
	seen.count = 0;
	seen.watches = 0;
}

/* ep_insert(), fs/eventpoll.c, counts by who made the epoll, in whatever user namespace. */
void snapshot_take_epoll(const struct snapshot_source *s, struct snapshot *ret)
{
	struct counted_numbers *n = &ret->counted;
	char name[32];
	(void)snprintf(name, sizeof(name), "%d", ret->pid);
	begin(s, &epoll);
	if (procfs_read_number_at(s->proc_fd, "sys/fs/epoll/max_user_watches", &n->epoll_watches_max) < 0)
		n->epoll_watches_max = ENOMEM_ABSENT;
	if (!look_at(s->proc_fd, name, &seen.uid, &seen.user_namespace))
		return;
	seen.user_namespace = 0;
	snapshot_each_process(s->proc_fd, visit_process, NULL);
	if (seen.count < INSTANCES_MAX)
		n->epoll_watches = seen.watches;
}

/* The limits are those of our own user namespace; of a process in another one nothing is said. */
void snapshot_take_inotify(const struct snapshot_source *s, struct snapshot *ret)
{
	struct inotify_numbers *numbers = &ret->inotify;
	char name[32];
	uid_t ours;
	ino_t our_namespace;
	(void)snprintf(name, sizeof(name), "%d", ret->pid);
	begin(s, &inotify);
	if (!look_at(s->proc_fd, "self", &ours, &our_namespace) ||
	    !look_at(s->proc_fd, name, &seen.uid, &seen.user_namespace) || seen.user_namespace != our_namespace)
		return;
	if (procfs_read_number_at(s->proc_fd, "sys/user/max_inotify_watches", &numbers->watches_max) < 0)
		numbers->watches_max = ENOMEM_ABSENT;
	if (procfs_read_number_at(s->proc_fd, "sys/user/max_inotify_instances", &numbers->instances_max) < 0)
		numbers->instances_max = ENOMEM_ABSENT;
	snapshot_each_process(s->proc_fd, visit_process, NULL);
	if (seen.count == INSTANCES_MAX)
		return;
	numbers->instances = seen.count;
	numbers->watches = seen.watches;
}
