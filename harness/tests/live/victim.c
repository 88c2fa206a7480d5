// SPDX-License-Identifier: MIT
/*
 * Programs that are refused a call: some look whether it is as if the kernel had refused it, some take it well, and
 * some do not. victim KIND; exit status 0: nothing was refused, 1: it was, and was taken as it should, 9: not as a
 * kernel does.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (1 << 20)

static char *map(void)
{
	char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* A refused brk returns the old break, and moves nothing; the C library makes ENOMEM of it. */
static int check_break(void)
{
	char *before = sbrk(0);
	unsigned long raw = (unsigned long)syscall(SYS_brk, before + BYTES);
	if (raw == (unsigned long)before + BYTES)
		return 0;
	if (raw != (unsigned long)before || sbrk(0) != before)
		return 9;
	errno = 0;
	if (sbrk(BYTES) != (void *)-1) /* it was refused the once */
		return sbrk(0) == before + BYTES ? 1 : 9;
	return errno == ENOMEM && sbrk(0) == before ? 1 : 9;
}

/* What gives back is never refused. */
static int check_shrink(void)
{
	char *before = sbrk(0);
	if (sbrk(BYTES) != before)
		return 9;
	if (sbrk(-BYTES) != before + BYTES || sbrk(0) != before)
		return 9;
	return 0;
}

static int check_unmap(void)
{
	char *p = map();
	memset(p, 7, BYTES);
	if (munmap(p + BYTES / 4, 4096) == 0)
		return 0;
	for (int i = 0; i < BYTES; i++)
		if (p[i] != 7)
			return 9;
	return errno == ENOMEM ? 1 : 9;
}

static int check_protect(void)
{
	char *p = map();
	if (mprotect(p, BYTES / 2, PROT_NONE) == 0)
		return 0;
	p[0] = 1; /* still ours to write */
	return errno == ENOMEM && p[0] == 1 ? 1 : 9;
}

static int check_remap(void)
{
	char *p = map();
	p[0] = 5;
	if (mremap(p, BYTES, 8L * BYTES, MREMAP_MAYMOVE) != MAP_FAILED)
		return 0;
	return errno == ENOMEM && p[0] == 5 ? 1 : 9;
}

static int check_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		return waitpid(pid, NULL, 0) == pid ? 0 : 9;
	int error = errno;
	return error == EAGAIN && waitpid(-1, NULL, 0) < 0 && errno == ECHILD ? 1 : 9;
}

/* A heap that was grown before the fork: the child's break is where its parent's was. */
static int check_child(void)
{
	int status;
	if (sbrk(BYTES) == (void *)-1)
		return 1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(check_break());
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

static void *nothing(void *p)
{
	return p;
}

static int check_thread(void)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, nothing, NULL);
	if (error == 0)
		return pthread_join(thread, NULL) == 0 ? 0 : 9;
	return error == EAGAIN ? 1 : 9;
}

/* posix_spawn() is a clone that shares memory and stops its parent until the exec: a refusal leaves no child. */
static int check_spawn(void)
{
	char *argv[] = {"true", NULL}, *envp[] = {NULL};
	pid_t pid = -1;
	int status, error = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, envp);
	if (error == 0)
		return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 9;
	return error == EAGAIN && pid == -1 && waitpid(-1, NULL, 0) < 0 && errno == ECHILD ? 1 : 9;
}

static int crash(void)
{
	char *p = map();
	*(volatile char *)p = 1;
	return 0;
}

static int hang(void)
{
	while (!map())
		(void)usleep(1000);
	return 0;
}

static int leak(void)
{
	pid_t pid = fork();
	if (pid < 0)
		return 1; /* kill(-1) would end everything there is */
	if (pid == 0) {
		(void)pause();
		_exit(0);
	}
	if (!map())
		return 1; /* and forgets the child */
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return 0;
}

/* What happens where nobody looks at what fork() said: run it in a pid namespace of its own only. Signal 0 hurts
 * nobody. */
static int all(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (kill(pid, pid < 0 ? 0 : SIGKILL) < 0)
		return errno == EPERM ? 1 : 9;
	return pid < 0 ? 9 : 0;
}

static int silent(void)
{
	(void)map();
	return 0;
}

static int clean(void)
{
	if (map())
		return 0;
	perror("mmap");
	return 1;
}

static const struct {
	const char *name;
	int (*run)(void);
} kinds[] = {
	{"brk", check_break},
	{"shrink", check_shrink},
	{"munmap", check_unmap},
	{"mprotect", check_protect},
	{"mremap", check_remap},
	{"fork", check_fork},
	{"child", check_child},
	{"thread", check_thread},
	{"spawn", check_spawn},
	{"crash", crash},
	{"hang", hang},
	{"leak", leak},
	{"all", all},
	{"silent", silent},
	{"clean", clean},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(argv[1], kinds[i].name) == 0)
			return kinds[i].run();
	return 2;
}
