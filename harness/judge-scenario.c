// SPDX-License-Identifier: MIT
/*
 * From judged runs to the verdict of a scenario, and from scenarios to the summary.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "judge.h"
#include "report-text.h"

/* What a case must have shown. */
enum proof { PROOF_CONTROL, PROOF_TRIGGER, PROOF_REMEDY, PROOF_COUNT };

static const char *const proof_names[PROOF_COUNT] = {"control", "trigger", "remedy that helps"};

static bool is_verdict(const json_t *run, enum verdict verdict)
{
	return !strcmp(text_of(run, "verdict"), verdict_names[verdict]);
}

static bool is_proof(const json_t *run, enum proof proof)
{
	static const char *const role[PROOF_COUNT] = {"control", "trigger", "remedy"};
	if (strcmp(text_of(run, "role"), role[proof]) != 0)
		return false;
	return proof != PROOF_REMEDY || !json_is_false(json_object_get(run, "helps"));
}

/* The first run of this verdict, NULL when there is none. */
static const json_t *find_verdict(const json_t *runs, enum verdict verdict)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (runs, i, run)
		if (is_verdict(run, verdict))
			return run;
	return NULL;
}

static const json_t *find_run(const json_t *runs, const char *name)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (runs, i, run)
		if (!strcmp(text_of(run, "name"), name))
			return run;
	return NULL;
}

/* Is one of the three proofs of a case missing? Tells why its run was skipped, if one was. */
static bool lacks_proof(const json_t *runs, const char *name, char *reason, size_t size)
{
	for (enum proof proof = 0; proof < PROOF_COUNT; proof++) {
		const json_t *run = NULL, *skipped = NULL;
		bool passed = false;
		size_t i;
		json_array_foreach (runs, i, run) {
			if (strcmp(text_of(run, "case"), name) != 0 || !is_proof(run, proof))
				continue;
			passed |= is_verdict(run, VERDICT_PASS);
			if (is_verdict(run, VERDICT_SKIP))
				skipped = run;
		}
		if (passed)
			continue;
		text_add(reason, size, "%s%sno %s was made here", name, *name ? ": " : "", proof_names[proof]);
		if (*text_of(skipped, "reason"))
			text_add(reason, size, ": %s", text_of(skipped, "reason"));
		return true;
	}
	return false;
}

static enum verdict weigh(const struct plan *plan, const json_t *runs, char *reason, size_t size)
{
	const struct scenario *s = plan->scenario;
	reason[0] = '\0';
	for (enum verdict verdict = VERDICT_FAIL; verdict <= VERDICT_BROKEN; verdict++) {
		const json_t *run = find_verdict(runs, verdict);
		if (!run)
			continue;
		text_add(reason, size, "%s: %s", text_of(run, "name"), text_of(run, "reason"));
		return verdict;
	}
	if (plan->skip) {
		text_add(reason, size, "%s", plan->skip);
		return VERDICT_SKIP;
	}
	for (size_t i = 0; i < plan->run_count; i++) {
		if (find_run(runs, plan->runs[i].name))
			continue;
		text_add(reason, size, "%s: the run is missing", plan->runs[i].name);
		return VERDICT_BROKEN;
	}
	if (!s->case_count)
		return lacks_proof(runs, "", reason, size) ? VERDICT_SKIP : VERDICT_PASS;
	for (size_t i = 0; i < s->case_count; i++)
		if (lacks_proof(runs, s->cases[i].name, reason, size))
			return VERDICT_SKIP;
	return VERDICT_PASS;
}

json_t *judge_scenario(const struct plan *plan, json_t *runs)
{
	json_auto_t *owned = runs;
	const struct scenario *s = plan->scenario;
	char reason[4 * TEXT_MAX];
	json_int_t skipped = 0, duration = 0;
	json_t *run;
	size_t i;
	json_array_foreach (runs, i, run) {
		skipped += is_verdict(run, VERDICT_SKIP);
		duration += text_integer(run, "duration_ns", 0);
	}
	enum verdict verdict = weigh(plan, runs, reason, sizeof(reason));
	json_t *scenario =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "name", s->name, "title", s->title ? s->title : "",
			  "class", s->class_name ? s->class_name : "", "scope", scope_names[s->scope], "verdict",
			  verdict_names[verdict], "runs_skipped", skipped, "duration_ns", duration);
	if (!scenario)
		return NULL;
	/* Of a scenario that cannot run here at all, one reason says everything. */
	bool whole = plan->skip && verdict == VERDICT_SKIP;
	int r = whole ? json_object_set_new(scenario, "runs", json_array()) : json_object_set(scenario, "runs", owned);
	if (verdict != VERDICT_PASS) {
		json_t *text = json_string(reason);
		r |= json_object_set_new(scenario, "reason", text);
	}
	if (!r)
		return scenario;
	json_decref(scenario);
	return NULL;
}

json_t *judge_summary(const json_t *scenarios)
{
	json_int_t scenario_count[VERDICT_COUNT] = {0}, run_count[VERDICT_COUNT] = {0};
	const json_t *scenario = NULL, *run = NULL;
	size_t i, k;
	json_array_foreach (scenarios, i, scenario) {
		for (enum verdict v = 0; v < VERDICT_COUNT; v++)
			scenario_count[v] += is_verdict(scenario, v);
		json_array_foreach (json_object_get(scenario, "runs"), k, run)
			for (enum verdict v = 0; v < VERDICT_COUNT; v++)
				run_count[v] += is_verdict(run, v);
	}
	json_t *summary = json_object(), *runs = json_object();
	int r = 0;
	for (enum verdict v = 0; v < VERDICT_COUNT; v++) {
		r |= json_object_set_new(summary, verdict_names[v], json_integer(scenario_count[v]));
		r |= json_object_set_new(runs, verdict_names[v], json_integer(run_count[v]));
	}
	r |= json_object_set_new(summary, "runs", runs);
	if (!r)
		return summary;
	json_decref(summary);
	return NULL;
}
