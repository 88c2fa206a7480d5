// SPDX-License-Identifier: MIT
/*
 * Holding a run at its failing moment while somebody else's program looks at it.
 *
 * What happened is written down, judged and put into the answer key before the tool starts. The tool is told where to
 * look (environment, descriptor), never what is there.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "hold-decoy.h"
#include "hold-reserve.h"
#include "hold-tool.h"
#include "run.h"

#define HOLD_PATH_MAX 1024

enum hold_phase { HOLD_POST, HOLD_AT, HOLD_AFTERMATH, HOLD_GATE, HOLD_LOOP, HOLD_PHASES };
extern const char *const hold_phase_names[HOLD_PHASES];

/* How the victim stands still. */
enum hold_state {
	HOLD_STOPPED,   /* as by a SIGSTOP: a debugger may attach */
	HOLD_TRACED,    /* by our ptrace, its call answered: nobody else may trace it */
	HOLD_ZOMBIE,    /* dead, and not reaped */
	HOLD_AT_START,  /* by our ptrace, before its first instruction */
	HOLD_AT_EXIT,   /* killed: by our ptrace in its exit, all it had is still there */
	HOLD_IN_KERNEL, /* it hangs by itself */
	HOLD_THROTTLED, /* likewise, by memory.high: it sleeps, goes on for a page, and sleeps again */
	HOLD_STATES
};
extern const char *const hold_state_names[HOLD_STATES];

struct hold {
	/* given */
	enum hold_phase phase;
	uint64_t ttl_ns;
	char *const *argv; /* the tool */
	bool capture;      /* keep what it prints: its answer */
	const char *input; /* what it reads in a guest, see hold-stdin.h; NULL: nothing */
	const struct machine *machine;
	const cpu_set_t *cpus;
	const atomic_bool *interrupted;
	bool proven;             /* already, in another guest */
	unsigned count;          /* of failures; 1 but for a loop */
	uint64_t interval_ns;    /* between two */
	uint64_t ready_after_ns; /* of one that starts before: a tool is taken to be ready then; 0: when it says so */
	struct hold_decoys *beside; /* NULL for none */
	uint64_t log_sequence;      /* of the first line of the kernel log that may be the run's; ENOMEM_ABSENT */

	/* found */
	bool reached;         /* the moment came, and was judged */
	bool as_predicted;    /* else the tool was not started, or not in time */
	bool started;         /* the tool: whatever goes wrong from now on may be its doing */
	json_t *evidence;     /* of that moment */
	char *answer;         /* NULL without capture */
	size_t answer_length; /* 0 when there is none; there may be NUL bytes in it */
	bool answer_too_long;
	enum hold_state state;
	bool expired, released, victim_ended, ready;
	bool by_clock;    /* it never said that it was ready, and will not know when it is over: it is told */
	unsigned made;    /* failures so far, each as predicted */
	json_t *failures; /* of a loop: {"pid", "time_ns"} of each; NULL */
	json_t *decoys;   /* see hold_decoys_look(); NULL */
	int problem;      /* -errno of a tool that could not be started, and */
	char problem_with[HOLD_PATH_MAX];

	/* of one that is a decoy itself: to be said when it stands, and until when */
	bool is_decoy;
	int ready_fd, life_fd;

	/* inner */
	struct hold_tool tool;
	struct hold_reserve reserve;
	bool running;   /* the tool */
	bool aftermath; /* has begun */
	char directory[HOLD_PATH_MAX];
	int directory_fd, control_fd, victim_fd;
	uint64_t deadline_ns;
};

/* For an observer whose data is a struct hold. */
void hold_attach(struct run_record *record, void *data);
/* Of a look: is it the moment that was predicted? Calls come before, too: a program that is to be killed may have been
 * refused something. */
bool hold_is_moment(const struct run_record *record);
void hold_ended(struct run_record *record, void *data);
/* Wait for a tool that still runs, and take away what it was told. */
void hold_finish(struct hold *h);
void hold_free(struct hold *h);
/* Does the tool start before the failure? */
bool hold_starts_before(enum hold_phase phase);

/*
 * The first trigger of a plan, of this case and this name where they are not NULL, that can be held here. 0, or the
 * exit status after telling why there is none. phase: -1 for whatever shows most of the run.
 */
int hold_choose(const struct plan *plan, const char *case_name, const char *run_name, int phase,
		const struct plan_run **ret);
/* The exit status for a plan that could not be made: of a manifest it was said why, of memory it is said here. */
int hold_no_plan(int error);
/* Can this run be held, in this phase? NULL when it can, else why not. */
const char *hold_why_not(const struct plan *plan, const struct plan_run *run, enum hold_phase phase);

/* --- hold-scene.c: what the tool is told ------------------------------------------------------------------------- */

/* Make the directory, the descriptor and the control socket. -errno; problem_with says of what. */
int hold_scene_make(struct hold *h, const struct run_record *record, pid_t pid);
/* The tool's environment, NULL without memory; to be freed with hold_environment_free(). */
char **hold_environment(const struct hold *h, const struct run_record *record, pid_t pid);
void hold_environment_free(char **envp);
/* The letter of /proc/PID/stat, 0 when there is no such process; when it was started, in ticks; may be NULL. */
char hold_scene_state(pid_t pid, uint64_t *ret_start);
/* Somebody speaks to the control socket. */
void hold_scene_hear(struct hold *h);
/* The answer file, or what the tool printed. */
void hold_scene_take_answer(struct hold *h);
void hold_scene_remove(struct hold *h);

/* --- hold-key.c -------------------------------------------------------------------------------------------------- */

/* {"schema": "enomem-key/1", ...} of evidence with a failing moment and a cause. NULL without memory. */
json_t *hold_key_of(const json_t *evidence, const struct machine *machine, const struct plan *plan,
		    const struct plan_run *run);
/* The same of a hold that was reached, and how its tool ended. */
json_t *hold_key(const struct hold *h, const struct plan *plan, const struct plan_run *run);
