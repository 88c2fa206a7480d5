// SPDX-License-Identifier: MIT
/*
 * Lines that fit: words stay whole, colours take no room, and code that was broken may be copied to a shell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report-text.h"

static void expect_text(char *got, const char *expected)
{
	assert_string_equal(got, expected);
	free(got);
}

static char *folded_by(void (*fold)(const char *, size_t, FILE *), const char *text, size_t width)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	fold(text, width, out);
	(void)fclose(out);
	return got;
}

static char *folded(const char *text, size_t width)
{
	return folded_by(text_fold, text, width);
}

static char *code(const char *line, size_t indent, size_t width)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);
	text_fold_code(line, strlen(line), indent, width, out);
	(void)fclose(out);
	return got;
}

static char *folded_rows(const char *text, size_t width)
{
	return folded_by(text_fold_rows, text, width);
}

static void test_rows(void **state)
{
	(void)state;
	expect_text(folded_rows("short  row\n", 30), "short  row\n");
	expect_text(folded_rows("  -j, --jobs=N  how many of them at once\n", 32),
		    "  -j, --jobs=N  how many of them\n                at once\n");
	expect_text(folded_rows("  -j, --jobs=N  how many of them at once\n", 24),
		    "  -j, --jobs=N  how many\n    of them at once\n");
	expect_text(folded_rows("no columns in this line, only words\nand another\n", 20),
		    "no columns in this\n  line, only words\nand another\n");
}

static void test_fold(void **state)
{
	(void)state;
	expect_text(folded("short\n\nlines\n", 12), "short\n\nlines\n");
	expect_text(folded("no end", 12), "no end");
	expect_text(folded("exactly twelv\nexactly 12 c\n", 12), "exactly\n  twelv\nexactly 12 c\n");
	/* What comes after a break stands deeper, and no deeper than leaves room. */
	expect_text(folded("    four and some more words\n", 20), "    four and some\n      more words\n");
	expect_text(folded("                  deep words\n", 14), "    deep words\n");
	/* A word that is too long goes on where it may be broken, else anywhere; UTF-8 stays whole. */
	expect_text(folded("address-space-limit\n", 12), "address-\n  space-\n  limit\n");
	expect_text(folded("a abcdefghijklmnop\n", 12), "a\n  abcdefghij\n  klmnop\n");
	expect_text(folded("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n", 12),
		    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n");
	/* Colours take no room. */
	expect_text(folded("\033[1;31mFAIL\033[0m  a name\n", 12), "\033[1;31mFAIL\033[0m  a name\n");
	expect_text(folded("\033[1;31mFAIL\033[0m  a longer\n", 12), "\033[1;31mFAIL\033[0m  a\n  longer\n");
}

static void test_no_line_is_longer(void **state)
{
	static const char text[] = "  FAIL  trigger (of a case): predicted fork/clone/clone3 EAGAIN by pids-max\n"
				   "      cgroup.pids.events.max_of_a_very_long_name_indeed: 0, expected at least 1\n";
	(void)state;
	for (size_t width = 12; width < 80; width++) {
		char *got = folded(text, width);
		for (const char *line = got; *line; line += strcspn(line, "\n") + 1)
			assert_true(strcspn(line, "\n") <= width);
		free(got);
	}
}

static void test_words(void **state)
{
	(void)state;
	assert_int_equal(text_longest_word("a bcd ef"), 3);
	assert_int_equal(text_longest_word("address-space-limit/mmap"), 8);
	assert_int_equal(text_longest_word("\xc3\xa9\xc3\xa9 a"), 2);
	assert_int_equal(text_longest_word("  "), 0);
	assert_int_equal(text_columns("\033[36mab\033[0m", 11), 2);
	assert_int_equal(text_columns("ab cd", 2), 2);
}

static void test_code(void **state)
{
	(void)state;
	expect_text(code("enomem run pids-max", 4, 40), "    enomem run pids-max\n");
	expect_text(code("enomem run -p pids.max=4 pids-max", 4, 30),
		    "    enomem run -p pids.max=4 \\\n      pids-max\n");
	/* In quotes a line's end would be one of the text. */
	expect_text(code("bash -c 'ulimit -v 1000; echo status $?'", 4, 24),
		    "    bash -c \\\n      'ulimit -v 1000; echo status $?'\n");
	expect_text(code("grep -H max GROUP/pids.events  # GROUP: of /proc/PID/cgroup", 4, 40),
		    "    grep -H max GROUP/pids.events \\\n      # GROUP: of /proc/PID/cgroup\n");
	expect_text(code("true  # one two three four five six seven", 0, 24),
		    "true  # one two three\n  # four five six seven\n");
	/* A blank that begins nothing of a comment. */
	expect_text(code("echo a#b c#d e#f g#h i#j k#l", 0, 20), "echo a#b c#d e#f \\\n  g#h i#j k#l\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fold),  cmocka_unit_test(test_rows), cmocka_unit_test(test_no_line_is_longer),
		cmocka_unit_test(test_words), cmocka_unit_test(test_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
