// SPDX-License-Identifier: MIT
/*
 * A reserve is RAM that is there and locked, is refused where the limit says so, and is gone at once when given back.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "reserve.h"

#define BYTES ((size_t)1 << 20)

static unsigned long locked_kib(void)
{
	auto_fclose FILE *f = fopen("/proc/self/status", "re");
	char line[128];
	unsigned long kib = 0;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %lu kB", &kib) == 1)
			return kib;
	fail();
	return 0;
}

static void test_is_there_and_locked(void **state)
{
	(void)state;
	struct reserve r = {0};
	unsigned char there[BYTES / 4096] = {0};
	unsigned long before = locked_kib();
	struct stat st;
	assert_int_equal(reserve_hold(&r, BYTES), 0);
	assert_int_equal(locked_kib(), before + BYTES / 1024);
	int fd = r.fd;
	assert_int_equal(mincore(r.address, BYTES, there), 0);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		assert_int_equal(there[i] & 1, 1);
	assert_int_equal(reserve_hold(&r, BYTES), -EINVAL); /* one at a time: what is held is not lost */
	assert_int_equal(r.bytes, BYTES);
	/* given back without a change of this process's map */
	reserve_give_back(&r);
	assert_int_equal(fstat(r.fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(mincore(r.address, BYTES, there), 0);
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		assert_int_equal(there[i] & 1, 0);
	reserve_give_back(&r);
	reserve_release(&r);
	assert_int_equal(fstat(fd, &st), -1);
	assert_int_equal(locked_kib(), before);
	assert_null(r.address);
	reserve_release(&r);
}

static void test_refused_leaves_nothing(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		/* Root with CAP_IPC_LOCK is not bound by RLIMIT_MEMLOCK; everybody is by RLIMIT_AS. */
		struct reserve r = {0};
		struct rlimit limit = {.rlim_cur = 0, .rlim_max = 0};
		if (setrlimit(RLIMIT_AS, &limit) < 0)
			_exit(2);
		_exit(reserve_hold(&r, BYTES) == -ENOMEM && !r.address && !r.bytes ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_nothing_is_no_reserve(void **state)
{
	(void)state;
	struct reserve r = {0};
	assert_int_equal(reserve_hold(&r, 0), -EINVAL);
	reserve_give_back(&r);
	reserve_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_is_there_and_locked),
		cmocka_unit_test(test_refused_leaves_nothing),
		cmocka_unit_test(test_nothing_is_no_reserve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
