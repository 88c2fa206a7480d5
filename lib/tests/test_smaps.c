// SPDX-License-Identifier: MIT
/*
 * What a fork would be charged, from smaps: captured, hostile, and of this very process.
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
#include "maps.h"

#define UNTOUCHED 0x5a

static int summarise(const char *smaps, struct smaps_commit *ret)
{
	auto_close int fd = memfd_create("smaps", MFD_CLOEXEC);
	size_t size = strlen(smaps);

	assert_true(fd >= 0 && write(fd, smaps, size) == (ssize_t)size);
	return smaps_read_fd(fd, ret);
}

static void test_captured(void **state)
{
	auto_close int fd = open(TEST_DATA "/maps/smaps-6.18", O_RDONLY | O_CLOEXEC);

	(void)state;
	/* Without the 2 MiB that are not forked, the 4 MiB that are not reserved, and what is shared or cannot be
	 * written. */
	for (int i = 0; i < 2; i++) {
		struct smaps_commit c = {0};

		assert_int_equal(smaps_read_fd(fd, &c), 0);
		assert_int_equal(c.fork_charge_bytes, (16 + 12 + 1044 + 136 + 4 + 1020 + 132) * 1024);
		assert_int_equal(c.largest_area_bytes, 1044 * 1024);
	}
}

#define AREA(range, size, flags)                                                                                       \
	range " rw-p 00000000 00:00 0 \nSize:                  " size                                                  \
	      " kB\nRss: 4 kB\nTHPeligible:    0\nVmFlags: " flags "\n"

static void test_flags(void **state)
{
	struct smaps_commit c;

	(void)state;
	assert_int_equal(summarise("", &c), 0);
	assert_true(c.fork_charge_bytes == 0 && c.largest_area_bytes == 0);
	assert_int_equal(summarise(AREA("1000-3000", "8", "rd wr ac ") AREA("3000-4000", "4", "ac dc")
					   AREA("4000-9000", "20", ""),
				   &c),
			 0);
	assert_true(c.fork_charge_bytes == 8192 && c.largest_area_bytes == 8192);
	assert_int_equal(summarise(AREA("1000-3000", "8", "ac") AREA("3000-6000", "12", "ac"), &c), 0);
	assert_true(c.fork_charge_bytes == 20480 && c.largest_area_bytes == 12288);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"x\n",
		"\n",
		"Size: 4 kB\n",                                   /* of no area */
		"1000-2000 rw-p 00000000 00:00 0 \nSize: 4 kB\n", /* a kernel without VmFlags */
		"1000-2000 rw-p 00000000 00:00 0 \nVmFlags: ac\n",
		"1000-2000 rw-p 00000000 00:00 0 \n" AREA("2000-3000", "4", "ac"),
		AREA("1000-2000", "8", "ac"), /* not what the addresses say */
		AREA("1000-2000", "x", "ac"),
		AREA("1000-2000", "4", "acd"),
		AREA("1000-2000", "4", "a c"),
		AREA("1000-2000", "4", "ac d"),
		AREA("1000-3000", "8", "ac") AREA("2000-3000", "4", "ac"),
		AREA("1000-2000", "4", "ac") "no colon\n",
		AREA("1000-2000", "4", "ac") "Nocolon\n",
		"1000-2000 rw-p 00000000 00:00 0 \nSize: 4 kB\nVmFlags: ac", /* cut off */
		"1000-2000 rw-p 00000000 00:00 0 \nSize: 4 kBx\nVmFlags: ac\n",
	};
	struct smaps_commit c;

	(void)state;
	memset(&c, UNTOUCHED, sizeof(c));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (summarise(bad[i], &c) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(smaps_read_fd(-1, &c), -EBADF);
	for (size_t i = 0; i < sizeof(c); i++)
		assert_int_equal(((unsigned char *)&c)[i], UNTOUCHED);
}

static uint64_t charge_now(int fd)
{
	struct smaps_commit c;

	assert_int_equal(smaps_read_fd(fd, &c), 0);
	return c.fork_charge_bytes;
}

static void test_live(void **state)
{
	const size_t bytes = 16 << 20;
	auto_close int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);

	(void)state;
	uint64_t before = charge_now(fd);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	assert_int_equal(charge_now(fd), before + bytes);
	assert_int_equal(madvise(p, bytes, MADV_DONTFORK), 0);
	assert_int_equal(charge_now(fd), before);
	assert_int_equal(madvise(p, bytes, MADV_DOFORK), 0);
	assert_int_equal(charge_now(fd), before + bytes);
	munmap(p, bytes);
	assert_int_equal(charge_now(fd), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_live),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
