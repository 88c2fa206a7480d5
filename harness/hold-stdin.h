// SPDX-License-Identifier: MIT
/*
 * What a tool in a guest reads from its standard input: ours, to its end, sent with the job.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* What of it may be sent. */
#define HOLD_STDIN_MAX ((size_t)1 << 20)

/* Read a descriptor to its end. The bytes as hexadecimal digits, for JSON. -errno, -EFBIG for more than that, -EINTR */
int hold_stdin_read(int fd, char **ret_digits);
/* There: a descriptor that reads those bytes, or none for NULL. -errno, -EBADMSG for what are no bytes */
int hold_stdin_open(const json_t *digits);
