// SPDX-License-Identifier: MIT
/*
 * A claim and a result in, a verdict out. A run is evidence if it passed, which means that it is proven, and if its
 * control passed as well; anything else, and the claim is unsettled.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "claims.h"
#include "report-text.h"
#include "reported.h"

/* One claim by one result, under way. */
struct hearing {
	const json_t *result;
	json_t *evidence, *missing;
	bool out_of_memory;
};

/* Once each. */
static void miss(struct hearing *h, json_t *text)
{
	const json_t *told = NULL;
	size_t i;
	json_array_foreach (h->missing, i, told)
		if (text && json_equal(told, text)) {
			json_decref(text);
			return;
		}
	if (json_array_append_new(h->missing, text) < 0)
		h->out_of_memory = true;
}

static bool verdict_is(const json_t *run, const char *verdict)
{
	return strcmp(text_of(run, "verdict"), verdict) == 0;
}

static bool equal_or_unsaid(const char *wanted, const char *found)
{
	return !wanted || strcmp(wanted, found) == 0;
}

static bool any_of(const struct strings *wanted, const char *found)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (!strcmp(wanted->item[i], found))
			return true;
	return wanted->count == 0;
}

/* Does a trigger or remedy stand beside a control that passed? A control stands for itself. */
static bool controlled(const json_t *scenario, const json_t *run)
{
	const json_t *other = NULL;
	size_t i;
	if (!strcmp(text_of(run, "role"), "control"))
		return true;
	json_array_foreach (json_object_get(scenario, "runs"), i, other)
		if (!strcmp(text_of(other, "role"), "control") && verdict_is(other, "pass") &&
		    !strcmp(text_of(other, "case"), text_of(run, "case")))
			return true;
	return false;
}

/* 1: the run shows what is asked for, 0: it does not, -ENOENT: its numbers do not tell. *ret_number as of
 * claim_number(). */
static int asked_for(const struct claim_test *t, const json_t *run, json_t **ret_number)
{
	const json_t *outcome = json_object_get(run, "outcome");
	json_auto_t *reported = t->reported ? reported_by(run) : NULL;
	bool oom = json_is_true(json_object_get(outcome, "oom"));
	bool same = equal_or_unsaid(t->kind, text_of(outcome, "kind")) && any_of(&t->call, text_of(outcome, "call")) &&
		    equal_or_unsaid(t->error, text_of(outcome, "errno")) &&
		    equal_or_unsaid(t->signal, text_of(outcome, "signal")) &&
		    equal_or_unsaid(t->si_code, text_of(outcome, "si_code")) &&
		    equal_or_unsaid(t->cause, text_of2(run, "cause", "id")) &&
		    equal_or_unsaid(t->reported, text_of(reported, "errno")) && (!t->has_oom || oom == t->oom);
	if (!same || !t->number.value)
		return same;
	return claim_number(&t->number, run, ret_number);
}

/* The same of the claim. */
static int holds(const struct claim_test *t, const json_t *run, json_t **ret_number)
{
	int r = asked_for(t, run, ret_number);
	return r < 0 ? r : t->contrary ? !r : r;
}

/* "SIGKILL (OOM), memcg-max (16 MiB + 4 KiB > 16 MiB); fork: EAGAIN" */
static json_t *shown(const json_t *run)
{
	char outcome[TEXT_MAX], cause[TEXT_MAX];
	json_auto_t *reported = reported_by(run);
	(void)text_outcome(run, outcome, sizeof(outcome));
	(void)text_cause(run, cause, sizeof(cause));
	const char *called = text_of(reported, "called");
	return json_sprintf("%s%s%s%s%s%s%s", outcome, *cause ? ", " : "", cause, reported ? ", told as " : "", called,
			    *called ? ": " : "", text_of(reported, "errno"));
}

/* 1 or 0 as of holds() once the run is entered as evidence; -ENOENT where it is none and why is told. */
static int hear_run(struct hearing *h, const struct claim_test *t, const json_t *scenario, const json_t *run)
{
	const char *name = text_of(run, "name"), *where = text_of(scenario, "name");
	char outcome[TEXT_MAX];
	json_t *number = NULL;
	if (verdict_is(run, "skip")) {
		miss(h, json_sprintf("%s/%s: skipped: %s", where, name, text_of(run, "reason")));
		return -ENOENT;
	}
	if (!verdict_is(run, "pass")) {
		miss(h, json_sprintf("%s/%s: %s, and proves nothing: %s", where, name, text_of(run, "verdict"),
				     text_outcome(run, outcome, sizeof(outcome))));
		return -ENOENT;
	}
	if (!controlled(scenario, run)) {
		miss(h, json_sprintf("%s/%s: no control passed beside it", where, name));
		return -ENOENT;
	}
	int r = holds(t, run, &number);
	if (r < 0) {
		miss(h, json_sprintf("%s/%s: does not tell %s", where, name, t->number.text));
		return r;
	}
	json_t *item = json_pack("{s:o, s:b, s:o}", "run", json_sprintf("%s/%s", where, name), "holds", r, "shows",
				 shown(run));
	if (!item || (t->where && json_object_set_new(item, "where", json_string(t->where)) < 0) ||
	    (number && json_object_set(item, "number", number) < 0) || json_array_append(h->evidence, item) < 0)
		h->out_of_memory = true;
	json_decref(number);
	json_decref(item);
	return r;
}

/* What the runs of one pattern were. */
struct tally {
	bool held, not_held, skipped, other;
};

static void hear_scenario(struct hearing *h, const struct claim_test *t, const json_t *scenario, const char *pattern,
			  struct tally *tally)
{
	const json_t *run = NULL;
	char name[2 * TEXT_MAX];
	bool any = false;
	size_t i;
	json_array_foreach (json_object_get(scenario, "runs"), i, run) {
		(void)snprintf(name, sizeof(name), "%s/%s", text_of(scenario, "name"), text_of(run, "name"));
		if (fnmatch(pattern, name, 0) != 0 || !equal_or_unsaid(t->role, text_of(run, "role")))
			continue;
		any = true;
		int r = hear_run(h, t, scenario, run);
		tally->held |= r == 1;
		tally->not_held |= r == 0;
		tally->skipped |= r < 0 && verdict_is(run, "skip");
		tally->other |= r < 0 && !verdict_is(run, "skip");
	}
	size_t length = strcspn(pattern, "/");
	if (!any && verdict_is(scenario, "skip") && strlen(text_of(scenario, "name")) == length &&
	    !strncmp(pattern, text_of(scenario, "name"), length)) {
		tally->skipped = true;
		miss(h, json_sprintf("%s: skipped: %s", text_of(scenario, "name"), text_of(scenario, "reason")));
	}
}

/* A reference, which keeps nothing of the machine, is a guest's: its suite is never complete elsewhere. */
static bool in_guest(const json_t *result)
{
	const json_t *guest = json_object_get(json_object_get(result, "host"), "guest");
	return !guest || json_is_true(guest);
}

static struct tally hear(struct hearing *h, const struct claim_test *t)
{
	struct tally all = {0};
	if (t->not_in_guest && in_guest(h->result)) {
		miss(h, json_sprintf("%s: no evidence in a guest, which is set up otherwise", t->run.item[0]));
		return all;
	}
	for (size_t p = 0; p < t->run.count; p++) {
		struct tally one = {0};
		const json_t *scenario = NULL;
		size_t i;
		json_array_foreach (json_object_get(h->result, "scenarios"), i, scenario)
			hear_scenario(h, t, scenario, t->run.item[p], &one);
		all.held |= one.held;
		all.not_held |= one.not_held;
		all.skipped |= one.skipped;
		all.other |= one.other;
		if (!one.held && !one.not_held && !one.skipped && !one.other && t->run.count == 1)
			miss(h, json_sprintf("no run of %s", t->run.item[p]));
	}
	if (t->run.count > 1 && !all.held && !all.not_held && !all.skipped && !all.other)
		miss(h, json_sprintf("no run of %s or the like", t->run.item[0]));
	return all;
}

/* Has the result any of the scenarios that the claim names? */
static bool speaks(const struct claim *claim, const json_t *result)
{
	const json_t *scenario = NULL;
	size_t i;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		for (size_t t = 0; t < claim->test_count; t++)
			for (size_t p = 0; p < claim->tests[t].run.count; p++) {
				const char *pattern = claim->tests[t].run.item[p], *name = text_of(scenario, "name");
				if (!strncmp(pattern, name, strlen(name)) && pattern[strlen(name)] == '/')
					return true;
			}
	return false;
}

json_t *claim_judge(const struct claim *claim, const json_t *result)
{
	struct hearing h = {.result = result, .evidence = json_array(), .missing = json_array()};
	bool held = false, not_held = false, open = false;
	const char *verdict = "not testable";
	for (size_t i = 0; i < claim->test_count; i++) {
		struct tally t = hear(&h, &claim->tests[i]);
		held |= t.held;
		not_held |= t.not_held;
		open |= !t.held && !t.not_held && !(t.skipped && !t.other && claim->tests[i].may_skip);
		open |= t.other; /* a run that failed may say anything */
	}
	if (!claim->untestable)
		verdict = held && not_held               ? "depends"
			  : open || (!held && !not_held) ? "unsettled"
			  : held                         ? "true"
							 : "false";
	json_t *judged = json_pack("{s:s, s:b, s:o, s:o}", "verdict", verdict, "silent", !speaks(claim, result),
				   "evidence", h.evidence, "missing", h.missing);
	if (judged && !h.out_of_memory)
		return judged;
	json_decref(judged);
	return NULL;
}
