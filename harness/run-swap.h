// SPDX-License-Identifier: MIT
/*
 * Swap for a guest in one step, and what to tell when it cannot be had.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Make that much swap and turn it on, besides what there is. -errno and one line in ret_failed. */
int swap_add(uint64_t bytes, bool on_disk, char *ret_failed, size_t size);

/* What to do about a -errno of swap_prepare(); NULL when there is nothing better to say. */
const char *swap_hint(int error, bool on_disk);
