// SPDX-License-Identifier: MIT
/*
 * Following: the tables, and a shell with and without a limit that refuses its next program.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cleanup.h"
#include "filter.h"
#include "follow-internal.h"
#include "play-untraced.h"
#include "witness-inject.h"

struct seen {
	unsigned executed, refused, ended, let_go, limits;
	unsigned resource;
	uint64_t soft;
	int error, status;
	const char *call;
	struct follow_numbers numbers;
};

static void on_executed(struct follow_process *p, void *data)
{
	(void)p;
	((struct seen *)data)->executed++;
}

static void on_refused(const struct follow_call *call, void *data)
{
	struct seen *seen = data;
	seen->refused++;
	seen->error = call->refusal->error;
	seen->call = call->refusal->call->name;
}

static void on_ended(struct follow_process *p, bool let_go, int status, void *data)
{
	struct seen *seen = data;
	(void)p;
	seen->ended++;
	seen->let_go += let_go;
	seen->status = status;
}

static void on_limits(struct follow_process *p, unsigned resource, uint64_t soft, void *data)
{
	struct seen *seen = data;
	(void)p;
	seen->limits++;
	seen->resource = resource;
	seen->soft = soft;
}

static const struct follow_handlers handlers = {
	.executed = on_executed, .refused = on_refused, .limits = on_limits, .ended = on_ended};

static void test_tables(void **state)
{
	struct seen seen = {0};
	struct follow *f = NULL;
	(void)state;
	assert_int_equal(follow_new(&handlers, &seen, true, &f), 0);
	f->started = true;
	/* Two processes in one bucket, each with three threads. */
	for (int i = 0; i < 3; i++) {
		assert_non_null(follow_get(f, 5 + i, 5));
		assert_non_null(follow_get(f, 5 + FOLLOW_BUCKETS + i, 5 + FOLLOW_BUCKETS));
	}
	assert_int_equal(follow_numbers(f)->tasks_now, 6);
	assert_int_equal(follow_numbers(f)->processes, 2);
	assert_ptr_equal(follow_find(f, 6)->process, follow_find_process(f, 5));
	assert_ptr_equal(follow_get(f, 6, 99), follow_find(f, 6)); /* known already */
	assert_null(follow_find_process(f, 99));
	follow_end_process(f, follow_find_process(f, 5), false, 0);
	for (int i = 0; i < 3; i++)
		follow_drop(f, follow_find(f, 5 + i));
	assert_int_equal(seen.ended, 1); /* told once */
	assert_int_equal(seen.let_go, 0);
	assert_null(follow_find(f, 5));
	assert_null(follow_find_process(f, 5));
	assert_int_equal(follow_find_process(f, 5 + FOLLOW_BUCKETS)->tasks, 3);
	follow_free(f);
	assert_int_equal(seen.ended, 2);
	assert_int_equal(seen.let_go, 1);
}

/* false where this kernel or container permits no ptrace. */
static bool follow_program(const char *const argv[], bool filtered, struct seen *seen)
{
	volatile sig_atomic_t stop = 0;
	struct follow *f = NULL;
	int gate[2], filter = -1;
	assert_int_equal(filter_build_watching(&filter), 0);
	assert_int_equal(pipe(gate), 0);
	assert_int_equal(follow_new(&handlers, seen, filtered, &f), 0);
	pid_t child = fork();
	if (child == 0) {
		char byte;
		(void)close(gate[1]);
		if (read(gate[0], &byte, 1) != 1 || (filtered && filter_load_watching(filter) < 0))
			_exit(99);
		/* LeakSanitizer would ask for a task as well, and not work. */
		(void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		(void)execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(98);
	}
	(void)close(gate[0]);
	int r = follow_child(f, child);
	if (r == 0)
		assert_int_equal(write(gate[1], "", 1), 1);
	(void)close(gate[1]);
	(void)close(filter);
	if (r == 0)
		assert_int_equal(follow_run(f, &stop), 0);
	else
		(void)waitpid(child, NULL, 0);
	seen->numbers = *follow_numbers(f);
	follow_free(f);
	return r == 0;
}

static bool follow_shell(const char *script, bool filtered, struct seen *seen)
{
	return follow_program((const char *const[]){"/bin/sh", "-c", script, NULL}, filtered, seen);
}

/* The dynamic loader is refused the C library: its exit status is 127. */
static void test_refused(void **state)
{
	(void)state;
	for (int filtered = 0; filtered < 2; filtered++) {
		struct seen seen = {0};
		if (!follow_shell("ulimit -v 1500; exec /bin/true 2>/dev/null", filtered, &seen))
			return;
		assert_true(seen.executed >= 1);
		assert_true(seen.refused >= 1);
		assert_int_equal(seen.error, ENOMEM);
		assert_int_equal(seen.ended, 1);
		assert_int_not_equal(seen.status, 0);
	}
}

static void test_nothing_refused(void **state)
{
	(void)state;
	for (int filtered = 0; filtered < 2; filtered++) {
		struct seen seen = {0};
		if (!follow_shell("(:); /bin/true | exit 7", filtered, &seen))
			return;
		assert_int_equal(seen.refused, 0);
		assert_true(WIFEXITED(seen.status) && WEXITSTATUS(seen.status) == 7);
		assert_int_equal(seen.let_go, 0);
	}
}

/* What is set is told, and by whichever call; that a limit is asked for is not. */
static void test_limits(void **state)
{
	(void)state;
	for (int filtered = 0; filtered < 2; filtered++) {
		struct seen seen = {0};
		if (!follow_shell("ulimit -S -s >/dev/null; ulimit -a >/dev/null", filtered, &seen))
			return;
		assert_int_equal(seen.limits, 0);
		if (!follow_shell("ulimit -S -n 77; ulimit -n 66", filtered, &seen))
			return;
		assert_int_equal(seen.limits, 2);
		assert_int_equal(seen.resource, RLIMIT_NOFILE);
		assert_int_equal(seen.soft, 66);
	}
}

/* It is followed like any other, and finds nothing changed; where it cannot be, that is known. */
static void test_untraced(void **state)
{
	static const char *const how[] = {"clone", "clone3", "constant", "out of reach"};
	(void)state;
	for (unsigned i = 0; witness_can_inject() && i < 2 * ARRAY_SIZE(how); i++) {
		struct seen seen = {0};
		const char *const argv[] = {"/proc/self/exe", how[i / 2], NULL};
		bool filtered = i % 2, followed = i / 2 < 3;
		if (!follow_program(argv, filtered, &seen))
			return;
		assert_int_equal(seen.numbers.untraced, followed);
		assert_int_equal(seen.numbers.unwatched, !followed);
		assert_int_equal(seen.numbers.processes, followed ? 2 : 1);
		assert_true(WIFEXITED(seen.status));
		/* Where the filter stops for nobody, the kernel says ENOSYS. */
		assert_int_equal(WEXITSTATUS(seen.status), !followed && filtered ? 2 : 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return play_untraced(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables), cmocka_unit_test(test_refused),  cmocka_unit_test(test_nothing_refused),
		cmocka_unit_test(test_limits), cmocka_unit_test(test_untraced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
