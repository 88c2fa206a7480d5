// SPDX-License-Identifier: MIT
/*
 * Swap for a guest: on zram, which needs no disk, or on the guest's virtio disk. Made ready beforehand, so that nothing
 * but swapon(2) is left for the moment at which memory is short.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ""; tests point it at a directory with a sys/, a dev/ and a proc/ of plain files. */
extern const char *swap_root;

/*
 * Give a device room for exactly that many bytes of swap (rounded up to whole pages; the header takes a page more) and
 * write the header with mkswap. On zram an unused device is taken, or another one made. -ENODEV when there is no such
 * device or it does not show up within 2 s, -ENOSPC when the disk is smaller, -ENOENT without mkswap, -EIO when it
 * fails, -errno.
 */
int swap_prepare(uint64_t bytes, bool on_disk, char *ret_device, size_t size);

/* -errno */
int swap_turn_on(const char *device);

/* Turn off whatever swap there is, and free the zram devices for other sizes. -errno */
int swap_turn_off_all(void);

/* The device in a line of /proc/swaps, unescaped; false for the heading and for text that is no such line. */
bool swap_parse_line(const char *line, char *ret_device, size_t size);
