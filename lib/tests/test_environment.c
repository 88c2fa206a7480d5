// SPDX-License-Identifier: MIT
/*
 * Failures to inject, as a manifest writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "environment.h"

static void test_good(void **state)
{
	(void)state;
	static const struct {
		const char *call, *text;
		int error;
		uint64_t least;
	} row[] = {{"munmap", "ENOMEM", ENOMEM, 0},
		   {"clone", "EAGAIN", EAGAIN, 0},
		   {"brk", "ENOMEM", ENOMEM, 0},
		   {"brk", "ENOMEM from 1M", ENOMEM, 1 << 20},
		   {"mmap", "EPERM from 4096", EPERM, 4096},
		   {"socket", "EHWPOISON", EHWPOISON, 0}};
	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		struct environment_injection got;
		memset(&got, 0xa5, sizeof(got));
		assert_int_equal(environment_parse_injection(row[i].call, row[i].text, &got), 0);
		assert_string_equal(got.call, row[i].call);
		assert_int_equal(got.error, row[i].error);
		assert_int_equal(got.least, row[i].least);
		assert_int_equal(got.call[sizeof(got.call) - 1], 0);
	}
}

static void test_bad(void **state)
{
	(void)state;
	static const char *const text[] = {"",
					   "0",
					   "12",
					   "enomem",
					   "ENOMEMM",
					   "ENOME",
					   "none",
					   " ENOMEM",
					   "ENOMEM ",
					   "ENOMEM from",
					   "ENOMEM from ",
					   "ENOMEM from 0",
					   "ENOMEM from 1MB",
					   "ENOMEM from -1",
					   "ENOMEM  from 1M",
					   "ENOMEM from 1M from 2M",
					   "from 1M",
					   " from 1M"};
	struct environment_injection got;
	for (size_t i = 0; i < ARRAY_SIZE(text); i++)
		assert_int_equal(environment_parse_injection("munmap", text[i], &got), -EINVAL);
	assert_int_equal(environment_parse_injection("brk", "EAGAIN", &got), -ENOTSUP);
	assert_int_equal(environment_parse_injection("a_call_with_a_name_too_long", "ENOMEM", &got), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
