// SPDX-License-Identifier: MIT
/*
 * /proc/PID/maps and smaps as a summary, in one pass and constant memory: at the failing moment a process may hold
 * 65,530 areas, and the harness must not allocate.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What the kernel would search for a free hole: [mmap_min_addr, task size), minus the guard gap below a stack. */
#define MAPS_STACK_GUARD_GAP_BYTES (256ULL * 4096)

struct maps_summary {
	uint64_t count; /* areas, without [vsyscall], which is no vm_area_struct: equals mm->map_count */
	uint64_t mapped_bytes;
	uint64_t free_bytes; /* sum of all usable holes */
	uint64_t largest_hole_bytes;
	uint64_t stack_start; /* of [stack], 0 when there is none */
	uint64_t stack_end;
	uint64_t largest_private_writable_bytes; /* largest area that may be charged to the commit account */
	/* Around the address range asked about; all 0 when no range was asked. */
	bool target_mapped;           /* the first byte of the range lies in an area */
	uint64_t target_start_area;   /* start of the area that holds the first byte */
	uint64_t target_splits;       /* 0, 1 or 2: how many of the range's two ends lie strictly inside an area */
	bool target_private_writable; /* the area at the start of the range is private and writable */
	uint64_t below_end;           /* end of the nearest area below the address, 0 when none */
	uint64_t above_start;         /* start of the nearest area above the address, 0 when none */
	bool above_is_stack;
	uint64_t mapped_below_end; /* of mapped_bytes; not all of it where a 64-bit process makes a 32-bit call */
	uint64_t target_missing; /* bytes of the range that lie in no area, or in one that may not be accessed at all */
	uint64_t ring_bytes;     /* of perf events: what their rings, and the page before each, take */
	uint64_t target_reach;   /* bytes of the range before the first that lies in no area */
};

/* A parser fed chunk by chunk; start with maps_begin(), end with maps_end(). Lines may straddle chunks. */
struct maps_parser {
	struct maps_summary sum;
	uint64_t target_start, target_end; /* 0,0 when no range is asked about */
	uint64_t min_address, task_size;
	uint64_t previous_end;
	bool bad;
	unsigned line_length;
	char line[512]; /* longer lines are cut: the path at the end of a line is not needed */
};

/* address, length: the range of the refused call, page aligned or not; 0, 0 for none. */
void maps_begin(struct maps_parser *p, uint64_t min_address, uint64_t task_size, uint64_t address, uint64_t length);
void maps_feed(struct maps_parser *p, const char *text, uint64_t length);
/* Returns 0 or -EBADMSG when any line was not a line of maps; *ret is then untouched. */
int maps_end(struct maps_parser *p, struct maps_summary *ret);

/* Read and summarise /proc/PID/maps through an open descriptor, 64 KiB at a time from a static buffer. -errno on error.
 */
int maps_read_fd(int fd, uint64_t min_address, uint64_t task_size, uint64_t address, uint64_t length,
		 struct maps_summary *ret);

/* What fork() would have to charge, from smaps' VmFlags ("ac" accountable, "dc" left out of a fork). */
struct smaps_commit {
	uint64_t fork_charge_bytes;  /* sum over areas that are accounted and copied */
	uint64_t largest_area_bytes; /* the largest such area: mode 0 judges each area alone */
};
/* Read /proc/PID/smaps through an open descriptor. Returns 0, -EBADMSG or -errno; *ret untouched on failure. */
int smaps_read_fd(int fd, struct smaps_commit *ret);
