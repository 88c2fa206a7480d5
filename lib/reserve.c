// SPDX-License-Identifier: MIT
/*
 * See reserve.h.
 */
#include "reserve.h"

#include <errno.h>
#include <sys/mman.h>

int reserve_hold(struct reserve *r, size_t bytes)
{
	if (r->address || bytes == 0)
		return -EINVAL;
	/* MAP_LOCKED brings the pages in without a fault for each. */
	void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (address == MAP_FAILED)
		return -errno;
	*r = (struct reserve){.address = address, .bytes = bytes};
	return 0;
}

void reserve_release(struct reserve *r)
{
	if (!r->address)
		return;
	(void)munmap(r->address, r->bytes);
	*r = (struct reserve){0};
}
