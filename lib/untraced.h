// SPDX-License-Identifier: MIT
/*
 * A call may ask for a task that nobody traces (CLONE_UNTRACED). With a filter that stops for a tracer such a task gets
 * ENOSYS for what the filter stops, and whoever watches sees nothing of it. So the flag is taken out at the beginning
 * of the call, and put back at its end, in the new task as well: it is watched like any other, and finds all as it
 * would be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

struct untraced {
	uint64_t flags;   /* as the call has them, with that flag; 0: nothing was taken out */
	uint64_t address; /* of clone3's, in the memory of the task; 0: they are in a register */
	bool ia32;        /* a 32-bit call's */
};

/*
 * The task stands at the beginning of the call. 1: the flag was taken out, and *ret tells how to put it back; 0: the
 * call does not ask for it; -errno: it does, and will get such a task. Then *ret is that of nothing taken out.
 */
int untraced_take_out(pid_t tid, const struct call_info *call, const uint64_t args[6], bool ia32, struct untraced *ret);

/*
 * At the end of the call, or where the new task stands for the first time: put the flag back, unless somebody has
 * changed it since.
 */
void untraced_put_back(const struct untraced *u, pid_t tid);

/* A new task stands for the first time, and may be this maker's: put back what it has a copy of. */
void untraced_put_back_inherited(const struct untraced *u, pid_t task);

/*
 * The maker is stopped where it made a new task: its own flags are put back where they are in memory, and what the new
 * one has a copy of, in a register or in memory of its own, as well: at once if it has stood for the first time
 * already; else *ret is what to put back there then.
 */
void untraced_hand_on(const struct untraced *u, pid_t maker, pid_t task, bool stood, struct untraced *ret);
