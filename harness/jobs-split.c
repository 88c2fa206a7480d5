// SPDX-License-Identifier: MIT
/*
 * See jobs-split.h.
 */
#include "jobs-split.h"

#include <string.h>

#include "plan-internal.h"

/* Runs that do not reach further than their own groups and namespaces share a guest: so many, and the scenario's rest.
 */
#define SHARED_GUEST_RUNS 40

struct plan_run *jobs_run_at(const struct jobs *jobs, const struct job_item *item)
{
	return &jobs->plans[item->plan]->runs[item->run];
}

/* A run that is skipped needs no guest to say so. */
static const struct guest_world *world_of(const struct plan *plan, size_t i)
{
	return plan->skip || plan->runs[i].skip ? NULL : plan->runs[i].world;
}

/* Is it one of those that share a guest with others? */
static const struct guest_world *shared_world(const struct plan *plan, size_t i)
{
	return plan->runs[i].scope == SCOPE_MACHINE ? NULL : world_of(plan, i);
}

/* Will it sleep until its deadline, here, while others could use the CPU? */
static bool waits(const struct jobs *jobs, const struct plan *plan, size_t i)
{
	const struct plan_run *run = &plan->runs[i];
	return jobs->at_once > 1 && run->expect.stall && run->scope != SCOPE_MACHINE && !run->world && !plan->skip &&
	       !run->skip;
}

/* Are both of one job, of those that are made here? */
static bool together(const struct jobs *jobs, const struct plan *plan, size_t i, size_t k)
{
	return !world_of(plan, i) && !world_of(plan, k) && plan->runs[i].case_text == plan->runs[k].case_text &&
	       waits(jobs, plan, i) == waits(jobs, plan, k);
}

/* Jobs as they are made: room for as many jobs and items as there are runs. */
struct split {
	const struct jobs *jobs;
	struct job *job;
	size_t job_count;
	struct job_item *item;
	size_t item_count;
};

static struct job *begin_job(struct split *s, const struct guest_world *world)
{
	struct job *job = &s->job[s->job_count++];
	*job = (struct job){.item = s->item + s->item_count, .world = world};
	return job;
}

static void add_item(struct split *s, struct job *job, size_t plan, size_t run)
{
	const struct plan *p = s->jobs->plans[plan];
	s->item[s->item_count++] = (struct job_item){plan, run};
	job->count++;
	job->exclusive |= !job->world && p->runs[run].scope == SCOPE_MACHINE && !p->runs[run].skip && !p->skip;
}

/* Every run that shares a guest of this world, scenario after scenario. */
static void split_shared(struct split *s, const struct guest_world *world)
{
	struct job *job = NULL;
	for (size_t p = 0; p < s->jobs->count; p++) {
		const struct plan *plan = s->jobs->plans[p];
		if (job && job->count >= SHARED_GUEST_RUNS)
			job = NULL;
		for (size_t i = 0; i < plan->run_count; i++) {
			if (shared_world(plan, i) != world)
				continue;
			if (!job)
				job = begin_job(s, world);
			add_item(s, job, p, i);
		}
	}
}

/* Has an earlier run been in this world already? */
static bool world_seen(const struct split *s, const struct guest_world *world)
{
	for (size_t j = 0; j < s->job_count; j++)
		if (s->job[j].world == world)
			return true;
	return false;
}

static void split_plan(struct split *s, size_t p)
{
	const struct plan *plan = s->jobs->plans[p];
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct guest_world *world = world_of(plan, i);
		if (world) { /* a machine-scope run has a guest of its own, the others have theirs already */
			if (!shared_world(plan, i))
				add_item(s, begin_job(s, world), p, i);
			continue;
		}
		bool first = true;
		for (size_t k = 0; k < i; k++)
			first &= !together(s->jobs, plan, i, k);
		struct job *job = first ? begin_job(s, NULL) : NULL;
		if (job)
			job->waits = waits(s->jobs, plan, i);
		for (size_t k = i; job && k < plan->run_count; k++)
			if (together(s->jobs, plan, i, k))
				add_item(s, job, p, k);
	}
}

size_t jobs_split(const struct jobs *jobs, struct job *ret, struct job_item *item)
{
	struct split split = {.jobs = jobs, .job = ret, .item = item}, *s = &split;
	for (size_t p = 0; p < s->jobs->count; p++) {
		const struct plan *plan = s->jobs->plans[p];
		for (size_t i = 0; i < plan->run_count; i++) {
			const struct guest_world *world = shared_world(plan, i);
			if (world && !world_seen(s, world))
				split_shared(s, world);
		}
	}
	for (size_t p = 0; p < s->jobs->count; p++)
		split_plan(s, p);
	return s->job_count;
}

/* The run of this name in what was made. */
static const json_t *made(const json_t *runs, const char *name)
{
	const json_t *run = NULL;
	size_t i;
	json_array_foreach (runs, i, run) {
		const char *its = json_string_value(json_object_get(run, "name"));
		if (its && strcmp(its, name) == 0)
			return run;
	}
	return NULL;
}

/* The trigger in which the case's boundary is searched for: the one that is named, else the first. */
static bool is_varied(const struct plan *plan, size_t i)
{
	const struct plan_run *run = &plan->runs[i];
	struct locate_text text;
	if (run->role != ROLE_TRIGGER || !locate_merge(run->scenario, run->case_text, &text))
		return false;
	if (text.run)
		return strcmp(run->run->name, text.run) == 0;
	for (size_t k = 0; k < i; k++)
		if (plan->runs[k].role == ROLE_TRIGGER && plan->runs[k].case_text == run->case_text)
			return false;
	return true;
}

size_t jobs_split_boundaries(const struct jobs *jobs, json_t *const *runs, struct job *ret, struct job_item *item,
			     struct locate *locate)
{
	size_t count = 0;
	for (size_t p = 0; p < jobs->count; p++) {
		const struct plan *plan = jobs->plans[p];
		for (size_t i = 0; !plan->skip && i < plan->run_count; i++) {
			const struct guest_world *world = world_of(plan, i);
			const json_t *evidence = made(runs[p], plan->runs[i].name);
			if (!evidence || !is_varied(plan, i) ||
			    !locate_prepare(&plan->runs[i], evidence, world ? &world->machine : jobs->context->machine,
					    &locate[count]))
				continue;
			item[count] = (struct job_item){p, i};
			ret[count] = (struct job){.item = &item[count],
						  .count = 1,
						  .world = world,
						  .exclusive = !world && plan->runs[i].scope == SCOPE_MACHINE,
						  .locate = &locate[count]};
			count++;
		}
	}
	return count;
}
