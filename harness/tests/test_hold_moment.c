// SPDX-License-Identifier: MIT
/*
 * Which of the moments that a witness meets is the one that was predicted.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hold.h"

static struct run_record record;
static struct plan_run run;

static void expect(char *error, char *signal)
{
	memset(&record, 0, sizeof(record));
	memset(&run, 0, sizeof(run));
	run.expect.error = error;
	run.expect.signal = signal;
	record.run = &run;
	record.witness.at_signal_index = -1;
}

/* As the witness does it: the moment at which it is looked at, and then it is one of those before. */
static bool refused(void)
{
	record.witness.record_count++;
	return hold_is_moment(&record);
}

static bool signalled(int signal)
{
	struct witness *w = &record.witness;
	w->signal[w->signal_count].signal = signal;
	w->at_signal_index = (int)w->signal_count;
	bool is_moment = hold_is_moment(&record);
	w->signal_count++;
	return is_moment;
}

static void test_a_refusal(void **state)
{
	(void)state;
	expect("ENOMEM", NULL);
	assert_true(refused());
	assert_false(signalled(SIGSEGV)); /* it crashes of it */
	assert_false(refused());          /* the second is none */
}

/* A JVM has SIGSEGV delivered to itself at its start, and goes on. */
static void test_a_refusal_after_faults_that_were_taken(void **state)
{
	(void)state;
	expect("ENOMEM", NULL);
	assert_false(signalled(SIGSEGV));
	assert_false(signalled(SIGSEGV));
	assert_true(refused());
}

static void test_a_signal(void **state)
{
	(void)state;
	expect(NULL, "SIGKILL");
	assert_false(refused()); /* it asked for something before it was killed */
	assert_false(signalled(SIGSEGV));
	assert_true(signalled(SIGKILL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_refusal),
		cmocka_unit_test(test_a_refusal_after_faults_that_were_taken),
		cmocka_unit_test(test_a_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
