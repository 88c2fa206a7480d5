// SPDX-License-Identifier: MIT
#pragma once

#include "backtrace.h"

/* The parts of an address space that hold code, as /proc/PID/maps has them: in order, none touching the next. */
struct code_map {
	unsigned count;
	struct code_range {
		uint64_t start, end;
	} * range;
};
/* Empty where it cannot be read or memory is short. The caller frees ret->range. */
void code_map_read(pid_t pid, struct code_map *ret);
bool code_map_has(const struct code_map *m, uint64_t address);

/* What lies at the top of a stack, where a call returns to that has nothing of its own there. 0: it cannot be read. */
uint64_t backtrace_word(pid_t pid, uint64_t address);

/*
 * By libdw, the frames only: *ret has no names yet. Leaves it as it is where there is no libdw. Where libdw finds no
 * way from the place, that and its caller, as of a call that has nothing on the stack: ret->unwound is false then.
 */
void backtrace_unwind(pid_t pid, pid_t tid, const struct code_map *code, struct backtrace *ret);

/* The file at this path as it is now, to be looked into later. NULL when it is not there, memory is short, or there is
 * no libdw. */
struct backtrace_file *backtrace_file_note(const char *path);
