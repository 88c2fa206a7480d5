// SPDX-License-Identifier: MIT
/*
 * From a planned trigger to a tool that has looked at it: proven first, then made once more and held.
 */
#pragma once

#include "hold.h"

#define EXIT_DEADLINE 124 /* as timeout(1) */

/* What all holds of a harness share. */
struct hold_site {
	struct machine machine;
	struct journal journal;
	struct run_context context;
	int filter_fd;
};

/* 0, or the exit status after telling what is wrong. Static memory is used: one at a time. */
int hold_site_open(struct hold_site *s);
void hold_site_close(struct hold_site *s);

/* The whole of it, judged as `enomem run` does. 0, or the exit status, and why. ret_evidence may be NULL; else it is to
 * be freed, and may be set after a failure, too. */
int hold_prove(struct hold_site *s, const struct plan *plan, const struct plan_run *run, json_t **ret_evidence,
	       char *why, size_t size);

/* Of judged evidence: 0 when it is as predicted, else the exit status and why. */
int hold_verdict(const json_t *evidence, char *why, size_t size);

/*
 * Hold a trigger, with what of ret is to be given filled in. 0: the tool was started, and what it saw was as predicted.
 * Else the exit status, and `why` is the reason: the tool saw nothing, or, where ret->started, it saw something that
 * went wrong meanwhile.
 */
int hold_run(struct hold_site *s, const struct plan *plan, const struct plan_run *run, struct hold *ret, char *why,
	     size_t size);
