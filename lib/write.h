// SPDX-License-Identifier: MIT
/*
 * Writing all of something.
 */
#pragma once

#include <stddef.h>

/* write(2) until nothing is left, whatever signals come meanwhile. -errno; -EIO where it takes nothing more. */
int write_whole(int fd, const void *data, size_t length);
