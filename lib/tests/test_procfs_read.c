// SPDX-License-Identifier: MIT
/*
 * Reading small files through descriptors, again and again, and files that hold one number.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "cleanup.h"
#include "number.h"
#include "procfs.h"

static char text[65536];

static int file_with(const char *content, size_t length)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0 && write(fd, content, length) == (ssize_t)length);
	return fd;
}

static void test_read(void **state)
{
	char buf[9];
	auto_close int fd = file_with("12345678", 8);

	(void)state;
	for (int i = 0; i < 2; i++) {
		memset(buf, 'x', sizeof(buf));
		assert_int_equal(procfs_read_fd(fd, buf, sizeof(buf)), 8);
		assert_string_equal(buf, "12345678");
	}
	assert_int_equal(procfs_read_fd(fd, buf, 8), -E2BIG);
	assert_int_equal(procfs_read_fd(fd, buf, 1), -E2BIG);
	assert_int_equal(procfs_read_fd(fd, buf, 0), -EINVAL);
	assert_int_equal(procfs_read_fd(-1, buf, sizeof(buf)), -EBADF);
	assert_int_equal(procfs_read_at(AT_FDCWD, "/proc/self/no-such-file", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(procfs_read_at(AT_FDCWD, "/proc/self", buf, sizeof(buf)), -EISDIR);
	auto_close int empty = file_with("", 0);
	assert_int_equal(procfs_read_fd(empty, buf, 1), 0);
	assert_int_equal(buf[0], '\0');
}

/* A descriptor of /proc shows the present each time it is read. */
static void test_read_live(void **state)
{
	auto_close int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	struct process_status before, after;

	(void)state;
	assert_true(procfs_read_fd(fd, text, sizeof(text)) > 0);
	assert_int_equal(procfs_parse_status(text, &before), 0);
	void *p = mmap(NULL, 64 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	assert_true(procfs_read_fd(fd, text, sizeof(text)) > 0);
	assert_int_equal(procfs_parse_status(text, &after), 0);
	assert_true(after.value[STATUS_VM_SIZE] >= before.value[STATUS_VM_SIZE] + (64 << 20));
	assert_int_equal(after.tgid, getpid());
	assert_true(after.uid == getuid());
	munmap(p, 64 << 20);
}

static void test_read_number(void **state)
{
	static const struct {
		const char *content;
		size_t length;
		int result;
		uint64_t value;
	} cases[] = {
		{"65530\n", 6, 0, 65530},
		{"65530", 5, 0, 65530},
		{"max\n", 4, 0, ENOMEM_UNLIMITED},
		{"9223372036854771712\n", 20, 0, 9223372036854771712ULL},
		{"", 0, -EBADMSG, 0},
		{"\n", 1, -EBADMSG, 0},
		{"-1\n", 3, -EBADMSG, 0},
		{"1\n\n", 3, -EBADMSG, 0},
		{"1 2\n", 4, -EBADMSG, 0},
		{"4K\n", 3, -EBADMSG, 0},
		{"1\0002\n", 4, -EBADMSG, 0},
		{"maximum\n", 8, -EBADMSG, 0},
		{"18446744073709551615\n", 21, -ERANGE, 0},
		{"0000000000000000000000000000000000000000000000000000000000000000\n", 65, -EBADMSG, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		auto_close int fd = file_with(cases[i].content, cases[i].length);
		uint64_t value = 77;

		assert_int_equal(procfs_read_number_fd(fd, &value), cases[i].result);
		assert_true(value == (cases[i].result == 0 ? cases[i].value : 77));
	}
	uint64_t value = 77;
	assert_int_equal(procfs_read_number_at(AT_FDCWD, "/proc/sys/vm/max_map_count", &value), 0);
	assert_true(value > 0 && value < ENOMEM_ABSENT);
	assert_int_equal(procfs_read_number_at(AT_FDCWD, "/proc/sys/vm/no-such-file", &value), -ENOENT);
	assert_int_equal(procfs_read_number_fd(-1, &value), -EBADF);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_live),
		cmocka_unit_test(test_read_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
