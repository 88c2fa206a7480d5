// SPDX-License-Identifier: MIT
/*
 * Choosing scenarios: names, patterns, and what --class, --scope, --errno and --cause leave of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "cleanup.h"
#include "say.h"
#include "select.h"

static char tree[] = "/tmp/enomem-select-XXXXXX";

/* One scenario of two cases and two triggers: an errno by one limit, a signal by another. */
static const char two_ways[] =
	"title: t\nclass: leak\nscope: process\nprogram: scenario.yaml\nexpect: {cause: rlimit-as}\n"
	"cases:\n"
	"  - {name: refused, expect: {call: mmap, errno: ENOMEM}}\n"
	"  - {name: killed, environment: {cgroup: {memory.max: 16M}}, expect: {signal: SIGKILL, cause: memcg-max}}\n"
	"runs:\n"
	"  - {name: free, role: control}\n"
	"  - {name: limited, role: trigger, cases: [refused], environment: {rlimit: {as: 64M}}}\n"
	"  - {name: grouped, role: trigger, cases: [killed]}\n"
	"  - {name: less, role: remedy}\n"
	"  - {name: nothing, role: remedy, helps: false, cases: [refused], expect: {errno: EAGAIN, cause: pids-max}}\n";

/* No cases; the run's own words win over the scenario's. */
static const char own_words[] = "title: t\nclass: task-count\nscope: cgroup\nprogram: scenario.yaml\n"
				"expect: {call: clone, errno: ENOMEM, cause: rlimit-nproc}\n"
				"runs:\n"
				"  - {name: free, role: control}\n"
				"  - {name: limited, role: trigger, environment: {cgroup: {pids.max: 4}}, expect: "
				"{errno: EAGAIN, cause: pids-max}}\n"
				"  - {name: more, role: remedy, environment: {cgroup: {pids.max: 9}}}\n";

static const char stands_still[] =
	"title: t\nclass: memory-cgroup\nscope: machine\nprogram: scenario.yaml\n"
	"expect: {stall: true, cause: memcg-high}\n"
	"runs:\n"
	"  - {name: free, role: control}\n"
	"  - {name: limited, role: trigger, environment: {cgroup: {memory.high: 8M}}}\n"
	"  - {name: other, role: trigger, expect: {stall: false, panic: \"out of memory\", cause: system-oom}}\n"
	"  - {name: more, role: remedy, environment: {cgroup: {memory.high: 64M}}}\n";

static void put_scenario(const char *name, const char *manifest)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", tree, name);
	assert_int_equal(mkdir(path, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/scenario.yaml", tree, name);
	auto_fclose FILE *out = fopen(path, "we");
	assert_non_null(out);
	(void)fprintf(out, "name: %s\n%s", name, manifest);
	assert_int_equal(chmod(path, 0755), 0);
}

static int make_tree(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(tree));
	put_scenario("leak-one", two_ways);
	put_scenario("tasks-one", own_words);
	put_scenario("tasks-two", own_words);
	put_scenario("high", stands_still);
	return 0;
}

static int remove_tree(void **state)
{
	static const char *const names[] = {"leak-one", "tasks-one", "tasks-two", "high"};
	char path[256];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/scenario.yaml", tree, names[i]);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s/%s", tree, names[i]);
		(void)rmdir(path);
	}
	return rmdir(tree);
}

static char *said;
static size_t said_size;
static FILE *stderr_before;

static void listen(void)
{
	free(said);
	said = NULL;
	stderr_before = stderr;
	stderr = open_memstream(&said, &said_size);
}

static void listened(void)
{
	(void)fclose(stderr);
	stderr = stderr_before;
}

static int give(struct select_filter *f, enum select_dimension d, const char *value)
{
	static const int letter[] = {OPT_SELECT_CLASS, OPT_SELECT_SCOPE, OPT_SELECT_ERRNO, OPT_SELECT_CAUSE};
	listen();
	int r = select_option(letter[d], value, f);
	listened();
	return r;
}

/* The names chosen, joined; the exit status where there are none. */
static int choose(const char *const *names, size_t count, const struct select_filter *f, char *ret, size_t size)
{
	struct selection s;
	ret[0] = '\0';
	listen();
	int r = select_chosen(tree, (char *const *)(uintptr_t)names, count, f, &s);
	listened();
	for (size_t i = 0; r == 0 && i < s.count; i++) {
		size_t used = strlen(ret);
		(void)snprintf(ret + used, size - used, "%s%s", used ? " " : "", s.item[i]->name);
	}
	if (r == 0)
		selection_free(&s);
	return r;
}

/* What is left of each scenario: "NAME(CASES;TRIGGERS)". */
static int keep(const char *const *names, size_t count, char *ret, size_t size)
{
	struct selection s;
	size_t used = 0;
	ret[0] = '\0';
	listen();
	int r = select_scenarios(tree, (char *const *)(uintptr_t)names, count, &s);
	listened();
	for (size_t i = 0; r == 0 && i < s.count; i++) {
		const struct scenario *one = s.item[i];
		used += (size_t)snprintf(ret + used, size - used, "%s%s(", i ? " " : "", one->name);
		for (size_t c = 0; c < one->case_count; c++)
			if (!one->cases[c].left_out)
				used += (size_t)snprintf(ret + used, size - used, "%s,", one->cases[c].name);
		used += (size_t)snprintf(ret + used, size - used, ";");
		for (size_t k = 0; k < one->run_count; k++)
			if (one->runs[k].role == ROLE_TRIGGER && !one->runs[k].left_out)
				used += (size_t)snprintf(ret + used, size - used, "%s,", one->runs[k].name);
		used += (size_t)snprintf(ret + used, size - used, ")");
	}
	if (r == 0)
		selection_free(&s);
	return r;
}

static void test_cases(void **state)
{
	static const struct {
		const char *names[3], *kept;
	} of[] = {
		{{"leak-one"}, "leak-one(refused,killed,;limited,grouped,)"},
		{{"leak-one/killed"}, "leak-one(killed,;limited,grouped,)"}, /* limited is of no case that is left */
		{{"leak-one/grouped"}, "leak-one(killed,;limited,grouped,)"},
		{{"leak-one/killed: grouped"}, "leak-one(killed,;limited,grouped,)"},
		{{"leak-one/killed", "leak-one/refused", "leak-one/killed"},
		 "leak-one(refused,killed,;limited,grouped,)"},
		{{"leak-one", "leak-one/killed"}, "leak-one(refused,killed,;limited,grouped,)"},
		{{"tasks-one/limited", "high/other"}, "tasks-one(;limited,) high(;other,)"},
		{{"high/other", "high/limited"}, "high(;other,) high(;limited,)"}, /* one after the other */
	};
	static const struct {
		const char *name, *told;
	} wrong[] = {
		{"leak-one/refusd", "did you mean leak-one/refused?"},
		{"leak-one/nothing like it", "there are: leak-one/refused, leak-one/killed"},
		{"leak-one/free", "has no such case or trigger"}, /* a control proves nothing alone */
		{"leak-one/killed: limited", "has no such case or trigger"},
		{"high/x", "there are: high/limited, high/other"},
		{"leak-*/killed", "leave out the case"},
		{"leak-one: killed", "a case is named with a slash: leak-one/killed"},
		{"leak.leak-one: killed: grouped", "a case is named with a slash: 'leak-one/killed: grouped'"},
		{"leak.other-one: killed", "`enomem list` shows them all"},
		{"leak-on", "did you mean 'leak-one'?"},
		{"leak-one/", "the scenario is leak-one"},
		{"./no-such", "`enomem list` shows those that came with enomem"},
		{"no-such-thing/killed", "no-such-thing: no such scenario"},
	};
	char kept[512];
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		size_t count = 0;
		while (count < ARRAY_SIZE(of[i].names) && of[i].names[count])
			count++;
		assert_int_equal(keep(of[i].names, count, kept, sizeof(kept)), 0);
		assert_string_equal(kept, of[i].kept);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_true(keep(&wrong[i].name, 1, kept, sizeof(kept)) < 0);
		assert_non_null(strstr(said, wrong[i].told));
	}
}

/* A trigger of a case that was left out is not what was asked for. */
static void test_case_and_filter(void **state)
{
	static const char *const killed[] = {"leak-one/killed"}, *const other[] = {"high/other"};
	struct select_filter refused = {.count = {0}}, stall = {.count = {0}};
	char names[256];
	(void)state;
	assert_int_equal(give(&refused, SELECT_ERRNO, "ENOMEM"), 0);
	assert_int_equal(choose(killed, 1, &refused, names, sizeof(names)), EXIT_NOTHING_SELECTED);
	assert_int_equal(give(&stall, SELECT_ERRNO, "stall"), 0);
	assert_int_equal(choose(other, 1, &stall, names, sizeof(names)), EXIT_NOTHING_SELECTED);
	assert_int_equal(give(&stall, SELECT_ERRNO, "panic"), 0);
	assert_int_equal(choose(other, 1, &stall, names, sizeof(names)), 0);
}

static void test_filters(void **state)
{
	static const struct {
		const char *class_name, *scope, *error, *cause, *chosen;
	} of[] = {
		{NULL, NULL, NULL, NULL, "high leak-one tasks-one tasks-two"},
		{"leak", NULL, NULL, NULL, "leak-one"},
		{"leak,memory-cgroup", NULL, NULL, NULL, "high leak-one"},
		{NULL, "cgroup,machine", NULL, NULL, "high tasks-one tasks-two"},
		{NULL, NULL, "ENOMEM", NULL, "leak-one"},
		{NULL, NULL, "EAGAIN", NULL, "tasks-one tasks-two"}, /* folklore's errno does not count */
		{NULL, NULL, "SIGKILL", NULL, "leak-one"},
		{NULL, NULL, "stall", NULL, "high"},
		{NULL, NULL, "panic", NULL, "high"},
		{NULL, NULL, NULL, "pids-max", "tasks-one tasks-two"},
		{NULL, NULL, NULL, "rlimit-nproc", ""}, /* the run says otherwise */
		{NULL, NULL, NULL, "rlimit-as,memcg-high", "high leak-one"},
		{NULL, NULL, "SIGKILL", "memcg-max", "leak-one"},
		{NULL, NULL, "SIGKILL", "rlimit-as", ""}, /* both are there, but not of one trigger */
		{NULL, NULL, "ENOMEM", "rlimit-as", "leak-one"},
		{NULL, NULL, "panic", "memcg-high", ""},
		{NULL, NULL, "panic", "system-oom", "high"},
		{"leak", "machine", NULL, NULL, ""},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		const char *value[] = {of[i].class_name, of[i].scope, of[i].error, of[i].cause};
		struct select_filter f = {.count = {0}};
		char names[256];
		for (enum select_dimension d = 0; d < SELECT_DIMENSIONS; d++)
			if (value[d])
				assert_int_equal(give(&f, d, value[d]), 0);
		assert_int_equal(select_any(&f), i > 0);
		assert_int_equal(choose(NULL, 0, &f, names, sizeof(names)), *of[i].chosen ? 0 : EXIT_NOTHING_SELECTED);
		assert_string_equal(names, of[i].chosen);
		if (!*of[i].chosen)
			assert_non_null(strstr(said, "no scenario fits all of that"));
	}
}

static void test_repeated(void **state)
{
	struct select_filter f = {.count = {0}};
	char names[256];
	(void)state;
	assert_int_equal(give(&f, SELECT_CLASS, "leak"), 0);
	assert_int_equal(give(&f, SELECT_CLASS, "task-count"), 0);
	assert_int_equal(choose(NULL, 0, &f, names, sizeof(names)), 0);
	assert_string_equal(names, "leak-one tasks-one tasks-two");
	assert_int_equal(select_option('x', "leak", &f), -1);
	for (unsigned i = 2; i < SELECT_WORDS_MAX; i++)
		assert_int_equal(give(&f, SELECT_CLASS, "leak"), 0);
	assert_int_equal(give(&f, SELECT_CLASS, "leak"), EXIT_USAGE);
	assert_non_null(strstr(said, "more than 32 names"));
}

static void test_unknown_words(void **state)
{
	static const struct {
		enum select_dimension d;
		const char *value, *says, *hint;
	} wrong[] = {
		{SELECT_CLASS, "leek", "--class: unknown class 'leek'", "did you mean 'leak'?"},
		{SELECT_CLASS, "leak,xyzzy", "--class: unknown class 'xyzzy'", "one of address-space, map-count"},
		{SELECT_CLASS, "", "--class: an empty name", "one of "},
		{SELECT_CLASS, "leak,", "--class: an empty name", "one of "},
		{SELECT_SCOPE, "machin", "--scope: unknown scope", "did you mean 'machine'?"},
		{SELECT_ERRNO, "ENOMEN", "--errno: unknown errno 'ENOMEN'", "did you mean 'ENOMEM'?"},
		{SELECT_ERRNO, "SIGKIL", "--errno: unknown errno", "did you mean 'SIGKILL'?"},
		{SELECT_ERRNO, "0", "--errno: unknown errno", "an errno such as ENOMEM"},
		{SELECT_CAUSE, "pid-maxx", "--cause: unknown cause", "did you mean 'pid-max'?"},
		{SELECT_CAUSE, "rlimit-as rlimit-data-and-much-more-than-any-cause-has", "--cause: unknown cause",
		 "one of rlimit-as"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct select_filter f = {.count = {0}};
		assert_int_equal(give(&f, wrong[i].d, wrong[i].value), EXIT_USAGE);
		if (!strstr(said, wrong[i].says) || !strstr(said, wrong[i].hint))
			print_message("%s", said);
		assert_non_null(strstr(said, wrong[i].says));
		assert_non_null(strstr(said, wrong[i].hint));
	}
}

static void test_patterns(void **state)
{
	static const struct {
		const char *name[3];
		int code;
		const char *chosen, *says;
	} of[] = {
		{{"tasks-*"}, 0, "tasks-one tasks-two", ""},
		{{"*-one"}, 0, "leak-one tasks-one", ""},
		{{"tasks-t[vw]o"}, 0, "tasks-two", ""},
		{{"?igh", "leak-one"}, 0, "high leak-one", ""},
		{{"tasks-two", "tasks-*"}, 0, "tasks-two tasks-one", ""}, /* what is there is not added again */
		{{"tasks-*", "*"}, 0, "tasks-one tasks-two high leak-one", ""},
		{{"tasks-one", "tasks-one"}, 0, "tasks-one tasks-one", ""}, /* said twice is meant twice */
		{{"nothing-*"}, EXIT_NOTHING_SELECTED, "", "nothing-*: no scenario has such a name"},
		{{"tasks-*", "nothing-*"}, EXIT_NOTHING_SELECTED, "", "nothing-*: no scenario has such a name"},
		{{"tasks-tow"}, EXIT_USAGE, "", "did you mean 'tasks-two'?"},
		{{"./tasks-*/"}, EXIT_USAGE, "", "./tasks-*/"}, /* a directory is no pattern */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
		struct select_filter f = {.count = {0}};
		char names[256];
		size_t count = 0;
		while (count < 3 && of[i].name[count])
			count++;
		assert_int_equal(choose(of[i].name, count, &f, names, sizeof(names)), of[i].code);
		assert_string_equal(names, of[i].chosen);
		assert_non_null(strstr(said ? said : "", of[i].says));
	}
	/* Together with the options. */
	struct select_filter f = {.count = {0}};
	char names[256];
	assert_int_equal(give(&f, SELECT_CLASS, "leak"), 0);
	assert_int_equal(choose((const char *const[]){"*-one"}, 1, &f, names, sizeof(names)), 0);
	assert_string_equal(names, "leak-one");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),         cmocka_unit_test(test_case_and_filter),
		cmocka_unit_test(test_filters),       cmocka_unit_test(test_repeated),
		cmocka_unit_test(test_unknown_words), cmocka_unit_test(test_patterns),
	};
	int failed = cmocka_run_group_tests(tests, make_tree, remove_tree);
	free(said);
	return failed;
}
