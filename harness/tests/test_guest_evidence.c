// SPDX-License-Identifier: MIT
/*
 * Evidence that the harness makes for a guest that made none: the panic's text out of whatever a console carries, its
 * last lines, and that each kind of evidence is one that can be judged and stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "guest-evidence.h"
#include "judge.h"
#include "result-check.h"

#define PANIC "Kernel panic - not syncing: "

static void assert_panic(const char *console, const char *expected)
{
	const char *text = guest_panic_text(console);
	if (!expected)
		assert_null(text);
	else if (!text)
		fail_msg("no panic found in: %s", console);
	else
		assert_string_equal(text, expected);
}

static void test_text(void **state)
{
	char text[1024];
	(void)state;
	assert_panic("", NULL);
	assert_panic("[    1.0] Linux version 6.1\r\n", NULL);
	assert_panic("Kernel panic - not syncing", NULL);
	assert_panic("kernel panic - not syncing: no", NULL);
	assert_panic(PANIC, "");
	assert_panic(PANIC "Out of memory: x\r\n[ 2.0] CPU: 0\r\n", "Out of memory: x");
	assert_panic("[    9.876543] " PANIC "sysrq triggered crash", "sysrq triggered crash");
	/* the first one is the cause, the second what came of it */
	assert_panic("\n" PANIC "one\n" PANIC "two\n", "one");
	/* a line that is not text */
	assert_panic("\xff\xfe\x1b[31m" PANIC "a\x01\x80z\n", "a??z");
	(void)snprintf(text, sizeof(text), "%s%0500d\n", PANIC, 0);
	assert_int_equal(strlen(guest_panic_text(text)), 255);
}

static json_t *lines_of(const char *console)
{
	json_t *evidence = json_object();
	guest_add_console(evidence, console);
	json_t *lines = json_incref(json_object_get(evidence, "console"));
	json_decref(evidence);
	return lines;
}

static void test_console(void **state)
{
	char *text = calloc(1, 8192), long_line[1400];
	(void)state;
	assert_null(lines_of(""));
	assert_null(lines_of("\r\n\n\r\n"));
	json_t *lines = lines_of("one\r\n\n\xc3\x28two\t\x7f\r\nlast");
	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(json_string_value(json_array_get(lines, 0)), "one");
	assert_string_equal(json_string_value(json_array_get(lines, 1)), "?(two??");
	assert_string_equal(json_string_value(json_array_get(lines, 2)), "last");
	json_decref(lines);
	/* the last ones count */
	for (int i = 0; i < 200; i++)
		(void)snprintf(text + strlen(text), 16, "line %d\n", i);
	lines = lines_of(text);
	assert_int_equal(json_array_size(lines), 60);
	assert_string_equal(json_string_value(json_array_get(lines, 0)), "line 140");
	assert_string_equal(json_string_value(json_array_get(lines, 59)), "line 199");
	json_decref(lines);
	/* but the panic more than what came after it */
	char *middle = strstr(text, "line 100");
	memcpy(middle, PANIC, strlen(PANIC));
	lines = lines_of(text);
	assert_int_equal(json_array_size(lines), 60);
	assert_string_equal(json_string_value(json_array_get(lines, 0)), "line 80");
	assert_int_equal(strncmp(json_string_value(json_array_get(lines, 20)), PANIC, strlen(PANIC)), 0);
	json_decref(lines);
	lines = lines_of(middle - strlen("line 99\n"));
	assert_string_equal(json_string_value(json_array_get(lines, 0)), "line 99");
	json_decref(lines);
	(void)snprintf(long_line, sizeof(long_line), "%01300d", 0);
	lines = lines_of(long_line);
	assert_int_equal(json_string_length(json_array_get(lines, 0)), 511);
	json_decref(lines);
	free(text);
}

/* A trigger that expects a panic with this text, or exit 0 when it is NULL. */
static struct plan_run run_of(const char *panic)
{
	static struct scenario scenario = {.name = (char *)"s"};
	static struct run_text text = {.name = (char *)"r"};
	struct plan_run run = {.scenario = &scenario, .run = &text, .scope = SCOPE_MACHINE, .name = "r"};
	run.role = panic ? ROLE_TRIGGER : ROLE_CONTROL;
	environment_init(&run.environment);
	run.expect = (struct expect){.panic = (char *)(uintptr_t)panic, .exit = panic ? NULL : (char *)"0"};
	return run;
}

static void assert_verdict(json_t *evidence, const struct plan_run *run, const char *verdict)
{
	assert_non_null(evidence);
	assert_int_equal(judge_run(evidence, run, NULL), 0);
	const char *got = json_string_value(json_object_get(evidence, "verdict"));
	if (!got || strcmp(got, verdict) != 0) {
		char *text = json_dumps(evidence, JSON_INDENT(1));
		fail_msg("%s, not %s: %s", got ? got : "no verdict", verdict, text);
	}
	json_decref(evidence);
}

static void test_kinds(void **state)
{
	static const char oom[] = "Out of memory: system-wide panic_on_oom is enabled";
	char console[256];
	struct plan_run wanted = run_of(oom), other = run_of("something else"), control = run_of(NULL);
	(void)state;
	(void)snprintf(console, sizeof(console), "[ 1.0] %s%s\n", PANIC, oom);
	assert_verdict(guest_evidence_panic(&other, oom, console), &other, "fail");
	assert_verdict(guest_evidence_panic(&control, oom, console), &control, "fail");
	assert_verdict(guest_evidence_panic(&wanted, "", ""), &wanted, "fail");
	assert_verdict(guest_evidence_hang(&control), &control, "fail");
	assert_verdict(guest_evidence_hang(&wanted), &wanted, "fail");
	assert_verdict(guest_evidence_broken(&control, "the guest ended"), &control, "broken");
	assert_verdict(guest_evidence_broken(&wanted, "the guest ended"), &wanted, "broken");
}

static void assert_message(const char *json, const char *expected)
{
	char text[64];
	guest_failed_message(json, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void test_message(void **state)
{
	static const char none[] = "the guest failed and cannot say why";
	(void)state;
	assert_message("{\"message\": \"no memory\"}", "no memory");
	assert_message("{\"message\": \"a\\u001b[2Jb\\u0007c\"}", "a?[2Jb?c");
	assert_message("", none);
	assert_message("{", none);
	assert_message("[]", none);
	assert_message("{\"message\": 7}", none);
	assert_message("{\"message\": \"\xff\"}", none);
	assert_message("{\"message\": \"0123456789012345678901234567890123456789012345678901234567890123456789\"}",
		       "012345678901234567890123456789012345678901234567890123456789012");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_message),
	};
	return cmocka_run_group_tests_name("guest_evidence", tests, NULL, NULL);
}
