// SPDX-License-Identifier: MIT
/*
 * CALLS[:ERRNO][:when=FIRST[..LAST][+[STEP]]][:size>=BYTES]: which calls are refused with which errno. `when` is
 * strace's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calls.h"

struct inject_spec {
	uint64_t calls; /* bits of rows of watched_calls */
	int error;
	uint64_t first, last, step; /* of the calls that match, counted from 1; last UINT64_MAX: no end */
	uint64_t least;             /* bytes asked for; 0: any call */
};

/* What is wrong with a text, and what to type instead ("" where nothing is known). */
struct inject_complaint {
	char what[256], hint[1024];
};

/* 0 or -EINVAL with the complaint. */
int inject_spec_parse(const char *text, struct inject_spec *ret, struct inject_complaint *complaint);

/* Only CALLS, and the errno: those of a class that cannot give the errno are left out. */
int inject_calls_parse(const char *text, int error, uint64_t *ret, struct inject_complaint *complaint);
int inject_errno_parse(const char *text, int *ret, struct inject_complaint *complaint);

/* What CALLS and ERRNO may be, one by one; NULL at the end. */
const char *inject_target_at(unsigned index);
const char *inject_errno_at(unsigned index);

/* As it would be parsed again. Returns buf. */
#define INJECT_SPEC_TEXT 640
char *inject_spec_format(const struct inject_spec *spec, char *buf, size_t size);

/* Is a call of them? And is the n-th that matches refused? */
bool inject_spec_matches(const struct inject_spec *spec, const struct call_info *call, uint64_t asked);
/* Is one of them a call that makes a task? The C library makes them by others than those of its functions' names. */
bool inject_spec_makes_tasks(const struct inject_spec *spec);
bool inject_spec_is_due(const struct inject_spec *spec, uint64_t n);
