// SPDX-License-Identifier: MIT
/*
 * What kind of area an address lies in, from /proc/PID/smaps, or with less to read from /proc/PID/maps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct area_kind {
	uint64_t start, end;
	uint64_t page_size; /* KernelPageSize; ENOMEM_ABSENT when smaps does not say, and in maps */
	bool huge_pages;    /* of hugetlb: VmFlags "ht" */
	/* The file behind it, inode 0 for none: where in it the area begins, and which file that is. */
	uint64_t offset, inode;
	unsigned major, minor;
	char path[256]; /* as its process's root has it; "" when it is too long to be of use */
};

/*
 * Read through an open descriptor, allocating nothing, up to the area that holds the address. 0, -ENOENT when no area
 * does, -EBADMSG or -errno; *ret untouched on failure.
 */
int smaps_area_fd(int fd, uint64_t address, struct area_kind *ret);
