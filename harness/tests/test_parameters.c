// SPDX-License-Identifier: MIT
/*
 * -p KEY=VALUE: which keys there are, what is told of others, and where a value goes: for a program of the user's into
 * every run, for the scenario's own in the place of the triggers' value alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "command-plan.h"
#include "parameters.h"

static char messages[2048];

static int add(struct parameters *p, const char *text)
{
	memset(messages, 0, sizeof(messages));
	FILE *errors = fmemopen(messages, sizeof(messages) - 1, "w");
	assert_non_null(errors);
	int r = parameters_add(p, text, errors);
	(void)fclose(errors);
	return r;
}

static struct parameters one(const char *text)
{
	struct parameters p = {.count = 0};
	assert_int_equal(add(&p, text), 0);
	assert_int_equal(p.count, 1);
	return p;
}

static struct scenario *scenario(void)
{
	static const char text[] = "name: s\n"
				   "title: t\n"
				   "class: address-space\n"
				   "scope: cgroup\n"
				   "needs: {tools: [bash]}\n"
				   "environment: {cgroup: {memory.max: 16M}}\n"
				   "expect: {signal: SIGKILL, cause: memcg-max}\n"
				   "runs:\n"
				   "  - {name: free, role: control, environment: {cgroup: {memory.max: max}}}\n"
				   "  - {name: full, role: trigger}\n"
				   "  - {name: raised, role: remedy, environment: {cgroup: {memory.max: 64M}}}\n"
				   "  - {name: folklore, role: remedy, helps: false, environment: {cgroup: "
				   "{memory.max: 16M}}}\n";
	struct scenario *s = NULL;
	assert_int_equal(manifest_parse(text, sizeof(text) - 1, "s/scenario.yaml", stderr, &s), 0);
	return s;
}

static const char *memory_of(const struct environment_text *text)
{
	for (size_t i = 0; i < text->cgroup.count; i++)
		if (strcmp(text->cgroup.item[i].key, "memory.max") == 0)
			return text->cgroup.item[i].value;
	return "";
}

static void says_whose_a_key_is(void **state)
{
	static const char *const known[][3] = {{"memory.max=64M", "cgroup", "memory.max"},
					       {"cgroup.memory.max=64M", "cgroup", "memory.max"},
					       {"cgroup_above.pids.max=4", "cgroup_above", "pids.max"},
					       {"rlimit.as=unlimited", "rlimit", "as"},
					       {"vm.max_map_count=500", "sysctl", "vm.max_map_count"},
					       {"sysctl.kernel.pid_max=400", "sysctl", "kernel.pid_max"},
					       {"tmpfs.size=1M", "tmpfs", "size"},
					       {"inject.mmap=ENOMEM from 1M", "inject", "mmap"},
					       {"memory.max=60% of available", "cgroup", "memory.max"},
					       {"cpus=all", "", "cpus"},
					       {"identity=nobody", "", "identity"}};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct parameters p = one(known[i][0]);
		assert_string_equal(p.item[0].map, known[i][1]);
		assert_string_equal(p.item[0].key, known[i][2]);
		assert_string_equal(p.item[0].value, strchr(known[i][0], '=') + 1);
	}
}

static void refuses_what_a_manifest_refuses(void **state)
{
	static const char *const wrong[][2] = {{"memory.mux=64M", "did you mean 'memory.max'?"},
					       {"rlimt.as=64M", "did you mean 'rlimit.as'?"},
					       {"rlimit.az=64M", "unknown rlimit 'az'"},
					       {"memory.max=64MB", "bad size '64MB'"},
					       {"memory.current=1", "unknown parameter"},
					       {"cgroup.memory.current=1", "is a counter, not a limit"},
					       {"cpus=two", "unknown value of cpus"},
					       {"inject.mmap=perhaps", "bad failure"},
					       {"memory.max", "no KEY=VALUE"},
					       {"=64M", "no KEY=VALUE"},
					       {"memory.max=", "no KEY=VALUE"},
					       {"memory.max=6'4", "no KEY=VALUE"},
					       {"memory.max=1\n", "no KEY=VALUE"},
					       {"fish=1", "unknown parameter 'fish'"}};
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct parameters p = {.count = 0};
		assert_int_equal(add(&p, wrong[i][0]), -EINVAL);
		assert_int_equal(p.count, 0);
		if (!strstr(messages, wrong[i][1]))
			fail_msg("%s: %s", wrong[i][0], messages);
	}
}

static void has_room_for_so_many(void **state)
{
	struct parameters p = {.count = 0};
	(void)state;
	for (unsigned i = 0; i < PARAMETERS_MAX; i++)
		assert_int_equal(add(&p, "memory.max=1M"), 0);
	assert_int_equal(add(&p, "memory.max=1M"), -E2BIG);
}

static void replaces_the_value_of_triggers(void **state)
{
	struct parameters p = one("memory.max=32M");
	struct scenario *s = scenario();
	(void)state;
	assert_int_equal(parameters_replace(&p, s, stderr), 0);
	assert_string_equal(memory_of(&s->environment), "32M");
	assert_string_equal(memory_of(&s->runs[0].environment), "max");
	assert_string_equal(memory_of(&s->runs[1].environment), "");
	assert_string_equal(memory_of(&s->runs[2].environment), "64M");
	assert_string_equal(memory_of(&s->runs[3].environment), "32M");
	scenario_free(s);
}

static void replaces_nothing_that_no_trigger_has(void **state)
{
	struct parameters p = one("rlimit.as=32M");
	struct scenario *s = scenario();
	(void)state;
	FILE *nowhere = fopen("/dev/null", "we");
	assert_non_null(nowhere);
	assert_int_equal(parameters_replace(&p, s, nowhere), -EINVAL);
	(void)fclose(nowhere);
	scenario_free(s);
}

static void sets_it_for_a_command_everywhere(void **state)
{
	struct parameters p = one("memory.max=32M");
	struct scenario *s = scenario();
	(void)state;
	assert_int_equal(add(&p, "vm.overcommit_memory=2"), 0);
	assert_int_equal(command_scenario(s, &p), 0);
	assert_int_equal(s->needs.tools.count, 0);
	for (size_t i = 0; i < s->run_count; i++) {
		assert_string_equal(memory_of(&s->runs[i].environment), "32M");
		assert_string_equal(s->runs[i].environment.sysctl.item[0].value, "2");
		assert_int_equal(s->runs[i].scope, SCOPE_MACHINE);
	}
	scenario_free(s);
}

static void goes_over_the_wire(void **state)
{
	struct parameters p = one("kernel.pid_max=400"), q;
	(void)state;
	json_t *json = parameters_json(&p);
	assert_int_equal(parameters_from_json(json, &q), 0);
	assert_int_equal(q.count, 1);
	assert_string_equal(q.item[0].map, "sysctl");
	assert_string_equal(q.item[0].key, "kernel.pid_max");
	assert_true(q.item[0].either);
	json_decref(json);
	assert_int_equal(parameters_from_json(NULL, &q), 0);
	assert_int_equal(q.count, 0);
	json = json_pack("[[s, s]]", "sysctl", "kernel.pid_max");
	assert_int_equal(parameters_from_json(json, &q), -EBADMSG);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_whose_a_key_is),
		cmocka_unit_test(refuses_what_a_manifest_refuses),
		cmocka_unit_test(has_room_for_so_many),
		cmocka_unit_test(replaces_the_value_of_triggers),
		cmocka_unit_test(replaces_nothing_that_no_trigger_has),
		cmocka_unit_test(sets_it_for_a_command_everywhere),
		cmocka_unit_test(goes_over_the_wire),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
