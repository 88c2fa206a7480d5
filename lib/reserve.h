// SPDX-License-Identifier: MIT
/*
 * Memory put aside for the moment at which the machine has none: reading /proc asks the kernel for pages, and on a
 * machine that has run out a reader waits for them until the killed process is gone. Since 5.18 (and in the later
 * 5.10.y) the OOM reaper leaves its victim alone for OOM_REAPER_DELAY, two seconds, and a victim held by ptrace does
 * not go before: giving the reserve back is faster.
 */
#pragma once

#include <stddef.h>

struct reserve {
	void *address; /* NULL: nothing is held */
	size_t bytes;
	int fd; /* of the memory, memfd_create(2) */
};

/* Hold `bytes` of RAM, in place and locked, so that neither swap nor reclaim takes them. -errno (memfd_create(2),
 * mlock(2), mmap(2)). */
int reserve_hold(struct reserve *r, size_t bytes);

/*
 * Give the memory back, whatever else this process is at: where another thread of it waits for memory in a page fault,
 * it holds mmap_lock, and munmap(2) would wait as well. Needs no memory itself. Nothing happens where nothing is held.
 */
void reserve_give_back(struct reserve *r);

/* No reserve any more. */
void reserve_release(struct reserve *r);
