// SPDX-License-Identifier: MIT
/*
 * The numbers of another IPC namespace, and changes to it that stay in it; needs root, or does nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "held-child.h"
#include "ipc-namespace.h"

/* Segments of 1 and 2 pages in a namespace of its own. */
static bool make_segments(void)
{
	return unshare(CLONE_NEWIPC) == 0 && shmget(IPC_PRIVATE, 1, IPC_CREAT) >= 0 &&
	       shmget(IPC_PRIVATE, 4097, IPC_CREAT) >= 0;
}

static ino_t own_namespace(void)
{
	struct stat st;
	assert_int_equal(stat("/proc/thread-self/ns/ipc", &st), 0);
	return st.st_ino;
}

static void test_numbers_and_changes(void **state)
{
	(void)state;
	int hold;
	struct shm_numbers there = {0}, here = {0}, after = {0};
	ino_t own = own_namespace();
	pid_t pid = hold_child(make_segments, &hold);
	if (pid == 0)
		skip();
	assert_int_equal(ipc_namespace_shm(getpid(), &here), 0);
	assert_int_equal(ipc_namespace_shm(pid, &there), 0);
	assert_int_equal(there.segments, 2);
	assert_int_equal(there.pages, 3);
	assert_int_equal(there.shmmni, 4096);
	assert_int_equal(ipc_namespace_set(pid, "kernel.shmmni", "77"), 0);
	assert_int_equal(ipc_namespace_set(pid, "kernel.shmmax", "65536"), 0);
	assert_int_equal(ipc_namespace_set(pid, "kernel.shmall", "8"), 0);
	assert_int_equal(ipc_namespace_set(pid, "kernel.no_such_limit", "8"), -ENOENT);
	assert_int_equal(ipc_namespace_set(pid, "kernel.shmmni", "many"), -EINVAL);
	assert_int_equal(own_namespace(), own); /* also after an error */
	assert_int_equal(ipc_namespace_shm(pid, &there), 0);
	assert_int_equal(there.shmmni, 77);
	assert_int_equal(there.shmmax, 65536);
	assert_int_equal(there.shmall, 8);
	/* what everybody else has is as it was */
	assert_int_equal(ipc_namespace_shm(getpid(), &after), 0);
	assert_int_equal(after.shmmni, here.shmmni);
	assert_int_equal(after.shmmax, here.shmmax);
	end_child(pid, hold);
	assert_int_equal(ipc_namespace_shm(pid, &there), -ENOENT);
	assert_int_equal(ipc_namespace_set(pid, "kernel.shmmni", "4096"), -ENOENT);
	assert_int_equal(own_namespace(), own);
}

/* Two queues of one user and one of another, made in a namespace of their own by a child that waits. */
static void make_queues(int ready, int hold)
{
	struct mq_attr large = {.mq_maxmsg = 10, .mq_msgsize = 8192}, small = {.mq_maxmsg = 1, .mq_msgsize = 1};
	char byte = 0;
	if (unshare(CLONE_NEWIPC) < 0 || mq_open("/a", O_CREAT | O_RDWR, 0600, &large) < 0 || setegid(54321) < 0 ||
	    seteuid(54321) < 0 || mq_open("/b", O_CREAT | O_RDWR, 0600, &small) < 0 ||
	    mq_open("/.c", O_CREAT | O_RDWR, 0, &small) < 0 || write(ready, "", 1) != 1)
		_exit(1);
	(void)!read(hold, &byte, 1);
	_exit(0);
}

static void test_queues(void **state)
{
	(void)state;
	struct queue_numbers n = {0};
	ino_t own = own_namespace();
	int hold[2], ready[2];
	char byte;
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(hold[1]);
		make_queues(ready[1], hold[0]);
	}
	(void)close(ready[1]);
	(void)close(hold[0]);
	bool made = read(ready[0], &byte, 1) == 1;
	int r = made ? ipc_namespace_queues(pid, 54321, &n) : 0;
	struct queue_numbers root = {0};
	int of_root = made ? ipc_namespace_queues(pid, 0, &root) : 0;
	(void)close(ready[0]);
	(void)close(hold[1]);
	(void)waitpid(pid, NULL, 0);
	if (!made)
		skip();
	assert_int_equal(own_namespace(), own);
	assert_int_equal(r, 0);
	assert_int_equal(of_root, 0);
	assert_int_equal(n.queues, 3);
	assert_int_equal(n.bytes, 2 * 97);
	assert_int_equal(root.bytes, 82880);
	assert_true(n.queues_max > 0 && n.messages <= n.messages_max && n.message_bytes <= n.message_bytes_max);
	n.queues = 77;
	assert_int_equal(ipc_namespace_queues(pid, 0, &n), -ENOENT); /* gone, and nothing said */
	assert_int_equal(n.queues, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_queues), cmocka_unit_test(test_numbers_and_changes)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
