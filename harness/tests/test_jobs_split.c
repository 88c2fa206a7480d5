// SPDX-License-Identifier: MIT
/*
 * How plans become jobs: what shares a guest, what has one of its own, what stays here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "jobs-split.h"

#define RUNS_EACH 30

static struct guest_world world, other;
static struct case_text cases[2];
static struct plan_run runs[3][RUNS_EACH];
static struct plan plan[3];
static struct plan *plans[] = {&plan[0], &plan[1], &plan[2]};
static struct jobs jobs = {.plans = plans, .count = 3};
static struct job job[3 * RUNS_EACH + 1];
static struct job_item item[3 * RUNS_EACH + 1];

/* Every run is in process scope in one world, but for what a test changes. */
static int prepare(void **state)
{
	(void)state;
	for (size_t p = 0; p < 3; p++) {
		plan[p] = (struct plan){.runs = runs[p], .run_count = RUNS_EACH};
		for (size_t i = 0; i < RUNS_EACH; i++)
			runs[p][i] = (struct plan_run){.scope = SCOPE_PROCESS, .world = &world};
	}
	return 0;
}

/* Every run in exactly one job, and each job's runs in one world. */
static size_t split(void)
{
	unsigned seen[3][RUNS_EACH] = {{0}};
	size_t count = jobs_split(&jobs, job, item);
	for (size_t j = 0; j < count; j++)
		for (size_t k = 0; k < job[j].count; k++) {
			const struct job_item *at = &job[j].item[k];
			seen[at->plan][at->run]++;
			const struct plan_run *run = jobs_run_at(&jobs, at);
			assert_ptr_equal(job[j].world, plan[at->plan].skip || run->skip ? NULL : run->world);
		}
	for (size_t p = 0; p < 3; p++)
		for (size_t i = 0; i < RUNS_EACH; i++)
			assert_int_equal(seen[p][i], 1);
	return count;
}

static void test_shared(void **state)
{
	(void)state;
	/* 30 are not enough for a guest, 60 are, and a scenario is not torn apart */
	assert_int_equal(split(), 2);
	assert_int_equal(job[0].count, 2 * RUNS_EACH);
	assert_int_equal(job[1].count, RUNS_EACH);
	assert_false(job[0].exclusive);
	runs[1][3].world = &other;
	assert_int_equal(split(), 3);
}

static void test_machine_scope(void **state)
{
	(void)state;
	runs[0][4].scope = runs[2][5].scope = SCOPE_MACHINE;
	assert_int_equal(split(), 4);
	for (size_t j = 2; j < 4; j++) {
		assert_int_equal(job[j].count, 1); /* a pristine guest of its own */
		assert_int_equal(jobs_run_at(&jobs, job[j].item)->scope, SCOPE_MACHINE);
		assert_false(job[j].exclusive);
	}
}

static void test_here(void **state)
{
	static char why[] = "a need";
	(void)state;
	for (size_t i = 0; i < RUNS_EACH; i++) {
		runs[1][i].world = NULL;
		runs[1][i].case_text = &cases[i % 2];
	}
	runs[1][2].scope = SCOPE_MACHINE;
	runs[0][0].skip = why;        /* needs no guest to say so */
	assert_int_equal(split(), 4); /* two scenarios in one guest, the skipped run, and a job for each case */
	size_t exclusive = 0;
	for (size_t j = 0; j < 4; j++)
		exclusive += job[j].exclusive;
	assert_int_equal(exclusive, 1);
}

/* What is to stall has a job beside that of its case where several may run at once, and only here. */
static void test_waiting(void **state)
{
	static char why[] = "a need";
	(void)state;
	for (size_t i = 0; i < RUNS_EACH; i++) {
		runs[1][i].world = NULL;
		runs[1][i].case_text = &cases[i % 2];
	}
	runs[0][2].expect.stall = true; /* in a guest */
	runs[1][2].expect.stall = runs[1][4].expect.stall = runs[1][6].expect.stall = runs[1][8].expect.stall = true;
	runs[1][6].skip = why;
	runs[1][8].scope = SCOPE_MACHINE;
	jobs.at_once = 2;
	assert_int_equal(split(), 4); /* two scenarios in one guest, two cases, and what waits of the first */
	size_t waiting = 0;
	for (size_t j = 0; j < 4; j++) {
		waiting += job[j].waits;
		if (!job[j].waits)
			continue;
		assert_int_equal(job[j].count, 2);
		assert_int_equal(job[j].item[0].run, 2);
		assert_int_equal(job[j].item[1].run, 4);
		assert_false(job[j].exclusive);
	}
	assert_int_equal(waiting, 1);
	jobs.at_once = 1;
	assert_int_equal(split(), 3); /* one after the other: nothing to run beside */
	for (size_t j = 0; j < 3; j++)
		assert_false(job[j].waits);
}

/* One job per case whose trigger was made, with that trigger: the first, or the one that is named. */
static void test_boundaries(void **state)
{
	static struct scenario scenario;
	static struct locate locate[3 * RUNS_EACH + 1];
	static struct machine here = {.page_size = 4096};
	static struct run_context context = {.machine = &here};
	static struct run_text text[4] = {{.name = (char *)"control"},
					  {.name = (char *)"first"},
					  {.name = (char *)"second"},
					  {.name = (char *)"first"}};
	json_t *made[3] = {NULL};
	(void)state;
	scenario = (struct scenario){.has_locate = true,
				     .locate = {.argument = (char *)"1",
						.step = (char *)"1",
						.granted = (char *)"1",
						.refused = (char *)"9",
						.predicted = (char *)"5"}};
	jobs.context = &context;
	for (size_t i = 0; i < 4; i++) {
		runs[1][i] = (struct plan_run){.scenario = &scenario,
					       .run = &text[i],
					       .case_text = i < 3 ? &cases[0] : &cases[1],
					       .scope = SCOPE_MACHINE,
					       .role = i ? ROLE_TRIGGER : ROLE_CONTROL};
		(void)snprintf(runs[1][i].name, sizeof(runs[1][i].name), "run %zu", i);
	}
	plan[0].run_count = plan[2].run_count = 0;
	plan[1].run_count = 4;
	made[1] = json_pack("[{s:s, s:s}, {s:s, s:s}]", "name", "run 1", "verdict", "pass", "name", "run 2", "verdict",
			    "fail");
	/* of the second case nothing was made */
	assert_int_equal(jobs_split_boundaries(&jobs, made, job, item, locate), 1);
	assert_int_equal(job[0].item->plan, 1);
	assert_int_equal(job[0].item->run, 1);
	assert_true(job[0].exclusive);
	assert_ptr_equal(job[0].locate, &locate[0]);
	assert_string_equal(locate[0].why_not, "");
	scenario.locate.run = (char *)"second";
	assert_int_equal(jobs_split_boundaries(&jobs, made, job, item, locate), 1);
	assert_int_equal(job[0].item->run, 2);
	assert_non_null(strstr(locate[0].why_not, "its trigger did not pass"));
	plan[1].skip = (char *)"no";
	assert_int_equal(jobs_split_boundaries(&jobs, made, job, item, locate), 0);
	json_decref(made[1]);
	jobs.context = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shared, prepare),     cmocka_unit_test_setup(test_machine_scope, prepare),
		cmocka_unit_test_setup(test_here, prepare),       cmocka_unit_test_setup(test_waiting, prepare),
		cmocka_unit_test_setup(test_boundaries, prepare),
	};
	return cmocka_run_group_tests_name("jobs_split", tests, NULL, NULL);
}
