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
#include "jobs.h"

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

/* Who is interrupted before it is known what the other world is like is told nothing of a guest that does not answer,
 * and those of the runs that need it are not made for that reason. */
static void test_interrupted(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\n"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "cases:\n  - {name: first, needs: {cgroup: v1}}\n  - {name: second}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n";
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	char *said = NULL;
	size_t length = 0;
	FILE *before = stderr, *told = open_memstream(&said, &length);
	(void)state;
	assert_non_null(told);
	assert_int_equal(manifest_parse(text, strlen(text), "worlds/scenario.yaml", stderr, &s), 0);
	site.other_known = false;
	jobs_interrupted = true;
	stderr = told;
	int r = guests_plan(&site, s, before, &plan);
	stderr = before;
	jobs_interrupted = false;
	assert_int_equal(fclose(told), 0);
	assert_int_equal(r, 0);
	assert_string_equal(said, "");
	assert_int_equal(plan->run_count, 6);
	for (size_t i = 0; i < plan->run_count; i++) {
		bool is_first = strcmp(plan->runs[i].case_text->name, "first") == 0;
		assert_string_equal(plan->runs[i].skip ? plan->runs[i].skip : "made",
				    is_first ? "interrupted" : "made");
	}
	plan_free(plan);
	scenario_free(s);
	free(said);
}

/* A scenario whose files do not fit is skipped, and what would help is said. */
static void test_too_large(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\n"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n";
	struct guest_cargo cargo = {.fd = -1,
				    .files = json_pack("{s:[[s, b, i, i]]}", "worlds", "/data", 0, 4096, 200 << 20)};
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), "worlds/scenario.yaml", stderr, &s), 0);
	state_of_guest.options.cargo = &cargo;
	state_of_guest.options.memory_bytes = 288 << 20;
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_non_null(plan->skip);
	assert_non_null(strstr(plan->skip, "its files are 200"));
	assert_non_null(strstr(plan->skip, "larger --guest-memory"));
	plan_free(plan);
	state_of_guest.options.memory_bytes = UINT64_C(1024) << 20;
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_null(plan->skip);
	plan_free(plan);
	scenario_free(s);
	state_of_guest.options.cargo = NULL;
	json_decref(cargo.files);
}

/* What a scenario brings is given room: it is planned for a guest with more RAM, and skipped where that does not boot.
 */
static void test_larger(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\nbring: [/usr]\n"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n";
	struct guest_cargo cargo = {.fd = -1};
	struct guests_options options = {.machine = {.memory_bytes = 288 << 20}};
	struct guest_site others = {.memory_bytes = 352 << 20, .why = "another size"}, larger = site;
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	(void)state;
	assert_int_equal(manifest_parse(text, strlen(text), "worlds/scenario.yaml", stderr, &s), 0);
	cargo.files = json_pack("{s:[[s, b, i, i]]}", "worlds", "/data", 0, 4096, 200 << 20);
	state_of_guest.options.cargo = &cargo;
	state_of_guest.options.memory_bytes = 288 << 20;
	site.options = &options;
	site.larger = &others;
	others.larger = &larger;
	larger.options = &options;
	larger.memory_bytes = (288 + 320) << 20; /* 200 and half of that, in steps of 64 */
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_null(plan->skip);
	assert_ptr_equal(plan->runs[0].world, &larger.world);
	plan_free(plan);
	larger.usable = false;
	(void)strcpy(larger.why, "it does not boot");
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_string_equal(plan->skip, "needs a guest with more RAM, for what it brings: it does not boot");
	plan_free(plan);
	/* It fits: no other guest is wanted. */
	state_of_guest.options.memory_bytes = UINT64_C(1024) << 20;
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_null(plan->skip);
	assert_ptr_equal(plan->runs[0].world, &site.world);
	plan_free(plan);
	scenario_free(s);
	state_of_guest.options.cargo = NULL;
	json_decref(cargo.files);
}

/* What it brings could not be packed: that scenario is skipped, for that reason, wherever it is planned. */
static void test_not_brought(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\nbring: [/usr]\n"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n";
	struct guest_cargo cargo = {.fd = -1, .files = json_object()};
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	(void)state;
	cargo.not_brought = json_pack("{s:s}", "worlds", "/usr/odd: Permission denied");
	assert_int_equal(manifest_parse(text, strlen(text), "worlds/scenario.yaml", stderr, &s), 0);
	state_of_guest.options.cargo = &cargo;
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_string_equal(plan->skip, "what it brings cannot be put into a guest: /usr/odd: Permission denied");
	free(plan->skip);
	plan->skip = strdup("needs a guest (ci/kernels 6.1 brings a kernel)");
	(void)strcpy(site.kernel.name, "6.1.0");
	assert_int_equal(guests_help(&site, s, stderr, plan), 0);
	assert_string_equal(plan->skip, "needs a guest; kernel 6.1.0: no guest: what it brings cannot be put into a "
					"guest: /usr/odd: Permission denied");
	plan_free(plan);
	scenario_free(s);
	state_of_guest.options.cargo = NULL;
	guest_cargo_close(&cargo);
}

/* Another size is tried after one that could not be had: of that one there is nothing to make it of. */
static void test_larger_after_none(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: machine\nbring: [/usr]\n"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy}\n";
	char modules[] = "/tmp/enomem-test-XXXXXX", order[64];
	struct guest_cargo cargo = {.fd = -1};
	struct guests_options options = {.machine = {.memory_bytes = 288 << 20}};
	struct guest_site none = {.memory_bytes = 352 << 20, .why = "another size"};
	struct scenario *s = NULL;
	struct plan *plan = NULL;
	(void)state;
	/* No image can be packed, so that none is booted. */
	assert_non_null(mkdtemp(modules));
	(void)snprintf(order, sizeof(order), "%s/order", modules);
	FILE *f = fopen(order, "w");
	assert_non_null(f);
	(void)fputs("no-such-module.ko\n", f);
	(void)fclose(f);
	assert_int_equal(manifest_parse(text, strlen(text), "worlds/scenario.yaml", stderr, &s), 0);
	cargo.files = json_pack("{s:[[s, b, i, i]]}", "worlds", "/data", 0, 4096, 200 << 20);
	state_of_guest.options.cargo = &cargo;
	state_of_guest.options.memory_bytes = 288 << 20;
	site.options = &options;
	site.larger = &none;
	(void)snprintf(site.kernel.modules, sizeof(site.kernel.modules), "%s", modules);
	assert_int_equal(guests_plan(&site, s, stderr, &plan), 0);
	assert_non_null(strstr(plan->skip, "its image cannot be packed"));
	assert_non_null(none.larger);
	assert_int_equal(none.larger->memory_bytes, (288 + 320) << 20);
	free(none.larger);
	plan_free(plan);
	scenario_free(s);
	(void)remove(order);
	(void)remove(modules);
	state_of_guest.options.cargo = NULL;
	json_decref(cargo.files);
}

/* A kernel can be had, and not the one that is wanted: what the guest there is lacks is said in the place of the
 * advice. */
static void test_guest_lacks_it(void **state)
{
	static const char text[] = "name: worlds\ntitle: t\nclass: memory-cgroup\nscope: %s\n%s"
				   "expect: {call: mmap, errno: ENOMEM, cause: memcg-max}\n"
				   "runs:\n  - {name: c, role: control}\n  - {name: t, role: trigger}\n"
				   "  - {name: r, role: remedy%s}\n  - {name: s, role: remedy, scope: machine}\n";
	static const struct {
		const char *scope, *needs, *run_needs, *last;
	} cases[] = {
		{"process", "needs: {kernel: \">=6.14\"}\n", "",
		 "machine scope: needs a guest; in one of 6.1.0: needs kernel >=6.14 (this is 6.1)"},
		{"machine", "", ", needs: {kernel: \">=6.14\"}", NULL},
	};
	struct machine here = world_of("v2").machine;
	(void)state;
	here.guest = false;
	here.kernel_minor = 18;
	(void)strcpy(site.kernel.name, "6.1.0");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char manifest[1024];
		struct scenario *s = NULL;
		struct plan *plan = NULL;
		(void)snprintf(manifest, sizeof(manifest), text, cases[i].scope, cases[i].needs, cases[i].run_needs);
		assert_int_equal(manifest_parse(manifest, strlen(manifest), "worlds/scenario.yaml", stderr, &s), 0);
		assert_int_equal(plan_make(s, &here, stderr, &plan), 0);
		assert_int_equal(guests_help(&site, s, stderr, plan), 0);
		assert_int_equal(plan->run_count, 4);
		if (cases[i].last)
			assert_string_equal(plan->runs[3].skip, cases[i].last);
		else
			assert_string_equal(plan->runs[2].skip, "needs kernel >=6.14 (this is 6.1)"); /* it moved */
		plan_free(plan);
		scenario_free(s);
	}
}

/* Why there is no guest is said in the place of what would bring a kernel. */
static void test_why_there_is_none(void **state)
{
	struct plan_run runs[2] = {{.skip = strdup("machine scope: needs a guest (ci/kernels 6.1 brings a kernel)")},
				   {.skip = strdup("needs root")}};
	struct plan plan = {.skip = strdup("needs a guest: swap"), .runs = runs, .run_count = 2};
	(void)state;
	(void)strcpy(site.kernel.name, "6.1.0");
	(void)strcpy(site.why, "it does not boot");
	guests_tell_why(&site, &plan);
	assert_string_equal(runs[0].skip, "machine scope: needs a guest; kernel 6.1.0: no guest: it does not boot");
	assert_string_equal(runs[1].skip, "needs root");
	assert_string_equal(plan.skip, "needs a guest: swap; kernel 6.1.0: no guest: it does not boot");
	free(plan.skip);
	free(runs[0].skip);
	free(runs[1].skip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_worlds, prepare),
					   cmocka_unit_test_setup(test_too_large, prepare),
					   cmocka_unit_test_setup(test_larger, prepare),
					   cmocka_unit_test_setup(test_why_there_is_none, prepare),
					   cmocka_unit_test_setup(test_guest_lacks_it, prepare),
					   cmocka_unit_test_setup(test_worlds_of_v1, prepare),
					   cmocka_unit_test_setup(test_interrupted, prepare),
					   cmocka_unit_test_setup(test_not_brought, prepare),
					   cmocka_unit_test_setup(test_larger_after_none, prepare)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
