// SPDX-License-Identifier: MIT
/*
 * A program in a process of its own, held until the witness has attached, without copying the caller's memory: a fork
 * for every run would have the kernel copy the harness's page tables, and fault on each of its pages afterwards.
 */
#pragma once

#include <pthread.h>
#include <sys/types.h>

struct spawn {
	/* Given by the caller; must stay until spawn_end(). */
	const char *const *argv;  /* argv[0] is looked for in PATH */
	char *const *environment; /* NULL: the caller's */
	int out_fd, err_fd;       /* become standard output and error */
	const int *kept;          /* descriptors that stay open in the program; negative ones are skipped */
	unsigned kept_count;
	/* Found. */
	pid_t pid;
	int error; /* positive errno of an exec that failed, once the process has ended; 0 when it did not */
	/* Inner. */
	int gate[2], born[2], thread_end;
	pid_t cloned; /* what clone(2) returned */
	pthread_t thread;
	char *stack;
};

/*
 * Make the process, a child of the caller, as vfork(2) would. It waits at the gate, with no signal blocked. When the
 * caller dies it ends by itself; once released, that is for whoever traces it to see to (PTRACE_O_EXITKILL).
 * -EAGAIN: no more tasks; -ENOMEM; -EMFILE; -ECHILD: it was killed at once. After an error nothing is left.
 */
int spawn_held(struct spawn *s);
/* Let it execute the program. */
void spawn_release(struct spawn *s);
/* After the process has executed its program or has ended: waits for that, and frees what was needed. */
void spawn_end(struct spawn *s);
