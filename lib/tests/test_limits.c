// SPDX-License-Identifier: MIT
/*
 * The kernel's arithmetic against numbers captured on Linux 5.10, 6.1, 6.12, 6.18 and 7.2, each with its neighbour on
 * the other side of the boundary.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "limits.h"
#include "number.h"

#define KB           1024ULL
#define MB           (1024 * KB)
#define PAGE         4096ULL
#define ARRAY_END(a) ((a) + ARRAY_SIZE(a))

static void test_commit_limit(void **state)
{
	(void)state;
	static const struct {
		uint64_t mem_kb, huge_pages, ratio, kbytes, swap_kb, limit_kb;
	} row[] = {
		/* 6.18 host as captured: 6171023 pages, an odd number */
		{24684092, 0, 50, 0, 0, 12342044},
		/* the smallest and the largest guest of 512 MB, at the four ratios */
		{471908, 0, 50, 0, 0, 235952},
		{471908, 0, 80, 0, 0, 377524},
		{471908, 0, 100, 0, 0, 471908},
		{471908, 0, 150, 0, 0, 707860},
		{486896, 0, 50, 0, 0, 243448},
		{486896, 0, 0, 0, 0, 0},
		/* one huge page takes 1024 kB off at ratio 50, swap counts in full */
		{486896, 1, 50, 0, 0, 242424},
		{486896, 4, 50, 0, 0, 239352},
		{486896, 4, 50, 0, 65532, 304884},
		/* overcommit_kbytes replaces the ratio, in whole pages, without regard to huge pages */
		{486896, 4, 50, 1000, 0, 1000},
		{486896, 0, 50, 1003, 0, 1000},
		{486896, 0, 50, 1000, 65532, 66532},
		/* more huge pages than memory cannot be, and must not wrap */
		{4096, 1000, 50, 0, 8, 8},
	};
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(limit_commit_limit(row[i].mem_kb * KB, row[i].huge_pages, 2 * MB, row[i].ratio,
						    row[i].kbytes, row[i].swap_kb * KB),
				 row[i].limit_kb * KB);
}

static uint64_t line_of(FILE *f, const char *key)
{
	char line[256];
	unsigned long long value;

	rewind(f);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, key, strlen(key)) && sscanf(line + strlen(key), ": %llu", &value) == 1)
			return value;
	}
	return 0;
}

static uint64_t number_in(const char *path)
{
	unsigned long long value = 0;
	auto_fclose FILE *f = fopen(path, "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu", &value), 1);
	return value;
}

/* The kernel this runs on must agree with us to the byte. */
static void test_commit_limit_here(void **state)
{
	(void)state;
	auto_fclose FILE *f = fopen("/proc/meminfo", "re");
	assert_non_null(f);
	uint64_t hugetlb_pages = line_of(f, "Hugetlb") / 4; /* of every size */

	assert_int_equal(limit_commit_limit(line_of(f, "MemTotal") * KB, hugetlb_pages, PAGE,
					    number_in("/proc/sys/vm/overcommit_ratio"),
					    number_in("/proc/sys/vm/overcommit_kbytes"), line_of(f, "SwapTotal") * KB),
			 line_of(f, "CommitLimit") * KB);
}

static void test_commit_reserve(void **state)
{
	(void)state;
	/* defaults of a guest: 8192 kB for the administrator, about 14 MB for the user */
	assert_int_equal(limit_commit_reserve(8192, true, 14336, 0), 0);
	assert_int_equal(limit_commit_reserve(8192, false, 14336, 0), 2048 * PAGE); /* the gap that was measured */
	assert_int_equal(limit_commit_reserve(8192, true, 14336, 32 * PAGE), PAGE);
	assert_int_equal(limit_commit_reserve(8192, true, 14336, 32 * PAGE - 1), 0);
	assert_int_equal(limit_commit_reserve(8192, true, 14336, 4096 * MB), 14336 * KB); /* a PROT_NONE giant */
	assert_int_equal(limit_commit_reserve(8192, false, 14336, 4096 * MB), (8192 + 14336) * KB);
	assert_int_equal(limit_commit_reserve(3, false, 7, 4096 * MB), PAGE); /* kB that fill no page do not count */
}

static void test_commit_heuristic(void **state)
{
	(void)state;
	assert_int_equal(limit_commit_heuristic(486896 * KB, 0), 486896 * KB);
	assert_int_equal(limit_commit_heuristic(486896 * KB, 65532 * KB), 552428 * KB);
	assert_int_equal(limit_commit_heuristic(486896 * KB + 4095, 0), 486896 * KB);
	/* 94 MB on a host of 24 GB, well above the 232 pages that were measured on a guest of 512 MB */
	assert_int_equal(limit_commit_slack(24684092 * KB) / MB, 94);
	assert_true(limit_commit_slack(471908 * KB) > 232 * PAGE);
	assert_true(limit_commit_slack(471908 * KB) < 3 * 232 * PAGE);
}

static void test_pages(void **state)
{
	(void)state;
	assert_int_equal(limit_round_down_to_page(0, PAGE), 0);
	assert_int_equal(limit_round_down_to_page(4095, PAGE), 0);
	assert_int_equal(limit_round_down_to_page(4096, PAGE), 4096);
	assert_int_equal(limit_round_down_to_page(65537, 65536), 65536);
	assert_int_equal(limit_round_up_to_page(0, PAGE), 0);
	assert_int_equal(limit_round_up_to_page(1, PAGE), 4096);
	assert_int_equal(limit_round_up_to_page(4096, PAGE), 4096);
	assert_int_equal(limit_round_up_to_page(4097, PAGE), 8192);
	assert_int_equal(limit_round_up_to_page(UINT64_MAX, PAGE), UINT64_MAX - 4095);
	assert_int_equal(limit_round_up_to_page(UINT64_MAX - 4095, PAGE), UINT64_MAX - 4095);
}

/* RLIMIT_AS: a slack of 4095 bytes gives nothing, one of 4096 exactly one page. */
static void test_address_space(void **state)
{
	(void)state;
	uint64_t size = 100 * PAGE;

	assert_true(limit_address_space_refuses(size, 1, size, PAGE));
	assert_true(limit_address_space_refuses(size, 1, size + 4095, PAGE));
	assert_false(limit_address_space_refuses(size, 1, size + 4096, PAGE));
	assert_false(limit_address_space_refuses(size, PAGE, size + 4096, PAGE));
	assert_true(limit_address_space_refuses(size, PAGE + 1, size + 4096, PAGE));
	/* 17 pages into 64 KiB, 16 pages fit */
	assert_true(limit_address_space_refuses(size, 17 * PAGE, size + 64 * KB, PAGE));
	assert_false(limit_address_space_refuses(size, 16 * PAGE, size + 64 * KB, PAGE));
	assert_false(limit_address_space_refuses(size, UINT64_MAX, ENOMEM_UNLIMITED, PAGE));
	assert_true(limit_address_space_refuses(size, UINT64_MAX, size, PAGE));
	assert_true(limit_address_space_refuses(UINT64_MAX, UINT64_MAX, 1ULL << 47, PAGE));
}

/* With exactly max + k areas: the last k at which the call goes through, as measured on all five kernels. */
static void test_map_count(void **state)
{
	(void)state;
	static const struct {
		enum map_count_operation op;
		int last_k;
	} row[] = {
		{MAP_COUNT_NEW_AREA, 0},         {MAP_COUNT_UNMAP_MIDDLE, -1}, {MAP_COUNT_SPLIT_ONE_END, -1},
		{MAP_COUNT_SPLIT_BOTH_ENDS, -2}, {MAP_COUNT_MOVE, -4},
	};
	static const uint64_t max[] = {500, 65530, 1048576};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		for (const uint64_t *m = max; m < ARRAY_END(max); m++) {
			for (int k = -6; k <= 1; k++) {
				bool refused = *m + (uint64_t)k > limit_map_count_highest_start(row[i].op, *m);
				assert_int_equal(refused, k > row[i].last_k);
			}
		}
		/* tiny limits must not wrap round to "no limit" */
		assert_true(limit_map_count_highest_start(row[i].op, 0) == 0);
		assert_true(limit_map_count_highest_start(row[i].op, 1) <= 1);
	}
}

static void test_tasks(void **state)
{
	(void)state;
	/* pids.max 6 leaves room for 5 forks of one task */
	assert_false(limit_pids_refuses(5, 6));
	assert_true(limit_pids_refuses(6, 6));
	assert_true(limit_pids_refuses(10, 3)); /* lowered below what runs */
	assert_true(limit_pids_refuses(0, 0));
	assert_false(limit_pids_refuses(UINT64_MAX, ENOMEM_UNLIMITED));

	/* pid_max 400 with 55 tasks allowed 98 to 128 forks, not 345; 301 in a namespace allowed one pid beyond its 299
	 */
	assert_int_equal(limit_pid_capacity(400), 100);
	assert_int_equal(limit_pid_capacity(32768), 32468);
	assert_int_equal(limit_task_size_ia32(0), 0xffffe000);
	assert_int_equal(limit_task_size_ia32(0x8000000 /* ADDR_LIMIT_3GB */ | 8), 0xc0000000);
	assert_int_equal(limit_pid_capacity(301), 1);
	assert_int_equal(limit_pid_capacity(0), 0);
}

static void test_perf_allowance(void **state)
{
	(void)state;
	/* 6.18 with two processors: two rings of 129 pages count for the user, of the third one 129 pages are pinned */
	assert_int_equal(limit_perf_allowance(516, 2, 4096), 258);
	assert_int_equal(limit_perf_allowance(68, 1, 4096), 17);
	assert_int_equal(limit_perf_allowance(71, 1, 4096), 17); /* whole pages */
	assert_int_equal(limit_perf_allowance(3, 64, 4096), 0);
	assert_int_equal(limit_perf_allowance(516, 2, 65536), 16);
	assert_true(limit_perf_allowance(UINT64_MAX, UINT64_MAX, 4096) == UINT64_MAX);
}

static void test_nproc_exempt(void **state)
{
	(void)state;
	assert_true(limit_nproc_exempt(0, 0)); /* root, whatever it dropped */
	assert_true(limit_nproc_exempt(54321, 1ULL << 21));
	assert_true(limit_nproc_exempt(54321, 1ULL << 24));
	assert_false(limit_nproc_exempt(54321, 0));
	assert_false(limit_nproc_exempt(54321, ~(1ULL << 21 | 1ULL << 24)));
	assert_false(limit_nproc_exempt(UINT32_MAX, 0));
}

static void test_stack(void **state)
{
	(void)state;
	uint64_t end = 0x7ffffffff000;

	/* the fault lies less than 300 bytes below the limit, hence in the first page that is too much */
	assert_int_equal(limit_stack_size_after_growth(end, end - 256 * KB, PAGE), 256 * KB);
	assert_int_equal(limit_stack_size_after_growth(end, end - 256 * KB - 1, PAGE), 256 * KB + PAGE);
	assert_int_equal(limit_stack_size_after_growth(end, end - 256 * KB - 300, PAGE), 256 * KB + PAGE);
	assert_int_equal(limit_stack_size_after_growth(end, UINT64_MAX, PAGE), 0);
	assert_int_equal(limit_stack_size_after_growth(0, 0, PAGE), 0);
}

/* No number a program can pass or a file can hold may overflow: UBSan watches. */
/* As measured at 1 MB and 8 MB; below and above the kernel's own bounds. */
static void test_exec_arguments(void **state)
{
	(void)state;
	assert_int_equal(limit_exec_arguments(1 * MB), 256 * KB);
	assert_int_equal(limit_exec_arguments(8 * MB), 2 * MB);
	assert_int_equal(limit_exec_arguments(8 * MB + 3), 2 * MB);
	assert_int_equal(limit_exec_arguments(8 * MB + 4), 2 * MB + 1);
	assert_int_equal(limit_exec_arguments(512 * KB + 4), 128 * KB + 1);
	assert_int_equal(limit_exec_arguments(512 * KB), 128 * KB);
	assert_int_equal(limit_exec_arguments(0), 128 * KB);
	assert_int_equal(limit_exec_arguments(24 * MB), 6 * MB);
	assert_int_equal(limit_exec_arguments(64 * MB), 6 * MB);
	assert_int_equal(limit_exec_arguments(ENOMEM_UNLIMITED), 6 * MB);
}

static void test_extremes(void **state)
{
	(void)state;
	static const uint64_t value[] = {0, 1, 4095, 4096, 1ULL << 47, UINT64_MAX / 2, UINT64_MAX - 1, UINT64_MAX};

	for (const uint64_t *a = value; a < ARRAY_END(value); a++) {
		for (const uint64_t *b = value; b < ARRAY_END(value); b++) {
			uint64_t commit = limit_commit_limit(*a, *b, *a, *b, 0, *a);
			assert_true(commit % PAGE == 0);
			assert_true(limit_commit_limit(*a, *b, *a, *b, *b, *a) % PAGE == 0);
			assert_true(limit_commit_limit(*a, 0, 0, *b, 0, *a) % PAGE == 0);
			assert_true(limit_commit_reserve(*a, false, *b, *a) >= limit_commit_reserve(*a, true, *b, *a));
			assert_true(limit_commit_heuristic(*a, *b) >= limit_commit_heuristic(*a, 0));
			assert_true(limit_add(*a, *b) >= *a);
			assert_true(limit_commit_slack(*a) % PAGE == 0);
			(void)limit_address_space_refuses(*a, *b, *a, PAGE);
			(void)limit_stack_size_after_growth(*a, *b, PAGE);
			(void)limit_pids_refuses(*a, *b);
		}
	}
	assert_int_equal(limit_add(UINT64_MAX - 1, 1), UINT64_MAX);
	assert_int_equal(limit_add(UINT64_MAX, 1), UINT64_MAX);
	assert_int_equal(limit_add(2, 3), 5);
}

/* F_SETPIPE_SZ 2^28 is one block of 4 MB, 2^29 is more than there is. */
static void test_pipe(void **state)
{
	(void)state;
	assert_int_equal(limit_pipe_slots_bytes(1ULL << 28, 4096), 65536 * 40);
	assert_int_equal(limit_pipe_slots_bytes(1ULL << 29, 4096), 131072 * 40);
	assert_true(limit_pipe_slots_bytes(1ULL << 28, 4096) <= LIMIT_KMALLOC_MAX);
	assert_true(limit_pipe_slots_bytes(1ULL << 29, 4096) > LIMIT_KMALLOC_MAX);
	assert_int_equal(limit_pipe_slots_bytes((1ULL << 28) + 1, 4096), 131072 * 40);
	assert_int_equal(limit_pipe_slots_bytes(0, 4096), 40);
	assert_int_equal(limit_pipe_slots_bytes(4097, 4096), 80);
	assert_int_equal(limit_pipe_slots_bytes(1ULL << 31, 4096), 524288ULL * 40);
	assert_true(limit_pipe_slots_bytes((1ULL << 31) + 1, 4096) == UINT64_MAX);
	assert_int_equal(limit_block_bytes(65536 * 40, 4096), 4 * 1024 * 1024);
	assert_int_equal(limit_block_bytes(1, 4096), 4096);
	assert_int_equal(limit_block_bytes(4096, 4096), 4096);
	assert_int_equal(limit_block_bytes(4097, 4096), 8192);
	assert_true(limit_block_bytes(UINT64_MAX, 4096) == UINT64_MAX);
	assert_int_equal(limit_pid_capacity(301), 1);
	assert_int_equal(limit_pid_capacity(400), 100);
}

/* getrlimit(2)'s own example, and what ipc-limit measured: queues of ten messages of 8192 bytes. */
static void test_queue_bytes(void **state)
{
	(void)state;
	assert_int_equal(limit_queue_bytes(10, 8192), 82880);
	assert_int_equal(limit_queue_bytes(1, 1), 97);
	assert_int_equal(limit_aio_ring_bytes(62, 4096), 4096); /* 126 events and the head: 4064 */
	assert_int_equal(limit_aio_ring_bytes(63, 4096), 8192);
	assert_int_equal(limit_aio_ring_bytes(50000, 4096), 782 * 4096);
	assert_int_equal(limit_aio_ring_bytes(UINT32_MAX, 4096), 67108865ULL * 4096);
	assert_int_equal(limit_queue_bytes(0, 8192), 0);
	assert_int_equal(limit_queue_bytes(65536, 16),
			 65536 * (16 + 48) + 32768 * 48); /* as many nodes as priorities */
	assert_true(limit_queue_bytes(UINT64_MAX, 2) == UINT64_MAX);
	assert_true(limit_queue_bytes(UINT64_MAX / 2, 1) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_perf_allowance),
		cmocka_unit_test(test_queue_bytes),
		cmocka_unit_test(test_pipe),
		cmocka_unit_test(test_commit_limit),
		cmocka_unit_test(test_commit_limit_here),
		cmocka_unit_test(test_commit_reserve),
		cmocka_unit_test(test_commit_heuristic),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_address_space),
		cmocka_unit_test(test_map_count),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_nproc_exempt),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_exec_arguments),
		cmocka_unit_test(test_extremes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
