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
#include "tracees.h"

/* Bytes the call that a task is in wanted more of; result is what brk(2) returned (the break it kept). 0 when it does
 * not ask for bytes.
 */
uint64_t witness_asked(const struct tracee *t, int64_t result);

/* The range of addresses a refused call was about, 0 and 0 when it named none. */
void witness_range(const struct refusal *r, uint64_t *ret_address, uint64_t *ret_length);

/* The path that openat(2) was given, if it can be followed from the root or the working directory; NULL otherwise. */
const char *witness_path(const struct refusal *r, char *buf, size_t size);

/* The number a write(2) wrote, of its own process: a size or a count in digits, a newline behind it or not.
 * ENOMEM_ABSENT for anything else. */
uint64_t witness_written_number(const struct refusal *r);
/* What a POSIX message queue was to hold, into r->messages and r->message_bytes, where the call says it:
 * r->queue_sized. */
void witness_queue(struct refusal *r);

/* Does such a call want addresses, so that the areas there are tell something of its refusal? */
bool witness_asks_for_addresses(enum call_family family);

/* What a snapshot has to look at for this refusal. The path in it is valid until the next call. */
void witness_request(const struct refusal *r, struct snapshot_request *ret);
