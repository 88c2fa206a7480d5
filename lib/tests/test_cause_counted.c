// SPDX-License-Identifier: MIT
/*
 * Causes that are counts: timers, asynchronous requests, room in pipes, filters of sockets.
 */
#include "cause-fixture.h"

#include <fcntl.h>
#include <linux/capability.h>

static void call(struct fixture *f, const char *name, int error, uint64_t first, uint64_t third)
{
	fixture_call(f, name, error, (const uint64_t[6]){first, F_SETPIPE_SZ, third});
	judge(f);
}

/* As timer-limit measured it on 5.10, 6.1, 6.12, 6.18 and 7.2: eight timers allowed, and eight there. */
static void test_timers(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.rlimit[RLIMIT_SIGPENDING] = 8;
	f.s.signals_queued = 8;
	call(&f, "timer_create", EAGAIN, 0, 0);
	assert_only(&f, CAUSE_RLIMIT_SIGPENDING);
	assert_sum(&f, CAUSE_RLIMIT_SIGPENDING, 8, 1, 8);
	call(&f, "timer_create", ENOMEM, 0, 0); /* it would have said something else */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.signals_queued = 7;
	call(&f, "timer_create", EAGAIN, 0, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_RLIMIT_SIGPENDING);
	f.s.signals_queued = ENOMEM_ABSENT;
	call(&f, "timer_create", EAGAIN, 0, 0);
	assert_null(state_of(&f, CAUSE_RLIMIT_SIGPENDING));
	/* not of another call that says so */
	f.s.signals_queued = 8;
	call(&f, "clone", EAGAIN, 0, 0);
	assert_null(state_of(&f, CAUSE_RLIMIT_SIGPENDING));
}

/* As aio-limit measured it: three contexts of 100, a limit of 399; and one that is larger than the default by itself.
 */
static void test_aio(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.aio = 300;
	f.s.counted.aio_max = 399;
	call(&f, "io_setup", EAGAIN, 100, 0);
	assert_only(&f, CAUSE_AIO_MAX);
	assert_sum(&f, CAUSE_AIO_MAX, 300, 100, 399);
	call(&f, "io_setup", EAGAIN, 99, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_AIO_MAX);
	call(&f, "io_setup", ENOMEM, 100, 0);
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.counted.aio = 0;
	f.s.counted.aio_max = 65536;
	call(&f, "io_setup", EAGAIN, (1ULL << 32) + 4194304, 0); /* the kernel looks at 32 bits */
	assert_sum(&f, CAUSE_AIO_MAX, 0, 4194304, 65536);
	/* its ring has to be mapped as well: 782 pages for 50000 requests */
	f.s.rlimit[RLIMIT_AS] = 1781 * PAGE;
	call(&f, "io_setup", ENOMEM, 50000, 0);
	assert_only(&f, CAUSE_RLIMIT_AS);
	assert_sum(&f, CAUSE_RLIMIT_AS, 1000 * PAGE, 782 * PAGE, 1781 * PAGE);
	f.s.rlimit[RLIMIT_AS] = 1782 * PAGE;
	call(&f, "io_setup", ENOMEM, 50000, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	f.s.rlimit[RLIMIT_AS] = 1781 * PAGE;
	call(&f, "io_setup", EAGAIN, 50000, 0); /* it would have said something else */
	assert_int_equal(named(&f), CAUSE_UNKNOWN);
	f.s.rlimit[RLIMIT_AS] = ENOMEM_UNLIMITED;
	f.s.counted.aio = ENOMEM_ABSENT;
	call(&f, "io_setup", EAGAIN, 4194304, 0);
	assert_int_equal(f.report.count, 0);
}

/* As pipe-limit measured it: the size is rounded up to a power of two before it is compared. */
static void test_pipe_size(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.pipe_max_size = MB;
	call(&f, "fcntl", EPERM, 4, MB + 1);
	assert_only(&f, CAUSE_PIPE_MAX_SIZE);
	assert_sum(&f, CAUSE_PIPE_MAX_SIZE, 0, 2 * MB, MB);
	call(&f, "fcntl", EPERM, 4, MB);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_PIPE_MAX_SIZE);
	/* a capability may be that of another user namespace: then nothing else may explain it */
	f.s.status.cap_effective = 1ULL << CAP_SYS_RESOURCE;
	call(&f, "fcntl", EPERM, 4, 2 * MB);
	assert_only(&f, CAUSE_PIPE_MAX_SIZE);
	f.s.counted.pipe_max_size = ENOMEM_ABSENT;
	call(&f, "fcntl", EPERM, 4, 2 * MB);
	assert_int_equal(f.report.count, 0);
}

/* Four pipes of 64 pages fill a quota of 256; the fifth has 16 of its own, which the new size replaces. */
static void test_pipe_pages(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.pipe_max_size = MB;
	f.s.counted.pipe_pages = 272;
	f.s.counted.pipe_own = 16;
	f.s.counted.pipe_soft = 256;
	f.s.counted.pipe_hard = 0;
	call(&f, "fcntl", EPERM, 4, 256 * KB);
	assert_only(&f, CAUSE_PIPE_USER_PAGES);
	assert_sum(&f, CAUSE_PIPE_USER_PAGES, 256, 64, 256);
	f.s.counted.pipe_soft = 320; /* all of them, and not one more */
	call(&f, "fcntl", EPERM, 4, 256 * KB);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_PIPE_USER_PAGES);
	f.s.counted.pipe_soft = 0;
	call(&f, "fcntl", EPERM, 4, 256 * KB);
	assert_null(state_of(&f, CAUSE_PIPE_USER_PAGES));
	f.s.counted.pipe_hard = 319;
	call(&f, "fcntl", EPERM, 4, 256 * KB);
	assert_only(&f, CAUSE_PIPE_USER_PAGES);
	f.s.counted.pipe_pages = ENOMEM_ABSENT;
	call(&f, "fcntl", EPERM, 4, 256 * KB);
	assert_null(state_of(&f, CAUSE_PIPE_USER_PAGES));
}

static void test_new_pipe(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.pipe_pages = 64;
	f.s.counted.pipe_own = f.s.counted.pipe_soft = 0;
	f.s.counted.pipe_hard = 64;
	call(&f, "pipe2", ENFILE, 0, 0);
	assert_only(&f, CAUSE_PIPE_USER_PAGES);
	assert_sum(&f, CAUSE_PIPE_USER_PAGES, 64, 16, 64);
	f.s.counted.pipe_hard = 80;
	call(&f, "pipe", ENFILE, 0, 0);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_PIPE_USER_PAGES);
	f.s.counted.pipe_soft = 70; /* beyond it a pipe has two pages */
	call(&f, "pipe", ENFILE, 0, 0);
	assert_sum(&f, CAUSE_PIPE_USER_PAGES, 64, 2, 80);
	f.s.counted.pipe_soft = 0;
	f.s.counted.pipe_max_size = 4 * 4096; /* nor is it larger than that */
	call(&f, "pipe", ENFILE, 0, 0);
	assert_sum(&f, CAUSE_PIPE_USER_PAGES, 64, 4, 80);
	f.s.counted.pipe_max_size = ENOMEM_ABSENT;
	call(&f, "pipe", EMFILE, 0, 0);
	assert_null(state_of(&f, CAUSE_PIPE_USER_PAGES));
	f.s.counted.pipe_hard = 0;
	call(&f, "pipe", ENFILE, 0, 0);
	assert_null(state_of(&f, CAUSE_PIPE_USER_PAGES));
}

/* As socket-filter measured it: what there is must stay below the limit, so that one of just that size is too large. */
static void test_filter(void **state)
{
	(void)state;
	struct fixture f;
	fixture_init(&f);
	f.s.counted.optmem = 0;
	f.s.counted.optmem_max = 4096;
	f.r.asked_bytes = 8192;
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_only(&f, CAUSE_OPTMEM_MAX);
	assert_sum(&f, CAUSE_OPTMEM_MAX, 0, 8192, 4095);
	f.r.asked_bytes = 4096;
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_only(&f, CAUSE_OPTMEM_MAX);
	f.r.asked_bytes = 255;
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_only(&f, CAUSE_UNKNOWN);
	assert_allows(&f, CAUSE_OPTMEM_MAX);
	f.r.asked_bytes = 256; /* loads from the packet may become so much, and nothing else refuses */
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_only(&f, CAUSE_OPTMEM_MAX);
	assert_sum(&f, CAUSE_OPTMEM_MAX, 0, 4096, 4095);
	call(&f, "setsockopt", EPERM, 3, 26);
	assert_only(&f, CAUSE_UNKNOWN);
	f.r.asked_bytes = 4095;
	f.s.counted.optmem = 1;
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_only(&f, CAUSE_OPTMEM_MAX);
	f.s.counted.optmem = ENOMEM_ABSENT;
	call(&f, "setsockopt", ENOMEM, 3, 26);
	assert_int_equal(f.report.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timers),     cmocka_unit_test(test_aio),      cmocka_unit_test(test_pipe_size),
		cmocka_unit_test(test_pipe_pages), cmocka_unit_test(test_new_pipe), cmocka_unit_test(test_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
