// SPDX-License-Identifier: MIT
/*
 * Places kept free for a tool. Where the machine itself has no task and no memory left to promise, none could be
 * started any more: some processes that do nothing are there before the failure, and make room for it.
 */
#pragma once

#define HOLD_RESERVE_TASKS 8

struct hold_reserve {
	int release_fd, gone_fd; /* -1: there is none */
};

void hold_reserve_begin(struct hold_reserve *r);
/* They are gone when this returns. */
void hold_reserve_release(struct hold_reserve *r);
