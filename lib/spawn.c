// SPDX-License-Identifier: MIT
/*
 * clone(CLONE_VM | CLONE_VFORK), as glibc's posix_spawn() does it, from a thread of its own: the kernel suspends the
 * one that clones until the exec, and another must attach to the child before. See spawn.h.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* execvp() keeps a path of PATH_MAX there, and a shell's arguments should the program be a script. */
#define STACK_BYTES        65536
/* The thread only clones. A default stack would be 8 MiB of commit charge, while strict accounting is looked at. */
#define THREAD_STACK_BYTES 65536

static ssize_t read_word(int fd, void *word, size_t size)
{
	ssize_t n;
	do
		n = read(fd, word, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* In the child, which shares the caller's memory but not its descriptors. A gate that is closed without a word was a
 * dead caller's. */
static int become_program(void *data)
{
	struct spawn *s = data;
	sigset_t none;
	char word;
	(void)close(s->gate[1]);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	pid_t self = getpid();
	(void)!write(s->born[1], &self, sizeof(self));
	if (read_word(s->gate[0], &word, 1) != 1)
		_exit(125);
	for (unsigned i = 0; i < s->kept_count; i++)
		if (s->kept[i] >= 0)
			(void)fcntl(s->kept[i], F_SETFD, 0);
	(void)dup2(s->out_fd, STDOUT_FILENO);
	(void)dup2(s->err_fd, STDERR_FILENO);
	(void)execvpe(s->argv[0], (char *const *)(uintptr_t)s->argv, s->environment ? s->environment : environ);
	s->error = errno;
	_exit(125);
}

/*
 * Suspended until the child has executed its program or has ended. errno is this thread's, for both. A child that was
 * killed before it said its number would be waited for in vain, so this thread has a word too, through a descriptor of
 * its own: by then the others may be closed and their numbers somebody else's.
 */
static void *clone_child(void *data)
{
	struct spawn *s = data;
	s->cloned = clone(become_program, s->stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, s);
	pid_t word = s->cloned < 0 ? -errno : 0;
	(void)send(s->thread_end, &word, sizeof(word), MSG_NOSIGNAL);
	(void)close(s->thread_end);
	return NULL;
}

static void close_pair(int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static int create_thread(struct spawn *s)
{
	pthread_attr_t small;
	int r = pthread_attr_init(&small);
	if (r != 0)
		return r;
	r = pthread_attr_setstacksize(&small, THREAD_STACK_BYTES);
	if (r == 0)
		r = pthread_create(&s->thread, &small, clone_child, s);
	(void)pthread_attr_destroy(&small);
	return r;
}

static int make_thread(struct spawn *s)
{
	pid_t told = 0;
	s->thread_end = fcntl(s->born[1], F_DUPFD_CLOEXEC, 0);
	if (s->thread_end < 0)
		return -errno;
	s->stack = malloc(STACK_BYTES);
	int r = s->stack ? create_thread(s) : ENOMEM;
	if (r != 0) {
		free(s->stack);
		(void)close(s->thread_end);
		return -r;
	}
	if (read_word(s->born[0], &told, sizeof(told)) == (ssize_t)sizeof(told) && told > 0) {
		s->pid = told;
		return 0;
	}
	(void)pthread_join(s->thread, NULL);
	free(s->stack);
	if (s->cloned > 0)
		(void)waitpid(s->cloned, NULL, __WALL);
	return told < 0 ? (int)told : -ECHILD;
}

int spawn_held(struct spawn *s)
{
	s->pid = 0;
	s->error = 0;
	if (pipe2(s->gate, O_CLOEXEC) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s->born) < 0) {
		int r = -errno;
		close_pair(s->gate);
		return r;
	}
	int r = make_thread(s);
	close_pair(s->born);
	if (r < 0)
		close_pair(s->gate);
	return r;
}

void spawn_release(struct spawn *s)
{
	/* The reading end is ours as well: no SIGPIPE should the child be dead. */
	(void)!write(s->gate[1], "", 1);
	close_pair(s->gate);
}

void spawn_end(struct spawn *s)
{
	(void)pthread_join(s->thread, NULL);
	free(s->stack);
	s->stack = NULL;
}
