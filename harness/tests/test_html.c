// SPDX-License-Identifier: MIT
/*
 * What is put into a page: text of any kind never becomes markup, numbers find their places, and digests are those of
 * the standard's examples.
 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chart-scale.h"
#include "html.h"
#include "sha256.h"

#define BIG INT64_MAX

typedef void writer(FILE *out, const char *text);

/* Not inlined: see written_set() of sample-set.h. */
__attribute__((noinline)) static char *written(writer *write, const char *text)
{
	char *buf = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buf, &size);
	assert_non_null(out);
	write(out, text);
	assert_int_equal(fclose(out), 0);
	return buf;
}

static void becomes(writer *write, const char *text, const char *expected)
{
	char *got = written(write, text);
	assert_string_equal(got, expected);
	free(got);
}

static void test_text(void **state)
{
	(void)state;
	becomes(html_text, "", "");
	becomes(html_text, "pids-max: 6 + 1", "pids-max: 6 + 1");
	becomes(html_text, "<script>alert(\"x\" & 'y')</script>",
		"&lt;script&gt;alert(&quot;x&quot; &amp; &#39;y&#39;)&lt;/script&gt;");
	becomes(html_text, "&lt;", "&amp;lt;");
	becomes(html_text, "a\nb\tc\x01\x7f\x1b[31m", "a b c???[31m");
	becomes(html_text, "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* C1, a mark that turns the direction around, a line separator, the byte order mark, U+FFFE and U+FFFF */
	becomes(html_text, "\xc2\x85|\xe2\x80\xae|\xe2\x80\xa8|\xef\xbb\xbf|\xef\xbf\xbe|\xef\xbf\xbf", "?|?|?|?|?|?");
	becomes(html_text, "\xef\xbf\xbd", "\xef\xbf\xbd"); /* U+FFFD is a character like others */
	becomes(html_lines, "a<b\nc&d\n\ne\n", "a&lt;b\nc&amp;d\n\ne");
	becomes(html_lines, "\n", "");
}

static void test_text_long(void **state)
{
	(void)state;
	enum { LENGTH = 100000 };
	char *text = malloc(LENGTH + 1);
	assert_non_null(text);
	memset(text, '<', LENGTH);
	text[LENGTH] = '\0';
	char *got = written(html_text, text);
	assert_int_equal(strlen(got), 4 * LENGTH);
	assert_null(strchr(got, '<'));
	free(got);
	free(text);
}

static void put_json(FILE *out, const char *text)
{
	json_t *value = json_string(text);
	html_json(out, value);
	json_decref(value);
}

static void test_json(void **state)
{
	(void)state;
	becomes(put_json, "</script><!--]]>&\x7f", "\"\\u003c/script\\u003e\\u003c!--]]\\u003e\\u0026\\u007f\"");
	becomes(put_json, "\xe2\x80\xa8\xc3\xa4", "\"\\u2028\\u00E4\"");
	becomes(put_json, "\"\\\n", "\"\\\"\\\\\\n\"");
	char *buf = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&buf, &size);
	html_json(out, NULL);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(buf, "null");
	free(buf);
}

static void test_is_id(void **state)
{
	(void)state;
	assert_true(html_is_id("pids-max"));
	assert_true(html_is_id("address-space-32bit"));
	assert_false(html_is_id(""));
	assert_false(html_is_id("a b"));
	assert_false(html_is_id("a\" onclick=\"x"));
	assert_false(html_is_id("A"));
	assert_false(html_is_id("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void coordinate(FILE *out, const char *text)
{
	html_coordinate(out, strtod(text, NULL));
}

static void test_coordinate(void **state)
{
	(void)state;
	becomes(coordinate, "0", "0");
	becomes(coordinate, "12.04", "12");
	becomes(coordinate, "12.05", "12.1");
	becomes(coordinate, "-0.5", "-0.5");
	/* A locale with a decimal comma, where there is one: the page has none. */
	if (setlocale(LC_ALL, "de_DE.UTF-8")) {
		char *got = written(coordinate, "3.5");
		(void)setlocale(LC_ALL, "C");
		assert_string_equal(got, "3.5");
		free(got);
	}
}

/* The examples of FIPS 180-4, and lengths at which the padding needs another block. */
static void test_sha256(void **state)
{
	char digest[SHA256_BASE64], sixty[65];
	(void)state;
	assert_string_equal(sha256_base64("", 0, digest), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	assert_string_equal(sha256_base64("abc", 3, digest), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	assert_string_equal(sha256_base64("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, digest),
			    "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=");
	memset(sixty, 'a', sizeof(sixty));
	assert_string_equal(sha256_base64(sixty, 55, digest), "n0OQ+NMMLdkuyfCVtl4rmumwqSWlJY4kHJ8ekQ9zQxg=");
	assert_string_equal(sha256_base64(sixty, 56, digest), "s1Q5pKxvCUi21vnjxq8PX1kM4g8b3nCQ73lwaG7Gc4o=");
	assert_string_equal(sha256_base64(sixty, 63, digest), "fT50oF19sVvOStnsBljqmOPwbu7PFrTG//LaRX3cLzQ=");
	assert_string_equal(sha256_base64(sixty, 64, digest), "/+BU/nrgy23GXDr5th1SCfQ5hR20PQulmXM33xVGaOs=");
	assert_string_equal(sha256_base64(sixty, 65, digest), "Y1NhxIu56rFBmOduqKt/GkFoXWrWKqkUbTAdTxfrCuA=");
	assert_string_not_equal(sha256_base64("abd", 3, digest), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

static void test_step(void **state)
{
	(void)state;
	assert_int_equal(chart_step(CHART_BYTES, 64 << 20, 4), 16 << 20);
	assert_int_equal(chart_step(CHART_BYTES, (64 << 20) + 1, 4), 32 << 20);
	assert_int_equal(chart_step(CHART_BYTES, 0, 4), 1);
	assert_int_equal(chart_step(CHART_COUNT, 7, 4), 2);
	assert_int_equal(chart_step(CHART_COUNT, 65530, 4), 20000);
	assert_int_equal(chart_step(CHART_NS, 1000, 6), 200);
	assert_int_equal(chart_step(CHART_COUNT, 3, 0), 5);
	assert_true(chart_step(CHART_BYTES, UINT64_MAX, 4) == 1ULL << 62);
	assert_true(chart_step(CHART_COUNT, UINT64_MAX, 1) >= 10000000000000000000ULL);
	/* Never more marks than asked for. */
	for (uint64_t max = 1; max < UINT64_MAX / 3; max *= 3)
		for (unsigned unit = CHART_BYTES; unit <= CHART_NS; unit++)
			assert_true(max / chart_step((enum chart_unit)unit, max, 5) <= 5);
}

static void test_place(void **state)
{
	(void)state;
	assert_true(chart_place(0, 0, 100) == 0);
	assert_true(chart_place(1, 0, 100) == 100);
	assert_true(chart_place(50, 100, 560) == 280);
	assert_true(chart_place(100, 100, 560) == 560);
	assert_true(chart_place(UINT64_MAX, 100, 560) == 560);
	assert_false(chart_place(49, 100, 560) == 280);
}

static struct chart_bars bars(uint64_t in_use, uint64_t asked, uint64_t bound)
{
	return chart_bars((struct chart_amount){in_use, false}, (struct chart_amount){asked, false},
			  (struct chart_amount){bound, false}, 560);
}

static void test_bars(void **state)
{
	(void)state;
	struct chart_bars b = bars(6, 1, 6);
	/* What is refused reaches beyond the bound, and all is in proportion. */
	assert_true(b.in_use == b.bound && b.in_use + b.asked > b.bound && !b.want_cut && !b.bound_cut);
	assert_true(b.in_use + b.asked <= 560);
	b = bars(100, 100, 400);
	assert_true(b.in_use == b.asked && b.in_use + b.asked < b.bound);
	/* One page of a terabyte is seen. */
	b = bars(1ULL << 40, 4096, 1ULL << 40);
	assert_true(b.asked >= 2);
	b = bars(0, 5, 0);
	assert_true(b.in_use == 0 && b.asked > 0 && b.bound == 0);
	b = bars(0, 0, 0);
	assert_true(b.in_use == 0 && b.asked == 0 && b.bound == 0);
	/* Out of proportion: cut, and the shorter one is seen. */
	b = bars(1, 1ULL << 40, 1 << 20);
	assert_true(b.want_cut && !b.bound_cut && b.bound > 100 && b.in_use + b.asked == 560);
	b = bars(1, 1, 1ULL << 40);
	assert_true(b.bound_cut && !b.want_cut && b.bound == 560 && b.in_use + b.asked > 100);
}

static void test_bars_beyond(void **state)
{
	const struct chart_amount beyond = {0, true}, some = {BIG, false}, none = {0, false};
	(void)state;
	struct chart_bars b = chart_bars(some, beyond, some, 560);
	assert_true(b.want_cut && b.in_use + b.asked == 560 && b.bound < 560 && b.in_use < 560);
	b = chart_bars(none, none, beyond, 560);
	assert_true(b.bound_cut && b.bound == 560 && b.in_use == 0);
	b = chart_bars(beyond, beyond, beyond, 560);
	assert_true(b.in_use + b.asked <= 560.0 && b.bound <= 560);
	b = chart_bars(beyond, none, none, 560);
	assert_true(b.in_use + b.asked <= 560.0 && b.bound == 0);
}

static void test_numbers(void **state)
{
	char text[64];
	(void)state;
	assert_int_equal(chart_unit_of("bytes"), CHART_BYTES);
	assert_int_equal(chart_unit_of("ns"), CHART_NS);
	assert_int_equal(chart_unit_of("areas"), CHART_COUNT);
	assert_string_equal(chart_number(CHART_BYTES, 64 << 20, text, sizeof(text)), "64 MiB");
	assert_string_equal(chart_number(CHART_COUNT, 65530, text, sizeof(text)), "65,530");
	assert_string_equal(chart_number(CHART_NS, 12300000, text, sizeof(text)), "12.3 ms");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),    cmocka_unit_test(test_text_long),   cmocka_unit_test(test_json),
		cmocka_unit_test(test_is_id),   cmocka_unit_test(test_coordinate),  cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_step),    cmocka_unit_test(test_place),       cmocka_unit_test(test_bars),
		cmocka_unit_test(test_numbers), cmocka_unit_test(test_bars_beyond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
