// SPDX-License-Identifier: MIT
/*
 * Where a task that is held by ptrace stands: libdw unwinds and names the functions. Without it, or where it finds no
 * way, the place itself and, at the end of a call, the place that called the C library.
 *
 * Names and lines take long to find where there is much debug information, so they are looked up when the task goes on:
 * what is noted of a frame while it is held tells where in which file it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define BACKTRACE_FRAMES 24

struct backtrace_file; /* as it was when it was noted */

struct backtrace_frame {
	uint64_t address;
	bool returns;                /* the call is before it */
	struct backtrace_file *file; /* to look names up in; NULL: there is nothing to be looked up */
	char module[256];            /* path of the file; "" where the address is in none */
	uint64_t module_offset;      /* into it; as its file has it, not as it is loaded */
	char symbol[192];            /* "" where unknown; of C++ as its source has it, see demangle.h */
	uint64_t symbol_offset;
	char source[128]; /* "" without debug information */
	int line;
};

struct backtrace {
	bool unwound; /* by libdw: else frames may be missing in between */
	unsigned count;
	struct backtrace_frame frame[BACKTRACE_FRAMES];
};

/* Into *ret, whose count is 0 when nothing could be found out. Takes milliseconds, and memory. */
void backtrace_take(pid_t pid, pid_t tid, struct backtrace *ret);

/*
 * Put in the names and lines of the frames, from the files as they are now, unless they are others. The first time for
 * a file takes up to a second. The task need not be there any more.
 */
void backtrace_name(struct backtrace *b);

/* Can backtrace_take() unwind: was it built with libdw, and is that installed here? */
bool backtrace_unwinds(void);
