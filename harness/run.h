// SPDX-License-Identifier: MIT
/*
 * One run, from environment to evidence: stages it, lets the witness watch it, takes everything down again, and returns
 * what was seen as JSON. It judges nothing.
 */
#pragma once

#include <jansson.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "cause.h"
#include "plan.h"
#include "sampler.h"
#include "sysctl.h"
#include "witness.h"

/* What all runs of a harness (or of one of its workers) share. */
struct run_context {
	const struct machine *machine;
	const char *stage;       /* absolute path of the program that plays the stage role */
	int filter_fd;           /* from filter_build() */
	struct journal *journal; /* announces cgroups and sysctls */
	unsigned long owner;     /* pid of the harness: part of the groups' names */
	unsigned worker;         /* number of this worker, from 0: part of its groups' names */
	unsigned slot;  /* of those at work now, from 0: picks its CPU, so that two never share one needlessly */
	unsigned runs;  /* counts up: makes group names unique */
	cpu_set_t cpus; /* those the harness may use */
	bool look;      /* have triage look at each trigger at its failing moment */
	const atomic_bool *interrupted;
};

/* The first row of triage's ranking; cause NULL: it had none. */
struct run_look_row {
	const char *cause, *unit; /* static storage */
	uint64_t in_use, bound;
};

struct run_look {
	bool taken;
	struct run_look_row ranked, told; /* not knowing, and knowing, what was refused */
};

/* Everything known of one run before it becomes JSON. Large and static: there is one at a time per worker. */
struct run_record {
	const struct plan *plan;
	const struct plan_run *run;
	struct witness witness;
	struct sampler sampler;
	struct snapshot after;
	int unshare_error;     /* positive errno of an unshare that could not be executed */
	struct cgroup *cgroup; /* NULL when the run had none */
	struct sysctl_session
		*session;    /* NULL: nothing of the machine is changed, or that of a guest which is thrown away */
	char live_swap[256]; /* device made ready for the failing moment, "" for none */
	struct {
		char step[64];
		int error; /* positive errno, 0 when it is not one */
		char message[512];
		const char *hint; /* static storage, may be NULL */
	} problem;                /* step[0] == '\0': none */
	struct run_look look;
	bool log_readable;
	unsigned log_lines;
	char log[64][512];        /* the first lines, and whatever names an OOM kill */
	int own_kill_logged;      /* 1: the kernel log names a process of the run as OOM-killed; 0: it does not; -1:
				     unreadable */
	bool own_kill_is_program; /* the log gives the program's own pid; in a container it cannot */
	bool own_kill_is_memcg;
	unsigned others_killed; /* OOM kills the log blames on this run's limits or on the whole machine, of processes
				   not ours */
	uint64_t duration_ns;
};

/* Execute one planned run. Returns its evidence (a new reference), or NULL when memory for it is short. */
json_t *run_execute(struct run_context *context, const struct plan *plan, const struct plan_run *run);

/* The evidence of a record; evidence.c. */
json_t *evidence_build(const struct run_record *record);
/* Its "environment". */
json_t *evidence_environment(const struct plan_run *run);
/* The evidence of a run that did not happen. */
json_t *evidence_skipped(const struct plan_run *run, const char *why);
/* "limits" of evidence: every limit that was evaluated. */
json_t *evidence_limits(const struct cause_report *report);
/* JSON of one number: null for unlimited. The caller leaves absent ones out. */
json_t *json_number(uint64_t value);
