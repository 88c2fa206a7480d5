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
	memset(&sampler, 0, sizeof(sampler));
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

static unsigned helps;

static void wake_up(void *data)
{
	(void)data;
	helps++;
	(void)kill(shared.program, SIGUSR1);
}

static void wake_nobody(void *data)
{
	(void)data;
	helps++;
}

/* A program that waits for a signal, or its end, under a sampler that may help. Returns how it ended. */
static int be_helped(void (*help)(void *data), uint64_t *ret_took_ns)
{
	struct timespec begin, end;
	int status = 0;
	sigset_t usr1;
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &usr1, NULL), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	pid_t pid = fork();
	if (pid == 0) {
		int signal;
		_exit(sigwait(&usr1, &signal));
	}
	assert_true(pid > 0);
	memset(&sampler, 0, sizeof(sampler));
	sampler_init(&sampler);
	memset(&shared, 0, sizeof(shared));
	shared.root = shared.program = pid;
	shared.source = &source;
	sampler.shared = &shared;
	sampler.deadline_ns = 50000000;
	sampler.at_stall = help;
	helps = 0;
	assert_int_equal(sampler_start(&sampler), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	sampler_stop(&sampler);
	*ret_took_ns = (uint64_t)((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec);
	assert_true(sampler.helped && sampler.at_deadline.process_seen);
	assert_int_equal(helps, 1);
	return status;
}

static void helps_at_the_deadline(void **state)
{
	uint64_t took;
	(void)state;
	assert_int_equal(be_helped(wake_up, &took), 0);
	assert_int_equal(sampler.stopped_by, SAMPLER_STOP_NONE);
	assert_true(took >= 50000000);
	/* Help that does not help: as much time again, and then the end. */
	int status = be_helped(wake_nobody, &took);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(sampler.stopped_by, SAMPLER_STOP_DEADLINE);
	assert_true(took >= 100000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_before_it_ends),
		cmocka_unit_test(ends_what_it_cannot_look_at),
		cmocka_unit_test(knows_the_least_free_swap),
		cmocka_unit_test(helps_at_the_deadline),
	};
	if (snapshot_source_open(NULL, &source) < 0)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	snapshot_source_close(&source);
	return r;
}
