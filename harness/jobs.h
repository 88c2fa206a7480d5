// SPDX-License-Identifier: MIT
/*
 * Scenarios as jobs: each case of each scenario runs in a worker process of its own, up to N at a time where scopes
 * allow; results keep the order of the plans. A worker that crashes or hangs costs its own case and nothing else.
 */
#pragma once

#include <jansson.h>

#include "live.h"
#include "plan.h"
#include "run.h"

struct jobs {
	struct run_context *context; /* of the harness; each worker gets its own copy */
	struct plan **plans;
	size_t count;
	unsigned at_once;  /* -j */
	bool locate;       /* search for boundaries as well */
	struct live *live; /* shows how it is getting on; may be NULL, or draw nothing */
	bool tell;         /* a line on stderr for each scenario that is done */
};

/* Run all. Returns the array of judged scenarios in the order of the plans, NULL when memory is short. */
json_t *jobs_run(const struct jobs *jobs);

/* Set by SIGINT and SIGTERM once jobs_catch_signals() was called: runs in flight are ended and taken down, no other is
 * started. */
extern atomic_bool jobs_interrupted;
/* Set by one more signal: the workers were killed. */
extern atomic_bool jobs_interrupted_again;
/* A worker died: the journal may tell of things that nobody has undone. */
extern bool jobs_worker_lost;
void jobs_catch_signals(void);
