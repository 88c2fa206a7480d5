// SPDX-License-Identifier: MIT
/*
 * In which of a site's two worlds a run is made: the one of cgroup v2, unless the scenario, the case or the run needs
 * v1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guests.h"

static struct guest_state state_of_guest;
static struct guest_site site;

static struct guest_world world_of(const char *version)
{
	struct guest_world world = {.state = &state_of_guest};
	struct machine *m = &world.machine;
	(void)strcpy(world.cgroup, version);
	*m = (struct machine){.kernel_major = 6,
			      .kernel_minor = 1,
			      .page_size = 4096,
			      .root = true,
			      .guest = true,
			      .capabilities = UINT64_MAX};
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		m->cgroup.at[i].version = strcmp(version, "v1") == 0 ? CGROUP_V1 : CGROUP_V2;
		m->cgroup_writable[i] = true;
	}
	return world;
}

static int prepare(void **state)
{
	(void)state;
	site = (struct guest_site){
		.world = world_of("v2"), .other = world_of("v1"), .usable = true, .other_known = true};
	return 0;
}

/* What is said at each level, and the version that each of the two cases' only trigger is made with. */
static void check(const char *scenario_needs, const char *case_needs, const char *run_needs, const char *first,
		  const char *second)
{
	char text[2048], messages[1024] = "";
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	(void)snprintf(text, sizeof(text),
		       "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\n%s"
		       "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
		       "cases:\n  - {name: first%s}\n  - {name: second}\n"
		       "runs:\n  - {name: c, role: control%s}\n  - {name: t, role: trigger%s}\n"
		       "  - {name: r, role: remedy%s}\n",
		       scenario_needs, case_needs, run_needs, run_needs, run_needs);
	FILE *f = fmemopen(messages, sizeof(messages), "w");
	assert_non_null(f);
	int r = manifest_parse(text, strlen(text), "worlds/scenario.yaml", f, &s);
	if (r == 0)
		r = guests_plan(&site, s, f, &plan);
	(void)fclose(f);
	if (r < 0)
		fail_msg("%s", messages);
	assert_int_equal(plan->run_count, 6);
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct plan_run *run = &plan->runs[i];
		bool is_first = strcmp(run->case_text->name, "first") == 0;
		assert_non_null(run->world);
		assert_string_equal(run->world->cgroup, is_first ? first : second);
		assert_null(run->skip); /* made where its needs are met */
	}
	assert_null(plan->skip);
	plan_free(plan);
	scenario_free(s);
}

static void test_worlds(void **state)
{
	(void)state;
	check("", "", "", "v2", "v2");
	check("needs: {cgroup: v2}\n", "", "", "v2", "v2");
	check("", ", needs: {cgroup: v1}", "", "v1", "v2");
	check("", ", needs: {cgroup: v2}", "", "v2", "v2");
	check("", "", ", needs: {cgroup: v1}", "v1", "v1");
	check("", "", ", when: {cgroup: v1}", "v1", "v1");
}

/* Where guests have v1 unless asked otherwise, it is v2 that has to be asked for. */
static void test_worlds_of_v1(void **state)
{
	(void)state;
	site.world = world_of("v1");
	site.other = world_of("v2");
	check("", "", "", "v1", "v1");
	check("", ", needs: {cgroup: v2}", "", "v2", "v1");
	check("", ", needs: {cgroup: v1}", "", "v1", "v1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_worlds, prepare),
					   cmocka_unit_test_setup(test_worlds_of_v1, prepare)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
