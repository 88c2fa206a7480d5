// SPDX-License-Identifier: MIT
/*
 * See jobs-tell.h.
 */
#include "jobs-tell.h"

#include <stdint.h>
#include <string.h>

#include "judge.h"
#include "number.h"
#include "report-text.h"
#include "say.h"

json_t *jobs_gather(const struct plan *plan, size_t number, const struct job *job, size_t count)
{
	json_t *runs = json_array();
	for (size_t i = 0; i < plan->run_count; i++)
		for (size_t j = 0; j < count; j++)
			for (size_t k = 0; k < job[j].count; k++)
				if (job[j].item[k].plan == number && job[j].item[k].run == i)
					(void)json_array_append(runs, json_array_get(job[j].runs, k));
	return runs;
}

static bool has(const struct job *job, size_t plan)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->item[i].plan == plan)
			return true;
	return false;
}

static bool is_done(const struct job *job, size_t count, size_t plan)
{
	for (size_t j = 0; j < count; j++)
		if (!job[j].runs && has(&job[j], plan))
			return false;
	return true;
}

static const char *word_of(const json_t *judged)
{
	const char *verdict = text_of(judged, "verdict");
	return !strcmp(verdict, "fail") ? "FAIL" : !strcmp(verdict, "broken") ? "BROKEN" : verdict;
}

/* Of several kernels the same scenario comes up several times. */
static char *name_of(const struct plan *plan, const struct job *job, char *buf, size_t size)
{
	char name[TEXT_MAX] = "";
	text_add(name, sizeof(name), "%s", plan->scenario->name);
	if (job->world)
		text_add(name, sizeof(name), " (guest %u.%u)", job->world->machine.kernel_major,
			 job->world->machine.kernel_minor);
	return text_clean(name, false, buf, size);
}

static void tell_plan(const struct jobs *jobs, const struct job *job, size_t count, const struct job *ended,
		      size_t plan)
{
	char name[TEXT_MAX], took[64];
	size_t done = 0;
	json_auto_t *judged = judge_scenario(jobs->plans[plan], jobs_gather(jobs->plans[plan], plan, job, count));
	for (size_t p = 0; p < jobs->count; p++) /* those that are told after this one do not count yet */
		done += is_done(job, count, p) && (p <= plan || !has(ended, p));
	json_int_t duration = text_integer(judged, "duration_ns", 0);
	say_note("%zu of %zu: %s: %s%s%s", done, jobs->count, name_of(jobs->plans[plan], ended, name, sizeof(name)),
		 word_of(judged), duration ? ", " : "",
		 duration ? number_format_duration(took, sizeof(took), (uint64_t)duration) : "");
}

static void tell_boundary(const struct jobs *jobs, const struct job *ended)
{
	char name[TEXT_MAX], boundary[TEXT_MAX];
	const json_t *found = json_array_get(ended->runs, 0);
	say_note("boundary of %s: %s: %s", name_of(jobs->plans[ended->item->plan], ended, name, sizeof(name)),
		 text_clean(text_of(found, "name"), false, boundary, sizeof(boundary)), word_of(found));
}

void jobs_tell_done(const struct jobs *jobs, const struct job *job, size_t count, const struct job *ended)
{
	if (!jobs->tell || jobs_interrupted)
		return;
	if (ended->locate) {
		tell_boundary(jobs, ended);
		return;
	}
	/* A job in a guest may have runs of several. */
	for (size_t p = 0; p < jobs->count; p++)
		if (has(ended, p) && is_done(job, count, p))
			tell_plan(jobs, job, count, ended, p);
}
