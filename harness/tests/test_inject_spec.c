// SPDX-License-Identifier: MIT
/*
 * What to refuse, as it is written: which calls are due, what is said of mistakes, and that it can be written again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "inject-spec.h"

static struct inject_spec parsed(const char *text)
{
	struct inject_spec spec;
	struct inject_complaint complaint;
	assert_int_equal(inject_spec_parse(text, &spec, &complaint), 0);
	assert_string_equal(complaint.what, "");
	return spec;
}

static bool matches(const char *text, const char *call, uint64_t asked)
{
	struct inject_spec spec = parsed(text);
	return inject_spec_matches(&spec, call_by_name(call), asked);
}

/* The first ten numbers as digits: 1 where it is due. */
static void assert_due(const char *text, const char *expected)
{
	struct inject_spec spec = parsed(text);
	char due[11] = "";
	for (unsigned n = 0; n < 10; n++)
		due[n] = inject_spec_is_due(&spec, n + 1) ? '1' : '0';
	assert_string_equal(due, expected);
}

static void test_when(void **state)
{
	(void)state;
	assert_due("mmap", "1111111111");
	assert_due("mmap:when=3", "0010000000");
	assert_due("mmap:when=3+", "0011111111");
	assert_due("mmap:when=3+3", "0010010010");
	assert_due("mmap:when=3..5", "0011100000");
	assert_due("mmap:when=3..9+2", "0010101010");
	assert_due("mmap:when=3..3", "0010000000");
	/* No 65535 as elsewhere: the default vm.max_map_count is refused at the 65,5xxth. */
	struct inject_spec spec = parsed("mmap:when=4294967297");
	assert_true(inject_spec_is_due(&spec, 4294967297));
	assert_false(inject_spec_is_due(&spec, 1));
}

static void test_calls(void **state)
{
	(void)state;
	assert_true(matches("mmap", "mmap", 1));
	assert_false(matches("mmap", "brk", 1));
	assert_true(matches("mmap,brk:ENOMEM", "brk", 1));
	assert_true(matches("memory", "munmap", 1));
	assert_false(matches("memory", "clone", 0));
	assert_true(matches("process:EAGAIN", "clone3", 0));
	assert_true(matches("descriptor:EMFILE", "pipe2", 0));
	assert_true(matches("all", "clone", 0));
	/* Of a class only those that can give the errno. */
	assert_true(matches("memory:EAGAIN", "mmap", 1));
	assert_false(matches("memory:EAGAIN", "munmap", 1));
	assert_int_equal(parsed("brk").error, ENOMEM);
	assert_int_equal(parsed("clone:EAGAIN:when=2").error, EAGAIN);
}

static void test_tasks(void **state)
{
	const struct {
		const char *text;
		bool makes;
	} known[] = {{"fork", true}, {"process:EAGAIN", true}, {"all", true}, {"execve", false}, {"memory", false}};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct inject_spec spec = parsed(known[i].text);
		assert_int_equal(inject_spec_makes_tasks(&spec), known[i].makes);
	}
}

static void test_size(void **state)
{
	(void)state;
	assert_true(matches("mmap:size>=1M", "mmap", 1 << 20));
	assert_false(matches("mmap:size>=1M", "mmap", (1 << 20) - 1));
	assert_true(matches("mmap:ENOMEM:size>=1:when=2", "mmap", 1));
	assert_false(matches("all:size>=1", "clone", 0));
	assert_true(matches("all:size>=1", "brk", 4096));
}

static void assert_wrong(const char *text, const char *what, const char *hint)
{
	struct inject_spec spec = {.error = 12345};
	struct inject_complaint complaint;
	assert_int_equal(inject_spec_parse(text, &spec, &complaint), -EINVAL);
	assert_int_equal(spec.error, 12345);
	assert_non_null(strstr(complaint.what, what));
	assert_non_null(strstr(complaint.hint, hint));
}

static void test_mistakes(void **state)
{
	(void)state;
	assert_wrong("", "a call is missing", "");
	assert_wrong("mmap,", "a call is missing", "");
	assert_wrong("mmp", "'mmp' is no call", "did you mean 'mmap'?");
	assert_wrong("memry", "'memry' is no call", "did you mean 'memory'?");
	assert_wrong("read", "'read' is not watched", "");
	assert_wrong("mmap:ENOMEN", "'ENOMEN' is no errno", "did you mean 'ENOMEM'?");
	assert_wrong("mmap:ENOENT", "'ENOENT' is no errno", "");
	assert_wrong("munmap:EAGAIN", "munmap gives EAGAIN for some", "munmap gives ENOMEM");
	assert_wrong("brk:EAGAIN", "brk gives EAGAIN for some", "brk gives ENOMEM");
	assert_wrong("memory:E2BIG", "no call of 'memory' gives E2BIG", "");
	assert_wrong("mmap:when=3:ENOMEM", "'ENOMEM': not known", "");
	assert_wrong("mmap:wen=3", "'wen=3': not known", "");
	assert_wrong("mmap:", "'' is no errno", "");
	static const char *const whens[] = {
		"", "0", "x", "3..", "3..2", "3..0", "3+0", "3+x", "3++", "3 ", "-1", "+", "99999999999999999999999"};
	for (size_t i = 0; i < sizeof(whens) / sizeof(whens[0]); i++) {
		char text[64] = "mmap:when=";
		assert_wrong(strcat(text, whens[i]), "not FIRST[..LAST][+[STEP]]", "when=3+");
	}
	assert_wrong("mmap:size>=0", "no size", "");
	assert_wrong("mmap:size>=1MB", "no size", "");
	assert_wrong("clone:size>=1M", "clone asks for no number of bytes", "");
	char text[1000];
	memset(text, 'm', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_wrong(text, "too long", "");
}

static void test_format(void **state)
{
	static const char *const same[] = {"mmap:ENOMEM",
					   "mmap:ENOMEM:when=3",
					   "memory:EAGAIN:when=3+",
					   "process,memory:ENOMEM:when=2..8",
					   "all:ENOMEM:when=1..9+2",
					   "clone3:EAGAIN:when=5+7",
					   "mmap:ENOMEM:size>=1048576",
					   "mmap,brk:ENOMEM:when=1..4:size>=1"};
	char buf[INJECT_SPEC_TEXT];
	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct inject_spec spec = parsed(same[i]);
		assert_string_equal(inject_spec_format(&spec, buf, sizeof(buf)), same[i]);
	}
}

/* Each call of the table can be asked for, and ENOMEM is an answer that each of them gives. */
static void test_all_calls(void **state)
{
	(void)state;
	for (const struct call_info *call = watched_calls; call->name; call++) {
		struct inject_spec spec;
		struct inject_complaint complaint;
		bool offered = !call->on_demand && call->nr >= 0 && call->family != CALL_SWAP;
		assert_int_equal(inject_spec_parse(call->name, &spec, &complaint), offered ? 0 : -EINVAL);
		if (offered)
			assert_true(inject_spec_matches(&spec, call, 0));
	}
}

/* DESCRIPTION of the manual has every call that the witness stops, and no other. */
static void test_manual(void **state)
{
	static char page[1 << 18];
	(void)state;
	FILE *in = fopen(TEST_DATA "/../../enomem.1.scd", "r");
	assert_non_null(in);
	page[fread(page, 1, sizeof(page) - 1, in)] = '\0';
	(void)fclose(in);
	char *at = strstr(page, "that a limit counts\n("), *end = at ? strstr(at, "). It follows") : NULL;
	assert_non_null(end);
	*end = '\0';
	at = strchr(at, '(') + 1;
	uint64_t said = 0;
	static const char *const words[] = {"and", "in",       "guests", "where", "it",  "also",
					    "a",   "scenario", "asks",   "for",   "them"};
	for (char *part = strtok(at, ",;\n"); part; part = strtok(NULL, ",;\n")) {
		/* "and in guests swapoff and bpf where it makes a map" */
		char *save, *word = strtok_r(part, " ", &save);
		unsigned calls = 0;
		for (; word; word = strtok_r(NULL, " ", &save)) {
			const struct call_info *call = call_by_name(word);
			if (call)
				said |= UINT64_C(1) << (call - watched_calls);
			calls += call != NULL;
			bool plain = false;
			for (size_t i = 0; !call && !calls && i < ARRAY_SIZE(words); i++)
				plain |= !strcmp(word, words[i]);
			if (!call && !calls && !plain)
				print_message("'%s' is no call\n", word);
			assert_true(call || calls || plain);
		}
	}
	for (const struct call_info *call = watched_calls; call->name; call++) {
		if (!(said >> (call - watched_calls) & 1))
			print_message("%s is not in the manual\n", call->name);
		assert_true(said >> (call - watched_calls) & 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_when),   cmocka_unit_test(test_calls),     cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_size),   cmocka_unit_test(test_mistakes),  cmocka_unit_test(test_format),
		cmocka_unit_test(test_manual), cmocka_unit_test(test_all_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
