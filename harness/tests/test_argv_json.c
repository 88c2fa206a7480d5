// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "argv-json.h"

static const char *word(const json_t *o, const char *key, size_t index)
{
	return json_string_value(json_array_get(json_object_get(o, key), index));
}

static void utf8_is_kept_as_it_is(void **state)
{
	char *argv[] = {"gr\xc3\xbc\xc3\x9f", "", "a\nb", NULL};
	json_auto_t *o = json_object();
	(void)state;
	assert_int_equal(argv_to_json(o, argv), 0);
	assert_int_equal(json_array_size(json_object_get(o, "argv")), 3);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(word(o, "argv", i), argv[i]);
	assert_null(json_object_get(o, "argv_hex"));
}

/* Every byte that a word can have, in a word that is longer than what people are shown of one. */
static void no_byte_is_lost(void **state)
{
	static char all[256], many[9001];
	char *argv[] = {"ls", all, many, NULL};
	json_auto_t *o = json_object();
	(void)state;
	for (unsigned i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	memset(many, 0xfe, sizeof(many) - 1);
	assert_int_equal(argv_to_json(o, argv), 0);
	assert_string_equal(word(o, "argv", 0), "ls");
	assert_non_null(word(o, "argv", 1));
	for (size_t n = 0; argv[n]; n++) {
		const char *digits = word(o, "argv_hex", n);
		assert_int_equal(strlen(digits), 2 * strlen(argv[n]));
		for (size_t i = 0; argv[n][i]; i++) {
			unsigned value;
			assert_int_equal(sscanf(digits + 2 * i, "%2x", &value), 1);
			assert_int_equal(value, (unsigned char)argv[n][i]);
		}
	}
	assert_int_equal(json_array_size(json_object_get(o, "argv_hex")), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_kept_as_it_is),
		cmocka_unit_test(no_byte_is_lost),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
