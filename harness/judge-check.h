// SPDX-License-Identifier: MIT
/*
 * What the parts of the judge share: the case at hand, and how an assertion is entered.
 */
#pragma once

#include "judge.h"

struct judgement {
	const json_t *evidence;
	const struct plan_run *run;
	const struct machine *machine;
	json_t *checks;         /* every assertion made so far */
	json_t *cause;          /* recomputed from "limits"; NULL when nothing was evaluated */
	json_t *predicted;      /* the expectation, for the reports */
	bool log_missed;        /* a check asks for the kernel log, which could not be read */
	bool prediction_failed; /* outcome or cause are not the predicted ones */
	bool out_of_memory;
};

/* One assertion. value and expected are taken over; expected may be NULL. Returns ok. */
__attribute__((format(printf, 5, 6))) bool judge_assert(struct judgement *j, bool ok, json_t *value, json_t *expected,
							const char *what, ...);
/* Add a member to the assertion entered last. */
void judge_annotate(struct judgement *j, const char *key, json_t *value);

/* A string for JSON whatever its bytes; null for NULL. */
json_t *judge_text(const char *text);

/*
 * The number a metric path leads to: 0, -ENOENT when there is no such value here. Unlimited (null) is *ret_unlimited.
 * Keys with dots in them are matched greedily: "failure.sysctl.vm.max_map_count".
 */
int judge_metric(const struct judgement *j, const char *path, __int128 *ret, bool *ret_unlimited);

/* The cause named by the "limits" of the evidence, as cause_name() of lib/cause.h does; NULL when there are none. */
json_t *judge_cause(const json_t *evidence);

/* A copy of a value that is there, null for one that is not: checks show both. */
json_t *judge_shown(const json_t *value);

/* Does this run have to be ended by the OOM killer? */
bool judge_expects_oom_kill(const struct plan_run *run);

/* The predicted cause, alone, with arithmetic that holds and the limit that was set; and the counter only it moves. */
void judge_named_cause(struct judgement *j);
void judge_counter_moved(struct judgement *j);

/* The kernel gave up: everything else is moot, also where it was not predicted. */
bool judge_is_panic(const json_t *evidence);
void judge_panic(struct judgement *j);

/* What was predicted, as data: {"kind","call","errno","signal","si_code","cause","exit","text"}. */
json_t *judge_predicted(const struct plan_run *run);

/* Does this run have to fail as predicted (trigger, folklore remedy), or to succeed? */
bool judge_must_fail(const struct plan_run *run);

/* Everything each run is held to; then what its role is held to; then the manifest's own checks. */
void judge_conduct(struct judgement *j);
void judge_failure(struct judgement *j);
void judge_success(struct judgement *j);
void judge_user_checks(struct judgement *j);
