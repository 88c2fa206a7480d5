// SPDX-License-Identifier: MIT
/*
 * A spawned process waits at its gate, gets the descriptors it was promised and no others, and ends with its caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "cleanup.h"
#include "spawn.h"

struct ends {
	int out[2], err[2];
};

static struct spawn request(struct ends *e, const char *const *argv)
{
	assert_int_equal(pipe2(e->out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(e->err, O_CLOEXEC), 0);
	return (struct spawn){.argv = argv, .out_fd = e->out[1], .err_fd = e->err[1]};
}

static bool readable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, timeout_ms) == 1;
}

static void close_writing_ends(const struct ends *e)
{
	(void)close(e->out[1]);
	(void)close(e->err[1]);
}

static void close_reading_ends(const struct ends *e)
{
	(void)close(e->out[0]);
	(void)close(e->err[0]);
}

static int wait_for(pid_t pid)
{
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void waits_until_released(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo out; echo err >&2; exit 7", NULL};
	char text[16] = "";
	struct ends e;
	(void)state;
	struct spawn s = request(&e, argv);
	assert_int_equal(spawn_held(&s), 0);
	close_writing_ends(&e);
	assert_true(s.pid > 0);
	assert_false(readable(e.out[0], 50));
	assert_int_equal(waitpid(s.pid, NULL, WNOHANG), 0);
	spawn_release(&s);
	int status = wait_for(s.pid);
	spawn_end(&s);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
	assert_int_equal(s.error, 0);
	assert_int_equal(read(e.out[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "out\n", 4);
	assert_int_equal(read(e.err[0], text, sizeof(text)), 4);
	assert_memory_equal(text, "err\n", 4);
	close_reading_ends(&e);
}

/* The environment that is given, or the caller's. */
static void has_its_environment(void **state)
{
	static char given[] = "SPAWN_TEST=given";
	char *const environment[] = {given, NULL};
	const char *const argv[] = {"sh", "-c", "echo \"$SPAWN_TEST\"", NULL};
	(void)state;
	assert_int_equal(setenv("SPAWN_TEST", "ours", 1), 0);
	for (unsigned i = 0; i < 2; i++) {
		char text[16] = "";
		struct ends e;
		struct spawn s = request(&e, argv);
		s.environment = i == 0 ? environment : NULL;
		assert_int_equal(spawn_held(&s), 0);
		close_writing_ends(&e);
		spawn_release(&s);
		int status = wait_for(s.pid);
		spawn_end(&s);
		assert_int_equal(status, 0);
		assert_true(read(e.out[0], text, sizeof(text) - 1) > 0);
		assert_string_equal(text, i == 0 ? "given\n" : "ours\n");
		close_reading_ends(&e);
	}
}

/* Of the caller's descriptors only those that are kept are there: the shell fails to write to the other one. */
static void keeps_what_it_was_told(void **state)
{
	char script[96];
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct ends e;
	int kept[2], other[2];
	(void)state;
	assert_int_equal(pipe2(kept, O_CLOEXEC), 0);
	assert_int_equal(pipe2(other, O_CLOEXEC), 0);
	(void)snprintf(script, sizeof(script), "echo >&%d && ! (echo >&%d) 2>/dev/null", kept[1], other[1]);
	struct spawn s = request(&e, argv);
	const int list[] = {-1, kept[1]};
	s.kept = list;
	s.kept_count = ARRAY_SIZE(list);
	assert_int_equal(spawn_held(&s), 0);
	spawn_release(&s);
	int status = wait_for(s.pid);
	spawn_end(&s);
	assert_int_equal(status, 0);
	assert_true(readable(kept[0], 0));
	assert_false(readable(other[0], 0));
	/* Ours are as they were. */
	assert_int_equal(fcntl(kept[1], F_GETFD), FD_CLOEXEC);
	close_writing_ends(&e);
	close_reading_ends(&e);
	for (unsigned i = 0; i < 2; i++) {
		(void)close(kept[i]);
		(void)close(other[i]);
	}
}

static void tells_why_it_was_not_executed(void **state)
{
	const char *const argv[] = {"no-such-program-of-enomem", NULL};
	struct ends e;
	(void)state;
	struct spawn s = request(&e, argv);
	assert_int_equal(spawn_held(&s), 0);
	spawn_release(&s);
	int status = wait_for(s.pid);
	spawn_end(&s);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 125);
	assert_int_equal(s.error, ENOENT);
	close_writing_ends(&e);
	close_reading_ends(&e);
}

static void can_be_killed_at_the_gate(void **state)
{
	const char *const argv[] = {"true", NULL};
	struct ends e;
	(void)state;
	struct spawn s = request(&e, argv);
	assert_int_equal(spawn_held(&s), 0);
	assert_int_equal(kill(s.pid, SIGKILL), 0);
	int status = wait_for(s.pid);
	spawn_release(&s);
	spawn_end(&s);
	assert_true(WIFSIGNALED(status));
	close_writing_ends(&e);
	close_reading_ends(&e);
}

/* The stream's end tells: nobody holds its writing end any more, the held process neither. */
static void ends_with_its_caller(void **state)
{
	const char *const argv[] = {"sh", "-c", "echo ran", NULL};
	struct ends e;
	char byte;
	(void)state;
	struct spawn s = request(&e, argv);
	pid_t caller = fork();
	assert_true(caller >= 0);
	if (caller == 0) {
		if (spawn_held(&s) < 0)
			_exit(1);
		(void)raise(SIGKILL);
	}
	assert_true(WIFSIGNALED(wait_for(caller)));
	close_writing_ends(&e);
	assert_true(readable(e.out[0], 5000));
	assert_int_equal(read(e.out[0], &byte, 1), 0);
	close_reading_ends(&e);
}

/* Blocked signals are inherited by an exec; a program under test must not have them. */
static void blocks_no_signal(void **state)
{
	const char *const argv[] = {"sh", "-c", "kill -USR1 $$; exit 0", NULL};
	sigset_t usr1, before;
	struct ends e;
	(void)state;
	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &usr1, &before), 0);
	struct spawn s = request(&e, argv);
	assert_int_equal(spawn_held(&s), 0);
	spawn_release(&s);
	int status = wait_for(s.pid);
	spawn_end(&s);
	assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGUSR1);
	close_writing_ends(&e);
	close_reading_ends(&e);
}

static void says_when_descriptors_are_used_up(void **state)
{
	const char *const argv[] = {"true", NULL};
	struct rlimit old, none;
	struct ends e;
	(void)state;
	struct spawn s = request(&e, argv);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	/* Room for one pipe, not for two. */
	none.rlim_cur = (rlim_t)e.err[1] + 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = spawn_held(&s);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(r, -EMFILE);
	int next = dup(e.out[0]);
	assert_int_equal(next, e.err[1] + 1); /* the one pipe was closed again */
	(void)close(next);
	close_writing_ends(&e);
	close_reading_ends(&e);
}

/* Somebody kills the child before it has said its number: the caller does not wait for that for ever. */
static void test_killed_before_its_number(void **state)
{
	(void)state;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		static const char *const argv[] = {"true", NULL};
		struct ends e;
		struct spawn s = request(&e, argv);
		/* Of all that spawn_held() does only the child's asking for its number is deadly. */
		scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
		if (prctl(PR_SET_DUMPABLE, 0) < 0 || !filter ||
		    seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(getpid), 0) < 0 ||
		    seccomp_load(filter) < 0)
			_exit(3);
		(void)alarm(10);
		int r = spawn_held(&s);
		_exit(r == -ECHILD && waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed_before_its_number),
		cmocka_unit_test(waits_until_released),
		cmocka_unit_test(keeps_what_it_was_told),
		cmocka_unit_test(has_its_environment),
		cmocka_unit_test(tells_why_it_was_not_executed),
		cmocka_unit_test(can_be_killed_at_the_gate),
		cmocka_unit_test(ends_with_its_caller),
		cmocka_unit_test(blocks_no_signal),
		cmocka_unit_test(says_when_descriptors_are_used_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
