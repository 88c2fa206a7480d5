// SPDX-License-Identifier: MIT
/*
 * Reading what the arguments of a refused call point at. See witness-asked.h.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <sys/uio.h>

#include "number.h"
#include "witness-asked.h"

#define PAGE_BYTES 4096

const char *witness_path(const struct refusal *r, char *buf, size_t size)
{
	uint64_t address = r->args[1];
	size_t in_page = PAGE_BYTES - address % PAGE_BYTES;
	struct iovec local = {buf, size};
	/* Two pieces: the second page may not be there. */
	const struct iovec remote[2] = {
		{(void *)(uintptr_t)address, in_page < size ? in_page : size},
		{(void *)(uintptr_t)(address + in_page), in_page < size ? size - in_page : 0},
	};
	ssize_t n = process_vm_readv(r->tid, &local, 1, remote, 2, 0);
	if (n <= 0 || !memchr(buf, '\0', (size_t)n) || (buf[0] != '/' && (int)r->args[0] != AT_FDCWD))
		return NULL;
	return buf;
}

uint64_t witness_written_number(const struct refusal *r)
{
	char digits[24] = "";
	uint64_t number;
	struct iovec local = {digits, r->args[2]};
	struct iovec remote = {(void *)(uintptr_t)r->args[1], r->args[2]}; // NOLINT(performance-no-int-to-ptr)
	if (r->args[2] >= sizeof(digits) || process_vm_readv(r->tid, &local, 1, &remote, 1, 0) != (ssize_t)r->args[2])
		return ENOMEM_ABSENT;
	digits[strcspn(digits, "\n")] = '\0';
	return number_parse_count(digits, &number) == 0 ? number : ENOMEM_ABSENT;
}

void witness_queue(struct refusal *r)
{
	union {
		struct mq_attr wide;
		int32_t narrow[8];
	} attr;
	struct iovec local = {&attr, r->ia32 ? sizeof(attr.narrow) : sizeof(attr.wide)};
	struct iovec remote = {(void *)(uintptr_t)r->args[3], local.iov_len}; // NOLINT(performance-no-int-to-ptr)
	if (!call_makes_queue(r->call) || !r->args[3] ||
	    process_vm_readv(r->tid, &local, 1, &remote, 1, 0) != (ssize_t)local.iov_len)
		return;
	r->messages = (uint64_t)(r->ia32 ? attr.narrow[1] : attr.wide.mq_maxmsg);
	r->message_bytes = (uint64_t)(r->ia32 ? attr.narrow[2] : attr.wide.mq_msgsize);
	r->queue_sized = true;
}
