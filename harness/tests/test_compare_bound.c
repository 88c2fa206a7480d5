// SPDX-License-Identifier: MIT
/*
 * Which bounds only followed the machine's RAM, and which moved.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cleanup.h"
#include "report-set.h"

#define MIB 1048576LL

/* The memory of two hosts, a bound on each, and whether that is the same limit. */
static void test_bounds(void **state)
{
	static const struct {
		const char *cause, *unit;
		long long ram_a, bound_a, ram_b, bound_b;
		bool same;
	} cases[] = {
		/* Mode 2: half of RAM, RAM differs by 300 KiB; and ratio 50 -> 51 on the same two machines. */
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 256 * MIB - 307200, 128 * MIB - 153600, true},
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 256 * MIB - 307200, 137 * MIB, false},
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 512 * MIB, 256 * MIB, true},
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 512 * MIB, 128 * MIB, true}, /* did not move */
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 512 * MIB, 140 * MIB, false},
		/* The reserves follow what is free at boot: some pages on the same machine; a megabyte is a change. */
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 256 * MIB, 128 * MIB - 12288, true},
		{"commit-limit", "bytes", 256 * MIB, 128 * MIB, 256 * MIB, 127 * MIB, false},
		{"commit-heuristic", "bytes", 256 * MIB, 256 * MIB, 300 * MIB, 300 * MIB, true},
		{"commit-heuristic", "bytes", 256 * MIB, 256 * MIB, 300 * MIB, 400 * MIB, false},
		/* What was set is exact, on machines of any size. */
		{"rlimit-as", "bytes", 256 * MIB, 64 * MIB, 256 * MIB, 64 * MIB + 4096, false},
		{"rlimit-as", "bytes", 256 * MIB, 64 * MIB, 256 * MIB - 307200, 64 * MIB + 4096, false},
		{"rlimit-as", "bytes", 256 * MIB, 64 * MIB, 512 * MIB, 64 * MIB, true},
		{"memcg-max", "bytes", 256 * MIB, 64 * MIB, 512 * MIB, 65 * MIB, false},
		/* Unless it was set as a share: a quarter of RAM, rounded to pages. */
		{"memcg-max", "bytes", 256 * MIB, 64 * MIB, 256 * MIB - 307200, 64 * MIB - 77824, true},
		{"memcg-max", "bytes", 256 * MIB, 64 * MIB, 512 * MIB, 128 * MIB, true},
		{"memcg-max", "bytes", 256 * MIB, 64 * MIB, 512 * MIB, 128 * MIB + 8192, false},
		{"memcg-max", "bytes", 256 * MIB, 65536, 512 * MIB, 131072, false}, /* no share people write */
		/* Counts: threads-max follows RAM, others do not. */
		{"threads-max", "tasks", 256 * MIB, 2000, 512 * MIB, 4000, true},
		{"threads-max", "tasks", 256 * MIB, 2000, 256 * MIB, 2001, false},
		{"threads-max", "tasks", 256 * MIB, 2000, 512 * MIB, 2100, false},
		{"pids-max", "tasks", 256 * MIB, 6, 512 * MIB, 12, false},
		/* What is not known to be the same is not. */
		{"commit-limit", "bytes", 0, 128 * MIB, 256 * MIB, 64 * MIB, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		json_auto_t *host_a = json_pack("{s:I, s:i}", "ram", cases[i].ram_a, "swap", 0);
		json_auto_t *host_b = json_pack("{s:I, s:i}", "ram", cases[i].ram_b, "swap", 0);
		json_auto_t *a = json_pack("{s:{s:s, s:s, s:I}}", "cause", "id", cases[i].cause, "unit", cases[i].unit,
					   "bound", cases[i].bound_a);
		json_auto_t *b = json_pack("{s:{s:s, s:s, s:I}}", "cause", "id", cases[i].cause, "unit", cases[i].unit,
					   "bound", cases[i].bound_b);
		const struct bounded at_a = {host_a, a}, at_b = {host_b, b};
		if (same_bound(&at_a, &at_b) != cases[i].same)
			print_message("case %zu\n", i);
		assert_int_equal(same_bound(&at_a, &at_b), cases[i].same);
		assert_int_equal(same_bound(&at_b, &at_a), cases[i].same);
	}
}

/* The run's own guest counts, not the host that started it; and a sysctl that was changed makes every byte count. */
static void test_bounds_of_guests(void **state)
{
	static const char run[] =
		"{\"cause\": {\"id\": \"commit-limit\", \"unit\": \"bytes\", \"bound\": %lld},"
		" \"snapshots\": {\"failure\": {\"meminfo\": {\"MemTotal\": %lld, \"SwapTotal\": %lld},"
		" \"sysctl\": {\"vm.overcommit_ratio\": %d}}}}";
	static const struct {
		long long bound, ram, swap;
		int ratio;
		bool same;
	} cases[] = {
		{128 * MIB, 256 * MIB, 0, 50, true},           {128 * MIB - 153600, 256 * MIB - 307200, 0, 50, true},
		{128 * MIB - 153600, 256 * MIB, 0, 50, false}, {128 * MIB - 4096, 256 * MIB, 0, 49, false},
		{192 * MIB, 256 * MIB, 64 * MIB, 50, false},   {256 * MIB, 512 * MIB, 0, 50, true},
	};
	(void)state;
	json_auto_t *host = json_pack("{s:I, s:i}", "ram", 25000 * MIB, "swap", 0);
	char text[512];
	(void)snprintf(text, sizeof(text), run, 128 * MIB, 256 * MIB, 0LL, 50);
	json_auto_t *a = json_loads(text, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(text, sizeof(text), run, cases[i].bound, cases[i].ram, cases[i].swap, cases[i].ratio);
		json_auto_t *b = json_loads(text, 0, NULL);
		const struct bounded at_a = {host, a}, at_b = {host, b};
		if (same_bound(&at_a, &at_b) != cases[i].same)
			print_message("case %zu\n", i);
		assert_int_equal(same_bound(&at_a, &at_b), cases[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_bounds_of_guests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
