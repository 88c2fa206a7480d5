// SPDX-License-Identifier: MIT
/*
 * From the runs of a search to a boundary: what counts as granted and as refused, what ends it, what is told. The runs
 * are stored evidence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>

#include "judged.h"
#include "locate.h"
#include "plan-internal.h"
#include "report-text.h"

/* A limit that grants up to `last`; and what is wrong with it. */
struct fake {
	uint64_t last, liar, interrupts, broken;
	unsigned runs;
};

static atomic_bool interrupted;
static struct fake fake;
static struct world w;
static json_t *trigger;
static struct machine machine = {.page_size = 4096};

static json_t *play(void *data, const struct plan_run *probe)
{
	(void)data;
	assert_true(probe->probes);
	assert_string_equal(probe->argv[1], "--bytes");
	uint64_t value = strtoull(probe->argv[2], NULL, 10);
	assert_int_equal(value, probe->probe_value);
	fake.runs++;
	if (value == fake.interrupts)
		interrupted = true;
	if (value == fake.broken)
		return load_evidence("broken");
	json_t *evidence = load_evidence(value <= fake.last ? "rlimit-as-control" : "rlimit-as-trigger");
	if (value == fake.liar) /* refused, and content */
		doctor(evidence, "witness/refused", "1");
	return evidence;
}

static int prepare(void **state)
{
	(void)state;
	json_decref(trigger);
	trigger = load_evidence("rlimit-as-trigger");
	make_world(&w, "rlimit-as-trigger", trigger);
	assert_int_equal(judge_run(trigger, &w.run, NULL), 0);
	assert_string_equal(text_of(trigger, "verdict"), "pass");
	w.run.argv[0] = (char *)"program";
	w.run.argv[1] = (char *)"--bytes";
	w.run.argv[2] = (char *)"500";
	w.scenario.has_locate = true;
	w.scenario.locate = (struct locate_text){.argument = (char *)"--bytes",
						 .step = (char *)"1",
						 .granted = (char *)"1",
						 .refused = (char *)"500",
						 .predicted = (char *)"100"};
	fake = (struct fake){.last = 100};
	interrupted = false;
	return 0;
}

static int finish(void **state)
{
	(void)state;
	json_decref(trigger);
	return 0;
}

static json_t *locate(void)
{
	struct locate l;
	fake.runs = 0;
	assert_true(locate_prepare(&w.run, trigger, &machine, &l));
	json_t *b = locate_boundary(&l, play, NULL, &interrupted);
	assert_non_null(b);
	return b;
}

static void assert_boundary(const char *verdict, const char *reason)
{
	json_auto_t *b = locate();
	if (strcmp(text_of(b, "verdict"), verdict) != 0 || (*reason && !strstr(text_of(b, "reason"), reason)))
		print_message("%s: %s\n", text_of(b, "verdict"), text_of(b, "reason"));
	assert_string_equal(text_of(b, "verdict"), verdict);
	assert_true(*reason ? strstr(text_of(b, "reason"), reason) != NULL : !json_object_get(b, "reason"));
}

static void test_as_predicted(void **state)
{
	(void)state;
	json_auto_t *b = locate();
	assert_string_equal(text_of(b, "name"), "boundary of --bytes");
	assert_string_equal(text_of(b, "verdict"), "pass");
	assert_string_equal(text_of(b, "cause"), "rlimit-as");
	assert_int_equal(text_integer(b, "predicted", 0), 100);
	assert_int_equal(text_integer(b, "last_granted", 0), 100);
	assert_int_equal(text_integer(b, "first_refused", 0), 101);
	assert_int_equal(text_integer(b, "difference", 7), 0);
	assert_int_equal(text_integer(b, "probes", 0), 4);
	assert_int_equal(json_array_size(json_object_get(b, "tried")), 4);
	assert_int_equal(fake.runs, 4);
}

/* One off is wrong, with both numbers; within the tolerance it is not. */
static void test_difference(void **state)
{
	(void)state;
	fake.last = 99;
	assert_boundary("fail", "predicted 100 as the last that is granted, located 99 (difference -1, tolerance 0)");
	fake.last = 103;
	assert_boundary("fail", "predicted 100 as the last that is granted, located 103 (difference +3, tolerance 0)");
	w.scenario.locate.tolerance = (char *)"3";
	assert_boundary("pass", "");
	w.scenario.locate.tolerance = (char *)"2";
	assert_boundary("fail", "tolerance 2");
	/* beyond the ends it is not taken for an end */
	w.scenario.locate.tolerance = NULL;
	w.scenario.locate.predicted = (char *)"1000";
	fake.last = 499;
	assert_boundary("fail",
			"predicted 1000 as the last that is granted, located 499 (difference -501, tolerance 0)");
}

static void test_no_boundary(void **state)
{
	(void)state;
	fake.last = 1000;
	assert_boundary("fail", "never refused: 500 was granted, the furthest that was tried (predicted 100)");
	fake.last = 0;
	assert_boundary("fail", "never granted: 1 was refused, the furthest that was tried (predicted 100)");
}

/* Neither a control nor the trigger: no answer, whatever the program says. */
static void test_neither(void **state)
{
	(void)state;
	fake.liar = 100;
	assert_boundary("fail", "at 100: ");
	fake.liar = 0;
	fake.broken = 101;
	assert_boundary("broken", "at 101: ");
	/* refused, but not by what it is said to be refused by */
	fake.broken = 0;
	w.run.expect.cause = (char *)"rlimit-data";
	assert_boundary("fail", "at 101: predicted mmap ENOMEM by rlimit-data");
}

static void test_interrupted(void **state)
{
	(void)state;
	fake.interrupts = 101;
	assert_boundary("skip", "at 101: interrupted");
	assert_int_equal(fake.runs, 2); /* and no other one was made */
	json_auto_t *b = locate();      /* interrupted before it began */
	assert_int_equal(fake.runs, 0);
	assert_int_equal(text_integer(b, "probes", 7), 0);
}

/* What the prediction is made of: the machine, and the failing moment of what was refused. */
static void test_prediction(void **state)
{
	(void)state;
	char text[64];
	json_int_t bound = text_integer(json_object_get(trigger, "cause"), "bound", 0);
	json_int_t in_use = text_integer(json_object_get(trigger, "cause"), "in_use", 0);
	assert_true(bound > in_use);
	(void)snprintf(text, sizeof(text), "%lld", (long long)(bound - in_use + 4096 - 7));
	w.scenario.locate.predicted = (char *)"cause.bound - cause.in_use + 1 page - 7";
	w.scenario.locate.refused = (char *)"1T";
	fake.last = strtoull(text, NULL, 10);
	assert_boundary("pass", "");
	w.scenario.locate.predicted = (char *)"cause.bound - failure.no.such";
	assert_boundary("fail", "the trigger's numbers make no prediction");
}

static void test_not_here(void **state)
{
	(void)state;
	struct locate l;
	w.scenario.locate.refused = (char *)"1";
	assert_boundary("skip", "no step between");
	w.scenario.locate.refused = (char *)"1 page - 2 pages";
	assert_boundary("skip", "refused '1 page - 2 pages' has no value here");
	w.scenario.locate.refused = (char *)"500";
	(void)json_object_set_new(trigger, "verdict", json_string("fail"));
	(void)json_object_set_new(trigger, "reason", json_string("it rains"));
	assert_boundary("skip", "its trigger did not pass: it rains");
	assert_int_equal(fake.runs, 0);
	w.scenario.has_locate = false;
	assert_false(locate_prepare(&w.run, trigger, &machine, &l));
}

/* Kernels that differ: another prediction, or nothing to locate. */
static void test_when(void **state)
{
	(void)state;
	struct locate l;
	machine.kernel_major = 6;
	w.scenario.locate.when.kernel = (char *)">=6.1";
	w.scenario.locate.has_when = true;
	machine.kernel_minor = 1;
	assert_boundary("pass", "");
	machine.kernel_minor = 0;
	assert_false(locate_prepare(&w.run, trigger, &machine, &l));
	w.scenario.locate.elsewhere = (char *)"99";
	assert_boundary("fail", "predicted 99 as the last that is granted, located 100");
	fake.last = 99;
	assert_boundary("pass", "");
}

/* The number goes where the manifest says: the option's last mention, a position, a limit. */
static void test_probe(void **state)
{
	(void)state;
	struct plan_run probe;
	w.run.argv[3] = (char *)"how";
	w.run.argv[4] = (char *)"--bytes";
	w.run.argv[5] = (char *)"7";
	assert_int_equal(plan_probe(&w.run, &machine, 12345, &probe), 0);
	assert_string_equal(probe.argv[2], "500");
	assert_string_equal(probe.argv[5], "12345");
	assert_null(probe.argv[6]);
	assert_int_equal(probe.expect.check_count, 0);
	plan_run_free(&probe);
	w.scenario.locate.argument = (char *)"3";
	assert_int_equal(plan_probe(&w.run, &machine, 9, &probe), 0);
	assert_string_equal(probe.argv[3], "9");
	plan_run_free(&probe);
	w.scenario.locate.argument = (char *)"--other";
	assert_int_equal(plan_probe(&w.run, &machine, 9, &probe), -EINVAL);
	w.scenario.locate.argument = (char *)"7";
	assert_int_equal(plan_probe(&w.run, &machine, 9, &probe), -EINVAL);
	struct case_text c = {.name = (char *)"c", .has_locate = true};
	c.locate.setting = (char *)"rlimit.as"; /* instead of the argument, not besides */
	w.run.case_text = &c;
	environment_init(&w.run.environment);
	w.run.environment.memory_ceiling_bytes = 7 << 20;
	w.run.environment.tasks_ceiling = 99;
	assert_int_equal(plan_probe(&w.run, &machine, 65536, &probe), 0);
	assert_int_equal(probe.environment.rlimit[environment_rlimit_by_name("as")], 65536);
	assert_int_equal(probe.environment.memory_ceiling_bytes, 7 << 20); /* and its ceilings hold */
	assert_int_equal(probe.environment.tasks_ceiling, 99);
	assert_string_equal(probe.argv[5], "7");
	plan_run_free(&probe);
	c.locate.setting = (char *)"namespace_sysctl.kernel.shmmax";
	assert_int_equal(plan_probe(&w.run, &machine, 65536, &probe), 0);
	assert_string_equal(probe.environment.namespace_sysctl[0].name, "kernel.shmmax");
	assert_string_equal(probe.environment.namespace_sysctl[0].value, "65536");
	plan_run_free(&probe);
	c.has_locate = w.scenario.has_locate = false;
	assert_int_equal(plan_probe(&w.run, &machine, 9, &probe), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_as_predicted, prepare), cmocka_unit_test_setup(test_difference, prepare),
		cmocka_unit_test_setup(test_no_boundary, prepare),  cmocka_unit_test_setup(test_neither, prepare),
		cmocka_unit_test_setup(test_interrupted, prepare),  cmocka_unit_test_setup(test_prediction, prepare),
		cmocka_unit_test_setup(test_not_here, prepare),     cmocka_unit_test_setup(test_when, prepare),
		cmocka_unit_test_setup(test_probe, prepare),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
