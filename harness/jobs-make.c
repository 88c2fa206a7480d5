// SPDX-License-Identifier: MIT
/*
 * What a worker does with its job. See jobs-make.h.
 */
#include "jobs-make.h"

#include <stdlib.h>

#include "cleanup.h"
#include "guest.h"
#include "judge.h"

/*
 * Some supervisors move processes about. A program that somebody else took out of its group in the middle of a run
 * proves nothing either way, so the run is made again, once, and the evidence says so; one that leaves every time did
 * it itself, and fails.
 */
static json_t *execute(struct run_context *context, const struct plan *plan, const struct plan_run *run)
{
	json_t *first = run_execute(context, plan, run);
	if (!json_is_true(json_object_get(json_object_get(first, "bystanders"), "outside_group")) || jobs_interrupted)
		return first;
	json_t *second = run_execute(context, plan, run);
	json_object_set_new(second, "made_again",
			    json_pack("{s:s, s:O?}", "why", "the program was moved out of its group", "to",
				      json_object_get(json_object_get(first, "bystanders"), "elsewhere")));
	json_decref(first);
	return second;
}

static json_t *run_in_guest(const struct jobs *jobs, const struct run_context *context, const struct job *job)
{
	auto_free const struct plan_run **runs = reallocarray(NULL, job->count, sizeof(const struct plan_run *));
	if (!runs)
		return NULL;
	for (size_t i = 0; i < job->count; i++)
		runs[i] = jobs_run_at(jobs, &job->item[i]);
	return guest_execute(context, job->world, runs, job->count);
}

struct probing {
	struct run_context *context;
	const struct plan *plan;
	const struct guest_world *world;
};

/* One number of a search: made where its trigger was made, and under the same ceilings. */
static json_t *run_probe(void *data, const struct plan_run *probe)
{
	const struct probing *p = data;
	if (!p->world)
		return execute(p->context, p->plan, probe);
	json_auto_t *runs = guest_execute(p->context, p->world, &probe, 1);
	return json_incref(json_array_get(runs, 0));
}

static json_t *run_search(const struct jobs *jobs, struct run_context *context, const struct job *job)
{
	struct probing p = {context, jobs->plans[job->item->plan], job->world};
	context->look = false; /* nobody reads what a probe's machine was close to */
	json_t *boundary = locate_boundary(job->locate, run_probe, &p, &jobs_interrupted);
	return boundary ? json_pack("[o]", boundary) : NULL;
}

/* Why a run is not made: for its own reason, or because of an interrupt. NULL: it is. */
static const char *skip_of(const struct jobs *jobs, const struct job_item *item)
{
	const char *plan = jobs->plans[item->plan]->skip, *run = jobs_run_at(jobs, item)->skip;
	return plan ? plan : run ? run : jobs_interrupted ? "interrupted" : NULL;
}

json_t *job_make(const struct jobs *jobs, struct run_context *context, const struct job *job)
{
	if (job->locate)
		return run_search(jobs, context, job);
	if (job->world)
		return run_in_guest(jobs, context, job);
	json_t *runs = json_array();
	for (size_t i = 0; runs && i < job->count; i++) {
		const struct plan *plan = jobs->plans[job->item[i].plan];
		const struct plan_run *run = jobs_run_at(jobs, &job->item[i]);
		json_t *evidence;
		if (context->live) {
			context->live->in_use = ENOMEM_ABSENT;
			context->live->run = (unsigned)i;
		}
		const char *why = skip_of(jobs, &job->item[i]);
		evidence = why ? evidence_skipped(run, why) : execute(context, plan, run);
		if (!evidence || judge_run(evidence, run, context->machine) < 0) {
			json_decref(evidence);
			json_decref(runs);
			return NULL;
		}
		json_array_append_new(runs, evidence);
	}
	return runs;
}

json_t *job_lost(const struct jobs *jobs, const struct job *job, const char *why)
{
	const bool interrupted = jobs_interrupted; /* for all of it */
	json_t *runs = json_array();
	if (job->locate)
		(void)json_array_append_new(runs, locate_without(job->locate, interrupted ? "skip" : "broken",
								 interrupted ? "interrupted" : why));
	for (size_t i = 0; !job->locate && i < job->count; i++) {
		const struct plan_run *run = jobs_run_at(jobs, &job->item[i]);
		json_t *evidence = evidence_skipped(run, interrupted ? skip_of(jobs, &job->item[i]) : why);
		if (!interrupted) {
			json_object_del(evidence, "skipped");
			json_object_set_new(evidence, "problem",
					    json_pack("{s:s, s:s}", "step", "worker", "message", why));
		}
		(void)judge_run(evidence, run, jobs->context->machine);
		json_array_append_new(runs, evidence);
	}
	return runs;
}
