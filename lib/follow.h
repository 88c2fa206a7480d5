// SPDX-License-Identifier: MIT
/*
 * Follows any program and whatever it starts with ptrace, and tells of its refused calls, signals and ends. Where the
 * witness watches one staged run and freezes one moment, this one has no stage, no first failure and no limit on how
 * long it goes on; what it finds is handed to the caller while the task is held, and nothing is kept.
 *
 * With a filter (filter_build_watching()) only the calls that may be refused stop. Somebody else's process cannot be
 * given one: there every call stops.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

/* A process; `data` is the caller's, NULL at first. */
struct follow_process {
	pid_t pid;
	unsigned tasks;   /* followed now */
	bool over;        /* its end was told */
	bool was_refused; /* and it is still to be told what is granted to it */
	struct refusal last_refused;
	uint64_t last_break; /* as it was last seen to be; 0: not known */
	uint64_t entry;      /* where a breakpoint waits: this program has not begun yet; 0: it has */
	long entry_word;     /* what stood there */
	bool entry_is_main;  /* it is the one at main(), not the one before */
	bool entry_is_copy;  /* it came with a fork, whose child has begun: only to be taken away */
	void *data;
	struct follow_process *next; /* in its bucket */
};

struct follow_call {
	struct follow_process *process;
	pid_t tid;
	const struct refusal *refusal;
};

struct follow_handlers {
	void (*executed)(struct follow_process *p, void *data);
	/*
	 * A call that asks for something begins: the errno it is to be refused with, as if the kernel had, or 0.
	 * `asked` are the bytes it wants, 0 where it wants none. Told only where calls can be taken away.
	 */
	int (*calling)(const struct follow_process *p, const struct call_info *call, uint64_t asked, void *data);
	/* The task stands still at the end of the call; follow_hold() stops the others of its process. */
	void (*refused)(const struct follow_call *call, void *data);
	/* A call was granted to a process that was refused one before. Are later ones to be told, too? */
	bool (*granted)(struct follow_process *p, const struct refusal *granted, void *data);
	/* A signal is about to be delivered. */
	void (*signalled)(struct follow_process *p, pid_t tid, const siginfo_t *info, void *data);
	/* SIGKILL is about to be sent by a task of ours to `target`, as kill(2) takes it. */
	void (*kills)(struct follow_process *p, pid_t target, void *data);
	/* It is about to ask for this soft limit (RLIM64_INFINITY: none) for itself or another process. */
	void (*limits)(struct follow_process *p, unsigned resource, uint64_t soft, void *data);
	/* It has got a seccomp filter of its own: what that refuses does not stop at ours. */
	void (*filters)(struct follow_process *p, void *data);
	/* Died of a signal, but is still there to be looked at. */
	void (*dying)(struct follow_process *p, pid_t tid, int signal, void *data);
	/* About to end, of whatever it be, while its first task is still there to be looked at. */
	void (*exits)(struct follow_process *p, void *data);
	/* Over: status is that of wait(2), meaningless where the process was let go of or lost. */
	void (*ended)(struct follow_process *p, bool let_go, int status, void *data);
};

struct follow;

struct follow_numbers {
	uint64_t calls, refused, stops; /* calls: those that may be refused */
	uint64_t processes, tasks;      /* ever */
	unsigned tasks_now;
	uint64_t kills_kept_from; /* kill(-1, ...), where calls are taken away: never let through */
	uint64_t untraced;        /* tasks that were asked for with CLONE_UNTRACED, and are followed without it */
	uint64_t unwatched;       /* those that could not be: they go on unwatched */
	bool lost;                /* memory for a task was short: it goes on unwatched */
};

/* filtered: the program loads the filter; else every call of it stops. -ENOMEM */
int follow_new(const struct follow_handlers *handlers, void *data, bool filtered, struct follow **ret);
void follow_free(struct follow *f);

/*
 * Where a program begins, for `calling`: it is told of no call before that. The entry is where its loader is done;
 * main() is found by what glibc's start code does with it, in stripped programs as well. One that starts in another way
 * (of another C library, or Go) begins at its entry, and one that cannot be given a breakpoint at its exec.
 */
enum follow_start { FOLLOW_FROM_EXEC, FOLLOW_FROM_ENTRY, FOLLOW_FROM_MAIN, FOLLOW_STARTS };
void follow_from(struct follow *f, enum follow_start start);

/* Our child that waits: nothing is told of it before its first exec, and should we be killed it dies with us. -errno */
int follow_child(struct follow *f, pid_t child);
/* All threads of a running process. When nobody can be attached to: -ESRCH, -EPERM. Some may be, when one cannot: 0. */
int follow_attach(struct follow *f, pid_t pid);

/*
 * Go on until nobody is left (0), or *stop is set while waiting (-EINTR); a signal has to arrive with it, and to arrive
 * again where it came too early.
 */
int follow_run(struct follow *f, const volatile sig_atomic_t *stop);

/* SIGKILL to all that is followed, and to whatever shows up later; follow_run() sees them end. */
void follow_kill(struct follow *f);

/* Did our child execute its program? */
bool follow_has_started(const struct follow *f);

/* Let everybody go on without us, as they are: what is stopped stays stopped. Whoever cannot be stopped within the
 * time is let go of when this process ends. */
void follow_detach(struct follow *f, uint64_t timeout_ns);

/*
 * Stop the other running threads of the process whose task is held, so that its numbers stand still. Those that sleep
 * are left alone: a wait that is interrupted may show (epoll_wait(2) says EINTR).
 */
void follow_hold(struct follow *f, const struct follow_process *p, pid_t tid);

const struct follow_numbers *follow_numbers(const struct follow *f);
