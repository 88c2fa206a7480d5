// SPDX-License-Identifier: MIT
/*
 * What is to be held arrives as it was meant, and so does what came of it; what a guest says that no hold can be is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hold-wire.h"

static char tool[] = "/bin/tool", argument[] = "two words", garbled[] = "\377";

static void free_words(char **words)
{
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
}

static void request_arrives(void **state)
{
	char *argv[] = {tool, argument, NULL};
	const struct hold sent = {.phase = HOLD_LOOP,
				  .ttl_ns = 7000000000,
				  .argv = argv,
				  .capture = true,
				  .count = 12,
				  .interval_ns = 5,
				  .ready_after_ns = 6};
	struct hold got;
	struct run_command command;
	(void)state;
	(void)setenv("TMPDIR", "/nowhere", 1);
	(void)setenv("ENOMEM_STATE_DIR", "/nowhere", 1);
	(void)setenv("KEPT", "yes", 1);
	json_t *request = hold_request(&sent);
	assert_non_null(request);
	(void)unsetenv("KEPT");
	assert_int_equal(hold_from_request(request, &got, &command), 0);
	json_decref(request);
	assert_int_equal(got.phase, HOLD_LOOP);
	assert_true(got.ttl_ns == sent.ttl_ns && got.interval_ns == 5 && got.ready_after_ns == 6 && got.count == 12 &&
		    got.capture);
	assert_string_equal(got.argv[0], tool);
	assert_string_equal(got.argv[1], argument);
	assert_null(got.argv[2]);
	assert_string_equal(getenv("KEPT"), "yes");
	assert_null(getenv("TMPDIR"));
	assert_null(getenv("ENOMEM_STATE_DIR"));
	free_words(command.argv);
}

/* It would arrive as another command. */
static void no_utf8_is_not_sent(void **state)
{
	char *argv[] = {tool, garbled, NULL};
	const struct hold sent = {.argv = argv, .count = 1};
	(void)state;
	assert_null(hold_request(&sent));
}

static void garbled_requests_are_refused(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"phase\": 0, \"count\": 1}",
		"{\"phase\": 5, \"count\": 1, \"command\": {\"argv\": [\"a\"]}}",
		"{\"phase\": -1, \"count\": 1, \"command\": {\"argv\": [\"a\"]}}",
		"{\"phase\": 0, \"count\": 0, \"command\": {\"argv\": [\"a\"]}}",
		"{\"phase\": 0, \"count\": 10001, \"command\": {\"argv\": [\"a\"]}}",
		"{\"phase\": 0, \"count\": 1, \"command\": {\"argv\": []}}",
	};
	struct hold got;
	struct run_command command;
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		json_t *request = json_loads(texts[i], 0, NULL);
		assert_int_equal(hold_from_request(request, &got, &command), -EBADMSG);
		json_decref(request);
	}
}

static void result_arrives(void **state)
{
	struct hold sent = {.reached = true,
			    .as_predicted = true,
			    .started = true,
			    .released = true,
			    .by_clock = true,
			    .made = 3,
			    .state = HOLD_THROTTLED,
			    .evidence = json_pack("{s:{s:s}, s:{s:s}, s:s}", "failing_moment", "at", "call", "cause",
						  "id", "pids-max", "other", "not sent"),
			    .failures = json_pack("[{s:i}]", "pid", 7),
			    .tool = {.ended = true, .status = 0x2a00}};
	struct hold got = {.reached = false};
	char why[64];
	(void)state;
	json_t *result = hold_result(&sent, 3, "because \377");
	assert_non_null(result);
	assert_int_equal(hold_take_result(&got, result, NULL, why, sizeof(why)), 3);
	json_decref(result);
	assert_non_null(strstr(why, "because "));
	assert_true(got.reached && got.as_predicted && got.started && got.released && got.by_clock && got.tool.ended);
	assert_false(got.expired || got.victim_ended || got.tool.lost || got.answer_too_long);
	assert_int_equal(got.made, 3);
	assert_string_equal(hold_state_names[got.state], "throttled");
	assert_int_equal(got.tool.status, 0x2a00);
	assert_int_equal(json_array_size(got.failures), 1);
	assert_non_null(json_object_get(got.evidence, "cause"));
	assert_null(json_object_get(got.evidence, "other"));
	hold_free(&sent);
	hold_free(&got);
}

static void garbled_results_are_refused(void **state)
{
	static const struct {
		const char *key;
		int value;
	} wrong[] = {{"code", -1},    {"code", 256}, {"status", -1}, {"status", 65536},
		     {"made", 10001}, {"error", -1}, {"held", -1},   {"held", HOLD_STATES}};
	const struct hold sent = {.reached = true};
	char why[64];
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct hold got = {.reached = false};
		json_t *result = hold_result(&sent, 0, "");
		(void)json_object_set_new(result, wrong[i].key, json_integer(wrong[i].value));
		assert_int_equal(hold_take_result(&got, result, NULL, why, sizeof(why)), -EBADMSG);
		json_decref(result);
		assert_null(got.evidence);
	}
	struct hold got = {.reached = false};
	json_t *text = json_string("no object");
	assert_int_equal(hold_take_result(&got, text, NULL, why, sizeof(why)), -EBADMSG);
	json_decref(text);
}

#define MOMENT "\"failing_moment\": {\"at\": \"call\", \"call\": \"clone\", \"errno\": \"EAGAIN\", \"pid\": 7}"
#define PROVEN "{" MOMENT ", \"cause\": {\"id\": \"pids-max\", \"in_use\": 5, \"bound\": 5}, \"limits\": []}"

/* What comes of a result that says this evidence and these failures. */
static int take(const char *evidence, const char *failures, int code, struct hold *got, char *why, size_t size)
{
	const struct hold sent = {.reached = true, .as_predicted = true, .started = true};
	json_t *result = hold_result(&sent, code, "a\033[31mb\nc"), *proven = json_loads(PROVEN, 0, NULL);
	assert_non_null(proven);
	assert_int_equal(json_object_set_new(result, "evidence", json_loads(evidence, 0, NULL)), 0);
	if (failures)
		assert_int_equal(json_object_set_new(result, "failures", json_loads(failures, 0, NULL)), 0);
	*got = (struct hold){.reached = false};
	int r = hold_take_result(got, result, proven, why, size);
	json_decref(result);
	json_decref(proven);
	return r;
}

/* A tool that is root in the guest can say in the place of enomem how its hold ended. */
static void made_up_results_are_refused(void **state)
{
	static const char *const made_up[] = {
		"{" MOMENT ", \"cause\": {\"id\": \"rlimit-nproc\"}, \"limits\": []}",
		"{" MOMENT ", \"limits\": []}",
		"{" MOMENT ", \"cause\": {\"id\": \"pids-max\"}, \"limits\": 7}",
		"{" MOMENT ", \"cause\": {\"id\": \"pids-max\"}, \"limits\": [7]}",
		"{" MOMENT ", \"cause\": {\"id\": \"pids-max\", \"in_use\": \"5\"}, \"limits\": []}",
		"{" MOMENT ", \"cause\": \"pids-max\", \"limits\": []}",
		"{\"failing_moment\": 7, \"cause\": {\"id\": \"pids-max\"}, \"limits\": []}",
		"{\"cause\": {\"id\": \"pids-max\"}, \"limits\": []}",
		"{\"failing_moment\": {\"at\": \"call\", \"call\": \"clone\", \"errno\": \"ENOMEM\"}, "
		"\"cause\": {\"id\": \"pids-max\"}, \"limits\": []}",
		"{\"failing_moment\": {\"at\": \"call\", \"call\": \"mmap\", \"errno\": \"EAGAIN\"}, "
		"\"cause\": {\"id\": \"pids-max\"}, \"limits\": []}",
		"{\"failing_moment\": {\"at\": \"signal\", \"signal\": \"SIGKILL\"}, "
		"\"cause\": {\"id\": \"pids-max\"}, \"limits\": []}",
	};
	struct hold got;
	char why[64];
	(void)state;
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++) {
		int r = take(made_up[i], NULL, 0, &got, why, sizeof(why));
		if (r != -EBADMSG)
			fail_msg("%d: %s", r, made_up[i]);
		assert_null(got.evidence);
	}
	assert_int_equal(take(PROVEN, "{}", 0, &got, why, sizeof(why)), -EBADMSG);
	assert_int_equal(take(PROVEN, "[{\"pid\": \"7\"}]", 0, &got, why, sizeof(why)), -EBADMSG);
	assert_int_equal(take(PROVEN, "[{\"pid\": 7, \"time_ns\": 8}]", 0, &got, why, sizeof(why)), 0);
	hold_free(&got);
}

#define DECOY "\"scenario\": \"near-limit\", \"run\": \"data unlimited\", \"role\": \"control\", \"pid\": 7"

static void decoys_are_those_that_were_sent(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} told[] = {{"[{" DECOY ", \"spared\": false}]", true},
		    {"[{" DECOY ", \"spared\": false, \"changed\": [\"process 7 (victim) was ended\"]}]", true},
		    {"[{" DECOY ", \"spared\": false, \"changed\": [7]}]", false},
		    {"[{" DECOY ", \"spared\": false, \"changed\": \"process 7\"}]", false},
		    {"[{" DECOY "}]", false},
		    {"[{" DECOY ", \"spared\": 1}]", false},
		    {"[{" DECOY ", \"spared\": true}, {" DECOY ", \"spared\": true}]", false},
		    {"[{\"scenario\": \"other\", \"run\": \"data unlimited\", \"role\": \"control\", \"pid\": 7, "
		     "\"spared\": true}]",
		     false},
		    {"[]", false},
		    {"7", false}};
	static char name[] = "near-limit";
	struct scenario scenario = {.name = name};
	struct plan_run run = {.name = "data unlimited", .role = ROLE_CONTROL};
	struct plan plan = {.scenario = &scenario};
	struct hold_decoys beside = {.item = {{.plan = &plan, .run = &run}}, .count = 1};
	const struct hold sent = {.reached = true, .as_predicted = true};
	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		struct hold got = {.beside = &beside};
		char why[64];
		json_t *result = hold_result(&sent, 0, ""), *proven = json_loads(PROVEN, 0, NULL);
		(void)json_object_set_new(result, "evidence", json_loads(PROVEN, 0, NULL));
		(void)json_object_set_new(result, "decoys", json_loads(told[i].text, JSON_DECODE_ANY, NULL));
		int r = hold_take_result(&got, result, proven, why, sizeof(why));
		if (r != (told[i].good ? 0 : -EBADMSG))
			fail_msg("%d: %s", r, told[i].text);
		assert_int_equal(json_array_size(got.decoys), told[i].good);
		json_decref(result);
		json_decref(proven);
		hold_free(&got);
	}
}

static void texts_are_without_control_characters(void **state)
{
	struct hold got;
	char why[64];
	(void)state;
	assert_int_equal(take("{" MOMENT ", \"cause\": {\"id\": \"other\", \"where\": \"\\u001b]0;x\\u0007\", "
			      "\"\\u001b\": 1}}",
			      NULL, 1, &got, why, sizeof(why)),
			 1);
	const json_t *cause = json_object_get(got.evidence, "cause");
	assert_string_equal(json_string_value(json_object_get(cause, "where")), "?]0;x?");
	assert_null(json_object_get(cause, "\033"));
	assert_null(strpbrk(why, "\033\n"));
	hold_free(&got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_arrives),
		cmocka_unit_test(no_utf8_is_not_sent),
		cmocka_unit_test(garbled_requests_are_refused),
		cmocka_unit_test(result_arrives),
		cmocka_unit_test(garbled_results_are_refused),
		cmocka_unit_test(made_up_results_are_refused),
		cmocka_unit_test(decoys_are_those_that_were_sent),
		cmocka_unit_test(texts_are_without_control_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
