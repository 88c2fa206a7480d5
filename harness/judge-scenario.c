// SPDX-License-Identifier: MIT
/*
 * From judged runs to the verdict of a scenario, and from scenarios to the summary.
 */
#include <errno.h>
#include <string.h>

#include "calls.h"
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
		/* Then it says nothing which of the three it was that was not come to. */
		if (!strcmp(text_of(skipped, "reason"), "interrupted")) {
			text_add(reason, size, "interrupted");
			return true;
		}
		text_add(reason, size, "%s%sno %s was made here", name, *name ? ": " : "", proof_names[proof]);
		if (*text_of(skipped, "reason"))
			text_add(reason, size, ": %s", text_of(skipped, "reason"));
		return true;
	}
	return false;
}

/* Calls that can stand for one another: malloc() may take either way to memory. */
static int kind_of(const char *call_name)
{
	const struct call_info *call = call_by_name(call_name);
	if (!call)
		return -1;
	return call->family == CALL_REMAP || call->family == CALL_BREAK ? CALL_MAP : (int)call->family;
}

/* Was this run given a call of that kind, for nearly as much? A trigger may ask for a page more than its control. */
static bool was_granted(const json_t *run, int kind, json_int_t asked)
{
	const json_t *granted = json_object_get(json_object_get(run, "witness"), "granted");
	const char *name;
	json_t *call;
	json_object_foreach ((json_t *)(uintptr_t)granted, name, call)
		if (kind_of(name) == kind && text_integer(call, "largest", 0) >= asked - asked / 10)
			return true;
	return false;
}

/* Did this run use as much memory as the limit that held the trigger up? True where the kernel keeps no peak. */
static bool used_as_much(const json_t *run, const json_t *trigger, json_int_t bound)
{
	static const char *const memory[] = {"after", "cgroup", "memory", "peak", NULL}, *const tcp[] = {
												 "after",  "cgroup",
												 "memory", "kmem",
												 "tcp",    "peak",
												 NULL};
	const json_t *peak = json_object_get(run, "snapshots");
	const char *where = text_of(json_object_get(trigger, "cause"), "where");
	const char *const *path = strstr(where, "memory.kmem.tcp.") ? tcp : memory;
	for (; *path; path++)
		peak = json_object_get(peak, *path);
	return !peak || json_integer_value(peak) >= bound - bound / 10;
}

/* A control that asks for less than its trigger shows nothing: with the limit it would have succeeded, too. */
static bool control_matches(const json_t *control, const json_t *trigger)
{
	const json_t *moment = json_object_get(trigger, "failing_moment"), *cause = json_object_get(trigger, "cause");
	int kind = kind_of(text_of(moment, "call"));
	/* The largest block there can be is nobody's to raise: the control takes the largest that fits, half as much.
	 */
	if (!strcmp(text_of(cause, "id"), "kmalloc-max"))
		return was_granted(control, kind, text_integer(moment, "asked", 0) / 2);
	/* Of an exec only the refused one's wish is known: the size of its image. */
	if (!strcmp(text_of(moment, "at"), "call"))
		return was_granted(control, kind, kind == CALL_EXEC ? 0 : text_integer(moment, "asked", 0));
	if (!strncmp(text_of(cause, "id"), "memcg-", 6))
		return used_as_much(control, trigger, text_integer(cause, "bound", 0));
	return true;
}

static bool same_case(const json_t *a, const json_t *b)
{
	return !strcmp(text_of(a, "case"), text_of(b, "case"));
}

/* Every trigger that passed needs a control in its case that was given what the trigger was refused. */
static bool lacks_match(const json_t *runs, char *reason, size_t size)
{
	const json_t *trigger = NULL, *control = NULL;
	size_t i, k;
	json_array_foreach (runs, i, trigger) {
		bool matched = false, any = false;
		if (!is_proof(trigger, PROOF_TRIGGER) || !is_verdict(trigger, VERDICT_PASS))
			continue;
		json_array_foreach (runs, k, control) {
			if (!is_proof(control, PROOF_CONTROL) || !is_verdict(control, VERDICT_PASS) ||
			    !same_case(control, trigger))
				continue;
			any = true;
			matched |= control_matches(control, trigger);
		}
		if (matched || !any)
			continue;
		text_add(reason, size, "%s: no control was given what this trigger is refused",
			 text_of(trigger, "name"));
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
	if (lacks_match(runs, reason, size))
		return VERDICT_FAIL;
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
		if (!s->cases[i].left_out && lacks_proof(runs, s->cases[i].name, reason, size))
			return VERDICT_SKIP;
	return VERDICT_PASS;
}

/* Of the program, which whoever reads the result may want to start by hand. */
static void set_directory(json_t *scenario, const struct plan *plan)
{
	const char *slash = plan->program ? strrchr(plan->program, '/') : NULL;
	if (slash > plan->program)
		(void)json_object_set_new(scenario, "directory",
					  json_stringn(plan->program, (size_t)(slash - plan->program)));
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
	if (s->note)
		(void)json_object_set_new(scenario, "note", json_string(s->note));
	set_directory(scenario, plan);
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

int judge_boundaries(json_t *scenario, json_t *boundaries)
{
	static const enum verdict worse[] = {VERDICT_FAIL, VERDICT_BROKEN};
	char reason[4 * TEXT_MAX] = "";
	if (!boundaries)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(worse); i++) {
		const json_t *wrong = find_verdict(boundaries, worse[i]);
		if (is_verdict(scenario, worse[i]))
			break;
		if (!wrong)
			continue;
		text_add(reason, sizeof(reason), "%s: %s", text_of(wrong, "name"), text_of(wrong, "reason"));
		if (json_object_set_new(scenario, "verdict", json_string(verdict_names[worse[i]])) < 0 ||
		    json_object_set_new(scenario, "reason", json_string(reason)) < 0) {
			json_decref(boundaries);
			return -ENOMEM;
		}
		break;
	}
	return json_object_set_new(scenario, "boundaries", boundaries) < 0 ? -ENOMEM : 0;
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
