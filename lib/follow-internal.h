// SPDX-License-Identifier: MIT
/*
 * The tables behind follow.h: tasks by thread id and processes by process id.
 */
#pragma once

#include "follow.h"
#include "untraced.h"

struct follow_task {
	pid_t tid;
	struct follow_process *process;
	bool in_call;     /* between the stop at a watched call and the one at its end */
	bool sets_filter; /* likewise, of one that asks for a seccomp filter */
	const struct call_info *call;
	uint64_t args[6];
	uint64_t instruction, stack; /* pointers at the end of the call */
	int injected;                /* the errno this call is refused with, by us */
	bool made_task;              /* since in_call: the kernel told of the new task */
	struct untraced untraced;    /* what was taken out of its call; where it is new, of the one that made it */
	bool has_pending;            /* a stop collected while its process was held, still to be handled */
	int pending_status;
	struct follow_task *next;
};

#define FOLLOW_BUCKETS 1024 /* a power of two */

struct follow {
	struct follow_handlers handlers;
	void *data;
	bool filtered, kill_with_us;
	enum follow_start from;
	bool killing;
	bool started; /* until our child's first exec nothing is told */
	unsigned pending;
	struct follow_numbers numbers;
	struct follow_task *task[FOLLOW_BUCKETS];
	struct follow_process *process[FOLLOW_BUCKETS];
};

struct follow_task *follow_find(const struct follow *f, pid_t tid);
struct follow_process *follow_find_process(const struct follow *f, pid_t pid);
/* Find or make, in the process with that id. NULL when memory is short. */
struct follow_task *follow_get(struct follow *f, pid_t tid, pid_t pid);
/*
 * It begins to signal every process there is. Programs do that which take a failed fork's -1 for a process, and it
 * would reach far beyond what is watched: refused with EPERM.
 */
void follow_keep_from_killing(struct follow *f, const struct follow_task *t);
/* Its call begins: take it away where the caller says so. */
void follow_begin_call(struct follow *f, struct follow_task *t);
/* And ends, granted or not. */
void follow_end_call(struct follow_task *t, int64_t result, bool is_error);
/* A new program: nothing of the former one is known to hold. */
void follow_renew(struct follow *f, struct follow_task *t);
/* A child of a parent that has not begun: it has, wherever it was made, and its copy of the breakpoint is to go. */
void follow_begin_child(struct follow *f, const struct follow_task *parent, pid_t child, bool shares_memory);
/* It stands still: take that copy away. */
void follow_shed_copy(struct follow_task *t);
/* Is this SIGTRAP of the breakpoint at the entry? Then it is taken away. */
bool follow_at_entry(struct follow *f, struct follow_task *t);
/* The task is gone, and its process with its last one. */
void follow_drop(struct follow *f, struct follow_task *t);
/* Its process is over; told once. */
void follow_end_process(struct follow *f, struct follow_process *p, bool let_go, int status);
