// SPDX-License-Identifier: MIT
/*
 * The namespaces of a run: what unshare(1) and nsenter(1) do, in the process that goes on as the stage. Starting those
 * programs would be a third of what a short run costs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * New pid, mount and ipc namespaces, for the children of the caller, where no mount reaches the caller's; with `user` a
 * user namespace before them, in which the caller keeps its ids and has every capability (user_namespaces(7)). -errno,
 * with what could not be done in ret_step
 */
int stage_namespaces_make(bool user, const char **ret_step);
/* Those of a process, instead; `user` where it has its own user namespace. -errno, -ESRCH when it is gone. */
int stage_namespaces_join(pid_t inside, bool user, const char **ret_step);
/* In the child: its own /proc, which shows its pid namespace. -errno */
int stage_namespaces_mount_proc(const char **ret_step);
/*
 * A child, which plays its part on a stack of its own, but in the caller's memory: copying that, and faulting on each
 * page of it, would cost more than all else here. So the caller may do no more than wait for it and exit, and not even
 * close what it has. The child goes on once clone(2) is back here: a tracer has then heard of it from its parent. It is
 * killed when the caller ends. Its status is what `play` returns. The child's pid; -errno
 */
pid_t stage_namespaces_start(int (*play)(void *data), void *data);
/* The upper end of a new stack, above a page that nobody may touch: for a child that shares memory, and may execute a
 * program of so many words. NULL with errno; never freed. */
char *stage_stack(size_t words);
