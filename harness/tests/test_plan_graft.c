// SPDX-License-Identifier: MIT
/*
 * One plan from two: which runs take whose place, in which order, who owns what afterwards, and what is left of a
 * reason that kept the whole scenario from running.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

static struct case_text cases[2] = {{.name = (char *)"x"}, {.name = (char *)"y"}};
static struct run_text texts[3] = {{.name = (char *)"a"}, {.name = (char *)"b"}, {.name = (char *)"c"}};
static struct scenario scenario = {.name = (char *)"s", .cases = cases, .case_count = 2, .runs = texts, .run_count = 3};

/* "xa xb- yc": case and run; '-': skipped. */
static struct plan *plan_of(const char *text, const char *program)
{
	struct plan *p = calloc(1, sizeof(*p));
	p->scenario = &scenario;
	p->runs = calloc(8, sizeof(*p->runs));
	for (const char *at = text; *at; at += strspn(at, " ")) {
		struct plan_run *run = &p->runs[p->run_count++];
		run->scenario = &scenario;
		run->case_text = &cases[at[0] - 'x'];
		run->run = &texts[at[1] - 'a'];
		run->role = at[1] == 'b' ? ROLE_TRIGGER : ROLE_CONTROL;
		(void)snprintf(run->name, sizeof(run->name), "%.2s", at);
		run->argv[0] = strdup(program);
		run->skip = at[2] == '-' ? strdup("needs a guest") : NULL;
		at += strcspn(at, " ");
	}
	return p;
}

/* "xa=here xb=there-" */
static void assert_runs(const struct plan *p, const char *expected)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	assert_non_null(out);
	for (size_t i = 0; i < p->run_count; i++)
		fprintf(out, "%s%s=%s%s", i ? " " : "", p->runs[i].name, p->runs[i].argv[0],
			p->runs[i].skip ? "-" : "");
	(void)fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static bool named(const struct plan_run *run, void *names)
{
	return strstr(names, run->name) != NULL;
}

/* Graft those named; afterwards both plans are freed, which finds a run owned twice. */
static void check(const char *into_text, const char *from_text, const char *names, const char *expected,
		  const char *left, const char *skip)
{
	struct plan *into = plan_of(into_text, "here"), *from = plan_of(from_text, "there");
	into->skip = skip ? strdup(skip) : NULL;
	assert_int_equal(plan_graft(into, from, named, (void *)(uintptr_t)names), 0);
	assert_runs(into, expected);
	assert_runs(from, left);
	plan_free(into);
	plan_free(from);
}

static void test_replaced(void **state)
{
	(void)state;
	check("xa xb- xc", "xa xb xc", "xb", "xa=here xb=there xc=here", "xa=there xc=there", NULL);
	check("xa xb xc", "xa xb xc", "xa xb xc", "xa=there xb=there xc=there", "", NULL);
	check("xa xb- xc", "xa xb- xc", "xb", "xa=here xb=there- xc=here", "xa=there xc=there", NULL);
}

/* The same run of another case is another run. */
static void test_cases(void **state)
{
	(void)state;
	check("xa xb ya yb", "xa xb ya yb", "ya", "xa=here xb=here ya=there yb=here", "xa=there xb=there yb=there",
	      NULL);
}

/* What exists only there gets the manifest's place. */
static void test_added(void **state)
{
	(void)state;
	check("xa ya yc", "xb yb xc", "xb yb", "xa=here xb=there ya=here yb=there yc=here", "xc=there", NULL);
	check("", "yb xa", "xa yb", "xa=there yb=there", "", NULL);
}

static void test_nothing(void **state)
{
	(void)state;
	check("xa xb", "xa xb", "", "xa=here xb=here", "xa=there xb=there", NULL);
	check("xa xb", "", "xa", "xa=here xb=here", "", NULL);
	check("", "", "xa", "", "", NULL);
}

static void test_whole_skip(void **state)
{
	(void)state;
	struct plan *into = plan_of("xa- xb-", "here"), *from = plan_of("xa xb", "there");
	into->skip = strdup("needs root");
	/* nothing moved: the reason stays */
	assert_int_equal(plan_graft(into, from, named, (void *)(uintptr_t) ""), 0);
	assert_string_equal(into->skip, "needs root");
	/* one can happen: the scenario does, the other run keeps its reason */
	assert_int_equal(plan_graft(into, from, named, (void *)(uintptr_t) "xb"), 0);
	assert_null(into->skip);
	assert_runs(into, "xa=here- xb=there");
	plan_free(into);
	plan_free(from);
	/* what moved cannot happen there either: skipped as a whole, for the trigger's reason */
	into = plan_of("xa- xb-", "here");
	from = plan_of("xb-", "there");
	free(from->runs[0].skip);
	from->runs[0].skip = strdup("needs Linux 9");
	into->skip = strdup("needs root");
	assert_int_equal(plan_graft(into, from, named, (void *)(uintptr_t) "xb"), 0);
	assert_string_equal(into->skip, "needs Linux 9");
	plan_free(into);
	plan_free(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced), cmocka_unit_test(test_cases),      cmocka_unit_test(test_added),
		cmocka_unit_test(test_nothing),  cmocka_unit_test(test_whole_skip),
	};
	return cmocka_run_group_tests_name("plan_graft", tests, NULL, NULL);
}
