// SPDX-License-Identifier: MIT
/*
 * The witness: watches a run from outside with ptrace, stopping only on the calls of the run's seccomp filter, on
 * signals, forks and execs. It records what was refused and freezes the process at the failing moment while a snapshot
 * is taken.
 *
 * It is the parent of what it watches: fork, then witness_seize() the child, then witness_watch() until nobody is left.
 * The tree it expects is one process, which makes the namespaces (the root) -> its child, the stage -> the program; the
 * program is watched from its exec on, the first of any but the root.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"
#include "environment.h"
#include "snapshot.h"

#define WITNESS_RECORDS 64
#define WITNESS_SIGNALS 16
#define WITNESS_CALLS   64 /* at least as many as there are watched calls */

struct witness_signal {
	int signal, code; /* code is INT32_MIN where the kernel shows none (SIGKILL) */
	uint64_t address;
	pid_t tgid, tid;
	uint64_t time_ns;
	bool fatal;                      /* the process died of it */
	const struct call_info *in_call; /* the watched call that its task had not come back from; NULL for none */
};

/* What another thread may look at while the witness works. */
struct witness_shared {
	_Atomic pid_t root;     /* the stage's parent; 0 once reaped */
	_Atomic pid_t stage;    /* init of the run's pid namespace; 0 once reaped */
	_Atomic pid_t program;  /* 0 before its exec and after its end */
	_Atomic unsigned tasks; /* alive now, without the root and the stage */
	/* What the witness takes its snapshots from while it watches; NULL before and after. */
	_Atomic(const struct snapshot_source *) source;
};

struct tracees; /* tracees.h */

struct witness {
	/* set by the caller */
	const struct snapshot_source *source;
	unsigned tasks_ceiling; /* more tasks than this alive at once: everything is killed; 0 for none */
	struct witness_shared *shared;
	/* Called after the snapshot of the first refused call, and after each of a signal that may be fatal, while the
	 * process is held: for who looks at it from outside. May be NULL. */
	void (*look)(pid_t pid, void *data);
	/* Called for every refused call, once it is recorded, while its process is held. May be NULL. */
	void (*refused_call)(const struct refusal *refusal, void *data);
	/* Called at every call that is granted once one was refused; may be NULL. What they have is as in a refusal. */
	void (*granted_call)(const struct refusal *granted, void *data);
	/* Called once, after the snapshot of the first refused call and before the program goes on; may be NULL. */
	void (*at_failing_moment)(const struct refusal *first, void *data);
	/* Called once, before the program's first instruction and after the snapshot of then; may be NULL. */
	void (*at_start)(pid_t pid, void *data);
	/* Called when a process of the run is about to end, whatever it is ending of; may be NULL. */
	void (*at_end)(pid_t pid, void *data);
	/* Called when the program is about to end by itself, where filter_watch_exit() has it stop there, and
	 * everything it has is still its own; may be NULL. */
	void (*leaving)(pid_t pid, void *data);
	void *data;
	/* Given back before a process that was killed is looked at; may be NULL. */
	struct reserve *reserve;
	const struct environment_injection *injection; /* calls to refuse in the kernel's place */
	unsigned injection_count;

	/* found out */
	bool started;              /* the program was executed */
	pid_t program;             /* its pid in the harness's namespace */
	uint64_t start_ns, end_ns; /* of the program, CLOCK_MONOTONIC */
	bool ended;
	int exit_status; /* of the program, as wait(2) has it; valid when ended */
	int root_status; /* of the root */
	bool tasks_ceiling_hit;
	bool untraced; /* a task was made, or would have been, that nobody can follow (CLONE_UNTRACED): what was
			  seen proves nothing */
	uint64_t untraced_asked; /* tasks that were asked for with that flag, and are followed without it */
	pid_t own_filter;  /* the first process that got a seccomp filter of its own, 0 for none: what that refuses
			      was not seen */
	bool queued_fault; /* the program sent a SIGSEGV or SIGBUS with a siginfo of its own making */
	uint64_t call_count[WITNESS_CALLS]; /* by row of watched_calls */
	uint64_t refused;                   /* all refused calls */
	unsigned record_count;              /* the first of them */
	struct refusal record[WITNESS_RECORDS];
	uint64_t granted_calls[WITNESS_CALLS]; /* by row: how many succeeded, */
	uint64_t granted_bytes[WITNESS_CALLS]; /* and the most that one of them asked for; 0 where a call asks for no
						  bytes */
	uint64_t first_break;                  /* what the first brk(2) returned; grants are counted from there */
	uint64_t last_break;                   /* what the latest one of the program's own process returned */
	uint64_t granted_later; /* calls like the first refused one, for as much or more, that succeeded after it */
	unsigned signal_count;
	struct witness_signal signal[WITNESS_SIGNALS];
	unsigned tasks_seen; /* ever, the program's first one included */
	unsigned tasks_left; /* alive when the program ended */
	unsigned killed;     /* other processes of the run that died of SIGKILL before the program ended */
	uint64_t stops;
	struct snapshot before;     /* at the program's exec */
	struct snapshot at_refusal; /* at the first refused call; .taken tells */
	struct snapshot at_signal;  /* at the last signal that may be fatal */
	int at_signal_index;        /* which of signal[] that was, -1 for none */
	struct tracees *tracees;    /* its own */
};

/* Attach to our child before it does anything: PTRACE_SEIZE with everything followed, killed when we die. -errno */
int witness_seize(pid_t child);

/*
 * Watch until every process of the run is gone. Other children of the caller are left running, but reaped should they
 * end meanwhile. Returns 0 or -errno (-ENOMEM for more tracees than the table holds: then everything was killed).
 */
int witness_watch(struct witness *w, pid_t root);
