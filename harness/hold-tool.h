// SPDX-License-Identifier: MIT
/*
 * Somebody else's program under a keeper: a process that takes over all of the tool's descendants, however they
 * detached themselves, and ends them when the tool has ended, when it is told to, and when the harness dies. Where the
 * tool kills its keeper the harness does so.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HOLD_ANSWER_MAX ((size_t)1 << 20)

#define HOLD_STRAYS_MAX 256

/* What the harness ends itself when the keeper was lost. */
struct hold_strays {
	bool ready;
	int was_reaper;
	unsigned count;
	pid_t own[HOLD_STRAYS_MAX]; /* the harness's children before */
};

struct hold_tool {
	/* given */
	char *const *argv;
	char *const *envp;
	const cpu_set_t *cpus; /* those it may use */
	int kept_fd;           /* stays open in it; -1 for none */
	bool unprotected;      /* from the OOM killer, which spares the harness of a guest */
	bool capture;          /* its standard output is kept instead of passed on */
	uint64_t deadline_ns;  /* CLOCK_BOOTTIME: when the harness ends it; a harness that does not is woken */
	const char *directory; /* removed with what lies in it should the harness die; NULL for none */
	int directory_fd;      /* of that: the tool may put something else in its place; closed on exec */

	/* found */
	bool ended;    /* by itself */
	int error;     /* errno of an exec that failed, 0 when it did not */
	int status;    /* as wait(2) has it; valid when it ended without error */
	bool lost;     /* the keeper was killed, or did not answer any more */
	char *output;  /* captured, NUL-terminated; freed by hold_tool_free() */
	size_t length; /* of that */
	bool too_long; /* it printed more than HOLD_ANSWER_MAX; the rest was thrown away */

	/* inner */
	pid_t keeper;
	struct hold_strays strays;
	int life_fd, result_fd, out_fd, keeper_fd;
};

/* Start it. -errno; then nothing is left. */
int hold_tool_start(struct hold_tool *t);
/* The descriptors to poll for reading; -1 where there is none any more. After each poll: hold_tool_look(). */
void hold_tool_look(struct hold_tool *t);
/* Ask it to end: SIGTERM. */
void hold_tool_terminate(const struct hold_tool *t);
/* End whatever is left of it, and wait for the keeper. */
void hold_tool_end(struct hold_tool *t);
void hold_tool_free(struct hold_tool *t);

/* --- hold-strays.c ----------------------------------------------------------------------------------------------- */

/* Before the keeper is started, and when it is gone; lost: it was killed, and has not ended what the tool started. */
void hold_strays_begin(struct hold_strays *s);
void hold_strays_end(struct hold_strays *s, bool lost);

/* --- hold-remove.c ----------------------------------------------------------------------------------------------- */

/* Remove what is in this directory, and its name, if that is still its own. -1 for none. */
void hold_remove_directory(int directory_fd, const char *name);
