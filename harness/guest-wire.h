// SPDX-License-Identifier: MIT
/*
 * What the harness and its guest say to each other over a serial line: frames with a length and a checksum, so that a
 * truncated or garbled one is recognised. Payloads are compressed: the line carries half a megabyte a second.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_BYTES (64U * 1024 * 1024)

enum wire_type {
	WIRE_READY = 1, /* guest: booted; what it is, as WIRE_MACHINE */
	WIRE_JOB,       /* harness: what to do; JSON */
	WIRE_MACHINE,   /* guest: struct machine as it is: same binary on both sides */
	WIRE_STARTED,   /* guest: a run begins; JSON [scenario, run] */
	WIRE_RUN,       /* guest: a run's judged evidence; JSON [scenario, evidence] */
	WIRE_DONE,      /* guest: the job is done; empty */
	WIRE_FILES,     /* guest: what was captured of the run that is being made; see capture-guest.h */
	WIRE_FAILED,    /* guest: the job, or one scenario of it, cannot be done; JSON {message, scenario, lacks} */
	WIRE_OUTPUT,    /* guest: what the tool wrote; a byte that tells where, and a piece of it */
	WIRE_HELD,      /* guest: the hold is over; JSON, see hold-wire.h */
	WIRE_TYPED,     /* harness: for a lesson's shell; a byte that says what, and it; see guest-teach.h */
	WIRE_ASKED,     /* guest: a lesson's shell is there, asks something, or is left; JSON */
	WIRE_TYPES
};

struct wire_frame {
	enum wire_type type;
	size_t length;
	char *data; /* NUL-terminated, owned by the receiver: free() it */
};

/* Write one frame. The descriptor may be a terminal or a socket, and block. -errno, -E2BIG */
int wire_send(int fd, enum wire_type type, const void *data, size_t length);

/* The bytes of one frame, for who sends them piece by piece: free() them. -ENOMEM, -E2BIG */
int wire_pack(enum wire_type type, const void *data, size_t length, char **ret, size_t *ret_length);

/* Where frames go from now on instead of to that descriptor; it is written to where this fails. For guests. */
void wire_send_by(int fd, int (*write)(const void *data, size_t length));

/* Some bytes that readers pass over between frames. */
int wire_send_padding(int fd);

/* Bytes as they come in, until they make a frame. */
struct wire_reader {
	char *bytes;
	size_t used, room;
};
void wire_reader_free(struct wire_reader *r);
/* Add bytes. -ENOMEM, -E2BIG */
int wire_feed(struct wire_reader *r, const void *data, size_t length);
/* 1 and a frame, 0 when more bytes are needed, -EBADMSG for what is no frame, -ENOMEM. */
int wire_next(struct wire_reader *r, struct wire_frame *ret);
/* Block until a frame is there. -EPIPE at the end, else as wire_next() and read(2). */
int wire_receive(int fd, struct wire_reader *r, struct wire_frame *ret);
