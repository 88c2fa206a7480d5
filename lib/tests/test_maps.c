// SPDX-License-Identifier: MIT
/*
 * Summaries of maps and smaps, of captured text, of text made for one property each, and of this very process.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "cleanup.h"
#include "maps.h"
#include "procfs.h"

#define UNTOUCHED   0x5a
#define PAGE        4096UL
#define MIN_ADDRESS 65536ULL
#define TASK_SIZE   0x7ffffffff000ULL
#define GAP         MAPS_STACK_GUARD_GAP_BYTES

static char text[65536];

static int summarise(const char *maps, uint64_t min, uint64_t size, uint64_t address, uint64_t length,
		     struct maps_summary *ret)
{
	struct maps_parser p;

	maps_begin(&p, min, size, address, length);
	maps_feed(&p, maps, strlen(maps));
	return maps_end(&p, ret);
}

static const char *load(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), TEST_DATA "/maps/%s", name);
	if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		fail_msg("cannot read %s", path);
	return text;
}

static void check_captured(const struct maps_summary *s)
{
	assert_int_equal(s->count, 17);                 /* 18 lines, one of them [vsyscall] */
	assert_int_equal(s->mapped_bytes, 9760 * 1024); /* VmSize in status of the same process */
	assert_int_equal(s->free_bytes, 140737477242880);
	assert_int_equal(s->largest_hole_bytes, 140277170528256);
	assert_int_equal(s->stack_start, 0x7ffdb217d000);
	assert_int_equal(s->stack_end, 0x7ffdb219e000);
	assert_int_equal(s->largest_private_writable_bytes, 4 << 20);
	assert_false(s->target_mapped || s->target_splits || s->below_end || s->above_start || s->above_is_stack);
}

static void test_captured(void **state)
{
	struct maps_summary s;

	(void)state;
	assert_int_equal(summarise(load("maps-6.18"), MIN_ADDRESS, TASK_SIZE, 0, 0, &s), 0);
	check_captured(&s);
	/* Through a descriptor, which is rewound: twice. */
	auto_close int fd = open(TEST_DATA "/maps/maps-6.18", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		memset(&s, 0, sizeof(s));
		assert_int_equal(maps_read_fd(fd, MIN_ADDRESS, TASK_SIZE, 0, 0, &s), 0);
		check_captured(&s);
	}
}

static void test_chunks(void **state)
{
	struct maps_parser p;
	struct maps_summary s;

	(void)state;
	size_t size = strlen(load("maps-6.18"));
	for (size_t part = 1; part < 200; part++) {
		maps_begin(&p, MIN_ADDRESS, TASK_SIZE, 0, 0);
		for (size_t at = 0; at < size; at += part)
			maps_feed(&p, text + at, part < size - at ? part : size - at);
		memset(&s, 0, sizeof(s));
		assert_int_equal(maps_end(&p, &s), 0);
		check_captured(&s);
	}
	/* Cut anywhere but at the end of a line, it is no maps file. */
	for (size_t cut = 0; cut < size; cut++) {
		maps_begin(&p, MIN_ADDRESS, TASK_SIZE, 0, 0);
		maps_feed(&p, text, cut);
		assert_int_equal(maps_end(&p, &s), cut == 0 || text[cut - 1] == '\n' ? 0 : -EBADMSG);
	}
}

#define LINE(range, perms, name) range " " perms " 00000000 00:00 0 " name "\n"

static void test_holes(void **state)
{
	struct maps_summary s;

	(void)state;
	/* Nothing mapped (a kernel thread, a zombie): all is one hole. */
	assert_int_equal(summarise("", 0x10000, 0x100000, 0, 0, &s), 0);
	assert_true(s.count == 0 && s.free_bytes == 0xf0000 && s.largest_hole_bytes == 0xf0000);
	/* A hole below min_address does not count, nor what lies above task_size. */
	assert_int_equal(
		summarise(LINE("8000-9000", "rw-p", "") LINE("20000-30000", "rw-p", ""), 0x10000, 0x28000, 0, 0, &s),
		0);
	assert_true(s.count == 2 && s.free_bytes == 0x10000 && s.largest_hole_bytes == 0x10000);
	/* Nor does the part of a hole that lies above task_size, with an area behind it. */
	assert_int_equal(
		summarise(LINE("10000-20000", "rw-p", "") LINE("40000-50000", "rw-p", ""), 0x10000, 0x38000, 0, 0, &s),
		0);
	assert_true(s.count == 2 && s.free_bytes == 0x18000 && s.largest_hole_bytes == 0x18000);
	/* Adjacent areas have no hole between them. */
	assert_int_equal(
		summarise(LINE("10000-20000", "rw-p", "") LINE("20000-30000", "r--p", ""), 0x10000, 0x30000, 0, 0, &s),
		0);
	assert_true(s.count == 2 && s.free_bytes == 0 && s.largest_hole_bytes == 0 && s.mapped_bytes == 0x20000);
	/* The guard gap is taken from the hole below [stack], and only from that one. */
	assert_int_equal(summarise(LINE("10000-20000", "rw-p", "") LINE("320000-330000", "rw-p", "[stack]"), 0x10000,
				   0x530000, 0, 0, &s),
			 0);
	assert_true(s.free_bytes == 0x300000 - GAP + 0x200000 &&
		    s.largest_hole_bytes == 0x200000 + 0x300000 - 0x200000 - GAP);
	assert_int_equal(summarise(LINE("10000-20000", "rw-p", "") LINE("320000-330000", "rw-p", "/[stack]"), 0x10000,
				   0x330000, 0, 0, &s),
			 0);
	assert_true(s.free_bytes == 0x300000 && s.stack_end == 0);
	/* A hole smaller than the gap is no hole; one larger by a page is one page. */
	assert_int_equal(summarise(LINE("10000-20000", "rw-p", "") LINE("120000-130000", "rw-p", "[stack]"), 0x10000,
				   0x130000, 0, 0, &s),
			 0);
	assert_true(s.free_bytes == 0);
	assert_int_equal(summarise(LINE("10000-20000", "rw-p", "") LINE("121000-130000", "rw-p", "[stack]"), 0x10000,
				   0x130000, 0, 0, &s),
			 0);
	assert_true(s.free_bytes == PAGE);
	/* A stack nearer to zero than the gap. */
	assert_int_equal(summarise(LINE("20000-30000", "rw-p", "[stack]"), 0, 0x30000, 0, 0, &s), 0);
	assert_true(s.free_bytes == 0 && s.stack_start == 0x20000);
}

static void test_private_writable(void **state)
{
	struct maps_summary s;

	(void)state;
	assert_int_equal(summarise(LINE("1000-9000", "rw-s", "") LINE("a000-c000", "-w-p", "")
					   LINE("c000-f000", "r-xp", ""),
				   0, 0x10000, 0, 0, &s),
			 0);
	assert_int_equal(s.largest_private_writable_bytes, 0x2000);
}

static void test_target(void **state)
{
	static const char maps[] = LINE("10000-20000", "r--p", "/a") LINE("20000-30000", "rw-p", "")
		LINE("40000-50000", "rw-s", "") LINE("80000-90000", "rw-p", "[stack]");
	static const struct {
		uint64_t address, length;
		bool mapped, writable;
		uint64_t start_area, splits, below, above;
		bool above_stack;
	} cases[] = {
		{0x20000, 0x10000, true, true, 0x20000, 0, 0x20000, 0x40000, false}, /* a whole area */
		{0x21000, 0x0f000, true, true, 0x20000, 1, 0x20000, 0x40000, false}, /* its tail */
		{0x20000, 0x01000, true, true, 0x20000, 1, 0x20000, 0x40000, false}, /* its head */
		{0x21000, 0x01000, true, true, 0x20000, 2, 0x20000, 0x40000, false}, /* its middle */
		{0x20fff, 0x00002, true, true, 0x20000, 1, 0x20000, 0x40000, false}, /* rounded: the two first pages */
		{0x21001, 0x00001, true, true, 0x20000, 2, 0x20000, 0x40000, false}, /* rounded: the second page */
		{0x11000, 0x10000, true, false, 0x10000, 2, 0, 0x20000, false},      /* ends in two areas */
		{0x11000, 0x0f001, true, false, 0x10000, 2, 0, 0x20000, false},      /* one byte into the second */
		{0x11000, 0x0f000, true, false, 0x10000, 1, 0, 0x20000, false},      /* up to the second */
		{0x41000, 0x01000, true, false, 0x40000, 2, 0x30000, 0x80000, true}, /* shared */
		{0x30000, 0x10000, false, false, 0, 0, 0x30000, 0x40000, false},     /* exactly a hole */
		{0x38000, 0x10000, false, false, 0, 1, 0x30000, 0x40000, false},     /* from a hole into an area */
		{0x7f000, 0x01000, false, false, 0, 0, 0x50000, 0x80000, true},      /* just below the stack */
		{0x7fff8, 0, false, false, 0, 0, 0x50000, 0x80000, true},            /* an address alone */
		{0x21000, 0, true, true, 0x20000, 0, 0x20000, 0x40000, false},       /* an empty range splits nothing */
		{0x90000, 0x01000, false, false, 0, 0, 0x90000, 0, false},           /* above everything */
		{0x88000, UINT64_MAX, true, true, 0x80000, 1, 0x50000, 0, false},    /* beyond the end of addresses */
		{0, 0x21000, false, false, 0, 1, 0, 0x10000, false},
	};
	struct maps_summary s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(summarise(maps, 0x1000, 0x100000, cases[i].address, cases[i].length, &s), 0);
		if (s.target_mapped != cases[i].mapped || s.target_private_writable != cases[i].writable ||
		    s.target_start_area != cases[i].start_area || s.target_splits != cases[i].splits ||
		    s.below_end != cases[i].below || s.above_start != cases[i].above ||
		    s.above_is_stack != cases[i].above_stack)
			fail_msg("case %zu: mapped %d, writable %d, start %llx, splits %llu, below %llx, above %llx, "
				 "stack %d",
				 i, s.target_mapped, s.target_private_writable, (unsigned long long)s.target_start_area,
				 (unsigned long long)s.target_splits, (unsigned long long)s.below_end,
				 (unsigned long long)s.above_start, s.above_is_stack);
	}
}

/* What of a range is there: a hole in the middle, an area that may not be accessed, both, and none of it. */
static void test_missing(void **state)
{
	static const char maps[] = LINE("10000-12000", "rw-p", "") LINE("13000-14000", "r--p", "")
		LINE("14000-16000", "---p", "") LINE("16000-17000", "--xs", "");
	static const struct {
		uint64_t address, length, missing, reach;
	} cases[] = {
		{0x10000, 0x2000, 0, 0x2000},      {0x10000, 0x3000, 0x1000, 0x2000},
		{0x10800, 0x3000, 0x1000, 0x2000}, {0x13000, 0x4000, 0x2000, 0x4000},
		{0x10000, 0x7000, 0x3000, 0x2000}, {0x12000, 0x2000, 0x1000, 0},
		{0x20000, 0x1000, 0x1000, 0},      {0x10000, 0, 0, 0},
	};
	struct maps_summary s;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(summarise(maps, 0x1000, 0x100000, cases[i].address, cases[i].length, &s), 0);
		assert_int_equal(s.target_missing, cases[i].missing);
		assert_int_equal(s.target_reach, cases[i].reach);
	}
}

static void test_odd_names(void **state)
{
	static char maps[8192];
	struct maps_summary s;

	(void)state;
	/* A file may be called anything; only the kernel's own names have no slash. */
	assert_int_equal(summarise(LINE("1000-2000", "rw-p", "/x/[vsyscall]") LINE("2000-3000", "rw-p", "/a [stack]")
					   LINE("3000-4000", "rw-p", "[stack:17]")
						   LINE("4000-5000", "rw-p", "[anon:[stack]")
							   LINE("5000-6000", "rw-p", "/x\\0125000-6000 rw-p"),
				   0, 0x10000, 0, 0, &s),
			 0);
	assert_true(s.count == 5 && s.stack_end == 0);
	/* A path longer than the parser keeps, whole and in pieces. */
	int n = snprintf(maps, sizeof(maps), "1000-2000 rw-p 00000000 00:00 0 /");
	memset(maps + n, 'y', 4096);
	snprintf(maps + n + 4096, sizeof(maps) - (size_t)n - 4096, "\n2000-3000 rw-p 00000000 00:00 0 \n");
	assert_int_equal(summarise(maps, 0, 0x10000, 0, 0, &s), 0);
	assert_int_equal(s.count, 2);
	struct maps_parser p;
	maps_begin(&p, 0, 0x10000, 0, 0);
	for (size_t at = 0; at < strlen(maps); at += 7)
		maps_feed(&p, maps + at, strnlen(maps + at, 7));
	assert_int_equal(maps_end(&p, &s), 0);
	assert_int_equal(s.count, 2);
	/* What is cut away is not looked at in one way of feeding and passed over in the other. */
	snprintf(maps, sizeof(maps), "1000-2000 rw-p 00000000 00:00 0 %*s\n", 600, "[stack]");
	assert_int_equal(summarise(maps, 0, 0x10000, 0, 0, &s), 0);
	assert_true(s.count == 1 && s.stack_end == 0);
}

/* Rings of perf events; a file of that name is none, nor is a ring of another kind. */
static void test_rings(void **state)
{
	struct maps_summary s;
	(void)state;
	assert_int_equal(
		summarise("10000-13000 rw-s 00000000 00:10 17                         anon_inode:[perf_event]\n"
			  "20000-21000 rw-s 00000000 00:10 17                         anon_inode:[perf_event]\n"
			  "30000-31000 rw-s 00000000 00:10 17                         anon_inode:[io_uring]\n"
			  "40000-41000 rw-s 00000000 00:10 17                         /anon_inode:[perf_event]\n",
			  MIN_ADDRESS, TASK_SIZE, 0, 0, &s),
		0);
	assert_int_equal(s.ring_bytes, 4 * PAGE);
	assert_int_equal(s.count, 4);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {
		"\n",
		"1000\n",
		"1000-\n",
		"-2000 rw-p 00000000 00:00 0 \n",
		"1000-2000 rw-p 00000000 00:00\n",
		"1000-2000 rw-p 00000000 00:00 \n",
		"1000-2000 rw-p 00000000 00:00 x\n",
		"1000-2000 rw-p 00000000 00:00 0x\n",
		"1000-2000 rw-p 00000000 0000 0\n",
		"1000-2000 rw-p  00:00 0\n",
		"1000-2000 rw 00000000 00:00 0\n",
		"1000-2000 wr-p 00000000 00:00 0\n",
		"1000-2000 rw-- 00000000 00:00 0\n",
		"1000-2000  rw-p 00000000 00:00 0\n",
		" 1000-2000 rw-p 00000000 00:00 0\n",
		"1000 2000 rw-p 00000000 00:00 0\n",
		"0x1000-0x2000 rw-p 00000000 00:00 0\n",
		"A000-B000 rw-p 00000000 00:00 0\n",
		"2000-1000 rw-p 00000000 00:00 0\n",
		"2000-2000 rw-p 00000000 00:00 0\n",
		"1000-10000000000002000 rw-p 00000000 00:00 0\n",
		"1000-2000 rw-p 00000000 00:00 0",                           /* cut off */
		LINE("2000-3000", "rw-p", "") LINE("1000-2000", "rw-p", ""), /* backwards */
		LINE("1000-3000", "rw-p", "") LINE("2000-4000", "rw-p", ""), /* overlapping */
		LINE("1000-2000", "rw-p", "") "x\n" LINE("3000-4000", "rw-p", ""),
		"Size: 4 kB\n",
	};
	struct maps_summary s;

	(void)state;
	memset(&s, UNTOUCHED, sizeof(s));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (summarise(bad[i], 0, 0x10000, 0, 0, &s) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	assert_int_equal(maps_read_fd(-1, 0, 1, 0, 0, &s), -EBADF);
	for (size_t i = 0; i < sizeof(s); i++)
		assert_int_equal(((unsigned char *)&s)[i], UNTOUCHED);
}

/* This process, live: every page made readable in a region of its own adds two areas. */
static void test_live(void **state)
{
	const size_t pages = 2001, bytes = pages * PAGE;
	auto_close int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct maps_summary before, after;

	(void)state;
	char *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(p != MAP_FAILED);
	uint64_t address = (uint64_t)(uintptr_t)p;
	assert_int_equal(maps_read_fd(fd, MIN_ADDRESS, TASK_SIZE, address + PAGE, PAGE, &before), 0);
	for (size_t i = 1; i < pages; i += 2)
		assert_int_equal(mprotect(p + i * PAGE, PAGE, PROT_READ), 0);
	assert_int_equal(maps_read_fd(fd, MIN_ADDRESS, TASK_SIZE, address + PAGE, PAGE, &after), 0);
	assert_int_equal(after.count, before.count + 2000);
	assert_true(after.mapped_bytes == before.mapped_bytes && after.free_bytes == before.free_bytes);
	assert_true(before.target_splits == 2 && before.target_mapped);
	assert_true(after.target_splits == 0 && after.target_start_area == address + PAGE);
	assert_true(after.below_end == address + PAGE && after.above_start == address + 2 * PAGE);
	uint64_t local = (uint64_t)(uintptr_t)__builtin_frame_address(0);
	assert_true(after.stack_start <= local && local < after.stack_end);
	munmap(p, bytes);
	assert_int_equal(maps_read_fd(fd, MIN_ADDRESS, TASK_SIZE, address, PAGE, &after), 0);
	assert_false(after.target_mapped);
}

/* A process at the default max_map_count, whatever it costs to print: the parser's own share must stay small. */
static void test_many(void **state)
{
	const unsigned areas = 65530;
	const size_t line = 64;
	auto_free char *maps = malloc(areas * line);
	struct maps_summary s;
	struct timespec start, end;
	size_t size = 0;

	(void)state;
	assert_non_null(maps);
	for (unsigned i = 0; i < areas; i++)
		size += (size_t)snprintf(maps + size, line, "%llx-%llx %sp 00000000 00:00 0 \n",
					 0x7f0000000000ULL + i * 8192ULL, 0x7f0000000000ULL + i * 8192ULL + 4096,
					 i % 2 ? "r--" : "rw-");
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	assert_int_equal(summarise(maps, MIN_ADDRESS, TASK_SIZE, 0x7f0000000000, 4096, &s), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(s.count, areas);
	assert_int_equal(s.mapped_bytes, areas * PAGE);
	assert_int_equal(s.free_bytes, TASK_SIZE - MIN_ADDRESS - areas * PAGE);
	double ms = (double)(end.tv_sec - start.tv_sec) * 1e3 + (double)(end.tv_nsec - start.tv_nsec) / 1e6;
	print_message("%u areas, %zu bytes: %.1f ms\n", areas, size, ms);
	/* A release build needs about a tenth of what the sanitizers need; this catches a parser gone quadratic. */
	assert_true(ms < 500);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captured), cmocka_unit_test(test_chunks),
		cmocka_unit_test(test_holes),    cmocka_unit_test(test_private_writable),
		cmocka_unit_test(test_target),   cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_missing),  cmocka_unit_test(test_bad),
		cmocka_unit_test(test_rings),    cmocka_unit_test(test_live),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
