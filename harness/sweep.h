// SPDX-License-Identifier: MIT
/*
 * A program, run once for each of its calls: that one is refused, and then that one and all after it, until a run ends
 * before its turn comes. What it makes of that is judged from outside.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "inject.h"

enum sweep_outcome {
	SWEEP_NOT_FIRED, /* it ended before */
	SWEEP_CLEAN,     /* an exit status other than 0 */
	SWEEP_SILENT,    /* exit status 0, although a call was refused */
	SWEEP_LEAK,      /* processes were left, which without a fault are not */
	SWEEP_HANG,
	SWEEP_KILL, /* it would have signalled every process */
	SWEEP_CRASH,
	SWEEP_OUTCOMES
};

struct sweep_finding {
	enum sweep_outcome outcome;
	char spec[INJECT_SPEC_TEXT]; /* refuses the same again */
	bool ended;
	int status;
	unsigned left; /* processes */
	bool crashed;
	struct inject_death crash;
	struct inject_fault fault; /* the first one */
	int error;
};

struct sweep {
	/* Given. */
	char **argv;
	struct inject_spec spec; /* calls, errno and size */
	enum follow_start from;
	uint64_t timeout_ns;
	uint64_t max_runs;
	/* Found. */
	struct sweep_finding bare; /* without a fault */
	uint64_t matched, runs, calls_tried, count[SWEEP_OUTCOMES];
	bool complete;
	uint64_t untraced, unwatched;  /* as in struct inject_run, of all runs together */
	const char *earlier;           /* as in struct inject_run, of the run without a fault */
	struct sweep_finding *finding; /* all that fired */
	size_t finding_count;
};

/* 0; 1: the program does not work without a fault, see bare; -EINTR; or an exit status, after it was told why. */
int sweep_run(struct sweep *s);
void sweep_free(struct sweep *s);

bool sweep_is_bad(enum sweep_outcome outcome);
const char *sweep_outcome_name(enum sweep_outcome outcome);
void sweep_print(const struct sweep *s, bool everything, FILE *out);
json_t *sweep_json(const struct sweep *s);
