// SPDX-License-Identifier: MIT
/*
 * What somebody types is taken for what it means, and what helps against a cause is of the cases that it refuses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "explain-word.h"
#include "explain.h"
#include "manifest-internal.h"
#include "report-text.h"

static const struct {
	const char *message, *name; /* NULL: of nothing */
} messages[] = {
	{"bash: fork: Cannot allocate memory", "ENOMEM"},
	{"[Errno 12] no text", "ENOMEM"},
	{"error: -12", "ENOMEM"},
	{"failed with error code 12", "ENOMEM"},
	{"exit code 137", "SIGKILL"},
	{"code=exited, status=143", "SIGTERM"},
	{"exit status 139", "SIGSEGV"},
	{"exit status -9", "SIGKILL"},
	{"returncode=-11", "SIGSEGV"},
	{"signal 9", "SIGKILL"},
	{"Command terminated by signal 9", "SIGKILL"},
	{"OOMKilled", "SIGKILL"},
	{"OOM", "SIGKILL"},
	{"oom", "SIGKILL"},
	{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/job,task_memcg=/job,"
	 "task=x,pid=4711,uid=0",
	 "SIGKILL"},
	{"[  17.5] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task=x,pid=4711,uid=0", "SIGKILL"},
	{"x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0", "SIGKILL"},
	{"A process of this unit has been killed by the OOM killer.", "SIGKILL"},
	{"OOM command not allowed when used memory > 'maxmemory'.", NULL},
	{"zoom", NULL},
	{"what(): std::bad_alloc", "ENOMEM"},
	{"Out of memory", "ENOMEM"},
	{"Out of memory!", "Out of memory!"},
	{"Out of memory: Killed process 4711 (x)", "SIGKILL"},
	{"java.lang.OutOfMemoryError: Java heap space", "ENOMEM"},
	{"FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "ENOMEM"},
	{"libgomp.so.1: cannot allocate memory in static TLS block", "ENOMEM"},
	{"java.lang.OutOfMemoryError: unable to create native thread: possibly out of memory", "EAGAIN"},
	{"exit status 1", NULL},
	{"exit code 12", NULL},
	{"status: 128", NULL},
	{"signal 0", NULL},
	{"signal 999", NULL},
	{"signal 9a", NULL},
	{"exit status -999", NULL},
	{"it went wrong", NULL},
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		char name[64] = "nothing";
		bool found = explain_word_message(messages[i].message, name, sizeof(name));
		if (found != !!messages[i].name)
			print_message("%s: %s\n", messages[i].message, name);
		assert_int_equal(found, !!messages[i].name);
		if (found)
			assert_string_equal(name, messages[i].name);
	}
}

static void test_status_is_no_errno(void **state)
{
	unsigned status = 7;
	(void)state;
	assert_true(explain_word_status("exit status 1", &status));
	assert_int_equal(status, 1);
	assert_true(explain_word_status("exit code 12", &status));
	assert_int_equal(status, 12);
	assert_true(explain_word_status("the job exited with 2", &status));
	assert_int_equal(status, 2);
	/* Of a signal, of success, an errno's number, one that no program has, and none. */
	assert_false(explain_word_status("exit status 137", &status));
	assert_false(explain_word_status("exit status 0", &status));
	assert_false(explain_word_status("error code 12", &status));
	assert_false(explain_word_status("exit status 256", &status));
	assert_false(explain_word_status("exit status", &status));
	assert_int_equal(status, 2);
}

static void test_negative(void **state)
{
	char error[64], killed[64];
	(void)state;
	assert_true(explain_word_negative("-9", error, killed, sizeof(error)));
	assert_string_equal(error, "EBADF");
	assert_string_equal(killed, "SIGKILL");
	assert_true(explain_word_negative("-110", error, killed, sizeof(error)));
	assert_string_equal(error, "ETIMEDOUT");
	assert_string_equal(killed, "");
	assert_false(explain_word_negative("9", error, killed, sizeof(error)));
	assert_false(explain_word_negative("-ENOMEM", error, killed, sizeof(error)));
	assert_false(explain_word_negative("-0", error, killed, sizeof(error)));
	assert_false(explain_word_negative("-99999999999999999999", error, killed, sizeof(error)));
}

static const char manifest[] =
	"name: x\ntitle: t\nclass: address-space\nscope: process\n"
	"cases:\n"
	"  - {name: as, expect: {call: mmap, errno: ENOMEM, cause: rlimit-as}}\n"
	"  - {name: lock, expect: {call: mlock, errno: ENOMEM, cause: rlimit-memlock}}\n"
	"  - {name: both, expect: {call: mmap, errno: ENOMEM}}\n"
	"runs:\n"
	"  - {name: free, role: control}\n"
	"  - {name: limited, role: trigger, cases: [as, lock]}\n"
	"  - {name: data, role: trigger, cases: [both], expect: {cause: rlimit-data}}\n"
	"  - {name: stack, role: trigger, cases: [both], expect: {cause: rlimit-stack}}\n"
	"  - {name: as raised, role: remedy, cases: [as]}\n"
	"  - {name: lock raised, role: remedy, cases: [lock]}\n"
	"  - {name: less of both, role: remedy, cases: [as, lock]}\n"
	"  - {name: data raised, role: remedy, cases: [both]}\n"
	"  - {name: more data, role: remedy, helps: false, cases: [both], expect: {cause: rlimit-stack}}\n";

static char *remedies(const struct explain_world *w, const char *cause, const char *which)
{
	static char all[256];
	const json_t *name = NULL;
	size_t i;
	json_t *page = explain_cause(w, cause);
	all[0] = '\0';
	assert_int_equal(json_array_size(json_object_get(page, "scenarios")), 1);
	json_array_foreach (json_object_get(json_array_get(json_object_get(page, "scenarios"), 0), which), i, name)
		text_add(all, sizeof(all), "%s%s", i ? ", " : "", json_string_value(name));
	json_decref(page);
	return all;
}

static void test_remedies_are_of_the_cause(void **state)
{
	static struct scenario *s;
	(void)state;
	assert_int_equal(manifest_parse(manifest, strlen(manifest), "scenario.yaml", stderr, &s), 0);
	static struct explain_world w;
	w.all = (struct selection){.item = &s, .count = 1};
	w.symptoms = explain_symptoms(&w.all);
	assert_string_equal(remedies(&w, "rlimit-as", "helps"), "as raised, less of both");
	assert_string_equal(remedies(&w, "rlimit-memlock", "helps"), "lock raised, less of both");
	/* A case of two causes: what says nothing is of the first, and what names one is of that. */
	assert_string_equal(remedies(&w, "rlimit-data", "helps"), "data raised");
	assert_string_equal(remedies(&w, "rlimit-data", "folklore"), "");
	assert_string_equal(remedies(&w, "rlimit-stack", "helps"), "");
	assert_string_equal(remedies(&w, "rlimit-stack", "folklore"), "more data");
	json_decref(w.symptoms);
	scenario_free(s);
}

static void test_swapped_letters_are_one_mistake(void **state)
{
	static const char *const commands[] = {"list", "run", "grade", "triage"};
	(void)state;
	assert_string_equal(words_nearest(commands, 4, "rnu"), "run");
	assert_string_equal(words_nearest(commands, 4, "urn"), "run");
	assert_string_equal(words_nearest(commands, 4, "lsit"), "list");
	assert_string_equal(words_nearest(commands, 4, "trigae"), "triage");
	assert_null(words_nearest(commands, 4, "nur"));
	assert_null(words_nearest(commands, 4, "tsil"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_status_is_no_errno),
		cmocka_unit_test(test_negative),
		cmocka_unit_test(test_remedies_are_of_the_cause),
		cmocka_unit_test(test_swapped_letters_are_one_mistake),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
