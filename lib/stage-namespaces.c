// SPDX-License-Identifier: MIT
/*
 * See stage-namespaces.h.
 */
#include "stage-namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

/* execvp() keeps a path of PATH_MAX there, and a shell's arguments should the program be a script. */
#define STACK_BYTES 131072
#define NAMESPACES  (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC)

static int write_self(const char *path, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Without a privilege only one's own ids can be mapped, and only where groups cannot be dropped any more. */
static int map_ids(uid_t uid, gid_t gid)
{
	char users[32], groups[32];
	(void)snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	(void)snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	int r = write_self("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_self("/proc/self/uid_map", users);
	return r < 0 ? r : write_self("/proc/self/gid_map", groups);
}

int stage_namespaces_make(bool user)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	if (unshare(NAMESPACES | (user ? CLONE_NEWUSER : 0)) < 0)
		return -errno;
	int r = user ? map_ids(uid, gid) : 0;
	if (r < 0)
		return r;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

int stage_namespaces_join(pid_t inside, bool user)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, inside, 0);
	return fd < 0 || setns(fd, NAMESPACES | (user ? CLONE_NEWUSER : 0)) < 0 ? -errno : 0;
}

struct child {
	int gate[2];
	int (*play)(void *data);
	void *data;
};

static int behind_gate(void *data)
{
	const struct child *c = data;
	char word;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close(c->gate[1]);
	/* Closed without a word: the parent died before the child had asked to die with it. */
	if (read(c->gate[0], &word, 1) != 1)
		return 1;
	(void)close(c->gate[0]);
	return c->play(c->data);
}

pid_t stage_namespaces_start(int (*play)(void *data), void *data)
{
	static char stack[STACK_BYTES] __attribute__((aligned(16)));
	static struct child child; /* the other reads it when this function is left */
	child = (struct child){.play = play, .data = data};
	if (pipe2(child.gate, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = clone(behind_gate, stack + sizeof(stack), CLONE_VM | SIGCHLD, &child);
	const int error = errno;
	if (pid > 0)
		(void)!write(child.gate[1], "", 1);
	(void)close(child.gate[0]);
	(void)close(child.gate[1]);
	return pid < 0 ? -error : pid;
}

int stage_namespaces_mount_proc(void)
{
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) < 0 ? -errno : 0;
}
