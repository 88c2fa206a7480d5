// SPDX-License-Identifier: MIT
/*
 * See guest-port.h.
 */
#include "guest-port.h"

#include <errno.h>
#include <sched.h>

#if defined(__x86_64__)
#include <sys/io.h>

#define PORTS       8
#define LINE_STATUS (GUEST_PORT + 5)
#define FIFO_EMPTY  0x20
#define ALL_SENT    0x40
#define FIFO_BYTES  16

/* The other end may be slow to read; it is never gone without us. */
static void wait_for(unsigned char status)
{
	while (!(inb(LINE_STATUS) & status))
		(void)sched_yield();
}

int guest_port_write(const void *data, size_t length)
{
	const unsigned char *p = data;
	if (ioperm(GUEST_PORT, PORTS, 1) < 0)
		return -errno;
	while (length > 0) {
		wait_for(FIFO_EMPTY);
		for (unsigned n = 0; n < FIFO_BYTES && length > 0; n++, length--)
			outb(*p++, GUEST_PORT);
	}
	wait_for(ALL_SENT);
	(void)ioperm(GUEST_PORT, PORTS, 0);
	return 0;
}

#else

int guest_port_write(const void *data, size_t length)
{
	(void)data;
	(void)length;
	return -ENOSYS;
}

#endif
