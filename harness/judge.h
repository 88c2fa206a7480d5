// SPDX-License-Identifier: MIT
/*
 * Evidence in, verdict out. The judge sees a run's evidence (JSON, see below) and the expectation, never the process,
 * so a stored file can be judged again.
 */
#pragma once

#include <jansson.h>

#include "plan.h"

enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_BROKEN, VERDICT_SKIP, VERDICT_COUNT };
extern const char *const verdict_names[VERDICT_COUNT];

/*
 * Judge one run: adds "verdict", "cause", "checks" (and "reason" unless it passed) to the evidence object, and for the
 * reports "predicted" (what the manifest expects) and "at" (where it says so). Judging again replaces all of them.
 * `amounts` resolves the right side of checks. 0 or -ENOMEM.
 */
int judge_run(json_t *evidence, const struct plan_run *run, const struct machine *amounts);

/*
 * Judge a scenario from its judged runs: {"name","title","class","scope","verdict","reason","runs":[...]}. pass only if
 * every case has a control, a trigger and a helping remedy that passed and no run failed or broke; skipped runs are
 * counted in "runs_skipped". runs is taken over, also on failure (NULL, without memory). Where plan->skip keeps all of
 * it from running the scenario has no runs, and runs may be NULL.
 */
json_t *judge_scenario(const struct plan *plan, json_t *runs);

/*
 * Add the boundaries that were located to a judged scenario, as "boundaries": one that is not where it was predicted
 * fails it. Takes them over; NULL: none were searched for. 0 or -ENOMEM
 */
int judge_boundaries(json_t *scenario, json_t *boundaries);

/* "summary" of a result: how many scenarios of each verdict, and runs likewise. */
json_t *judge_summary(const json_t *scenarios);
