// SPDX-License-Identifier: MIT
/*
 * Sysctls in a directory of plain files: names that may not leave it, values, sessions, and the keeper of a session
 * whose harness is killed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/wait.h>

#include "cgroup-internal.h"
#include "journal-internal.h"
#include "state-dir.h"

#define SECOND UINT64_C(1000000000)

static void names(void **state)
{
	(void)state;
	char path[64];
	static const char *const good[][2] = {
		{"vm.overcommit_memory", "vm/overcommit_memory"},
		{"vm/overcommit_memory", "vm/overcommit_memory"},
		{"net.ipv4.conf.eth0/100.forwarding", "net/ipv4/conf/eth0.100/forwarding"},
		{"net/ipv4/conf/eth0.100/forwarding", "net/ipv4/conf/eth0.100/forwarding"},
	};
	static const char *const bad[] = {
		"",
		".",
		"..",
		"/etc/passwd",
		"../etc/passwd",
		"vm/../../etc/passwd",
		"vm//x",
		"vm..x",
		"vm.overcommit_memory.",
		"vm/",
		"vm/./x",
		"vm.//.x",
		"vm.x.//",
		".vm.x",
	};
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(sysctl_path(good[i][0], path, sizeof(path)), 0);
		assert_string_equal(path, good[i][1]);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(sysctl_path(bad[i], path, sizeof(path)), -EINVAL);
		assert_int_equal(sysctl_write(bad[i], "1"), -EINVAL);
	}
	assert_int_equal(sysctl_path("vm.overcommit_memory", path, 20), -ENAMETOOLONG);
}

static void reading_and_writing(void **state)
{
	(void)state;
	char value[SYSCTL_VALUE_MAX] = "untouched", link[128], small[3];
	assert_int_equal(sysctl_read("vm.nothing", value, sizeof(value)), -ENOENT);
	assert_string_equal(value, "untouched");
	assert_value("vm.max_map_count", "65530");
	assert_int_equal(sysctl_read("vm.max_map_count", small, sizeof(small)), -E2BIG);
	assert_value("vm.lowmem", "256\t256\t32");
	assert_int_equal(sysctl_write("vm.max_map_count", "7"), 0);
	assert_value("vm/max_map_count", "7");
	assert_int_equal(sysctl_write("vm.max_map_count", "7\n8"), -EINVAL);
	assert_int_equal(sysctl_write("vm.nothing", "1"), -ENOENT); /* nothing is created */
	assert_int_equal(sysctl_read("vm.nothing", value, sizeof(value)), -ENOENT);
	/* Links lead nowhere, neither as a file nor on the way. */
	(void)snprintf(link, sizeof(link), "%s/vm/link", sysctl_dir);
	assert_int_equal(symlink("max_map_count", link), 0);
	assert_int_equal(sysctl_write("vm.link", "9"), -ELOOP);
	(void)snprintf(link, sizeof(link), "%s/out", sysctl_dir);
	assert_int_equal(symlink("vm", link), 0);
	assert_int_equal(sysctl_write("out.max_map_count", "9"), -ENOTDIR);
	assert_value("vm.max_map_count", "7");
	/* The real one, only read. */
	sysctl_root = "/proc/sys";
	assert_int_equal(sysctl_read("vm.max_map_count", value, sizeof(value)), 0);
	assert_true(strlen(value) > 0 && strspn(value, "0123456789") == strlen(value));
}

static void same_values(void **state)
{
	(void)state;
	assert_true(sysctl_same_value("1\t2  3", "1 2 3\n"));
	assert_true(sysctl_same_value("", " "));
	assert_false(sysctl_same_value("12", "1 2"));
	assert_false(sysctl_same_value("1", "1 2"));
	assert_false(sysctl_same_value("", "0"));
}

static void open_session(struct journal *j, struct sysctl_session *s)
{
	journal_init(j);
	assert_int_equal(journal_open(j), 0);
	assert_int_equal(sysctl_session_open(s, j, SECOND), 0);
}

static void session(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	char path[512];
	open_session(&j, &s);
	assert_true(s.keeper > 1);
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_memory", "2"), 0);
	assert_int_equal(sysctl_session_set(&s, "vm.lowmem", "1 2 3"), 0);
	assert_int_equal(sysctl_session_set(&s, "vm.lowmem", "4 5 6"), 0);
	assert_int_equal(s.count, 3);
	assert_int_equal(sysctl_session_set(&s, "vm.lowmem", "4 5 6"), 0); /* nothing to change */
	assert_int_equal(s.count, 3);
	assert_value("vm.overcommit_memory", "2");
	/* What fails changes nothing. */
	assert_int_equal(sysctl_session_set(&s, "vm.nothing", "2"), -ENOENT);
	assert_int_equal(sysctl_session_set(&s, "vm.../x", "2"), -EINVAL);
	assert_int_equal(sysctl_session_set(&s, "vm.max_map_count", "2\n"), -EINVAL);
	assert_int_equal(s.count, 3);
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_value("vm.overcommit_memory", "0");
	assert_value("vm.lowmem", "256\t256\t32");
	assert_int_equal(sysctl_session_restore(&s), 0); /* again: nothing to do */
	memcpy(path, j.path, sizeof(path));
	assert_int_equal(access(path, F_OK), 0);
	journal_close(&j);
	assert_int_equal(access(path, F_OK), -1);
}

/* The kernel sets one of the pair to 0 when the other is written; plain files do not, so the test plays the kernel. */
static void pairs(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	open_session(&j, &s);
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_kbytes", "1000"), 0);
	put("vm/overcommit_ratio", "0\n");
	assert_int_equal(s.count, 2);
	assert_string_equal(s.change[1].name, "vm/overcommit_ratio");
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_kbytes", "2000"), 0);
	assert_int_equal(s.count, 3); /* the other is 0 already */
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_value("vm.overcommit_kbytes", "0");
	assert_value("vm.overcommit_ratio", "50");
	journal_close(&j);
}

static void too_many_changes(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	char value[16];
	open_session(&j, &s);
	for (unsigned i = 1; i <= SYSCTL_CHANGES_MAX; i++) {
		(void)snprintf(value, sizeof(value), "%u", i);
		assert_int_equal(sysctl_session_set(&s, "vm.max_map_count", value), 0);
	}
	assert_int_equal(sysctl_session_set(&s, "vm.max_map_count", "99"), -ENOSPC);
	assert_value("vm.max_map_count", "16");
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_value("vm.max_map_count", "65530");
	journal_close(&j);
}

/* /dev/full takes no write, and a pipe-like file does not keep what is written. */
static void write_that_does_not_take(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	char path[128];
	/* Reads as empty whatever is written. */
	(void)snprintf(path, sizeof(path), "%s/vm/null", sysctl_dir);
	if (mknod(path, S_IFCHR | 0600, (dev_t)(1 << 8 | 3)) < 0) {
		print_message("no device can be made here\n");
		return;
	}
	if (sysctl_write("vm.null", "1") < 0) { /* a mount that allows no devices */
		print_message("no device can be used here\n");
		return;
	}
	open_session(&j, &s);
	assert_int_equal(sysctl_session_set(&s, "vm.null", "1"), -EIO);
	assert_int_equal(s.count, 0);
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_memory", "1"), 0);
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_value("vm.overcommit_memory", "0");
	journal_close(&j);
}

/* Wait until nobody holds the machine lock: the keeper is done. */
static void wait_for_lock(void)
{
	int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), lock = -1;
	assert_true(dir >= 0);
	assert_int_equal(machine_lock(dir, 5 * SECOND, &lock), 0);
	(void)close(lock);
	(void)close(dir);
}

enum step { OPENED, ANNOUNCED, CHANGED, CHANGED_TWICE, RESTORED_ONE, RESTORED };

/* A harness up to a step; then it tells its parent and waits to be killed. */
static void harness(enum step step, int ready)
{
	struct journal j;
	struct sysctl_session s;
	journal_init(&j);
	if (journal_open(&j) < 0 || sysctl_session_open(&s, &j, SECOND) < 0)
		_exit(1);
	if (step == ANNOUNCED) { /* the keeper knows, the value is still the old one */
		struct keeper_message m = {.kind = KEEPER_ADD, .name = "vm.max_map_count", .old_value = "65530"};
		if (keeper_tell(s.keeper_pipe, &m) < 0)
			_exit(2);
	}
	if (step >= CHANGED && sysctl_session_set(&s, "vm.overcommit_memory", "2") < 0)
		_exit(3);
	if (step >= CHANGED_TWICE && (sysctl_session_set(&s, "vm.overcommit_memory", "1") < 0 ||
				      sysctl_session_set(&s, "vm.max_map_count", "100") < 0))
		_exit(4);
	if (step == RESTORED_ONE && sysctl_write("vm.max_map_count", "65530") < 0)
		_exit(5);
	if (step == RESTORED && sysctl_session_restore(&s) < 0)
		_exit(6);
	/* A child that only forked holds the pipe as well: the keeper must notice all the same. */
	pid_t child = fork();
	if (child == 0) {
		(void)sleep(20);
		_exit(0);
	}
	if (write(ready, &child, sizeof(child)) < 0)
		_exit(7);
	for (;;)
		(void)pause();
}

static void killed_at_every_step(void **state)
{
	(void)state;
	for (enum step step = OPENED; step <= RESTORED; step++) {
		int ready[2], status;
		pid_t child;
		assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
		pid_t pid = fork();
		if (pid == 0)
			harness(step, ready[1]);
		(void)close(ready[1]);
		assert_int_equal(read(ready[0], &child, sizeof(child)), sizeof(child));
		(void)close(ready[0]);
		assert_value("vm.overcommit_memory", step == CHANGED                                 ? "2"
						     : step == CHANGED_TWICE || step == RESTORED_ONE ? "1"
												     : "0");
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		wait_for_lock();
		assert_value("vm.overcommit_memory", "0");
		assert_value("vm.max_map_count", "65530");
		assert_int_equal(kill(child, SIGKILL), 0);
	}
}

/* Only SIGKILL ends a keeper; and without one nothing is changed any more. */
static void keeper_ignores_signals(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	open_session(&j, &s);
	assert_int_equal(getsid(s.keeper), s.keeper);
	assert_int_equal(kill(s.keeper, SIGTERM), 0);
	assert_int_equal(kill(s.keeper, SIGINT), 0);
	assert_int_equal(kill(s.keeper, SIGHUP), 0);
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_memory", "2"), 0);
	assert_int_equal(kill(s.keeper, SIGKILL), 0);
	struct pollfd gone = {.fd = s.keeper_pipe, .events = POLLIN};
	assert_int_equal(poll(&gone, 1, 5000), 1);
	assert_int_equal(sysctl_session_set(&s, "vm.max_map_count", "1"), -EPIPE);
	assert_value("vm.max_map_count", "65530");
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_value("vm.overcommit_memory", "0");
	journal_close(&j);
}

static void keeper_holds_nothing_else(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	char path[64];
	unsigned count = 0;
	open_session(&j, &s);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd", s.keeper);
	auto_closedir DIR *d = opendir(path);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	assert_in_range(count, 6, 7); /* null three times, pipe, lock, journal, harness's pidfd */
	assert_int_equal(sysctl_session_restore(&s), 0);
	journal_close(&j);
}

static void one_at_a_time(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s, second;
	open_session(&j, &s);
	uint64_t start = clock_now_ns();
	assert_int_equal(sysctl_session_open(&second, &j, SECOND / 10), -EBUSY);
	assert_in_range(clock_now_ns() - start, SECOND / 10, SECOND);
	assert_int_equal(sysctl_session_restore(&s), 0);
	assert_int_equal(sysctl_session_open(&second, &j, 0), 0);
	assert_int_equal(sysctl_session_restore(&second), 0);
	journal_close(&j);
	journal_init(&j);
	assert_int_equal(sysctl_session_open(&second, &j, 0), -EBADF);
}

int main(void)
{
#define WITH_STATE(f) cmocka_unit_test_setup_teardown(f, make_state, remove_state)
	const struct CMUnitTest tests[] = {
		WITH_STATE(names),
		WITH_STATE(reading_and_writing),
		cmocka_unit_test(same_values),
		WITH_STATE(session),
		WITH_STATE(pairs),
		WITH_STATE(too_many_changes),
		WITH_STATE(write_that_does_not_take),
		WITH_STATE(killed_at_every_step),
		WITH_STATE(keeper_ignores_signals),
		WITH_STATE(keeper_holds_nothing_else),
		WITH_STATE(one_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
