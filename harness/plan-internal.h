// SPDX-License-Identifier: MIT
/*
 * What plan.c shares with its helpers and with the manifest's checks: amounts, merging, needs.
 */
#pragma once

#include "plan.h"

/* plan_amount(), or with m NULL its syntax alone: bases count as 0 and a negative result is none of its business. */
int amount_parse(const char *text, const struct machine *m, uint64_t *ret);
/* Text that is no amount but was surely meant as one: "64MB", "1.5G", "60% of rum", "10 + ". */
bool amount_intended(const char *text);
/* Does an amount depend on the machine: is a base among its terms? */
bool amount_depends(const char *text);
/* "failure.cgroup.memory.current": a path into the evidence, of which only the first word is checked here. */
bool metric_path_valid(const char *text, size_t length);

/*
 * What a run must show, without the checks: run over case over scenario for a trigger and a folklore remedy; {exit: 0}
 * and what the run itself says for the others. An errno implies exit 1. The texts stay the scenario's.
 */
void expect_merge(const struct scenario *s, const struct case_text *c, const struct run_text *r, struct expect *ret);
/* Must the run fail as the trigger does? */
bool run_must_fail(const struct run_text *r);
/* Does the run exist for this case? c may be NULL, the unnamed case. */
bool run_has_case(const struct run_text *r, const struct case_text *c);
/* The arguments of scenario, case and run together. */
/* Calls that are watched on demand, and that some run of the case expects to be refused: its control is watched, too.
 */
uint64_t watched_on_demand(const struct scenario *s, const struct case_text *c);
size_t arguments_count(const struct scenario *s, const struct case_text *c, const struct run_text *r);

/*
 * The level's settings over what is in *env already. -EINVAL with the offending text in *ret_bad, -ERANGE, -E2BIG (one
 * setting too many) likewise.
 */
int environment_apply(const struct environment_text *text, const struct machine *m, struct environment *env,
		      const char **ret_bad);
/* The same for what is changed live. -EBUSY when two swaps want the one disk. */
int environment_apply_live(const struct environment_text *text, const struct machine *m, struct environment *env,
			   const char **ret_bad);

/* The first file that a scenario brings and that is not there, as a sentence; NULL when all are. In a guest they are
 * once they were unloaded. */
char *plan_not_brought(const struct strings *bring);
/* Why the run's environment cannot be set up here: *ret_why is a malloc()ed sentence, or NULL when it can. 0 or
 * -ENOMEM.
 */
int environment_missing(const struct plan_run *run, const struct machine *m, char **ret_why);

/* The capabilities that are needed, as a bit mask by CAP_ number. */
uint64_t needed_capabilities(const struct needs *n);

/* The scenario's `locate` under the case's, key by key; false where neither is there. The texts stay theirs. */
bool locate_merge(const struct scenario *s, const struct case_text *c, struct locate_text *ret);
/*
 * The next term of a sum joined by " + " and " - ": copies it to term, moves *text behind it (and the sign before the
 * next one), and says which sign it has. False at the end; *ret_bad where a term is empty or too long.
 */
#define SUM_TERM_MAX 128
bool sum_next(const char **text, char term[SUM_TERM_MAX], bool *ret_minus, bool *ret_bad);

/* What a run of a plan owns. */
void plan_run_free(struct plan_run *run);
/* Skip the plan as a whole when none of its runs can happen. -ENOMEM */
int plan_summary(struct plan *plan);
