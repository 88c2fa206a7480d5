// SPDX-License-Identifier: MIT
/*
 * Rows of numbers: free blocks, pressure, groups of a process. Texts as captured in guests and on a host.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "procfs.h"

/* A guest of 256 MB, Linux 6.1. */
static const char fresh[] =
	"Node 0, zone      DMA      0      0      0      0      0      1      1      1      0      1      3 \n"
	"Node 0, zone    DMA32      6      5      7      6      6      8      6      6      7      2     40 \n";

static void test_blocks(void **state)
{
	struct buddyinfo b;
	(void)state;
	assert_int_equal(procfs_parse_buddyinfo(fresh, &b), 0);
	assert_int_equal(b.blocks[0], 6);
	assert_int_equal(b.blocks[5], 9);
	assert_int_equal(b.blocks[10], 43);
	assert_true(b.blocks[11] == ENOMEM_ABSENT);
	assert_int_equal(buddyinfo_largest(&b, 4096), 4096 << 10);
	b.blocks[10] = b.blocks[9] = 0;
	assert_int_equal(buddyinfo_largest(&b, 4096), 4096 << 8);
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		b.blocks[i] = 0;
	assert_int_equal(buddyinfo_largest(&b, 4096), 0);
	assert_int_equal(procfs_parse_buddyinfo("", &b), 0);
	assert_true(buddyinfo_largest(&b, 4096) == ENOMEM_ABSENT);
}

/* What only movable pages may have is of no use to the kernel itself. */
static void test_zones(void **state)
{
	struct buddyinfo b;
	(void)state;
	assert_int_equal(procfs_parse_buddyinfo("Node 0, zone   Normal 1 0\nNode 1, zone  Movable 9 9\n"
						"Node 1, zone   Device 9 9\nNode 1, zone HighMem 2 0\n",
						&b),
			 0);
	assert_int_equal(b.blocks[0], 3);
	assert_int_equal(b.blocks[1], 0);
	assert_int_equal(buddyinfo_largest(&b, 4096), 4096);
	static const char *const bad[] = {"Node 0, zone",
					  "Node 0, zone DMA\n",
					  "Node 0, zone DMA 1 2",
					  "Node 0, zone DMA 1 x 2\n",
					  "Node 0, DMA 1 2\n",
					  "Zone 0, zone DMA 1 2\n",
					  "Node 0, zone DMA 1 2\nrubbish\n",
					  "Node 0, zone DMA 1 -2\n",
					  "Node 0, zone DMA 1 99999999999999999999999\n",
					  "Node 0, zone DMA 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		b.blocks[0] = 77;
		assert_int_equal(procfs_parse_buddyinfo(bad[i], &b), -EBADMSG);
		assert_int_equal(b.blocks[0], 77);
	}
}

static void test_pressure(void **state)
{
	struct pressure p;
	(void)state;
	assert_int_equal(procfs_parse_pressure("some avg10=99.00 avg60=1.00 avg300=0.00 total=900\n"
					       "full avg10=93.87 avg60=31.20 avg300=7.51 total=12345678\n",
					       &p),
			 0);
	assert_int_equal(p.full_avg10, 93);
	assert_int_equal(p.full_total, 12345678);
	assert_int_equal(procfs_parse_pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", &p), 0);
	assert_int_equal(p.full_avg10, 0);
	static const char *const bad[] = {"",
					  "some avg10=1.00 avg60=1.00 avg300=0.00 total=900\n",
					  "full avg10=1.00 avg60=1.00 avg300=0.00 total=90",
					  "full avg10= avg60=1.00 avg300=0.00 total=90\n",
					  "full avg10=1 avg60=1.00 avg300=0.00 total=90\n",
					  "full avg10=1.00 avg60=1.00 avg300=0.00 total=x\n",
					  "full avg60=1.00\nsome avg10=1.00 total=90\n"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p.full_total = 77;
		assert_int_equal(procfs_parse_pressure(bad[i], &p), -EBADMSG);
		assert_int_equal(p.full_total, 77);
	}
}

static void test_family(void **state)
{
	uint64_t parent = 0, group = 0, session = 0;
	(void)state;
	assert_int_equal(procfs_parse_stat_family("4711 (a) b) (c) S 41 300 301 34816 4711 4194304 1\n", &parent,
						  &group, &session),
			 0);
	assert_int_equal(parent, 41);
	assert_int_equal(group, 300);
	assert_int_equal(session, 301);
	assert_int_equal(procfs_parse_stat_family("2 (kthreadd) S 0 0 0 0 -1 2129984\n", &parent, &group, &session), 0);
	assert_int_equal(group, 0);
	static const char *const bad[] = {
		"", "1 (x", "1 (x)", "1 (x) S", "1 (x) S 1 2", "1 (x) S 1 -2 3 4", "1 (x) S 1 2 3", "1 (x)S 1 2 3 4"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(procfs_parse_stat_family(bad[i], &parent, &group, &session), -EBADMSG);
	assert_int_equal(procfs_parent_of(getpid()), getppid());
	assert_int_equal(procfs_parent_of(1), 0);
	assert_int_equal(procfs_parent_of(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_zones),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_family),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
