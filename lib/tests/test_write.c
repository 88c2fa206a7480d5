// SPDX-License-Identifier: MIT
/*
 * Writing all of something: what a pipe takes in pieces arrives whole, and what nobody takes is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "write.h"

#define LENGTH (1U << 20)

static char sent[LENGTH], got[LENGTH];

struct reader {
	pthread_t writer;
	int fd;
	size_t length;
};

static void on_signal(int signal)
{
	(void)signal;
}

/* Takes little at a time, and interrupts whoever writes. */
static void *read_slowly(void *data)
{
	struct reader *r = data;
	const struct timespec pause = {.tv_nsec = 100000};
	for (ssize_t n; (n = read(r->fd, got + r->length, 8191)) > 0; r->length += (size_t)n) {
		(void)nanosleep(&pause, NULL);
		(void)pthread_kill(r->writer, SIGUSR1);
	}
	return NULL;
}

static void test_in_pieces(void **state)
{
	struct reader reader = {.writer = pthread_self()};
	pthread_t thread;
	int ends[2];
	(void)state;
	const struct sigaction interrupted = {.sa_handler = on_signal}; /* no SA_RESTART */
	assert_int_equal(sigaction(SIGUSR1, &interrupted, NULL), 0);
	for (size_t i = 0; i < LENGTH; i++)
		sent[i] = (char)(i * 7 + i / 256);
	assert_int_equal(pipe(ends), 0);
	reader.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	assert_int_equal(write_whole(ends[1], sent, LENGTH), 0);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.length, LENGTH);
	assert_memory_equal(got, sent, LENGTH);
	assert_int_equal(close(ends[0]), 0);
}

static void test_refused(void **state)
{
	int ends[2], full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	(void)state;
	assert_int_equal(write_whole(-1, "a", 1), -EBADF);
	assert_int_equal(write_whole(-1, "a", 0), 0);
	assert_int_equal(write_whole(full, "a", 1), -ENOSPC);
	assert_int_equal(close(full), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(close(ends[0]), 0);
	assert_ptr_not_equal(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	assert_int_equal(write_whole(ends[1], "a", 1), -EPIPE);
	assert_int_equal(close(ends[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_in_pieces), cmocka_unit_test(test_refused)};
	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
