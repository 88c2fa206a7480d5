// SPDX-License-Identifier: MIT
/*
 * What a refused call wanted: how many bytes, and of which range of addresses.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"
#include "snapshot.h"

/* Bytes the call wanted more of; result is what brk(2) returned (the break it kept). 0 when it does not ask for bytes.
 */
uint64_t witness_asked(pid_t pid, const struct call_info *call, const uint64_t args[6], int64_t result);

/* The range of addresses a refused call was about, 0 and 0 when it named none. */
void witness_range(const struct refusal *r, uint64_t *ret_address, uint64_t *ret_length);

/* The path that openat(2) was given, if it can be followed from the root or the working directory; NULL otherwise. */
const char *witness_path(const struct refusal *r, char *buf, size_t size);

/* Does such a call want addresses, so that the areas there are tell something of its refusal? */
bool witness_asks_for_addresses(enum call_family family);

/* What a snapshot has to look at for this refusal. The path in it is valid until the next call. */
void witness_request(const struct refusal *r, struct snapshot_request *ret);
