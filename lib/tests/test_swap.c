// SPDX-License-Identifier: MIT
/*
 * Swap made of plain files in place of devices: sizes, headers, which zram is taken, and what is missing. Nothing is
 * turned on here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "swap.h"

#define MIB (UINT64_C(1) << 20)

static char root[] = "/tmp/enomem-swap-XXXXXX";

static const char *in_root(const char *name)
{
	static char path[2][256];
	static unsigned which;
	which ^= 1;
	(void)snprintf(path[which], sizeof(path[which]), "%s/%s", root, name);
	return path[which];
}

static void make_file(const char *name, const char *text, off_t size)
{
	auto_close int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(size ? ftruncate(fd, size) : 0, 0);
}

static void assert_file(const char *name, const char *wanted)
{
	char text[256] = "";
	auto_close int fd = open(in_root(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, wanted);
}

static int setup(void **state)
{
	static const char *const directories[] = {"dev",
						  "proc",
						  "sys",
						  "sys/block",
						  "sys/block/zram0",
						  "sys/block/zram1",
						  "sys/class",
						  "sys/class/zram-control"};
	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (unsigned i = 0; i < ARRAY_SIZE(directories); i++)
		if (mkdir(in_root(directories[i]), 0700) < 0)
			return -1;
	swap_root = root;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The header mkswap wrote, as swapon(2) would read it: struct swap_header, include/linux/swap.h. */
static void assert_header(const char *name, uint64_t bytes)
{
	const long page = sysconf(_SC_PAGESIZE);
	uint32_t info[2];
	char magic[10];
	auto_close int fd = open(in_root(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, magic, sizeof(magic), page - 10), 10);
	assert_memory_equal(magic, "SWAPSPACE2", 10);
	assert_int_equal(pread(fd, info, sizeof(info), 1024), sizeof(info));
	assert_int_equal(info[0], 1);                      /* version */
	assert_int_equal(info[1], bytes / (uint64_t)page); /* last page; the first one is the header */
}

static bool no_mkswap(int r)
{
	if (r == -ENOENT)
		print_message("no mkswap here\n");
	return r == -ENOENT;
}

static void test_zram(void **state)
{
	(void)state;
	char device[256], wanted[64];
	const long page = sysconf(_SC_PAGESIZE);
	make_file("sys/block/zram0/disksize", "0\n", 0);
	make_file("dev/zram0", "", 128 * (off_t)MIB);
	int r = swap_prepare(64 * MIB, false, device, sizeof(device));
	if (no_mkswap(r))
		return;
	assert_int_equal(r, 0);
	assert_string_equal(device, in_root("dev/zram0"));
	(void)snprintf(wanted, sizeof(wanted), "%llu", 64 * MIB + (unsigned long long)page);
	assert_file("sys/block/zram0/disksize", wanted); /* a page more, for the header */
	assert_header("dev/zram0", 64 * MIB);
	/* It is in use now: another one is made for the next. */
	assert_int_equal(swap_prepare(MIB, false, device, sizeof(device)), -ENODEV);
	make_file("sys/class/zram-control/hot_add", "1\n", 0);
	make_file("sys/block/zram1/disksize", "4096\n", 0);
	make_file("dev/zram1", "", 2 * (off_t)MIB);
	assert_int_equal(swap_prepare(MIB + 1, false, device, sizeof(device)), 0);
	assert_string_equal(device, in_root("dev/zram1"));
	assert_header("dev/zram1", MIB + (uint64_t)page); /* whole pages */
}

static void test_disk(void **state)
{
	(void)state;
	char device[256] = "untouched";
	const off_t page = sysconf(_SC_PAGESIZE);
	make_file("dev/vda", "", 8 * (off_t)MIB);
	assert_int_equal(swap_prepare(8 * MIB, true, device, sizeof(device)), -ENOSPC); /* no room for the header */
	assert_string_equal(device, "untouched");
	make_file("dev/vda", "", 8 * (off_t)MIB + page);
	int r = swap_prepare(8 * MIB, true, device, sizeof(device));
	if (no_mkswap(r))
		return;
	assert_int_equal(r, 0);
	assert_header("dev/vda", 8 * MIB);
	assert_int_equal(swap_prepare(8 * MIB, true, device, 4), -ENAMETOOLONG);
	/* Less than mkswap makes a swap of. */
	assert_int_equal(swap_prepare(4096, true, device, sizeof(device)), -EIO);
	assert_int_equal(swap_prepare(0, true, device, sizeof(device)), -EINVAL);
	assert_int_equal(swap_prepare(UINT64_MAX - 1, true, device, sizeof(device)), -EINVAL);
}

static void test_missing(void **state)
{
	(void)state;
	char device[256] = "untouched";
	assert_int_equal(swap_prepare(MIB, false, device, sizeof(device)), -ENODEV); /* no zram at all */
	assert_int_equal(swap_prepare(MIB, true, device, sizeof(device)), -ENODEV);  /* waited for, and not there */
	make_file("dev/vda", "", 2 * (off_t)MIB);
	char *path = getenv("PATH") ? strdup(getenv("PATH")) : NULL;
	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	int r = swap_prepare(MIB, true, device, sizeof(device));
	assert_true(r == -ENOENT || r == 0); /* found where administrators have it */
	assert_int_equal(path ? setenv("PATH", path, 1) : unsetenv("PATH"), 0);
	free(path);
}

static void test_turn_off(void **state)
{
	(void)state;
	assert_int_equal(swap_turn_off_all(), 0); /* a kernel without swap */
	make_file("proc/swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n", 0);
	make_file("sys/block/zram0/disksize", "65536\n", 0);
	make_file("sys/block/zram0/reset", "", 0);
	make_file("sys/block/zram1/disksize", "0\n", 0);
	make_file("sys/block/zram1/reset", "", 0);
	assert_int_equal(swap_turn_off_all(), 0);
	assert_file("sys/block/zram0/reset", "1");
	assert_file("sys/block/zram1/reset", ""); /* unused */
	make_file("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/nonexistent/swap file 8 0 -2\n", 0);
	assert_int_not_equal(swap_turn_off_all(), 0);
}

static void test_lines(void **state)
{
	(void)state;
	char device[32];
	assert_true(swap_parse_line("/dev/zram0                 partition\t65532\t0\t-2\n", device, sizeof(device)));
	assert_string_equal(device, "/dev/zram0");
	assert_true(swap_parse_line("/a\\040b\\134c file\n", device, sizeof(device)));
	assert_string_equal(device, "/a b\\c");
	assert_true(swap_parse_line("/a\\04", device, sizeof(device))); /* no escape */
	assert_string_equal(device, "/a\\04");
	assert_false(swap_parse_line("Filename Type\n", device, sizeof(device)));
	assert_false(swap_parse_line("", device, sizeof(device)));
	assert_true(swap_parse_line("/dev/zram0\n", device, 11));
	assert_false(swap_parse_line("/dev/zram0\n", device, 10));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_turn_off, setup, teardown),
		cmocka_unit_test(test_lines),
	};
	return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
