// SPDX-License-Identifier: MIT
/*
 * What is told of a program in a scenario's place: which refusal is the reason of its end, and how surely.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command-text.h"

#define FAILED (1 << 8)

/* One refusal, with what is added to it. */
#define REFUSAL(call, more)                                                                                            \
	"{\"call\":\"" call "\",\"errno\":\"ENOMEM\",\"program\":\"probe\",\"count\":1,\"processes\":1,\"pid\":42,"    \
	"\"cause\":\"rlimit-as\",\"wrongly\":false,\"limit\":{\"id\":\"rlimit-as\",\"in_use\":1,\"asked\":4,"          \
	"\"bound\":2,\"unit\":\"bytes\",\"where\":\"/proc/PID/limits\"}," more "}"
#define SOON       "\"own\":true,\"before_end_ns\":1000"
#define LATER      "\"own\":true,\"before_end_ns\":3000000000"
#define OF_A_CHILD "\"own\":false,\"before_end_ns\":3000000000"
#define LESS       ",\"granted_since\":{\"call\":\"brk\",\"bytes\":1048576}"
#define AS_MUCH    ",\"made_up_for\":true"

/* "call outcome" of each, and the text. */
static char *told(const char *refusals, int status, char ret_outcomes[128])
{
	static const char rest[] = ",\"outcome\":{\"kind\":\"exit\"},\"argv\":[\"probe\"],\"program\":\"probe\"}";
	const struct command_story story = {.scenario = "narrow", .run = "limited", .status = status};
	char *text = NULL, all[4000];
	size_t size, i;
	const json_t *item;
	(void)snprintf(all, sizeof(all), "{\"refusals\":[%s]%s", refusals, rest);
	json_t *evidence = json_loads(all, 0, NULL);
	assert_non_null(evidence);
	FILE *out = open_memstream(&text, &size);
	assert_non_null(out);
	command_print(evidence, &story, out);
	assert_int_equal(fclose(out), 0);
	json_t *json = command_json(evidence, &story);
	ret_outcomes[0] = '\0';
	json_array_foreach (json_object_get(json, "refusals"), i, item) {
		const char *outcome = json_string_value(json_object_get(item, "outcome"));
		size_t used = strlen(ret_outcomes);
		assert_non_null(outcome);
		assert_int_equal(json_is_true(json_object_get(item, "likely")), strcmp(outcome, "likely-fatal") == 0);
		(void)snprintf(ret_outcomes + used, 128 - used, "%s%s %s", i ? "," : "",
			       json_string_value(json_object_get(item, "call")), outcome);
	}
	json_decref(json);
	json_decref(evidence);
	return text;
}

static void is(const char *refusals, int status, const char *outcomes)
{
	char got[128];
	free(told(refusals, status, got));
	assert_string_equal(got, outcomes);
}

static void test_grades(void **state)
{
	(void)state;
	is(REFUSAL("mmap", SOON), FAILED, "mmap likely-fatal");
	is(REFUSAL("mmap", SOON), 0, "mmap survived");
	is(REFUSAL("mmap", SOON LESS), FAILED, "mmap possibly-fatal");
	is(REFUSAL("mmap", SOON AS_MUCH), FAILED, "mmap survived");
	is(REFUSAL("mmap", LATER), FAILED, "mmap possibly-fatal");
	is(REFUSAL("mmap", LATER LESS), FAILED, "mmap survived");
	is(REFUSAL("mmap", OF_A_CHILD), FAILED, "mmap survived");
}

/* One reason: the likeliest, and of these the latest. */
static void test_one_of_them(void **state)
{
	(void)state;
	is(REFUSAL("mmap", LATER) "," REFUSAL("brk", SOON), FAILED, "mmap survived,brk likely-fatal");
	is(REFUSAL("mmap", "\"own\":true,\"before_end_ns\":2000") "," REFUSAL("brk", SOON LESS), FAILED,
	   "mmap likely-fatal,brk survived");
	is(REFUSAL("mmap", "\"own\":true,\"before_end_ns\":2000") "," REFUSAL("brk", SOON), FAILED,
	   "mmap survived,brk likely-fatal");
}

static void has(const char *text, const char *part, bool wanted)
{
	if ((strstr(text, part) != NULL) != wanted)
		fail_msg("\"%s\" is %sin:\n%s", part, wanted ? "not " : "", text);
}

static void test_words(void **state)
{
	char outcomes[128];
	(void)state;
	char *text = told(REFUSAL("mmap", SOON LESS), FAILED, outcomes);
	has(text, "1. possible reason: rlimit-as refused mmap (ENOMEM), in process 42 (probe)\n", true);
	has(text, "   granted: 1 MiB by brk since: it may have been a fallback\n", true);
	has(text, "   if so:   enomem run -p rlimit.as=...\n", true);
	has(text, "raise:", false);
	free(text);
	text = told(REFUSAL("mmap", LATER), FAILED, outcomes);
	has(text, "   granted: nothing of that kind since, but more than 2 s passed\n", true);
	has(text, "   then:    the program's end, 3 s after it\n", true);
	free(text);
	text = told(REFUSAL("mmap", SOON), FAILED, outcomes);
	has(text, "1. likely reason: ", true);
	has(text, "   raise:   enomem run -p rlimit.as=...\n", true);
	has(text, "granted:", false);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grades),
		cmocka_unit_test(test_one_of_them),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
