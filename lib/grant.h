// SPDX-License-Identifier: MIT
/*
 * What a process is granted after a refusal: is it what it was refused, or may it be what it makes do with? Programs
 * ask for much and are content with less (they halve a reservation until it is granted), but whatever they do, they
 * also print, look up messages and load locales, and that takes memory too.
 */
#pragma once

#include "calls.h"

enum grant {
	GRANT_OTHER,   /* of another kind, or what a program needs in order to say that it fails */
	GRANT_LESS,    /* less of its kind: it may be a fallback */
	GRANT_AS_MUCH, /* the refusal is made up for */
};

/* A fallback is no smaller, unless it is asked for where the refused call was: by the same code, in the same frame. */
#define GRANT_LEAST (64ULL * 1024)

/* The most that was granted in place of it. */
struct grant_fallback {
	const struct call_info *call; /* NULL: nothing */
	uint64_t bytes;
};

/* asked_bytes of a granted brk(2) are what it grew by; 0 where that is not known. */
enum grant grant_for(const struct refusal *refused, const struct refusal *granted);
