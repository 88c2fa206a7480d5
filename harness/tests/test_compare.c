// SPDX-License-Identifier: MIT
/*
 * compare: each thing that moved is one line, noise is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cleanup.h"
#include "report.h"
#include "sample.h"

static char *compared(const json_t *a, const json_t *b, int expected)
{
	char *text = NULL;
	size_t size, lines = 0;
	FILE *out = open_memstream(&text, &size);
	int moved = compare_results(a, b, "a.json", "b.json", out);
	(void)fclose(out);
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	if (moved != expected)
		print_message("%d differences:\n%s", moved, text);
	assert_int_equal(moved, expected);
	assert_int_equal(lines, expected);
	return text;
}

static void test_noise(void **state)
{
	static const char *const noise[][2] = {
		{"duration_ns", "1"},
		{"command", "[\"enomem\", \"run\"]"},
		{"scenarios/0/duration_ns", "1"},
		{"scenarios/0/runs/1/duration_ns", "1"},
		{"scenarios/0/runs/1/failing_moment/pid", "7"},
		{"scenarios/0/runs/1/witness/records/0/time_ns", "7"},
		{"scenarios/0/runs/1/witness/records/0/args", "[7,7,7,7,7,7]"},
		{"scenarios/0/runs/1/snapshots/failure/meminfo/MemFree", "7"},
		{"scenarios/0/runs/1/samples", "{}"},
		{"scenarios/0/runs/1/output/stderr", "\"other\""},
		{"scenarios/1/runs/1/cause/in_use", "2744320"}, /* a page more of address space in use */
		{"host/kernel", "\"6.12.0\""},
	};
	(void)state;
	json_auto_t *a = sample_result(), *b = sample_result();
	free(compared(a, a, 0));
	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		doctor(b, noise[i][0], noise[i][1]);
	assert_false(json_equal(a, b));
	free(compared(a, b, 0));
}

static const struct {
	const char *at, *value;
	const char *says;
} moves[] = {
	{"scenarios/0/verdict", "\"fail\"", "pids-max: verdict pass -> fail\n"},
	{"scenarios/0/runs/1/verdict", "\"fail\"", "pids-max: limited: verdict pass -> fail\n"},
	{"scenarios/0/runs/3/verdict", "\"pass\"", "pids-max: ratio 100: verdict skip -> pass (machine scope"},
	{"scenarios/0/runs/1/cause/id", "\"unknown\"", "pids-max: limited: cause pids-max -> unknown\n"},
	{"scenarios/0/runs/1/cause", NULL, "pids-max: limited: cause pids-max -> none\n"},
	{"scenarios/0/runs/1/cause/bound", "5", "pids-max: limited: bound 6 -> 5 tasks (-1)\n"},
	{"scenarios/0/runs/1/cause/in_use", "7", "pids-max: limited: refused at 7 -> 8 tasks (+1)\n"},
	{"scenarios/0/runs/1/outcome/errno", "\"ENOMEM\"", "pids-max: limited: outcome clone EAGAIN -> clone ENOMEM\n"},
	{"scenarios/0/runs/1/outcome/call", "\"fork\"", "pids-max: limited: outcome clone EAGAIN -> fork EAGAIN\n"},
	{"scenarios/0/runs/1/outcome/kind", "\"success\"", "pids-max: limited: outcome clone EAGAIN -> success\n"},
	{"scenarios/0/runs/1/exit/code", "2", "pids-max: limited: exit 1 -> 2\n"},
	{"scenarios/2/runs/1/outcome/oom", "false", "memory-max: limited: outcome SIGKILL (OOM) -> SIGKILL\n"},
	{"scenarios/2/runs/1/outcome/signal", "\"SIGTERM\"",
	 "memory-max: limited: outcome SIGKILL (OOM) -> SIGTERM (OOM)\n"},
	{"scenarios/1/runs/1/cause/bound", "67112960",
	 "address-space-limit: mmap: limited: bound 67108864 -> 67112960 bytes (+4096)\n"},
	{"scenarios/1/runs/1/cause/bound", "null",
	 "address-space-limit: mmap: limited: bound 67108864 -> unlimited bytes\n"},
	{"scenarios/0/runs/1/name", "\"narrow\"",
	 "pids-max: limited: only in a.json (pass)\npids-max: narrow: only in b.json (pass)\n"},
	{"scenarios/0/name", "\"tasks\"", "pids-max: only in a.json (pass)\ntasks: only in b.json (pass)\n"},
};

static void test_each_move(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		json_auto_t *a = sample_result(), *b = sample_result();
		doctor(b, moves[i].at, moves[i].value);
		int lines = strstr(moves[i].says, "only in a") ? 2 : 1;
		auto_free char *text = compared(a, b, lines);
		/* Of lost and new scenarios the lost are told first. */
		if (lines == 1 ? strncmp(text, moves[i].says, strlen(moves[i].says)) != 0
			       : strcmp(text, moves[i].says) != 0)
			print_message("expected %sgot %s", moves[i].says, text);
		assert_int_equal(strncmp(text, moves[i].says, strlen(moves[i].says)), 0);
	}
}

/* One side could not run it: one line, not one per run. */
static void test_skipped_as_a_whole(void **state)
{
	(void)state;
	json_auto_t *a = sample_result(), *b = sample_result();
	doctor(b, "scenarios/0/runs", "[]");
	doctor(b, "scenarios/0/verdict", "\"skip\"");
	doctor(b, "scenarios/0/reason", "\"no pids controller\"");
	auto_free char *text = compared(a, b, 1);
	assert_string_equal(text, "pids-max: verdict pass -> skip (no pids controller)\n");
}

/* A name from a file may hold anything; the terminal sees none of it, and a line stays a line. */
static void test_hostile_names(void **state)
{
	(void)state;
	json_auto_t *a = sample_result(), *b = sample_result();
	doctor(b, "scenarios/0/name", "\"evil\\u001b[2J\\nname\"");
	auto_free char *text = compared(a, b, 2);
	assert_null(strchr(text, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_each_move),
		cmocka_unit_test(test_skipped_as_a_whole),
		cmocka_unit_test(test_hostile_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
