// SPDX-License-Identifier: MIT
/*
 * Frames: what was sent comes out, in whatever pieces it arrives; what was truncated is waited for; what was garbled is
 * refused, and never taken for another frame.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest-wire.h"

#define HEADER 24

static char bytes[1 << 20];

/* The bytes of frames that `fill` sends. */
static size_t sent(enum wire_type type, const void *data, size_t length)
{
	int fd = memfd_create("wire", MFD_CLOEXEC);
	assert_int_equal(wire_send(fd, type, data, length), 0);
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
	assert_true(n >= HEADER);
	close(fd);
	return (size_t)n;
}

static int next_of(const char *data, size_t length, struct wire_frame *ret)
{
	struct wire_reader r = {0};
	assert_int_equal(wire_feed(&r, data, length), 0);
	int got = wire_next(&r, ret);
	wire_reader_free(&r);
	return got;
}

static void assert_frame(struct wire_frame *f, enum wire_type type, const char *data, size_t length)
{
	assert_int_equal(f->type, type);
	assert_int_equal(f->length, length);
	assert_memory_equal(f->data, data, length);
	assert_int_equal(f->data[length], 0);
	free(f->data);
	*f = (struct wire_frame){0};
}

/* Text that compresses, text that does not, the lengths around which compression begins, nothing at all. */
static size_t sample(unsigned which, char *ret)
{
	static const size_t length[] = {0, 1, 127, 128, 129, 4096, 70000};
	uint32_t x = 12345;
	for (size_t i = 0; i < length[which % 7]; i++) {
		x = x * 1664525 + 1013904223;
		ret[i] = which < 7 ? (char)('a' + i % 7) : (char)(x >> 24);
	}
	return length[which % 7];
}

#define SAMPLES 14

static void test_round_trip(void **state)
{
	static char data[70000];
	struct wire_reader r = {0};
	struct wire_frame f;
	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		size_t length = sample(i, data), n = sent(WIRE_RUN, data, length);
		assert_int_equal(next_of(bytes, n, &f), 1);
		assert_frame(&f, WIRE_RUN, data, length);
		/* Some at a time, with padding before. */
		assert_int_equal(wire_feed(&r, "\0\0\0", 3), 0);
		for (size_t at = 0, step = n / 5 + 1; at < n; at += step) {
			assert_int_equal(wire_next(&r, &f), 0);
			assert_int_equal(wire_feed(&r, bytes + at, n - at < step ? n - at : step), 0);
		}
		assert_int_equal(wire_next(&r, &f), 1);
		assert_frame(&f, WIRE_RUN, data, length);
		assert_int_equal(r.used, 0);
	}
	assert_true(sent(WIRE_RUN, data, sample(6, data)) < 4096); /* it was compressed */
	wire_reader_free(&r);
}

static void test_several(void **state)
{
	struct wire_reader r = {0};
	struct wire_frame f;
	(void)state;
	size_t n = sent(WIRE_READY, "one", 3);
	assert_int_equal(wire_feed(&r, bytes, n), 0);
	n = sent(WIRE_DONE, NULL, 0);
	assert_int_equal(wire_feed(&r, bytes, n), 0);
	n = sent(WIRE_FAILED, "three", 5);
	assert_int_equal(wire_feed(&r, bytes, n - 1), 0);
	assert_int_equal(wire_next(&r, &f), 1);
	assert_frame(&f, WIRE_READY, "one", 3);
	assert_int_equal(wire_next(&r, &f), 1);
	assert_frame(&f, WIRE_DONE, "", 0);
	assert_int_equal(wire_next(&r, &f), 0);
	assert_int_equal(wire_feed(&r, bytes + n - 1, 1), 0);
	assert_int_equal(wire_next(&r, &f), 1);
	assert_frame(&f, WIRE_FAILED, "three", 5);
	wire_reader_free(&r);
}

static void test_truncated(void **state)
{
	static char data[70000];
	struct wire_frame f = {.type = WIRE_TYPES};
	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		size_t n = sent(WIRE_RUN, data, sample(i, data));
		for (size_t length = 0; length < n; length += length < 300 ? 1 : 97)
			assert_int_equal(next_of(bytes, length, &f), 0);
		assert_int_equal(next_of(bytes, n - 1, &f), 0);
		assert_int_equal(f.type, WIRE_TYPES); /* untouched */
	}
}

/* No flipped bit gives a frame; one in the length may have the reader wait for more. */
static void test_flipped(void **state)
{
	static char data[70000];
	static const unsigned which[] = {0, 1, 3, 9, 10};
	struct wire_frame f;
	(void)state;
	for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++) {
		size_t n = sent(WIRE_STARTED, data, sample(which[i], data));
		for (size_t bit = 0; bit < n * 8; bit++) {
			bytes[bit / 8] ^= (char)(1 << bit % 8);
			assert_int_equal(next_of(bytes, n, &f), -EBADMSG);
			bytes[bit / 8] ^= (char)(1 << bit % 8);
		}
		assert_int_equal(next_of(bytes, n, &f), 1);
		free(f.data);
	}
}

/* Lost and doubled bytes. */
static void test_shifted(void **state)
{
	static char data[70000], other[70100];
	struct wire_frame f;
	(void)state;
	size_t n = sent(WIRE_RUN, data, sample(9, data));
	for (size_t at = 0; at < n; at++) {
		memcpy(other, bytes, at);
		memcpy(other + at, bytes + at + 1, n - at - 1);
		assert_true(next_of(other, n - 1, &f) <= 0);
		memcpy(other, bytes, at + 1);
		memcpy(other + at + 1, bytes + at, n - at);
		int got = next_of(other, n + 1, &f);
		/* A byte equal to its neighbour is the same text; what follows the frame is left over. */
		if (got == 1)
			assert_frame(&f, WIRE_RUN, data, sample(9, data));
		else
			assert_true(got == 0 || got == -EBADMSG);
	}
}

static uint32_t crc(const char *data, size_t length)
{
	uint32_t c = 0xffffffff;
	for (size_t i = 0; i < length; i++) {
		c ^= (unsigned char)data[i];
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c;
}

/* A header with right checksums that says these things. */
static int forged(uint32_t type, uint32_t length, uint32_t unpacked, const char *payload, size_t present)
{
	struct wire_frame f = {0};
	uint32_t h[6] = {0x6d6f6e45, type, length, unpacked, crc(payload, present), 0};
	char all[HEADER + 256];
	h[5] = crc((const char *)h, 20);
	memcpy(all, h, HEADER);
	memcpy(all + HEADER, payload, present);
	int got = next_of(all, HEADER + present, &f);
	free(f.data);
	return got;
}

static void test_forged(void **state)
{
	static const char text[200] = "not compressed at all";
	(void)state;
	assert_int_equal(forged(WIRE_RUN, 5, 5, "hello", 5), 1); /* the forger knows how */
	assert_int_equal(forged(0, 5, 5, "hello", 5), -EBADMSG);
	assert_int_equal(forged(WIRE_TYPES, 5, 5, "hello", 5), -EBADMSG);
	assert_int_equal(forged(UINT32_MAX, 5, 5, "hello", 5), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, UINT32_MAX, UINT32_MAX, "hello", 5), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, WIRE_MAX_BYTES + 1, 5, "hello", 5), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, 5, WIRE_MAX_BYTES + 1, "hello", 5), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, WIRE_MAX_BYTES, WIRE_MAX_BYTES, "hello", 5), 0);
	assert_int_equal(forged(WIRE_RUN, 200, WIRE_MAX_BYTES, text, 200), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, 200, 0, text, 200), -EBADMSG);
	assert_int_equal(forged(WIRE_RUN, 0, 7, "", 0), -EBADMSG);
	assert_int_equal(forged(WIRE_DONE, 0, 0, "", 0), 1);
}

static void test_garbage(void **state)
{
	struct wire_frame f;
	char text[HEADER + 1] = "[    1.0] Linux version 6";
	(void)state;
	assert_int_equal(next_of(text, HEADER, &f), -EBADMSG);
	memset(bytes, 0, 4096);
	assert_int_equal(next_of(bytes, 4096, &f), 0); /* padding */
	assert_int_equal(next_of("", 0, &f), 0);
	memset(bytes, 0xff, 4096);
	assert_int_equal(next_of(bytes, 4096, &f), -EBADMSG);
}

static void test_limits(void **state)
{
	struct wire_reader r = {0};
	static char big[1];
	(void)state;
	assert_int_equal(wire_feed(&r, big, (size_t)WIRE_MAX_BYTES + 1), -E2BIG);
	assert_int_equal(wire_send(STDERR_FILENO, WIRE_RUN, big, (size_t)WIRE_MAX_BYTES + 1), -E2BIG);
	assert_null(r.bytes);
}

static void test_descriptors(void **state)
{
	struct wire_reader r = {0};
	struct wire_frame f;
	int ends[2];
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	assert_int_equal(wire_send_padding(ends[0]), 0);
	assert_int_equal(wire_send(ends[0], WIRE_JOB, "{}", 2), 0);
	assert_int_equal(wire_send_padding(ends[0]), 0);
	assert_int_equal(wire_receive(ends[1], &r, &f), 0);
	assert_frame(&f, WIRE_JOB, "{}", 2);
	close(ends[0]);
	assert_int_equal(wire_receive(ends[1], &r, &f), -EPIPE);
	close(ends[1]);
	assert_int_equal(wire_receive(ends[1], &r, &f), -EBADF);
	assert_int_equal(wire_send(ends[1], WIRE_JOB, "{}", 2), -EBADF);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	close(ends[1]);
	assert_int_equal(wire_send(ends[0], WIRE_JOB, "{}", 2), -EPIPE);
	close(ends[0]);
	wire_reader_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_several), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),    cmocka_unit_test(test_shifted), cmocka_unit_test(test_forged),
		cmocka_unit_test(test_garbage),    cmocka_unit_test(test_limits),  cmocka_unit_test(test_descriptors),
	};
	return cmocka_run_group_tests_name("guest_wire", tests, NULL, NULL);
}
