// SPDX-License-Identifier: MIT
/*
 * See reserve.h.
 */
#include "reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "cleanup.h"

int reserve_hold(struct reserve *r, size_t bytes)
{
	if (r->address || bytes == 0)
		return -EINVAL;
	auto_close int fd = memfd_create("enomem-reserve", MFD_CLOEXEC);
	/* Unlike ftruncate(2) it says so when there is not so much to be had. */
	if (fd < 0 || fallocate(fd, 0, 0, (off_t)bytes) < 0)
		return -errno;
	/* MAP_LOCKED brings the pages in without a fault for each. */
	void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_LOCKED | MAP_POPULATE, fd, 0);
	if (address == MAP_FAILED)
		return -errno;
	*r = (struct reserve){.address = address, .bytes = bytes, .fd = steal_fd(fd)};
	return 0;
}

void reserve_give_back(struct reserve *r)
{
	if (r->address && fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)r->bytes) < 0)
		reserve_release(r);
}

void reserve_release(struct reserve *r)
{
	if (!r->address)
		return;
	(void)munmap(r->address, r->bytes);
	closep(&r->fd);
	*r = (struct reserve){0};
}
