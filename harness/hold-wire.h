// SPDX-License-Identifier: MIT
/*
 * A hold as the harness and its guest tell each other: what is to be held and for whom, and what came of it.
 */
#pragma once

#include "hold.h"
#include "run-command.h"

/* What of a tool's output goes over the wire, of each stream; the answer is longer than that only when it is none. */
#define HOLD_STREAM_MAX ((size_t)1 << 20)

/* The first byte of WIRE_OUTPUT; what follows is a piece of it. Nothing follows: the rest is thrown away. */
enum hold_stream { HOLD_STREAM_OUT = 1, HOLD_STREAM_ERROR, HOLD_STREAM_ANSWER };

/* For the job: what of a hold is given, and the tool with our environment variables. NULL without memory, or when an
 * argument of the tool is no UTF-8. */
json_t *hold_request(const struct hold *h);
/* There: the tool becomes command, and the environment variables ours. -EBADMSG, -ENOMEM */
int hold_from_request(const json_t *request, struct hold *ret, struct run_command *command);

/* What was found, but for the answer's text; code and why as hold_run() has them. NULL without memory. */
json_t *hold_result(const struct hold *h, int code, const char *why);
/* Into a hold whose given part is there. The exit status. -EBADMSG, also for a hold that ended well and was not of the
 * moment and the cause that were proven: a tool may have said so. Texts are without control characters. */
int hold_take_result(struct hold *h, const json_t *result, const json_t *proven, char *why, size_t size);
