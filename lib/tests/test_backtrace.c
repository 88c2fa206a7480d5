// SPDX-License-Identifier: MIT
/*
 * Children that are held by ptrace, one in functions of its own, one at a clone() that the kernel refuses: where they
 * stand, with names that are looked up when they are gone.
 */
#include <errno.h>
#include <link.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "backtrace-internal.h"

static int some_data[64] = {1};
static volatile int after_the_call; /* so that nothing is a tail call */

__attribute__((noinline)) static void stops(void)
{
	(void)raise(SIGSTOP);
	after_the_call++;
}

static int never(void *unused)
{
	(void)unused;
	return 0;
}

/* A thread without its process's signal handlers: the kernel refuses it before it looks at anything else. */
__attribute__((noinline)) static void asks_for_a_child(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	(void)clone(never, stack + sizeof(stack), CLONE_THREAD, NULL);
	after_the_call++;
}

static pid_t traced_child(void (*then)(void))
{
	pid_t pid = fork();
	int status;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		stops();
		then();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	return pid;
}

static void end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The number of the frame with that name; -1: there is none. */
static int find(const struct backtrace *b, const char *symbol)
{
	for (unsigned i = 0; i < b->count; i++)
		if (strcmp(b->frame[i].symbol, symbol) == 0)
			return (int)i;
	return -1;
}

static void code_is_told_from_data(void **state)
{
	(void)state;
	struct code_map code;
	int here;
	code_map_read(getpid(), &code);
	assert_true(code.count > 1);
	assert_true(code_map_has(&code, (uintptr_t)code_is_told_from_data));
	assert_true(code_map_has(&code, (uintptr_t)code.range[0].start));
	assert_false(code_map_has(&code, (uintptr_t)code.range[0].start - 1));
	assert_false(code_map_has(&code, code.range[code.count - 1].end));
	assert_false(code_map_has(&code, (uintptr_t)some_data));
	assert_false(code_map_has(&code, (uintptr_t)&here));
	assert_false(code_map_has(&code, 0));
	free(code.range);
}

static void functions_are_named_when_the_task_is_gone(void **state)
{
	(void)state;
	struct backtrace b;
	pid_t pid = traced_child(stops);
	backtrace_take(pid, pid, &b);
	assert_true(b.count > 0);
	assert_true(b.frame[0].module[0]);
	end(pid);
	if (!backtrace_unwinds())
		return;
	assert_true(b.unwound);
	assert_int_equal(find(&b, "main"), -1);
	backtrace_name(&b);
	int stop = find(&b, "stops"), caller = find(&b, "functions_are_named_when_the_task_is_gone");
	assert_true(stop > 0);
	assert_true(caller > stop);
	assert_true(find(&b, "main") > caller);
	if (!strstr(b.frame[stop].source, "test_backtrace.c"))
		fail_msg("source of '%s': '%s':%d, of its caller '%s'", b.frame[stop].symbol, b.frame[stop].source,
			 b.frame[stop].line, b.frame[caller].source);
	assert_true(b.frame[stop].line > 0);
}

#ifdef __x86_64__

/* Up to where the kernel has refused the call, and it returns. */
static void to_the_end_of_clone(pid_t pid)
{
	struct user_regs_struct r;
	int status;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status));
		assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &r), 0);
		if (r.orig_rax == SYS_clone && (int64_t)r.rax == -EINVAL)
			return;
	}
	fail_msg("%s", "no clone was refused");
}

static void a_refused_child_has_a_place(void **state)
{
	(void)state;
	struct backtrace b;
	pid_t pid = traced_child(asks_for_a_child);
	to_the_end_of_clone(pid);
	backtrace_take(pid, pid, &b);
	end(pid);
	assert_true(b.count > 1);
	assert_non_null(strstr(b.frame[0].module, "libc"));
	if (!backtrace_unwinds())
		return;
	assert_true(b.unwound);
	backtrace_name(&b);
	int caller = find(&b, "asks_for_a_child");
	assert_true(caller > 0);
	assert_true(find(&b, "main") > caller);
}

#endif

static int load_address(struct dl_phdr_info *info, size_t size, void *ret)
{
	(void)size;
	*(uint64_t *)ret = info->dlpi_addr;
	return 1; /* the program is the first */
}

static void data_is_no_function(void **state)
{
	(void)state;
	struct backtrace b = {.count = 2};
	char self[256];
	uint64_t at = 0;
	if (!backtrace_unwinds())
		return;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0);
	self[n] = '\0';
	(void)dl_iterate_phdr(load_address, &at);
	b.frame[0].module_offset = (uintptr_t)some_data + 8 - at;
	b.frame[1].module_offset = (uintptr_t)stops + 1 - at;
	b.frame[0].file = b.frame[1].file = backtrace_file_note(self);
	assert_non_null(b.frame[0].file);
	backtrace_name(&b);
	assert_string_equal(b.frame[0].symbol, "");
	assert_string_equal(b.frame[1].symbol, "stops");
	assert_int_equal(b.frame[1].symbol_offset, 1);
}

/* A file that was replaced since has other functions where these were. */
static void another_file_names_nothing(void **state)
{
	(void)state;
	struct backtrace b = {.count = 1};
	char path[] = "/tmp/enomem-test-backtrace-XXXXXX", self[sizeof(path) + 64];
	if (!backtrace_unwinds())
		return;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	b.frame[0].file = backtrace_file_note(path);
	(void)snprintf(self, sizeof(self), "cp /proc/%d/exe %s", getpid(), path);
	uint64_t at = 0;
	(void)dl_iterate_phdr(load_address, &at);
	b.frame[0].module_offset = (uintptr_t)stops - at;
	assert_int_equal(system(self), 0);
	backtrace_name(&b);
	assert_string_equal(b.frame[0].symbol, "");
	b.frame[0].file = backtrace_file_note(path);
	backtrace_name(&b);
	(void)close(fd);
	(void)unlink(path);
	assert_string_equal(b.frame[0].symbol, "stops");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_is_told_from_data),
		cmocka_unit_test(functions_are_named_when_the_task_is_gone),
#ifdef __x86_64__
		cmocka_unit_test(a_refused_child_has_a_place),
#endif
		cmocka_unit_test(data_is_no_function),
		cmocka_unit_test(another_file_names_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
