// SPDX-License-Identifier: MIT
/*
 * What a run used of the limit that refused it, over time: from its samples, the snapshots and the failing moment.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "chart-scale.h"
#include "report-cause.h"

struct timeline_point {
	uint64_t time_ns, value;
};

struct timeline_line {
	struct timeline_point *at; /* in the order of time */
	size_t count;
};

struct timeline {
	const char *counts, *context_counts; /* what the lines are; the second may be NULL */
	enum chart_unit unit;
	bool predicted; /* the limit is: nothing was refused that would name one */
	bool is_limit;  /* the first line is what the limit counts; else only something that may be of interest */
	uint64_t start_ns, end_ns;
	struct timeline_line use, context;
	bool bounded, refused; /* are these known? */
	uint64_t bound, moment_ns, in_use, asked;
	bool asked_beyond; /* 2^63 or more */
};

/* Why there is none, as a sentence; NULL when there is one, which timeline_free() ends. */
const char *timeline_make(const json_t *run, struct timeline *ret);
void timeline_free(struct timeline *t);

/* The largest number that has to find place on the axis. */
uint64_t timeline_top(const struct timeline *t);
