// SPDX-License-Identifier: MIT
/*
 * A plan is a scenario on this machine: cases times runs, every size resolved to a number, every need met or named.
 * What the machine is comes in as data (struct machine), so that planning is tested without one.
 */
#pragma once

#include "environment.h"
#include "manifest.h"
#include "snapshot.h"

/* What planning has to know of the machine. */
struct machine {
	unsigned kernel_major, kernel_minor;
	char kernel_release[128];
	struct cgroup_system cgroup;
	bool cgroup_writable[CGROUP_CONTROLLERS]; /* a transient group can be made here */
	struct snapshot now;                      /* meminfo, sysctls, tasks */
	uint64_t page_size;
	uint64_t capabilities; /* effective, as a bit mask by CAP_ number */
	bool root;             /* effective uid 0 in the initial user namespace */
	bool user_namespaces;  /* an unprivileged one can be made */
	bool io_uring;         /* neither missing nor forbidden */
	bool ia32;             /* the kernel runs 32-bit programs of x86 */
	bool allow_machine;    /* --allow-machine */
	bool guest;
	bool default_sysctls;     /* a guest's, and neither --sysctl nor --profile changed one */
	char why_no_witness[256]; /* "" when ptrace, seccomp and unshare work; else why they do not */
};

struct guest_world; /* guest.h */

struct run_command; /* run-command.h */

#define PLAN_ARGUMENTS_MAX 32
struct plan_run {
	const struct guest_world *world; /* where it happens: a guest, or NULL for this machine */
	const struct scenario *scenario;
	const struct case_text *case_text; /* NULL: the unnamed case */
	const struct run_text *run;
	char name[256]; /* "case: run", or the run's name */
	enum scope scope;
	enum role role;
	struct environment environment;
	char *argv[PLAN_ARGUMENTS_MAX + 2]; /* argv[0] is the program's name */
	struct expect expect;               /* merged view: points into the scenario, owns only expect.check */
	char *skip;  /* NULL, or why this run cannot happen here, with what would make it possible */
	bool probes; /* a run of --locate, with probe_value in the place of what the manifest says */
	uint64_t probe_value;
	struct run_command *command; /* somebody's own program in the scenario's place; NULL: the scenario's */
};

struct plan {
	const struct scenario *scenario;
	char *program;  /* absolute path */
	char *skip;     /* NULL, or why nothing of the scenario can run here */
	bool exclusive; /* some run is machine-scope: nothing else may run beside it */
	struct plan_run *runs;
	size_t run_count;
};

/* Resolve. -EINVAL with messages on errors (file and line) when an amount or a check makes no sense; -ENOMEM. */
int plan_make(const struct scenario *s, const struct machine *m, FILE *errors, struct plan **ret);
void plan_free(struct plan *p);

/* How long a run may take: its deadline, and as much again where a program that stalls until then may be helped. */
uint64_t plan_time_ns(const struct plan_run *run);

/*
 * Move those runs of another plan of the same scenario that `wanted` accepts into this one, in the place of runs of the
 * same name, in the manifest's order. `from` keeps the rest. -ENOMEM
 */
int plan_graft(struct plan *into, struct plan *from, bool (*wanted)(const struct plan_run *run, void *data),
	       void *data);

/*
 * An amount: terms joined by " + " and " - "; a term is a size or count ("64M", "12"), "N page"/"N pages", a base, or
 * "P% of BASE". Bases: ram, swap, free, available, page, hugepage, commit.limit, commit.used, commit.headroom,
 * max_map_count, pid_max, threads_max, threads. All of the machine as it is when the run is planned. 0, -EINVAL (no
 * amount), -ERANGE (negative or too large).
 */
int plan_amount(const char *text, const struct machine *m, uint64_t *ret);

/*
 * A copy of a planned run with another number where its case's `locate` says so, held to call, errno or signal and
 * cause, and not to the manifest's own checks, which are about the manifest's own number. To be freed with
 * plan_run_free(). -ENOENT where nothing is varied, -EINVAL where it cannot be, -ENOMEM.
 */
int plan_probe(const struct plan_run *run, const struct machine *m, uint64_t value, struct plan_run *ret);

/* Does the machine have what is needed? NULL when it has, else a malloc()ed sentence naming the first thing missing and
 * what to do. */
char *plan_missing(const struct needs *n, const struct machine *m);
