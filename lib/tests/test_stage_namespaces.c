// SPDX-License-Identifier: MIT
/*
 * A run's namespaces: what is inside is not seen outside, a child ends with who started it, and another's namespaces
 * can be joined. Each part is played in a process of its own, which says by its status what it found.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stage-namespaces.h"

enum { NOT_PERMITTED = 77, FOUND = 7, NOBODY = 65534 };

static int status_of(pid_t pid)
{
	int status;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a process of its own, whose namespaces they become. */
static int played(int (*play)(void *), void *data)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(play(data));
	return status_of(pid);
}

static int wait_here(pid_t child)
{
	int status;
	while (waitpid(child, &status, 0) != child)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int say_found(void *data)
{
	return *(int *)data;
}

static void test_status(void **state)
{
	int found = FOUND;
	(void)state;
	assert_int_equal(status_of(stage_namespaces_start(say_found, &found)), FOUND);
}

static int wait_for_ever(void *data)
{
	const pid_t self = getpid();
	(void)!write(*(int *)data, &self, sizeof(self));
	while (pause() < 0)
		;
	return 0;
}

static int start_and_wait(void *data)
{
	pid_t child = stage_namespaces_start(wait_for_ever, data);
	return child < 0 ? 1 : wait_here(child);
}

/* Its end is seen by the pipe that only it holds then. */
static void test_ends_with_its_parent(void **state)
{
	int pipe_fd[2];
	pid_t child = 0;
	(void)state;
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t parent = fork();
	if (parent == 0)
		_exit(start_and_wait(&pipe_fd[1]));
	(void)close(pipe_fd[1]);
	assert_int_equal(read(pipe_fd[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(kill(child, 0), 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(status_of(parent), 128 + SIGKILL);
	assert_int_equal(read(pipe_fd[0], &child, sizeof(child)), 0);
	(void)close(pipe_fd[0]);
}

static int start_and_die(void *data)
{
	(void)stage_namespaces_start(wait_for_ever, data);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

/* However soon: whoever holds the pipe's other end ends in time. */
static void test_never_outlives_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		int pipe_fd[2];
		pid_t child;
		assert_int_equal(pipe(pipe_fd), 0);
		pid_t parent = fork();
		if (parent == 0)
			_exit(start_and_die(&pipe_fd[1]));
		(void)close(pipe_fd[1]);
		while (read(pipe_fd[0], &child, sizeof(child)) > 0)
			;
		assert_int_equal(status_of(parent), 128 + SIGKILL);
		(void)close(pipe_fd[0]);
	}
}

static int below_the_stack(void *data)
{
	char *top = data;
	(void)signal(SIGSEGV, SIG_DFL);
	top[-1] = 1;
	*(volatile char *)(top - 131072 - 1) = 1;
	return FOUND;
}

/* As large as is asked for, and nothing else below it. */
static void test_stack(void **state)
{
	(void)state;
	char *top = stage_stack(0), *larger = stage_stack(100000);
	assert_non_null(top);
	assert_non_null(larger);
	memset(larger - 100000 * sizeof(char *), 1, 100000 * sizeof(char *));
	assert_int_equal(played(below_the_stack, top), 128 + SIGSEGV);
}

/* As init of its namespace it sees itself alone, and mounts for itself. */
static int look_inside(void *data)
{
	struct stat st;
	(void)data;
	if (getpid() != 1 || stage_namespaces_mount_proc(&(const char *){NULL}) < 0)
		return 1;
	if (stat("/proc/1", &st) < 0 || stat("/proc/2", &st) == 0)
		return 2;
	if (mount("enomem-test", "/dev/shm", "tmpfs", 0, "size=4096") < 0)
		return 3;
	return FOUND;
}

static int make_and_look(void *data)
{
	const bool user = *(bool *)data;
	const char *step = "";
	int r = stage_namespaces_make(user, &step);
	if (r == -EPERM || r == -ENOSPC)
		return NOT_PERMITTED;
	if (r < 0 || (user && (getuid() != NOBODY || getgid() != NOBODY)))
		return 4;
	pid_t child = stage_namespaces_start(look_inside, NULL);
	return child < 0 ? 5 : wait_here(child);
}

static void assert_not_outside(const char *what)
{
	char line[4096];
	FILE *mounts = fopen("/proc/self/mounts", "re");
	assert_non_null(mounts);
	while (fgets(line, sizeof(line), mounts))
		assert_null(strstr(line, what));
	(void)fclose(mounts);
}

static void test_make(void **state)
{
	bool user = false;
	(void)state;
	if (geteuid() != 0)
		skip();
	int r = played(make_and_look, &user);
	if (r == NOT_PERMITTED)
		skip();
	assert_int_equal(r, FOUND);
	assert_not_outside("enomem-test");
}

static int as_nobody(void *data)
{
	bool user = true;
	(void)data;
	if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return 6;
	/* After a change of identity its files in /proc are root's until an exec. */
	(void)prctl(PR_SET_DUMPABLE, 1);
	return make_and_look(&user);
}

static void test_make_as_user(void **state)
{
	(void)state;
	if (geteuid() != 0 && geteuid() != NOBODY)
		skip();
	int r = played(as_nobody, NULL);
	if (r == NOT_PERMITTED)
		skip();
	assert_int_equal(r, FOUND);
	assert_not_outside("enomem-test");
}

static ino_t namespace_of(const char *path)
{
	struct stat st;
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

static int look_joined(void *data)
{
	const ino_t *wanted = data;
	return namespace_of("/proc/self/ns/ipc") == wanted[0] && namespace_of("/proc/self/ns/mnt") == wanted[1] ? FOUND
														: 1;
}

static int join_and_look(void *data)
{
	const pid_t inside = *(pid_t *)data;
	char path[64];
	ino_t wanted[2];
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/ipc", inside);
	wanted[0] = namespace_of(path);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", inside);
	wanted[1] = namespace_of(path);
	if (!wanted[0] || wanted[0] == namespace_of("/proc/self/ns/ipc"))
		return 2;
	if (stage_namespaces_join(inside, false, &(const char *){NULL}) < 0)
		return 3;
	pid_t child = stage_namespaces_start(look_joined, wanted);
	return child < 0 ? 4 : wait_here(child);
}

static int make_and_wait(void *data)
{
	if (stage_namespaces_make(false, &(const char *){NULL}) < 0)
		return 1;
	return start_and_wait(data);
}

static void test_join(void **state)
{
	int pipe_fd[2];
	pid_t inside;
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t other = fork();
	if (other == 0)
		_exit(make_and_wait(&pipe_fd[1]));
	(void)close(pipe_fd[1]);
	if (read(pipe_fd[0], &inside, sizeof(inside)) != (ssize_t)sizeof(inside)) {
		(void)status_of(other);
		skip(); /* which test_make has told */
	}
	assert_int_equal(inside, 1); /* as it sees itself; its mounts and IPC are its parent's as well */
	assert_int_equal(played(join_and_look, &other), FOUND);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(status_of(other), 128 + SIGKILL);
	const char *step = NULL;
	assert_int_equal(stage_namespaces_join(other, false, &step), -ESRCH);
	assert_string_equal(step, "pidfd_open");
	(void)close(pipe_fd[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_ends_with_its_parent),
		cmocka_unit_test(test_never_outlives_it),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_make_as_user),
		cmocka_unit_test(test_join),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
