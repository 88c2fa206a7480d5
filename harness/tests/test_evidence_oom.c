// SPDX-License-Identifier: MIT
/*
 * Was it the program that the OOM killer killed? Of counters, a log that may be unreadable, and others that died.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "evidence-internal.h"

static struct run_record record;

/* Four processes, of which three others died of SIGKILL as well; the log cannot be read. */
static int setup(void **state)
{
	struct cgroup_numbers *before = &record.witness.before.cgroup, *after = &record.after.cgroup;
	(void)state;
	memset(&record, 0, sizeof(record));
	record.witness.before.taken = true;
	record.witness.before.oom_score_adj_seen = true;
	record.witness.killed = 3;
	record.own_kill_logged = -1;
	before->value[CGROUP_MEMORY_OOM_GROUP] = 1;
	after->value[CGROUP_MEMORY_EVENTS_OOM_KILL] = 3;
	after->value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL] = 1;
	return 0;
}

static void goes_with_its_group(void **state)
{
	(void)state;
	assert_true(evidence_program_oom_killed(&record));
	assert_false(evidence_oom_kill_is_unclear(&record));
}

static void assert_unclear(void)
{
	assert_false(evidence_program_oom_killed(&record));
	assert_true(evidence_oom_kill_is_unclear(&record));
}

static void others_may_account_for_it(void **state)
{
	(void)state;
	record.after.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL] = 0;
	assert_unclear();
	record.after.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL] = ENOMEM_ABSENT; /* before 5.17 */
	assert_unclear();
	record.after.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL] = 4; /* more than others died */
	assert_true(evidence_program_oom_killed(&record));
}

/* The event was of a group below. */
static void its_own_group_has_no_such_setting(void **state)
{
	(void)state;
	record.witness.before.cgroup.value[CGROUP_MEMORY_OOM_GROUP] = 0;
	assert_unclear();
}

static void who_is_exempt_does_not_go(void **state)
{
	(void)state;
	record.witness.before.oom_score_adj = -1000;
	assert_unclear();
	record.witness.before.oom_score_adj = 0;
	record.witness.before.oom_score_adj_seen = false;
	assert_unclear();
}

static void a_log_that_names_nobody_decides(void **state)
{
	(void)state;
	record.own_kill_logged = 0;
	assert_false(evidence_program_oom_killed(&record));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(goes_with_its_group, setup),
		cmocka_unit_test_setup(others_may_account_for_it, setup),
		cmocka_unit_test_setup(its_own_group_has_no_such_setting, setup),
		cmocka_unit_test_setup(who_is_exempt_does_not_go, setup),
		cmocka_unit_test_setup(a_log_that_names_nobody_decides, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
