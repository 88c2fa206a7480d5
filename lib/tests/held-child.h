// SPDX-License-Identifier: MIT
/*
 * A child in namespaces of its own that waits while it is looked at from outside.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A child that has done `prepare`, held at a pipe that closes with this process: *ret_hold, for end_child(). 0 where it
 * could not be prepared.
 */
static inline pid_t hold_child(bool (*prepare)(void), int *ret_hold)
{
	int hold[2], ready[2];
	char byte = 0;
	assert_int_equal(pipe(hold), 0);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(hold[1]);
		if (!prepare())
			_exit(1);
		(void)!write(ready[1], "", 1);
		(void)!read(hold[0], &byte, 1);
		_exit(0);
	}
	(void)close(hold[0]);
	(void)close(ready[1]);
	bool made = read(ready[0], &byte, 1) == 1;
	(void)close(ready[0]);
	*ret_hold = hold[1];
	if (made)
		return pid;
	(void)close(hold[1]);
	(void)waitpid(pid, NULL, 0);
	return 0;
}

static inline void end_child(pid_t pid, int hold)
{
	(void)close(hold);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}
