// SPDX-License-Identifier: MIT
/*
 * In a guest: writing to the serial line by its ports (National Semiconductor's 16550) and not through the terminal
 * driver, which is woken by an interrupt for every 16 bytes: with an emulated CPU that takes half a millisecond, and a
 * run's evidence a tenth of a second.
 */
#pragma once

#include <stddef.h>

/* COM2, which is ttyS1. */
#define GUEST_PORT 0x2f8

/*
 * All of it, and wait until it is on the line. The ports are ours only meanwhile: a program that is started later does
 * not have them. -errno, as ioperm(2) says, before anything was written; -ENOSYS where there are no ports.
 */
int guest_port_write(const void *data, size_t length);
