// SPDX-License-Identifier: MIT
/*
 * Every parser of /proc texts and numbers over the same bytes. Beside crashes it looks for broken promises: a result
 * touched on failure, maps that read differently when the text comes in other chunks.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cleanup.h"
#include "maps.h"
#include "number.h"
#include "procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATTERN       0x5a
#define MIN_ADDRESS   65536
#define TASK_SIZE     0x7ffffffff000ULL
#define TARGET        0x7f94dd528800ULL
#define TARGET_LENGTH 0x1000

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* A parser that failed must have left all size bytes of its result alone. */
static void require_untouched(int r, const void *result, size_t size)
{
	const unsigned char *byte = result;

	require(r <= 0);
	for (size_t i = 0; r < 0 && i < size; i++)
		require(byte[i] == PATTERN);
}

#define CHECK(type, call)                                                                                              \
	do {                                                                                                           \
		type result;                                                                                           \
		memset(&result, PATTERN, sizeof(result));                                                              \
		int r_ = (call);                                                                                       \
		require_untouched(r_, &result, sizeof(result));                                                        \
	} while (0)

typedef uint64_t soft_limits[PROCFS_RLIMITS];

static void parse_texts(const char *text)
{
	static const char *const controllers[] = {"", "memory", "pids"};
	char path[64];

	CHECK(struct meminfo, procfs_parse_meminfo(text, &result));
	CHECK(struct vmstat, procfs_parse_vmstat(text, &result));
	CHECK(struct process_status, procfs_parse_status(text, &result));
	CHECK(uint64_t, procfs_parse_loadavg_tasks(text, &result));
	CHECK(soft_limits, procfs_parse_limits(text, result));
	CHECK(soft_limits, procfs_parse_hard_limits(text, result));
	for (unsigned i = 0; i < ARRAY_SIZE(controllers); i++) {
		ssize_t n = procfs_parse_cgroup(text, controllers[i], path, sizeof(path));

		require(n < 0 || (n < (ssize_t)sizeof(path) && strlen(path) == (size_t)n && path[0] == '/'));
	}
}

static void parse_numbers(const char *text)
{
	uint64_t number = 0;

	CHECK(uint64_t, number_parse_size(text, &result));
	CHECK(uint64_t, number_parse_count(text, &result));
	CHECK(uint64_t, number_parse_limit(text, &result));
	CHECK(uint64_t, number_parse_duration(text, &result));
	CHECK(uint64_t, number_parse_percent(text, &result));
	if (number_parse_size(text, &number) == 0) {
		char buf[16];

		require(number < ENOMEM_ABSENT);
		require(strlen(number_format_bytes(buf, sizeof(buf), number)) < sizeof(buf));
		require(strlen(number_format_count(buf, sizeof(buf), number)) < sizeof(buf));
		require(strlen(number_format_duration(buf, sizeof(buf), number)) < sizeof(buf));
	}
}

/* Chunks of the sizes 1, 2, ... first, 1, 2, ... */
static int parse_chunks(const char *text, size_t size, size_t first, struct maps_summary *ret)
{
	struct maps_parser p;
	size_t part = 1;

	maps_begin(&p, MIN_ADDRESS, TASK_SIZE, TARGET, TARGET_LENGTH);
	for (size_t at = 0; at < size; part = part % first + 1) {
		size_t n = part < size - at ? part : size - at;
		char *copy = malloc(n);

		/* A copy of its own, so that reading beyond the chunk is seen. */
		require(copy != NULL);
		memcpy(copy, text + at, n);
		maps_feed(&p, copy, n);
		free(copy);
		at += n;
	}
	return maps_end(&p, ret);
}

static void parse_maps(const char *text, size_t size)
{
	struct maps_summary whole, chunked;
	struct maps_parser p;

	memset(&whole, PATTERN, sizeof(whole));
	memset(&chunked, PATTERN, sizeof(chunked));
	maps_begin(&p, MIN_ADDRESS, TASK_SIZE, TARGET, TARGET_LENGTH);
	maps_feed(&p, text, size);
	int r = maps_end(&p, &whole);
	require_untouched(r, &whole, sizeof(whole));
	require(parse_chunks(text, size, size ? (unsigned char)text[0] + 1U : 1, &chunked) == r);
	if (r < 0) {
		require_untouched(r, &chunked, sizeof(chunked));
		return;
	}
	require(whole.count == chunked.count && whole.mapped_bytes == chunked.mapped_bytes &&
		whole.free_bytes == chunked.free_bytes && whole.largest_hole_bytes == chunked.largest_hole_bytes &&
		whole.stack_end == chunked.stack_end && whole.target_splits == chunked.target_splits &&
		whole.below_end == chunked.below_end && whole.above_start == chunked.above_start);
	require(whole.largest_hole_bytes <= whole.free_bytes && whole.free_bytes <= TASK_SIZE - MIN_ADDRESS);
	require(whole.target_splits <= 2 && whole.largest_private_writable_bytes <= whole.mapped_bytes);
}

static void parse_smaps(const char *text, size_t size)
{
	auto_close int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct smaps_commit commit;

	require(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	memset(&commit, PATTERN, sizeof(commit));
	int r = smaps_read_fd(fd, &commit);
	require_untouched(r, &commit, sizeof(commit));
	require(r < 0 || commit.largest_area_bytes <= commit.fork_charge_bytes);
	CHECK(struct maps_summary, maps_read_fd(fd, MIN_ADDRESS, TASK_SIZE, TARGET, TARGET_LENGTH, &result));
	CHECK(uint64_t, procfs_read_number_fd(fd, &result));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);

	require(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	parse_texts(text);
	parse_numbers(text);
	parse_maps(text, size);
	parse_smaps(text, size);
	return 0;
}
