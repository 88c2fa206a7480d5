// SPDX-License-Identifier: MIT
/*
 * What kind of area an address lies in, from /proc/PID/smaps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct area_kind {
	uint64_t start, end;
	uint64_t page_size; /* KernelPageSize; ENOMEM_ABSENT when smaps does not say */
	bool huge_pages;    /* of hugetlb: VmFlags "ht" */
};

/*
 * Read through an open descriptor, allocating nothing, up to the area that holds the address. 0, -ENOENT when no area
 * does, -EBADMSG or -errno; *ret untouched on failure.
 */
int smaps_area_fd(int fd, uint64_t address, struct area_kind *ret);
