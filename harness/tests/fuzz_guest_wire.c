// SPDX-License-Identifier: MIT
/*
 * Any bytes from a guest, in pieces whose length the first byte gives. A frame that comes out is one that went in: sent
 * again and read again it is the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest-wire.h"

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_again(const struct wire_frame *f)
{
	struct wire_reader r = {0};
	struct wire_frame again;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || wire_send(fd, f->type, f->data, f->length) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    wire_receive(fd, &r, &again) < 0)
		abort();
	if (again.type != f->type || again.length != f->length || memcmp(again.data, f->data, f->length) != 0)
		abort();
	free(again.data);
	wire_reader_free(&r);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_reader r = {0};
	size_t step = size > 0 ? (size_t)data[0] + 1 : 1;
	int got = 0;
	for (size_t at = 1; at < size && got >= 0; at += step) {
		struct wire_frame f;
		if (wire_feed(&r, data + at, size - at < step ? size - at : step) < 0)
			abort();
		while ((got = wire_next(&r, &f)) == 1) {
			if (f.type == 0 || f.type >= WIRE_TYPES || f.data[f.length] != '\0')
				abort();
			same_again(&f);
			free(f.data);
		}
	}
	wire_reader_free(&r);
	return 0;
}
