// SPDX-License-Identifier: MIT
/*
 * See stage-namespaces.h.
 */
#include "stage-namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cleanup.h"

/* execvp() keeps a path of PATH_MAX there. */
#define STACK_BYTES 131072
#define NAMESPACES  (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC)

static int fail(const char **ret_step, const char *step)
{
	*ret_step = step;
	return -errno;
}

static int write_self(const char *path, const char *text, const char **ret_step)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? fail(ret_step, path) : 0;
}

/* Without a privilege only one's own ids can be mapped, and only where groups cannot be dropped any more. */
static int map_ids(uid_t uid, gid_t gid, const char **ret_step)
{
	char users[32], groups[32];
	(void)snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	(void)snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	int r = write_self("/proc/self/setgroups", "deny", ret_step);
	if (r == 0)
		r = write_self("/proc/self/uid_map", users, ret_step);
	return r < 0 ? r : write_self("/proc/self/gid_map", groups, ret_step);
}

int stage_namespaces_make(bool user, const char **ret_step)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	if (unshare(NAMESPACES | (user ? CLONE_NEWUSER : 0)) < 0)
		return fail(ret_step, "unshare");
	int r = user ? map_ids(uid, gid, ret_step) : 0;
	if (r < 0)
		return r;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? fail(ret_step, "making mounts private") : 0;
}

int stage_namespaces_join(pid_t inside, bool user, const char **ret_step)
{
	auto_close int fd = (int)syscall(SYS_pidfd_open, inside, 0);
	if (fd < 0)
		return fail(ret_step, "pidfd_open");
	return setns(fd, NAMESPACES | (user ? CLONE_NEWUSER : 0)) < 0 ? fail(ret_step, "setns") : 0;
}

int stage_namespaces_mount_proc(const char **ret_step)
{
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) < 0
		       ? fail(ret_step, "mounting /proc")
		       : 0;
}

char *stage_stack(size_t words)
{
	const size_t guard = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = (STACK_BYTES + words * sizeof(char *) + guard - 1) / guard * guard;
	char *stack = mmap(NULL, guard + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return NULL;
	return mprotect(stack, guard, PROT_NONE) < 0 ? NULL : stack + guard + size;
}

/* Its other end is open in the parent alone, and for as long as that lives. */
struct child {
	int gate[2];
	int (*play)(void *data);
	void *data;
};

static int behind_gate(void *data)
{
	const struct child *c = data;
	struct pollfd parent = {.fd = c->gate[0]};
	char word;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close(c->gate[1]);
	if (read(c->gate[0], &word, 1) != 1)
		return 1;
	/* It may have died before we asked to die with it. */
	if (poll(&parent, 1, 0) == 1 && parent.revents & POLLHUP)
		return 1;
	(void)close(c->gate[0]);
	return c->play(c->data);
}

pid_t stage_namespaces_start(int (*play)(void *data), void *data)
{
	static struct child child; /* the other reads it when this function is left */
	char *stack = stage_stack(0);
	child = (struct child){.play = play, .data = data};
	if (!stack || pipe2(child.gate, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = clone(behind_gate, stack, CLONE_VM | SIGCHLD, &child);
	const int error = errno;
	(void)close(child.gate[0]);
	if (pid > 0)
		(void)!write(child.gate[1], "", 1);
	return pid < 0 ? -error : pid;
}
