// SPDX-License-Identifier: MIT
/*
 * --locate: the boundary of a case, searched for with real runs and compared with what the kernel's arithmetic says.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>

#include "locate-search.h"
#include "plan.h"

/* One boundary to be located. */
struct locate {
	const struct plan_run *run;    /* the trigger, as planned */
	const struct machine *machine; /* where it happens */
	const json_t *evidence;        /* of the trigger; borrowed */
	struct locate_text text;
	uint64_t granted, refused, step, tolerance;
	char why_not[512]; /* "", or why it cannot be located here */
};

/*
 * What is to be located in a case whose trigger was made: false where the manifest says nothing of it. Where it cannot
 * be located here, why_not is set.
 */
bool locate_prepare(const struct plan_run *trigger, const json_t *evidence, const struct machine *machine,
		    struct locate *ret);

/* Makes a run and returns its evidence, judged or not; NULL when memory is short. */
typedef json_t *locate_runner(void *data, const struct plan_run *probe);

/*
 * Locate, and return {"name","case","run","varied","verdict",...} as in results/schema.json. A number counts as granted
 * only if its run is what a control must be, and as refused only if it is what the trigger must be.
 */
json_t *locate_boundary(const struct locate *l, locate_runner *run, void *data, const atomic_bool *interrupted);

/* The same of one that was not searched for: verdict skip or broken, and the reason. */
json_t *locate_without(const struct locate *l, const char *verdict, const char *reason);
