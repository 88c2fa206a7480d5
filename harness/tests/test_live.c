// SPDX-License-Identifier: MIT
/*
 * The line that shows how runs are getting on.
 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "live.h"
#include "number.h"

#define MB (UINT64_C(1) << 20)

static struct scenario scenario = {.name = "memory-max"};
static char cause[32];

static struct plan_run run_of(const char *name, const char *expected)
{
	struct plan_run run = {.scenario = &scenario};
	(void)snprintf(run.name, sizeof(run.name), "%s", name);
	(void)snprintf(cause, sizeof(cause), "%s", expected);
	run.expect.cause = cause;
	for (size_t i = 0; i < PROCFS_RLIMITS; i++)
		run.environment.rlimit[i] = ENVIRONMENT_NOT_SET;
	for (size_t i = 0; i < CGROUP_VALUE_COUNT; i++)
		run.environment.cgroup[i] = ENVIRONMENT_NOT_SET;
	return run;
}

static const char *text(unsigned width, const struct plan_run *run, uint64_t in_use, unsigned others)
{
	static char buf[512];
	struct live live = {.width = width, .begin_ns = UINT64_C(5000000000), .done = 3, .count = 40};
	live_text(&live, run, in_use, others, UINT64_C(17900000000), buf, sizeof(buf));
	return buf;
}

static void test_text(void **state)
{
	(void)state;
	struct plan_run run = run_of("slowly: limited", "memcg-max");
	assert_string_equal(text(79, NULL, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done");
	assert_string_equal(text(79, &run, 48 * MB, 0), "12 s, 3 of 40 done, memory-max: slowly: limited");
	run.environment.cgroup[CGROUP_MEMORY_MAX] = 64 * MB;
	assert_string_equal(text(79, &run, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done, memory-max: slowly: limited");
	assert_string_equal(text(90, &run, 48 * MB + MB / 2, 0),
			    "12 s, 3 of 40 done, memory-max: slowly: limited, 48.5 MiB of 64 MiB");
	assert_string_equal(text(90, &run, 0, 1),
			    "12 s, 3 of 40 done, memory-max: slowly: limited, 0 B of 64 MiB, and 1 more");
}

static void test_ending(void **state)
{
	(void)state;
	char buf[512];
	struct plan_run run = run_of("slowly: limited", "memcg-max");
	struct live live = {.width = 79, .begin_ns = UINT64_C(5000000000), .done = 3, .count = 40, .ending = true};
	live_text(&live, NULL, ENOMEM_ABSENT, 0, UINT64_C(17900000000), buf, sizeof(buf));
	assert_string_equal(buf, "12 s, ending the runs in flight");
	live_text(&live, &run, ENOMEM_ABSENT, 1, UINT64_C(17900000000), buf, sizeof(buf));
	assert_string_equal(buf, "12 s, ending the runs in flight, memory-max: slowly: limited, and 1 more");
}

/* The name gives way, which a mark says, then the rest is cut. Here in the locale C. */
static void test_narrow(void **state)
{
	(void)state;
	struct plan_run run = run_of("slowly: limited", "memcg-max");
	run.environment.cgroup[CGROUP_MEMORY_MAX] = 64 * MB;
	assert_string_equal(text(49, &run, 48 * MB, 0), "12 s, 3 of 40 done, memory-m..., 48 MiB of 64 MiB");
	assert_string_equal(text(37, &run, 48 * MB, 0), "12 s, 3 of 40 done, 48 MiB of 64 MiB");
	assert_string_equal(text(42, &run, 48 * MB, 0), "12 s, 3 of 40 done, m..., 48 MiB of 64 MiB");
	assert_string_equal(text(30, &run, 48 * MB, 0), "12 s, 3 of 40 done, 48 MiB of ");
	assert_string_equal(text(4, &run, 48 * MB, 0), "12 s");
	assert_string_equal(text(0, &run, 48 * MB, 0), "");
}

/* A name may hold anything. */
static void test_hostile_names(void **state)
{
	(void)state;
	struct plan_run run = run_of("a\033[2J\r\nb", "memcg-max");
	assert_string_equal(text(79, &run, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done, memory-max: a [2J  b");
	run = run_of("\xc3\xa4\xc3\xb6", "memcg-max");
	assert_string_equal(text(33, &run, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done, memory-max...");
	assert_string_equal(text(34, &run, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done, memory-max: \xc3\xa4\xc3\xb6");
	/* No character is cut in two, and each is as wide as it is. */
	run = run_of("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6", "memcg-max");
	assert_string_equal(text(36, &run, ENOMEM_ABSENT, 0), "12 s, 3 of 40 done, memory-max: \xc3\xa4...");
	if (setlocale(LC_CTYPE, "C.UTF-8")) {
		assert_string_equal(text(34, &run, ENOMEM_ABSENT, 0),
				    "12 s, 3 of 40 done, memory-max: \xc3\xa4\xe2\x80\xa6");
		(void)setlocale(LC_CTYPE, "C");
	}
}

static void assert_kind(const struct plan_run *run, enum live_kind kind, uint64_t bound)
{
	struct live_limit limit = live_limit_of(run);
	assert_int_equal(limit.kind, kind);
	assert_int_equal(limit.bound, bound);
}

static void test_limits(void **state)
{
	(void)state;
	struct plan_run run = run_of("r", "rlimit-as");
	assert_kind(&run, LIVE_NONE, 0);
	run.environment.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	assert_kind(&run, LIVE_NONE, 0);
	run.environment.rlimit[RLIMIT_AS] = MB;
	assert_kind(&run, LIVE_ADDRESS_SPACE, MB);
	run.environment.cgroup[CGROUP_PIDS_MAX] = 7;
	run.environment.cgroup[CGROUP_MEMORY_HIGH] = 2 * MB;
	run.environment.sysctl_count = 1;
	run.environment.sysctl[0] = (struct environment_setting){.name = "vm.max_map_count", .value = "99"};
	assert_kind(&run, LIVE_ADDRESS_SPACE, MB);
	(void)strcpy(cause, "pids-max");
	assert_kind(&run, LIVE_TASKS, 7);
	(void)strcpy(cause, "memcg-high");
	assert_kind(&run, LIVE_GROUP_MEMORY, 2 * MB);
	(void)strcpy(cause, "max-map-count");
	assert_kind(&run, LIVE_MAPS, 99);
	(void)strcpy(cause, "pid-max");
	assert_kind(&run, LIVE_NONE, 0);
	run.expect.cause = NULL;
	assert_kind(&run, LIVE_NONE, 0);
}

static void test_samples(void **state)
{
	(void)state;
	struct sample sample = {.vm_size = 1, .memory_current = 2, .pids_current = 3, .map_count = 4};
	assert_int_equal(live_in_use(LIVE_ADDRESS_SPACE, &sample), 1);
	assert_int_equal(live_in_use(LIVE_GROUP_MEMORY, &sample), 2);
	assert_int_equal(live_in_use(LIVE_TASKS, &sample), 3);
	assert_int_equal(live_in_use(LIVE_MAPS, &sample), 4);
	assert_int_equal(live_in_use(LIVE_NONE, &sample), ENOMEM_ABSENT);
}

/* Nothing is drawn where nobody could see it. */
static void test_no_terminal(void **state)
{
	(void)state;
	struct live live;
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(live_open(file, &live), -ENOTTY);
	live_draw(&live, NULL, NULL, 0);
	live_close(&live);
	assert_int_equal(ftell(file), 0);
	(void)fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),          cmocka_unit_test(test_ending), cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_hostile_names), cmocka_unit_test(test_limits), cmocka_unit_test(test_samples),
		cmocka_unit_test(test_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
