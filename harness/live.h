// SPDX-License-Identifier: MIT
/*
 * One line on a terminal, drawn again and again while runs are made: how long it has been, how many cases are done,
 * which run is being made and how near it is to its limit. Workers write into memory that they share with the harness.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "number.h"
#include "plan.h"
#include "sampler.h"

#define LIVE_SLOTS 64

/* What one worker is at. */
struct live_slot {
	_Atomic unsigned run;    /* of its job, from 0 */
	_Atomic uint64_t in_use; /* of what the limit counts; ENOMEM_ABSENT before the first sample */
};

/* The limit that a run approaches, as far as samples show it. */
struct live_limit {
	enum live_kind { LIVE_NONE, LIVE_ADDRESS_SPACE, LIVE_GROUP_MEMORY, LIVE_TASKS, LIVE_MAPS } kind;
	uint64_t bound;
};

struct live {
	FILE *out;      /* NULL: nothing is drawn */
	unsigned width; /* columns */
	uint64_t begin_ns;
	size_t done, count;     /* jobs */
	bool ending;            /* those that are being made are ended, and no other is begun */
	struct live_slot *slot; /* LIVE_SLOTS of them, shared with the workers */
	bool drawn;
};

/* Is it a terminal which can go back in its line (TERM is not "dumb")? */
bool live_possible(FILE *out);
/* Draws on `out` if that is such a terminal. 0, or -errno: then nothing is drawn. */
int live_open(FILE *out, struct live *ret);
/* Takes the line away. */
void live_close(struct live *live);

/* The limit of a run that its trigger is predicted to be refused by; LIVE_NONE where no sample tells of it. */
struct live_limit live_limit_of(const struct plan_run *run);
/* What a sample says of it, ENOMEM_ABSENT for nothing. */
uint64_t live_in_use(enum live_kind kind, const struct sample *sample);

/*
 * The line for a run that has been going on, without the codes that draw it: "12 s, 3 of 40 done, memory-max: slowly,
 * 48.0 MiB of 64.0 MiB"; of one that is ended "12 s, ending the runs in flight, memory-max: slowly, ...". run NULL:
 * none is being made. At most `width` columns; where there is no room for all of it, the name of the run is cut, and
 * ends in "..." of the locale.
 */
void live_text(const struct live *live, const struct plan_run *run, uint64_t in_use, unsigned others, uint64_t now_ns,
	       char *buf, size_t size);
/* Draw it. */
void live_draw(struct live *live, const struct plan_run *run, const struct live_slot *slot, unsigned others);
