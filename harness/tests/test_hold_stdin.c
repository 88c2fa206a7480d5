// SPDX-License-Identifier: MIT
/*
 * What a tool in a guest reads: any bytes, to the end, and no more of them than may be sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "hold-stdin.h"

static int file_of(const unsigned char *bytes, size_t count)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t done = 0; done < count;) {
		ssize_t n = write(fd, bytes + done, count - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void assert_arrives(const unsigned char *bytes, size_t count)
{
	auto_close int fd = file_of(bytes, count);
	auto_free char *digits = NULL;
	assert_int_equal(hold_stdin_read(fd, &digits), 0);
	assert_int_equal(strlen(digits), 2 * count);
	json_t *sent = json_string(digits);
	auto_close int there = hold_stdin_open(sent);
	json_decref(sent);
	assert_true(there >= 0);
	auto_free unsigned char *got = malloc(count + 1);
	size_t used = 0;
	for (ssize_t n; (n = read(there, got + used, count + 1 - used)) > 0;)
		used += (size_t)n;
	assert_int_equal(used, count);
	assert_true(count == 0 || memcmp(got, bytes, count) == 0);
}

static void bytes_arrive(void **state)
{
	auto_free unsigned char *bytes = malloc(HOLD_STDIN_MAX);
	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < HOLD_STDIN_MAX; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 256);
	assert_arrives(bytes, 0);
	assert_arrives(bytes, 1);
	assert_arrives(bytes, 4095);
	assert_arrives(bytes, 4096);
	assert_arrives(bytes, 4097);
	assert_arrives(bytes, HOLD_STDIN_MAX);
}

static void too_many_are_refused(void **state)
{
	auto_free unsigned char *bytes = calloc(1, HOLD_STDIN_MAX + 1);
	auto_free char *digits = NULL;
	(void)state;
	assert_non_null(bytes);
	auto_close int fd = file_of(bytes, HOLD_STDIN_MAX + 1);
	assert_int_equal(hold_stdin_read(fd, &digits), -EFBIG);
	auto_close int directory = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(hold_stdin_read(directory, &digits), -EISDIR);
	assert_int_equal(hold_stdin_read(-1, &digits), -EBADF);
	assert_null(digits);
}

static void what_is_no_bytes_is_refused(void **state)
{
	static const char *const bad[] = {"0", "000", "0g", "g0", "AB", "00 0", "-1"};
	char c;
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *sent = json_string(bad[i]);
		assert_int_equal(hold_stdin_open(sent), -EBADMSG);
		json_decref(sent);
	}
	json_t *number = json_integer(1);
	assert_int_equal(hold_stdin_open(number), -EBADMSG);
	json_decref(number);
	/* Nothing was given: nothing to read. */
	auto_close int fd = hold_stdin_open(NULL);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, &c, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_arrive),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(what_is_no_bytes_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
