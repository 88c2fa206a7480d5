// SPDX-License-Identifier: MIT
/*
 * enomem why: a program runs as it is, and what it and its children are refused is told at the end. The line is
 * scene (what snapshots are taken from) -> moment (one refusal or signal, with its cause) -> record (moments in groups,
 * and what became of the processes) -> text or JSON.
 */
#pragma once

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "backtrace.h"
#include "cause.h"
#include "cgroup.h"
#include "follow.h"
#include "grant.h"
#include "kmsg.h"
#include "procfs.h"
#include "snapshot.h"

#define WHY_GROUPS    128 /* of refusals, and as many of deaths */
#define WHY_NOTES     8
#define WHY_COMM      16
#define WHY_SETTERS   64
#define WHY_LIKELY_NS 2000000000ULL /* a refusal longer ago than this is at most a possible reason for an end */

/* --- scene ------------------------------------------------------------------------------------------------------- */

#define WHY_SCENES    16
#define WHY_KILLS     32
#define WHY_MARKS     64

/* How many kills systemd-oomd had marked a group for when it was first seen. */
struct why_marks {
	unsigned count;
	struct why_mark {
		char *dir;
		uint64_t kills;
	} mark[WHY_MARKS];
};

/* Where snapshots come from: the machine, and the groups of the process that is looked at. */
struct why_scene {
	struct snapshot_source source;
	struct cgroup cgroup;
	char *groups; /* /proc/PID/cgroup of those that are open; NULL for none */
	unsigned seen_count;
	struct {
		char *groups;
		struct snapshot *before; /* when they were seen first */
	} seen[WHY_SCENES];
	struct why_marks marks;
	int log_fd; /* the kernel's, -1 where it cannot be read */
	unsigned kill_count;
	struct kmsg_oom kill[WHY_KILLS];
};

int why_scene_open(struct why_scene *s);
void why_scene_close(struct why_scene *s);
/* Open the groups of a process. Returns the numbers of when they were seen first, NULL where that is unknown. */
const struct snapshot *why_scene_enter(struct why_scene *s, pid_t pid);
/* Note what systemd-oomd has marked the groups for that are open. Not at a death: its mark comes before the kill. */
void why_scene_note_marks(struct why_scene *s);
/* What the kernel logged of a kill of this process since the start: NULL when nothing. */
const struct kmsg_oom *why_scene_kill_of(struct why_scene *s, pid_t pid, const char *comm);
/* Whose limit it was, as struct fatal_signal has it, of the groups that are open. */
unsigned why_scene_group_of(const struct why_scene *s, const struct kmsg_oom *kill);

/* --- limits of processes ----------------------------------------------------------------------------------------- */

/* One that can be given to a program around it, by prlimit(1). */
struct why_limit {
	int resource;
	const char *option, *name; /* of prlimit(1), of setrlimit(2) */
	const char *unit;
	char letter; /* of ulimit */
	bool in_kib; /* there */
};
/* NULL where it is none of these. */
const struct why_limit *why_limit_of(int resource);

/* What the limits of the program were when it began, or when watching did, and who has asked for others since. */
struct why_limits {
	bool known, attached;
	uint64_t soft[PROCFS_RLIMITS], hard[PROCFS_RLIMITS];
	unsigned setter_count; /* ever: the latest are kept */
	struct why_setter {
		pid_t pid;
		char comm[WHY_COMM];
		char *command; /* NULL: not known */
		unsigned resource;
		uint64_t soft;
	} setter[WHY_SETTERS];
};

/* A limit that is not what it was at the start: raising it around the program is undone. */
struct why_change {
	const struct why_limit *limit;
	bool attached; /* the start is that of the watching */
	uint64_t soft, start_soft, start_hard;
	pid_t pid; /* who set it; 0: none of the watched processes, as far as is known */
	char comm[WHY_COMM];
	char *command; /* NULL: not known */
};

void why_limits_note_start(struct why_limits *l, pid_t pid, bool attached);
/* The process is at its call: it may still be refused, and counts only where its value is found in force. */
void why_limits_note_setter(struct why_limits *l, pid_t pid, const char *comm, unsigned resource, uint64_t soft);
/*
 * Is the soft limit that is in force for the process not the one of the start? By whom, where the value says so: the
 * process itself before those above it, and these before others. NULL: it is as it was, or memory is short.
 */
struct why_change *why_limits_changed(const struct why_limits *l, pid_t pid, int resource, uint64_t soft);
void why_change_free(struct why_change *c);
void why_limits_free(struct why_limits *l);

/* --- moment ------------------------------------------------------------------------------------------------------ */

/* One refusal or fatal signal that was looked at. */
struct why_moment {
	struct refusal refusal; /* call NULL: a signal */
	pid_t pid, tid;
	uint64_t time_ns;
	struct cause_report report;
	enum cause_id cause;
	unsigned named; /* index in the report; its count when unknown */
	uint32_t also;
	bool wrongly;              /* the call asked for what no limit could have given: no refusal */
	char *show, *fix;          /* commands; NULL where there is none */
	char *place;               /* the group or mount whose limit it is, NULL for none */
	char *file;                /* of a SIGBUS: what is mapped there; NULL */
	struct why_change *change; /* of the limit that was named; NULL: it is as it was at the start */
	struct backtrace *backtrace;
	uint64_t oomd_kills; /* systemd-oomd has marked the group for so many kills */
};

struct why; /* below */
struct triage_row;

/* How much looking there was, so that it stays a small part of the time the program takes. */
struct why_budget {
	uint64_t begin_ns, spent_ns;
};
bool why_may_look(const struct why_budget *b);

/* The task is held. kill: what the log says of its end, or NULL. NULL when memory is short. */
struct why_moment *why_moment_of_refusal(struct why *w, const struct follow_call *call);
struct why_moment *why_moment_of_signal(struct why *w, pid_t pid, pid_t tid, const struct fatal_signal *signal,
					const struct kmsg_oom *kill, bool backtrace);
void why_moment_free(struct why_moment *m);
/* How many kills systemd-oomd has marked the group of this directory for; 0: none, or no such group. */
uint64_t why_oomd_mark(const char *dir);
/* Note the marks of a group and those above it, below the directory `top`, unless they were noted before. */
void why_oomd_note(struct why_marks *marks, const char *dir, const char *top);
/*
 * At the moment of a SIGKILL that no limit explains: the nearest of these groups whose mark has grown since it was
 * noted, or that has one and was never noted.
 */
void why_oomd(struct why_moment *m, const struct why_marks *marks, const char *dir, const char *top);
void why_oomd_free(struct why_marks *marks);

/* The commands of a moment, from the snapshot it was judged by, while the scene is still that of its process. */
void why_fix(struct why *w, struct why_moment *m, const struct snapshot *s);
/*
 * The command that starts the program with more of a limit of processes, whole and in quotes; where the program sets it
 * itself, what is to be changed there. The row has what is in use and the limit in force. NULL when memory is short.
 */
char *why_start_with_more(char *const argv[], const struct why_limit *limit, const struct triage_row *row,
			  const struct why_change *change);

/* --- record ------------------------------------------------------------------------------------------------------ */

struct why_end {
	pid_t pid;
	int status; /* of wait(2) */
	uint64_t after_ns;
};

/* What a program did after it was refused, which may be told by nothing but what it was granted. */
enum why_grade {
	WHY_SURVIVED,
	WHY_POSSIBLE, /* it failed, but was granted less meanwhile; or it took long, and was granted nothing */
	WHY_LIKELY,   /* it failed soon, and was granted nothing that could stand in */
};
/* Of a refusal that was not made up for, of a process that failed: how long after it, granted less since or not. */
enum why_grade why_grade_failure(uint64_t after_ns, bool granted_less);

/* Refusals of one kind. */
struct why_refusals {
	char comm[WHY_COMM];
	const struct call_info *call;
	int error;
	enum cause_id cause;
	bool wrongly;
	uint64_t count, processes, made_up_for;
	uint64_t asked_least, asked_most;
	pid_t last_pid;
	struct why_moment *first, *last;
	uint64_t likely, possible;      /* processes that it is the likely, or a possible, reason of the end of */
	struct why_end end;             /* of the first of those that it is the likelier reason of */
	struct grant_fallback fallback; /* of that one, a possible reason */
};

struct why_sender {
	bool known; /* else, of a signal that had one: nobody we have a number for */
	pid_t pid;
	uint32_t uid;
	char comm[WHY_COMM];
	int signal;
	bool raised_again; /* the process took it, and ended itself by the same signal */
};

/* Processes that died of a signal. */
struct why_deaths {
	char comm[WHY_COMM];
	int signal, code; /* code INT32_MIN: none shown */
	enum cause_id cause;
	uint64_t count;
	pid_t pid;
	struct why_sender sender;
	struct why_moment *moment; /* of the first of them; NULL: nothing looked at */
};

struct why {
	char **argv; /* NULL: attached */
	pid_t root;
	bool started, root_ended, interrupted, filtered;
	int root_status;
	struct why_scene scene;
	struct why_limits limits;
	struct why_budget budget;
	struct follow *follow;
	uint64_t duration_ns;
	unsigned refusals_count, deaths_count;
	struct why_refusals refusals[WHY_GROUPS];
	struct why_deaths deaths[WHY_GROUPS];
	uint64_t unlisted; /* refusals beyond the groups there is room for */
	/* Processes that have seccomp filters of their own, and the first of them. */
	struct why_filters {
		uint64_t processes;
		pid_t first, last;
		char comm[WHY_COMM];
	} filters;
	unsigned exited_next;
	struct {
		pid_t pid;
		char comm[WHY_COMM];
	} exited[64]; /* the latest that ended: who sent something may be gone when it arrives */
	unsigned kills_next;
	struct {
		pid_t target;
		struct why_sender sender;
	} kills[8]; /* the latest that were asked for */
	unsigned note_count;
	char *note[WHY_NOTES];
};

/* Who sent a signal to this process, held at it, as a number of ours; 0: somebody whom we have no number for. */
pid_t why_sender_pid(pid_t pid, const siginfo_t *info);
/* From the text of /proc/PID/status: the number of the process in its own pid namespace; 0: it is not said. */
pid_t why_innermost_pid(const char *status);

extern const struct follow_handlers why_handlers;
void why_free(struct why *w);
/* A refusal that was one: not asked wrongly. */
bool why_counts(const struct why_refusals *r);
enum why_grade why_grade_of(const struct why_refusals *r);
/* Is any refusal the likely reason of an end, or a possible one? */
bool why_has_reason(const struct why *w);
/* Said once, however often it is noted. */
__attribute__((format(printf, 2, 3))) void why_note(struct why *w, const char *format, ...);
/* A process that is attached to: has it a seccomp filter? Its refusals are seen, but no limit explains them. */
void why_note_filter(struct why *w, pid_t pid);
/* A process that was just executed: did it lose privileges because it is watched? */
void why_note_lost_privileges(struct why *w, pid_t pid);

/* --- running ----------------------------------------------------------------------------------------------------- */

/* The program, with the streams (a bit each) that were closed when we started closed for it as well. 0; or the exit
 * status that its failure to start asks for, after telling why. */
int why_launch(struct why *w, unsigned closed_streams);
/* Until the process ends, a signal says stop, or the time is over (0: no limit). 0 or an exit status, as above. */
int why_attach(struct why *w, pid_t pid, uint64_t for_ns);

/* --- telling ----------------------------------------------------------------------------------------------------- */

/* When it is over: names and lines of where they stood, which may take longer than a process could be held for. */
void why_name_places(struct why *w);
void why_print(const struct why *w, bool everything, FILE *out);
json_t *why_json(const struct why *w);
/* A grade, in JSON. */
const char *why_outcome(enum why_grade grade);
/* "exit status 1", "SIGSEGV" */
char *why_end_text(int status, char *buf, size_t size);
