// SPDX-License-Identifier: MIT
/*
 * What stands beside a failure while a tool looks at it: innocents, which had all they asked for, and other failures. A
 * tool that is told of one process shall find that one, and a daemon that ends processes none of these.
 *
 * Each is a run of another scenario, proven and then held by a process of its own, since a harness has one run at a
 * time.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan.h"

#define HOLD_DECOYS_MAX        8
#define HOLD_DECOY_CHANGES_MAX 16 /* that are told of one */

struct hold_decoy {
	struct plan *plan;
	const struct plan_run *run;
	/* inner */
	pid_t keeper, pid;
	int life_fd;
	struct hold_decoy_task *task; /* all that belong to it: its keeper, its run's processes */
	struct hold_decoy_file *file; /* what is set for them */
	size_t task_count, file_count;
};

/* A process as it stands when its decoy is ready. */
struct hold_decoy_task {
	pid_t pid;
	uint64_t start, pending; /* when it was started, in ticks; signals that wait for it or its threads */
	char comm[64], state;    /* the letter of /proc/PID/stat */
	bool traced;
	int code; /* of a ptrace-stop that nobody has asked about; 0 */
};

/* A file of /proc or of a control group, as it was then. */
struct hold_decoy_file {
	char *path, *text;
};

struct hold_decoys {
	struct hold_decoy item[HOLD_DECOYS_MAX];
	size_t count;
};

/*
 * Which run of a scenario: NAME or NAME/CASE is its first control that can run here, with ":trigger" behind it the
 * first trigger that can be held. *ret_name is what is in front, to be freed. -EINVAL for another word behind a colon.
 */
int hold_decoy_word(const char *word, char **ret_name, enum role *ret_role);
/* NULL with why in the plan's words, or that there is none. */
const struct plan_run *hold_decoy_choose(const struct plan *plan, enum role role, const char **ret_why);

/* Start all of them; 0 when each stands. Else the exit status, and why; none is left then. */
int hold_decoys_start(struct hold_decoys *d, const struct machine *machine, char *why, size_t size);
/* [{"scenario", "run", "role", "pid", "spared"}], and "changed", what hold_decoy_changes() tells, of who was not
 * spared. NULL without memory. */
json_t *hold_decoys_look(const struct hold_decoys *d);
void hold_decoys_end(struct hold_decoys *d);
/* The plans. */
void hold_decoys_free(struct hold_decoys *d);

/* For the run that is held as one: tell that it stands, and wait until it is not needed any more. */
void hold_decoy_stand(int ready_fd, int life_fd, pid_t pid, const atomic_bool *interrupted);

/* --- hold-decoy-watch.c ------------------------------------------------------------------------------------------ */

/* Note what stands there: processes and what is set for them (limits, groups, limits of the groups). -ENOMEM */
int hold_decoy_note(struct hold_decoy *d);
/* What is not as it was noted, as sentences: who was ended, sent a signal, stopped or let go on, and which limit or
 * group is another one. NULL without memory. */
json_t *hold_decoy_changes(const struct hold_decoy *d);
void hold_decoy_forget(struct hold_decoy *d);

/* --- hold-thaw.c ------------------------------------------------------------------------------------------------- */

/* When a tool has ended: whatever is below us goes back to our own group of v1's freezer, so that it can be ended; but
 * for these decoys, which nobody has looked at yet. NULL: all. */
void hold_thaw(const struct hold_decoys *but);
