// SPDX-License-Identifier: MIT
/*
 * What a refused call wanted: how many bytes, and of which range of addresses.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

/* Bytes the call wanted more of; result is what brk(2) returned (the break it kept). 0 when it does not ask for bytes.
 */
uint64_t witness_asked(pid_t pid, const struct call_info *call, const uint64_t args[6], int64_t result);

/* The range of addresses a refused call was about, 0 and 0 when it named none. */
void witness_range(const struct refusal *r, uint64_t *ret_address, uint64_t *ret_length);
