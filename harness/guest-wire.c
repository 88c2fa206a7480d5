// SPDX-License-Identifier: MIT
/*
 * Frames: a header of fixed size, then the payload, compressed with zlib where that makes it shorter. See guest-wire.h.
 */
#include "guest-wire.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "cleanup.h"
#include "write.h"

#define WIRE_MAGIC   0x6d6f6e45U
#define COMPRESS_MIN 128

/* Both sides are the same binary on the same machine: no byte order to agree on. */
struct wire_header {
	uint32_t magic, type;
	uint32_t length;   /* of the payload as sent */
	uint32_t unpacked; /* as meant; equal to length when it was sent as it is */
	uint32_t checksum; /* CRC-32 of the payload as sent */
	uint32_t header_checksum;
};

static uint32_t header_checksum(const struct wire_header *h)
{
	return (uint32_t)crc32(0, (const Bytef *)h, offsetof(struct wire_header, header_checksum));
}

static struct {
	int fd;
	int (*write)(const void *data, size_t length);
} other_way = {.fd = -1};

int wire_pack(enum wire_type type, const void *data, size_t length, char **ret, size_t *ret_length)
{
	if (length > WIRE_MAX_BYTES)
		return -E2BIG;
	uLongf room = compressBound(length);
	auto_free char *frame = malloc(sizeof(struct wire_header) + room + length);
	if (!frame)
		return -ENOMEM;
	char *payload = frame + sizeof(struct wire_header);
	struct wire_header h = {WIRE_MAGIC, type, (uint32_t)length, (uint32_t)length, 0, 0};
	bool packed = length >= COMPRESS_MIN &&
		      compress2((Bytef *)payload, &room, data, length, Z_BEST_SPEED) == Z_OK && room < length;
	if (packed)
		h.length = (uint32_t)room;
	else if (length > 0)
		memcpy(payload, data, length);
	h.checksum = (uint32_t)crc32(0, (const Bytef *)payload, h.length);
	h.header_checksum = header_checksum(&h);
	memcpy(frame, &h, sizeof(h));
	*ret_length = sizeof(h) + h.length;
	*ret = steal(frame);
	return 0;
}

int wire_send(int fd, enum wire_type type, const void *data, size_t length)
{
	auto_free char *frame = NULL;
	size_t packed;
	int r = wire_pack(type, data, length, &frame, &packed);
	if (r < 0)
		return r;
	if (fd == other_way.fd && other_way.write && other_way.write(frame, packed) == 0)
		return 0;
	return write_whole(fd, frame, packed);
}

void wire_send_by(int fd, int (*write)(const void *data, size_t length))
{
	other_way.fd = fd;
	other_way.write = write;
}

int wire_send_padding(int fd)
{
	static const char padding[64];
	return write_whole(fd, padding, sizeof(padding));
}

void wire_reader_free(struct wire_reader *r)
{
	free(r->bytes);
	*r = (struct wire_reader){0};
}

int wire_feed(struct wire_reader *r, const void *data, size_t length)
{
	if (length > WIRE_MAX_BYTES || r->used > 2UL * WIRE_MAX_BYTES)
		return -E2BIG;
	if (r->used + length > r->room) {
		size_t room = (r->used + length) * 2;
		char *bytes = realloc(r->bytes, room);
		if (!bytes)
			return -ENOMEM;
		r->bytes = bytes;
		r->room = room;
	}
	if (length > 0)
		memcpy(r->bytes + r->used, data, length);
	r->used += length;
	return 0;
}

static int unpack(const struct wire_header *h, const char *payload, struct wire_frame *ret)
{
	auto_free char *data = malloc((size_t)h->unpacked + 1);
	uLongf length = h->unpacked;
	if (!data)
		return -ENOMEM;
	if (h->unpacked == h->length)
		memcpy(data, payload, h->length);
	else if (uncompress((Bytef *)data, &length, (const Bytef *)payload, h->length) != Z_OK || length != h->unpacked)
		return -EBADMSG;
	data[h->unpacked] = '\0';
	*ret = (struct wire_frame){(enum wire_type)h->type, h->unpacked, steal(data)};
	return 1;
}

/* What a line may swallow while its other end is being restored, see guest.c: no frame starts with it. */
static void skip_padding(struct wire_reader *r)
{
	size_t n = 0;
	while (n < r->used && r->bytes[n] == '\0')
		n++;
	r->used -= n;
	if (n > 0)
		memmove(r->bytes, r->bytes + n, r->used);
}

int wire_next(struct wire_reader *r, struct wire_frame *ret)
{
	struct wire_header h;
	skip_padding(r);
	if (r->used < sizeof(h))
		return 0;
	memcpy(&h, r->bytes, sizeof(h));
	if (h.magic != WIRE_MAGIC || h.header_checksum != header_checksum(&h) || h.type == 0 || h.type >= WIRE_TYPES ||
	    h.length > WIRE_MAX_BYTES || h.unpacked > WIRE_MAX_BYTES)
		return -EBADMSG;
	if (r->used - sizeof(h) < h.length)
		return 0;
	if (h.checksum != (uint32_t)crc32(0, (const Bytef *)r->bytes + sizeof(h), h.length))
		return -EBADMSG;
	int got = unpack(&h, r->bytes + sizeof(h), ret);
	if (got > 0) {
		r->used -= sizeof(h) + h.length;
		memmove(r->bytes, r->bytes + sizeof(h) + h.length, r->used);
	}
	return got;
}

int wire_receive(int fd, struct wire_reader *r, struct wire_frame *ret)
{
	for (;;) {
		char chunk[4096];
		int got = wire_next(r, ret);
		if (got != 0)
			return got < 0 ? got : 0;
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return -EPIPE;
		if (n < 0 && errno != EINTR)
			return -errno;
		int fed = n > 0 ? wire_feed(r, chunk, (size_t)n) : 0;
		if (fed < 0)
			return fed;
	}
}
