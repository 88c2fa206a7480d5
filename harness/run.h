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
#include "live.h"
#include "parameters.h"
#include "plan.h"
#include "sampler.h"
#include "sysctl.h"
#include "witness.h"

struct run_record;

/* Who takes the place of other looks at a run. */
struct run_observer {
	/* Everything is set up, nothing started: sets the record's looks (witness.h, sampler.h); their data is the
	 * record. */
	void (*attach)(struct run_record *record, void *data);
	/* Every process of the run is gone, its group is still there; may be NULL. */
	void (*ended)(struct run_record *record, void *data);
	void *data;
};

/* The place of another run, which goes on: its namespaces and its groups. */
struct run_place {
	pid_t inside; /* a process that is in its namespaces */
	char group[CGROUP_CONTROLLERS][1024];
};

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
	const struct parameters *parameters; /* those of the command line, for guests to apply; may be NULL */
	const struct run_command *command;   /* for guests: what takes the scenario's place there; NULL */
	uint64_t command_deadline_ns;        /* 0: as long as commands have */
	struct live_slot *live;              /* shown while it runs; NULL: nobody watches */
	bool look;                           /* have triage look at each trigger at its failing moment */
	const struct run_place *place;       /* where runs happen, instead of places of their own; NULL */
	struct capture *capture;             /* for guests: what they are to capture, and where to; NULL */
	const json_t *fix;                   /* for guests: how a lesson's shell has set the run up; NULL */
	bool disguised;                      /* programs run under a name that tells nothing, see stage-disguise.h */
	bool watch_exit;                     /* of programs, for an observer: see witness.h, leaving */
	const struct run_observer *observer; /* somebody else who looks at each run; NULL for nobody */
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
	int stage_error;       /* positive errno of a stage that could not be executed */
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
	struct run_refusals *refusals; /* of a command: what it was refused, by kind; NULL */
	void *observed_by;             /* the observer's data */
	int log_fd;
	struct live_slot *live; /* of the context */
	enum live_kind live_kind;
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
/* What of it is known at the failing moment, of a program that has not ended: without its outcome and its output. */
json_t *evidence_at_moment(const struct run_record *record);
/* Its "environment". */
json_t *evidence_environment(const struct plan_run *run);
/* The evidence of a run that did not happen. */
json_t *evidence_skipped(const struct plan_run *run, const char *why);
/* "limits" of evidence: every limit that was evaluated. */
json_t *evidence_limits(const struct cause_report *report);
/* JSON of one number: null for unlimited. The caller leaves absent ones out. */
json_t *json_number(uint64_t value);
