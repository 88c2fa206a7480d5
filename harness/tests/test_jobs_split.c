// SPDX-License-Identifier: MIT
/*
 * How plans become jobs: what shares a guest, what has one of its own, what stays here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shared, prepare),
		cmocka_unit_test_setup(test_machine_scope, prepare),
		cmocka_unit_test_setup(test_here, prepare),
	};
	return cmocka_run_group_tests_name("jobs_split", tests, NULL, NULL);
}
