// SPDX-License-Identifier: MIT
/*
 * What the functions of a lesson's shell ask: every line of it, however it was read, and an answer to each who can be
 * told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hold-tool.h"
#include "teach-owed.h"

static void who_asks_is_read(void **state)
{
	static const char *const garbled[] = {
		"",           "check",          "check 7",         "check 0 1",     "check -7 1",
		"check 7 -1", "check 7 x",      "check 7 1 ",      "check 7x 1",    " 7",
		"7 1",        "x 9999999999 1", "x 7 99999999999", "x 2147483647 1"};
	struct asked asked;
	char line[256];
	(void)state;
	assert_true(asked_parse("check 7 3", &asked));
	assert_string_equal(asked.word, "check");
	assert_int_equal(asked.pid, 7);
	assert_int_equal(asked.serial, 3);
	assert_true(asked_parse("remount,size=1 k 8 4294967295", &asked));
	assert_string_equal(asked.word, "remount,size=1 k");
	assert_int_equal(asked.serial, 4294967295U);
	/* who asks that is answered nevertheless */
	(void)snprintf(line, sizeof(line), "remount,%0100d 9 2", 0);
	assert_true(asked_parse(line, &asked));
	assert_string_equal(asked.word, "");
	assert_int_equal(asked.pid, 9);
	for (size_t i = 0; i < sizeof(garbled) / sizeof(garbled[0]); i++)
		assert_false(asked_parse(garbled[i], &asked));
}

static void put(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void every_line_is_taken(void **state)
{
	static struct asked_lines lines;
	char line[64], lots[3000];
	int ends[2];
	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	put(ends[1], "join 5 1\njoin 6 1\nche");
	asked_read(&lines, ends[0]);
	assert_true(asked_take(&lines, line, sizeof(line)));
	assert_string_equal(line, "join 5 1");
	assert_true(asked_take(&lines, line, sizeof(line)));
	assert_string_equal(line, "join 6 1");
	assert_false(asked_take(&lines, line, sizeof(line)));
	put(ends[1], "ck 7 2\n");
	asked_read(&lines, ends[0]);
	assert_true(asked_take(&lines, line, sizeof(line)));
	assert_string_equal(line, "check 7 2");
	/* nothing to read */
	asked_read(&lines, ends[0]);
	assert_false(asked_take(&lines, line, sizeof(line)));
	/* longer than there is room for: its end */
	memset(lots, 'x', sizeof(lots) - 1);
	lots[sizeof(lots) - 1] = '\0';
	for (unsigned i = 0; i < 3; i++) {
		put(ends[1], lots);
		asked_read(&lines, ends[0]);
		asked_read(&lines, ends[0]);
	}
	put(ends[1], " 8 4\nhint 9 1\n");
	asked_read(&lines, ends[0]);
	asked_read(&lines, ends[0]);
	assert_true(asked_take(&lines, line, sizeof(line)));
	assert_string_equal(line + strlen(line) - 5, "x 8 4");
	assert_int_equal(strlen(line), sizeof(line) - 1);
	assert_true(asked_take(&lines, line, sizeof(line)));
	assert_string_equal(line, "hint 9 1");
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int pipe_of(int at, pid_t pid)
{
	char name[32];
	(void)snprintf(name, sizeof(name), "done.%d", pid % OWED_PIPES);
	assert_true(mkfifoat(at, name, 0600) == 0 || errno == EEXIST);
	return openat(at, name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static const char *read_of(int fd)
{
	static char text[64];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void everybody_is_answered(void **state)
{
	char directory[] = "/tmp/test-teach-owed-XXXXXX";
	static struct owed owed;
	const struct asked first = {.pid = 40, .serial = 1}, second = {.pid = 41, .serial = 7};
	const struct asked anew = {.pid = 40, .serial = 2};
	(void)state;
	assert_non_null(mkdtemp(directory));
	int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	owed_add(&owed, &first, 0);
	owed_add(&owed, &second, 1);
	/* nobody is there to read yet */
	owed_say(&owed, at);
	assert_int_equal(owed.count, 2);
	int one = pipe_of(at, 40), two = pipe_of(at, 41);
	owed_say(&owed, at);
	assert_string_equal(read_of(one), "40.1.0\n");
	assert_string_equal(read_of(two), "41.7.1\n");
	/* as long as they read it is said again, but not for ever */
	owed_say(&owed, at);
	assert_string_equal(read_of(one), "40.1.0\n");
	(void)close(two);
	owed_say(&owed, at);
	assert_int_equal(owed.count, 1);
	for (unsigned i = 0; i < 100; i++) {
		owed_say(&owed, at);
		(void)read_of(one);
	}
	assert_int_equal(owed.count, 0);
	/* who asks anew does not wait for what was asked before */
	owed_add(&owed, &first, 0);
	owed_add(&owed, &anew, 1);
	assert_int_equal(owed.count, 1);
	owed_say(&owed, at);
	assert_string_equal(read_of(one), "40.2.1\n");
	/* of too many the oldest is forgotten */
	owed.count = 0;
	for (int i = 0; i < OWED_MAX + 3; i++)
		owed_add(&owed, &(struct asked){.pid = 100 + i}, 0);
	assert_int_equal(owed.count, OWED_MAX);
	assert_int_equal(owed.one[0].pid, 103);
	(void)close(one);
	hold_remove_directory(at, directory);
	(void)close(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks_is_read),
		cmocka_unit_test(every_line_is_taken),
		cmocka_unit_test(everybody_is_answered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
