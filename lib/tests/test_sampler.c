// SPDX-License-Identifier: MIT
/*
 * The sampler at a deadline: the program is looked at before it is ended, and ended whether or not it can be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "sampler.h"

static struct sampler sampler;
static struct witness_shared shared;
static struct snapshot_source source;

/* A program that sleeps for ever, under a sampler that gives it 30 ms. Returns how it ended. */
static int sleep_past_deadline(const struct snapshot_source *from, bool known)
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			(void)pause();
	assert_true(pid > 0);
	sampler_init(&sampler);
	memset(&shared, 0, sizeof(shared));
	shared.root = pid;
	shared.program = known ? pid : 0;
	shared.source = from;
	sampler.shared = &shared;
	sampler.deadline_ns = 30000000;
	assert_int_equal(sampler_start(&sampler), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	sampler_stop(&sampler);
	assert_int_equal(sampler.stopped_by, SAMPLER_STOP_DEADLINE);
	return status;
}

static void looks_before_it_ends(void **state)
{
	(void)state;
	int status = sleep_past_deadline(&source, true);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_true(sampler.at_deadline.taken && sampler.at_deadline.process_seen);
	assert_int_equal(sampler.at_deadline.status.state, 'S');
	assert_false(sampler.at_deadline.maps_seen);
	assert_true(sampler.count > 0);
}

static void ends_what_it_cannot_look_at(void **state)
{
	(void)state;
	assert_true(WIFSIGNALED(sleep_past_deadline(NULL, true)));
	assert_false(sampler.at_deadline.taken);
	assert_true(WIFSIGNALED(sleep_past_deadline(&source, false)));
	assert_false(sampler.at_deadline.taken);
}

/* The same number as the snapshot's, where the machine has swap; 0 where it has none. */
static void knows_the_least_free_swap(void **state)
{
	(void)state;
	(void)sleep_past_deadline(&source, true);
	uint64_t total = sampler.at_deadline.meminfo.value[MEMINFO_SWAP_TOTAL];
	assert_true(sampler.swap_free_least != ENOMEM_ABSENT);
	assert_true(sampler.swap_free_least <= total);
	assert_true(sampler.sample[0].mem_available != ENOMEM_ABSENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_before_it_ends),
		cmocka_unit_test(ends_what_it_cannot_look_at),
		cmocka_unit_test(knows_the_least_free_swap),
	};
	if (snapshot_source_open(NULL, &source) < 0)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	snapshot_source_close(&source);
	return r;
}
