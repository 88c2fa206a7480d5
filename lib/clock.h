// SPDX-License-Identifier: MIT
/*
 * Time as one number.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* Nanoseconds of a clock of clock_gettime(2). */
static inline uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;
	(void)clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* CLOCK_MONOTONIC: what deadlines and durations are counted in. */
static inline uint64_t clock_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}
