// SPDX-License-Identifier: MIT
/*
 * Numbers: what is accepted, what is refused and how, and how numbers are shown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cleanup.h"
#include "number.h"

#define UNTOUCHED 0x5a5a5a5a5a5a5a5aULL

typedef int (*parser)(const char *text, uint64_t *ret);

struct parse_case {
	const char *text;
	int result;
	uint64_t value;
};

static void check_cases(parser parse, const struct parse_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t value = UNTOUCHED;
		int r = parse(cases[i].text, &value);

		if (r != cases[i].result || value != (r == 0 ? cases[i].value : UNTOUCHED))
			fail_msg("\"%s\": returned %d, value %llu", cases[i].text, r, (unsigned long long)value);
	}
}

/* Refused as a size, a count and a limit alike. */
static const struct parse_case no_numbers[] = {
	{"", -EINVAL, 0},
	{" ", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"+1", -EINVAL, 0},
	{" 1", -EINVAL, 0},
	{"1 ", -EINVAL, 0},
	{"1\n", -EINVAL, 0},
	{"1.5M", -EINVAL, 0},
	{"1,000", -EINVAL, 0},
	{"1_000", -EINVAL, 0},
	{"01", -EINVAL, 0},
	{"00", -EINVAL, 0},
	{"007M", -EINVAL, 0},
	{"0x10", -EINVAL, 0},
	{"1e3", -EINVAL, 0},
	{"MB", -EINVAL, 0},
	{"64MB", -EINVAL, 0},
	{"64MiB", -EINVAL, 0},
	{"64 M", -EINVAL, 0},
	{"64KK", -EINVAL, 0},
	{"64P", -EINVAL, 0},
	{"M", -EINVAL, 0},
	{"6M4", -EINVAL, 0},
	{"inf", -EINVAL, 0},
	{"60%", -EINVAL, 0},
	{"MAX", -EINVAL, 0},
	{"max ", -EINVAL, 0},
	{"-0", -EINVAL, 0},
	{"\xd9\xa1", -EINVAL, 0},              /* an Arabic digit one */
	{"99999999999999999999x", -EINVAL, 0}, /* no number at all, rather than one too large */
};

static void test_size(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"1", 0, 1},
		{"65530", 0, 65530},
		{"0K", 0, 0},
		{"4K", 0, 4096},
		{"4k", 0, 4096},
		{"64M", 0, 67108864},
		{"64m", 0, 67108864},
		{"3G", 0, 3221225472},
		{"3g", 0, 3221225472},
		{"128T", 0, 140737488355328},
		{"128t", 0, 140737488355328},
		{"9007199254740993", 0, 9007199254740993}, /* 2^53 + 1: nothing went through a double */
		{"16777215T", 0, 18446742974197923840ULL},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551613", 0, 18446744073709551613ULL},
		{"18446744073709551614", -ERANGE, 0}, /* ENOMEM_ABSENT */
		{"18446744073709551615", -ERANGE, 0}, /* ENOMEM_UNLIMITED */
		{"18446744073709551616", -ERANGE, 0},
		{"18014398509481984K", -ERANGE, 0},
		{"340282366920938463463374607431768211457", -ERANGE, 0}, /* 2^128 + 1 */
		{"max", -EINVAL, 0},
		{"unlimited", -EINVAL, 0},
	};

	(void)state;
	check_cases(number_parse_size, cases, ARRAY_SIZE(cases));
	check_cases(number_parse_size, no_numbers, ARRAY_SIZE(no_numbers));
}

static void test_count(void **state)
{
	static const struct parse_case cases[] = {
		{"0", 0, 0},
		{"65530", 0, 65530},
		{"18446744073709551613", 0, 18446744073709551613ULL},
		{"18446744073709551614", -ERANGE, 0},
		{"20000000000000000000", -ERANGE, 0},
		{"4K", -EINVAL, 0},
		{"max", -EINVAL, 0},
	};

	(void)state;
	check_cases(number_parse_count, cases, ARRAY_SIZE(cases));
	check_cases(number_parse_count, no_numbers, ARRAY_SIZE(no_numbers));
}

static void test_limit(void **state)
{
	static const struct parse_case cases[] = {
		{"max", 0, ENOMEM_UNLIMITED},
		{"unlimited", 0, ENOMEM_UNLIMITED},
		{"64M", 0, 67108864},
		{"0", 0, 0},
		{"18446744073709551615", -ERANGE, 0}, /* said with a word or not at all */
		{"maximum", -EINVAL, 0},
		{"infinity", -EINVAL, 0},
	};

	(void)state;
	check_cases(number_parse_limit, cases, ARRAY_SIZE(cases));
	check_cases(number_parse_limit, no_numbers, ARRAY_SIZE(no_numbers));
}

static void test_duration(void **state)
{
	static const struct parse_case cases[] = {
		{"0s", 0, 0},
		{"7ns", 0, 7},
		{"7us", 0, 7000},
		{"250ms", 0, 250000000},
		{"30s", 0, 30000000000},
		{"2min", 0, 120000000000},
		{"307445734min", 0, 18446744040000000000ULL},
		{"307445735min", -ERANGE, 0},
		{"30", -EINVAL, 0},
		{"0", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{"1.5s", -EINVAL, 0},
		{"30S", -EINVAL, 0},
		{"30 s", -EINVAL, 0},
		{"30m", -EINVAL, 0},
		{"1h", -EINVAL, 0},
		{"1s1ms", -EINVAL, 0},
		{"05s", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"max", -EINVAL, 0},
	};

	(void)state;
	check_cases(number_parse_duration, cases, ARRAY_SIZE(cases));
}

static void test_percent(void **state)
{
	static const struct parse_case cases[] = {
		{"60%", 0, 6000},
		{"0%", 0, 0},
		{"100%", 0, 10000},
		{"150%", 0, 15000},
		{"2.5%", 0, 250},
		{"2.50%", 0, 250},
		{"2.05%", 0, 205},
		{"0.01%", 0, 1},
		{"0.1%", 0, 10},
		{"184467440737095516.13%", 0, 18446744073709551613ULL},
		{"184467440737095516.14%", -ERANGE, 0},
		{"184467440737095517%", -ERANGE, 0},
		{"99999999999999999999%", -ERANGE, 0},
		{"60", -EINVAL, 0},
		{"%", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"60 %", -EINVAL, 0},
		{"60%%", -EINVAL, 0},
		{"60% ", -EINVAL, 0},
		{".5%", -EINVAL, 0},
		{"2.%", -EINVAL, 0},
		{"2.505%", -EINVAL, 0},
		{"2,5%", -EINVAL, 0},
		{"02%", -EINVAL, 0},
		{"-2%", -EINVAL, 0},
		{"2.-5%", -EINVAL, 0},
		{"2.5.5%", -EINVAL, 0},
	};

	(void)state;
	check_cases(number_parse_percent, cases, ARRAY_SIZE(cases));
}

static void test_scan(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(number_scan_digits("", 0, &value), 0);
	assert_int_equal(number_scan_digits("x1", 2, &value), 0);
	assert_true(value == UNTOUCHED);
	assert_int_equal(number_scan_digits("1234", 2, &value), 2);
	assert_int_equal(value, 12);
	assert_int_equal(number_scan_digits("007 kB", 6, &value), 3);
	assert_int_equal(value, 7);
	assert_int_equal(number_scan_digits("18446744073709551615,", 21, &value), 20);
	assert_true(value == UINT64_MAX);
	assert_int_equal(number_scan_digits("18446744073709551616", 20, &value), 20);
	assert_true(value == UINT64_MAX);
	assert_int_equal(number_scan_digits("1844674407370955161600001", 25, &value), 25);
	assert_true(value == UINT64_MAX);
	/* Not saturated: the largest value of nineteen digits. */
	assert_int_equal(number_scan_digits("9999999999999999999", 19, &value), 19);
	assert_true(value == 9999999999999999999ULL);
}

typedef char *(*formatter)(char *buf, size_t size, uint64_t value);

static void check_format(formatter format, uint64_t value, const char *expected)
{
	char buf[64];

	assert_ptr_equal(format(buf, sizeof(buf), value), buf);
	assert_string_equal(buf, expected);
}

static void test_format_bytes(void **state)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{0, "0 B"},
		{512, "512 B"},
		{1023, "1023 B"},
		{1024, "1 KiB"},
		{1025, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{67108864, "64 MiB"},
		{67108865, "64.0 MiB"},
		{67108864 + 53000, "64.1 MiB"},
		{1048575, "1.0 MiB"}, /* not 1024.0 KiB */
		{1048576, "1 MiB"},
		{1073741823, "1.0 GiB"},
		{140737488355328, "128 TiB"},
		{ENOMEM_ABSENT - 1, "16.0 EiB"},
		{ENOMEM_ABSENT, "-"},
		{ENOMEM_UNLIMITED, "unlimited"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_format(number_format_bytes, cases[i].value, cases[i].text);
}

static void test_format_count(void **state)
{
	(void)state;
	check_format(number_format_count, 0, "0");
	check_format(number_format_count, 999, "999");
	check_format(number_format_count, 1000, "1,000");
	check_format(number_format_count, 65530, "65,530");
	check_format(number_format_count, 1234567, "1,234,567");
	check_format(number_format_count, ENOMEM_ABSENT - 1, "18,446,744,073,709,551,613");
	check_format(number_format_count, ENOMEM_ABSENT, "-");
	check_format(number_format_count, ENOMEM_UNLIMITED, "unlimited");
}

static void test_format_amount(void **state)
{
	(void)state;
	static const struct {
		uint64_t number;
		const char *unit, *text;
	} row[] = {
		{2048, "bytes", "2 KiB"},  {1, "bytes", "1 B"},
		{1500, "ns", "1.5 us"},    {65531, "areas", "65,531 areas"},
		{1, "areas", "1 area"},    {0, "tasks", "0 tasks"},
		{1, "watches", "1 watch"}, {2, "watches", "2 watches"},
		{1, "queues", "1 queue"},  {1, "", "1 "},
		{1, "s", "1 s"},
	};
	char buf[64];
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_string_equal(number_format_amount(buf, sizeof(buf), row[i].number, row[i].unit), row[i].text);
	assert_string_equal(number_format_amount(buf, 4, 12, "tasks"), "12 ");
}

static void test_format_duration(void **state)
{
	(void)state;
	check_format(number_format_duration, 0, "0 ns");
	check_format(number_format_duration, 999, "999 ns");
	check_format(number_format_duration, 12345678, "12.3 ms");
	check_format(number_format_duration, 999960, "1.0 ms");
	check_format(number_format_duration, 30000000000, "30 s");
	check_format(number_format_duration, 59960000000, "1.0 min");
	check_format(number_format_duration, 90000000000, "1.5 min");
	check_format(number_format_duration, 120000000000, "2 min");
	check_format(number_format_duration, ENOMEM_ABSENT, "-");
	check_format(number_format_duration, ENOMEM_UNLIMITED, "unlimited");
}

static void test_format_truncates(void **state)
{
	char buf[8];

	(void)state;
	memset(buf, 'x', sizeof(buf));
	number_format_count(buf, 4, 65530);
	assert_string_equal(buf, "65,");
	assert_int_equal(buf[4], 'x');
	number_format_bytes(buf, 0, 512);
	assert_string_equal(buf, "65,");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_percent),
		cmocka_unit_test(test_scan),
		cmocka_unit_test(test_format_bytes),
		cmocka_unit_test(test_format_count),
		cmocka_unit_test(test_format_amount),
		cmocka_unit_test(test_format_duration),
		cmocka_unit_test(test_format_truncates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
