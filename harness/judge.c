// SPDX-License-Identifier: MIT
/*
 * Evidence in, verdict out: which cause the numbers name, what every assertion came to, and one sentence when it did
 * not hold.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "judge-check.h"
#include "report-text.h"

const char *const verdict_names[VERDICT_COUNT] = {"pass", "fail", "broken", "skip"};

/* cause_name() of lib/cause.h on stored limits: the first that refuses with this errno; every other one that refuses is
 * told. */
json_t *judge_cause(const json_t *evidence)
{
	const json_t *limits = json_object_get(evidence, "limits"), *limit = NULL, *named = NULL;
	size_t i;
	if (!json_is_array(limits) || (!json_array_size(limits) && !json_object_get(evidence, "failing_moment")))
		return NULL;
	json_array_foreach (limits, i, limit) {
		if (!named && json_is_true(json_object_get(limit, "refuses")) &&
		    json_is_true(json_object_get(limit, "errno_fits")))
			named = limit;
	}
	json_t *also = json_array();
	json_array_foreach (limits, i, limit) {
		if (limit != named && json_is_true(json_object_get(limit, "refuses")))
			(void)json_array_append_new(also, judge_text(text_of(limit, "id")));
	}
	json_t *cause = json_pack("{s:o}", "id", judge_text(named ? text_of(named, "id") : "unknown"));
	static const char *const copied[] = {"in_use", "asked", "bound", "unit", "where"};
	for (i = 0; i < ARRAY_SIZE(copied); i++) {
		json_t *value = json_object_get(named, copied[i]);
		if (value)
			(void)json_object_set(cause, copied[i], value);
	}
	(void)json_object_set_new(cause, "also_refusing", also);
	return cause;
}

json_t *judge_predicted(const struct plan_run *run)
{
	const struct expect *e = &run->expect;
	bool fails = judge_must_fail(run);
	const char *kind = !fails      ? "success"
			   : e->panic  ? "panic"
			   : e->stall  ? "stall"
			   : e->signal ? "signal"
				       : "errno";
	json_t *predicted = json_pack("{s:s}", "kind", kind);
	json_t *calls = json_array();
	for (size_t i = 0; i < e->call.count; i++)
		(void)json_array_append_new(calls, judge_text(e->call.item[i]));
	if (json_array_size(calls))
		(void)json_object_set(predicted, "call", calls);
	json_decref(calls);
	const struct {
		const char *key, *value;
	} text[] = {{"errno", e->error}, {"signal", e->signal}, {"si_code", e->si_code},
		    {"cause", e->cause}, {"exit", e->exit},     {"text", e->panic}};
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		if (text[i].value)
			(void)json_object_set_new(predicted, text[i].key, judge_text(text[i].value));
	return predicted;
}

static const json_t *first_failed(const json_t *checks, unsigned *ret_count)
{
	const json_t *check = NULL, *first = NULL;
	size_t i;
	*ret_count = 0;
	json_array_foreach (checks, i, check) {
		if (json_is_true(json_object_get(check, "ok")))
			continue;
		first = first ? first : check;
		(*ret_count)++;
	}
	return first;
}

/* "mmap ENOMEM by max-map-count (65,531 + 1 > 65,531 areas)"; a cause that comes with others says so. */
static void observed(const struct judgement *j, const json_t *run, char *buf, size_t size)
{
	char text[TEXT_MAX];
	const json_t *other = NULL, *also = json_object_get(j->cause, "also_refusing");
	const json_t *witness = json_object_get(run, "witness"),
		     *first = json_array_get(json_object_get(witness, "records"), 0);
	const char *kind = text_of2(run, "outcome", "kind");
	size_t i;
	buf[0] = '\0';
	/* Whatever was refused before, that is what the reader must know. */
	if (judge_is_panic(run)) {
		text_add(buf, size, "a kernel panic: %s", text_of2(run, "outcome", "text"));
		if (*text_cause(run, text, sizeof(text)))
			text_add(buf, size, " by %s", text);
		return;
	}
	bool lived = first && (!strcmp(kind, "success") || !strcmp(kind, "exit"));
	if (lived)
		text_add(buf, size, "%s %s", text_of(first, "call"), text_of(first, "errno"));
	else
		text_add(buf, size, "%s", text_outcome(run, text, sizeof(text)));
	if (*text_cause(run, text, sizeof(text)))
		text_add(buf, size, " by %s", text);
	json_array_foreach (also, i, other)
		text_add(buf, size, "%s %s", i ? "," : ", refused as well by", json_string_value(other));
	if (lived)
		text_add(buf, size, ", then %s", text_outcome(run, text, sizeof(text)));
	if (!strcmp(kind, "exit") && !first)
		text_add(buf, size, ", no call was refused");
}

static void explain_prediction(const struct judgement *j, const json_t *run, char *buf, size_t size)
{
	char predicted[TEXT_MAX], seen[TEXT_MAX];
	const struct plan_run *p = j->run;
	observed(j, run, seen, sizeof(seen));
	if (!judge_must_fail(p) && !p->expect.call.count && !p->expect.error) {
		text_add(buf, size, "%s, observed %s",
			 p->role == ROLE_CONTROL ? "predicted success without the limit" : "the remedy does not help",
			 seen);
		return;
	}
	text_predicted(run, predicted, sizeof(predicted));
	if (p->role == ROLE_REMEDY && !p->run->helps && !strcmp(text_of2(run, "outcome", "kind"), "success"))
		text_add(buf, size, "taken for folklore, yet it helped: ");
	text_add(buf, size, "predicted %s%s%s, observed %s", predicted, p->expect.cause ? " by " : "",
		 p->expect.cause ? p->expect.cause : "", seen);
}

/* Why it failed, in one sentence: the widest reason first. */
static void explain(const struct judgement *j, const json_t *run, char *buf, size_t size)
{
	const char *ceiling = text_of(run, "ceiling");
	unsigned failed;
	char text[TEXT_MAX];
	const json_t *first = first_failed(j->checks, &failed);
	buf[0] = '\0';
	if (*ceiling) {
		text_add(buf, size, "ran into enomem's own %s ceiling", ceiling);
	} else if (j->prediction_failed) {
		explain_prediction(j, run, buf, size);
		if (json_is_true(json_object_get(run, "deadline_exceeded")) && !j->run->expect.stall)
			text_add(buf, size, "; it ran into its deadline");
	} else {
		text_add(buf, size, "%s", text_check(first, text, sizeof(text)));
		if (failed > 1)
			text_add(buf, size, " and %u more", failed - 1);
	}
}

/* Nothing is proven by it, so it is no pass; it is what happened this time. */
static void describe(const struct judgement *j, const json_t *run, char *buf, size_t size)
{
	char seen[TEXT_MAX];
	observed(j, run, seen, sizeof(seen));
	buf[0] = '\0';
	text_add(buf, size, "described, not asserted; this time: %s", seen);
}

static int put_verdict(json_t *run, enum verdict verdict, const char *reason)
{
	int r = json_object_set_new(run, "verdict", json_string(verdict_names[verdict]));
	if (verdict != VERDICT_PASS)
		r |= json_object_set_new(run, "reason", judge_text(reason));
	return r ? -ENOMEM : 0;
}

/* What evidence without an outcome says for itself; false when there is something to judge. */
static bool not_judged(json_t *run, enum verdict *ret_verdict, char *reason, size_t size)
{
	const json_t *problem = json_object_get(run, "problem");
	const char *skipped = text_of(run, "skipped"), *hint = text_of(problem, "hint");
	reason[0] = '\0';
	if (*skipped) {
		*ret_verdict = VERDICT_SKIP;
		text_add(reason, size, "%s", skipped);
		return true;
	}
	/* Whoever interrupts a run has broken nothing: it was not made to its end, and nothing is known. */
	*ret_verdict = strcmp(text_of(problem, "step"), "interrupted") == 0 ? VERDICT_SKIP : VERDICT_BROKEN;
	if (json_is_object(problem)) {
		text_add(reason, size, "%s%s%s", text_of(problem, "message"), *hint ? "; " : "", hint);
		if (!*reason)
			text_add(reason, size, "the stage could not be set: %s", text_of(problem, "step"));
		return true;
	}
	if (json_is_object(json_object_get(run, "outcome")))
		return false;
	text_add(reason, size, "the evidence has no outcome");
	return true;
}

/* Where a reader of a diagnostic goes: the run in its manifest, below the directory of scenarios. */
static json_t *manifest_position(const struct plan_run *run)
{
	const char *file = run->scenario ? run->scenario->file : NULL;
	if (!file)
		return NULL;
	const char *tail = strrchr(file, '/');
	while (tail && tail > file && tail[-1] != '/')
		tail--;
	return json_pack("{s:o, s:i}", "file", judge_text(tail ? tail : file), "line", (int)run->run->line);
}

int judge_run(json_t *evidence, const struct plan_run *run, const struct machine *amounts)
{
	static const char *const ours[] = {"verdict", "reason", "cause", "checks", "predicted", "at"};
	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		(void)json_object_del(evidence, ours[i]);
	json_t *at = manifest_position(run);
	if (at && json_object_set_new(evidence, "at", at) < 0)
		return -ENOMEM;
	if (json_object_set_new(evidence, "predicted", judge_predicted(run)) < 0)
		return -ENOMEM;
	enum verdict verdict;
	char reason[4 * TEXT_MAX];
	if (not_judged(evidence, &verdict, reason, sizeof(reason)))
		return put_verdict(evidence, verdict, reason);

	struct judgement j = {.evidence = evidence, .run = run, .machine = amounts, .checks = json_array()};
	j.cause = judge_cause(evidence);
	if (!j.checks || json_object_set_new(evidence, "checks", j.checks) < 0)
		return -ENOMEM;
	if (j.cause && json_object_set_new(evidence, "cause", j.cause) < 0)
		return -ENOMEM;
	if (run->run->described) {
		describe(&j, evidence, reason, sizeof(reason));
		return put_verdict(evidence, VERDICT_SKIP, reason);
	}
	/* After a panic there is nothing to hold the program to. */
	bool panic = judge_is_panic(evidence);
	if (panic || (judge_must_fail(run) && run->expect.panic))
		judge_panic(&j);
	else if (judge_must_fail(run))
		judge_failure(&j);
	else
		judge_success(&j);
	if (!panic)
		judge_conduct(&j);
	judge_user_checks(&j);
	if (j.out_of_memory)
		return -ENOMEM;
	unsigned failed;
	(void)first_failed(j.checks, &failed);
	if (!failed && j.log_missed)
		return put_verdict(evidence, VERDICT_BROKEN, "the kernel log, which a check asks for, cannot be read");
	explain(&j, evidence, reason, sizeof(reason));
	return put_verdict(evidence, failed ? VERDICT_FAIL : VERDICT_PASS, reason);
}
