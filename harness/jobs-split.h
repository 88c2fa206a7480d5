// SPDX-License-Identifier: MIT
/*
 * Plans as jobs: what is handed to a worker at once.
 */
#pragma once

#include "guest.h"
#include "jobs.h"
#include "locate.h"

struct job_item {
	size_t plan, run;
};

/*
 * The unit that is handed to a worker. Here: one case of a scenario, and apart from it, where several may run at once,
 * those of its runs that are to stall. In guests: one machine-scope run, which gets a
 * pristine guest of its own, or all other runs of some scenarios in one guest.
 */
struct job {
	const struct job_item *item;
	size_t count;
	const struct guest_world *world; /* NULL: here */
	bool exclusive;                  /* changes the whole machine: nothing else may run beside it */
	bool waits;                  /* its programs sleep until their deadlines: needs no CPU that others could use */
	const struct locate *locate; /* the boundary to search for with runs like its item; NULL: make its items */
	json_t *runs;                /* judged, once done; of a search the boundary, alone */
};

struct plan_run *jobs_run_at(const struct jobs *jobs, const struct job_item *item);
/*
 * Split the plans into jobs, those that take long, in guests that are shared, first. Returns how many; `ret` and `item`
 * have room for as many as there are runs, and `item` is what the jobs' own point into.
 */
size_t jobs_split(const struct jobs *jobs, struct job *ret, struct job_item *item);

/*
 * A job for every boundary that is to be located, of cases whose trigger was made: `runs` are the judged runs of each
 * plan. Returns how many; the arrays have room for as many as there are runs.
 */
size_t jobs_split_boundaries(const struct jobs *jobs, json_t *const *runs, struct job *ret, struct job_item *item,
			     struct locate *locate);
