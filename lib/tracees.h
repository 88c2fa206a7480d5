// SPDX-License-Identifier: MIT
/*
 * The tasks the witness follows: a fixed table, so that a fork storm under a full memory makes the harness allocate
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"
#include "untraced.h"

struct tracee {
	pid_t tid, tgid;
	bool in_call;     /* between the filter's stop and the exit stop of a watched call */
	bool sets_filter; /* likewise, of one that asks for a seccomp filter */
	const struct call_info *call;
	uint64_t args[6];
	uint64_t instruction, stack; /* pointers at the end of the call */
	bool ia32; /* the call came through the 32-bit entry; args are those of the row all the same */
	uint64_t clone_flags;
	int injected;             /* the errno the witness refuses this call with, 0 for none */
	bool made_task;           /* since in_call: the kernel told of the new task */
	struct untraced untraced; /* what was taken out of its call; where it is new, of the one that made it */
	bool has_pending;         /* a stop collected while its process was frozen, still to be handled */
	int pending_status;
};

#define TRACEES_MAX    4096
#define TRACEES_PLACES 8192 /* a power of two, above TRACEES_MAX */

struct tracees {
	unsigned count;
	uint16_t place[TRACEES_PLACES]; /* by tid: 1 + index of its item; 0: free */
	struct tracee item[TRACEES_MAX];
};

void tracees_reset(struct tracees *t);
/* NULL when it is not in the table. */
struct tracee *tracees_find(struct tracees *t, pid_t tid);
/* Find or make; NULL when the table is full. A new one is its own thread group until told otherwise. */
struct tracee *tracees_get(struct tracees *t, pid_t tid);
/* Another entry may take its place: pointers into the table are good until then. */
void tracees_remove(struct tracees *t, pid_t tid);
