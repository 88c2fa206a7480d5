// SPDX-License-Identifier: MIT
/*
 * The search for a boundary: between a number that is granted and one that is refused, from a prediction outwards.
 * Knows nothing of runs: whoever asks it says what becomes of a number.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* More than two gallops and a bisection of 64 bits need. */
#define LOCATE_PROBES_MAX 160

enum locate_answer { LOCATE_GRANTED, LOCATE_REFUSED, LOCATE_STOP };

struct locate_search {
	/* The ends; where the granted one is the larger, it is the smaller numbers that are refused. */
	uint64_t granted, refused;
	uint64_t step;
	__int128 predicted; /* where to begin: the last that is granted */
	uint64_t tolerance; /* so near the prediction, another answer to the same number is no contradiction */
	enum locate_answer (*ask)(void *data, uint64_t value);
	void *data;
};

enum locate_end {
	LOCATED,
	LOCATE_NEVER_REFUSED, /* at: the end that was granted */
	LOCATE_NEVER_GRANTED, /* at: the end that was refused */
	LOCATE_TURNED,        /* at: was answered one way, and the other way when it was asked again */
	LOCATE_STOPPED,       /* at: neither granted nor refused */
};

struct locate_found {
	enum locate_end end;
	uint64_t last_granted, first_refused, at;
	bool granted_at; /* LOCATE_TURNED: it was granted first */
	bool wavers;     /* LOCATED, and an answer within the tolerance was another one when asked again */
	unsigned probes;
};

/* A number rounded to the grid of the search, towards what is granted; it need not lie between the ends. */
__int128 locate_on_grid(const struct locate_search *s, __int128 value);

/*
 * The prediction and the number behind it first, so that a prediction that is right costs two questions; else in
 * doubling steps away from it, then by halves. Both numbers are asked once more at the end.
 */
void locate_search(const struct locate_search *s, struct locate_found *ret);
