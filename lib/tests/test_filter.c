// SPDX-License-Identifier: MIT
/*
 * The filter's answers, call by call: its BPF is run here as the kernel would run it, so that both of x86-64's entries
 * are tested where the kernel has only one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "cleanup.h"
#include "filter-internal.h"

#define REFUSED (SECCOMP_RET_ERRNO | EPERM)

static struct sock_filter code[BPF_MAXINSNS];
static size_t length;

static bool jumps(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JSET:
		return a & i->k;
	default:
		fail_msg("a jump that is not known: %x", i->code);
		return false;
	}
}

static uint32_t answer(const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *i = &code[at];
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			assert_true(i->k + sizeof(a) <= sizeof(*data));
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			break;
		case BPF_ALU:
			assert_int_equal(BPF_OP(i->code), BPF_AND);
			a &= i->k;
			break;
		case BPF_JMP:
			at += BPF_OP(i->code) == BPF_JA ? i->k : jumps(i, a) ? i->jt : i->jf;
			break;
		case BPF_RET:
			return i->k;
		default:
			fail_msg("an instruction that is not known: %x", i->code);
		}
	}
	fail_msg("the filter has no end");
	return 0;
}

static uint32_t asked(uint32_t arch, int nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const struct seccomp_data data = {.nr = nr, .arch = arch, .args = {a, b, c, d}};
	return answer(&data);
}

static uint32_t ia32(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return asked(AUDIT_ARCH_I386, seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, name), a, b, c, d);
}

static uint32_t wide(const char *name, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return asked(AUDIT_ARCH_X86_64, seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name), a, b, c, d);
}

static int load(int fd)
{
	ssize_t size = pread(fd, code, sizeof(code), 0);
	length = size > 0 ? (size_t)size / sizeof(code[0]) : 0;
	return length ? 0 : -1;
}

static int build(void **state)
{
	auto_close int fd = -1;
	(void)state;
	return filter_build(false, &fd) < 0 ? -1 : load(fd);
}

/* Every watched call stops, through either entry, whatever it is called there. */
static void stops_for_watched_calls(void **state)
{
	(void)state;
	for (const struct call_info *call = watched_calls; call->name; call++) {
		uint32_t expected = call->on_demand                                         ? SECCOMP_RET_ALLOW
				    : call->family == CALL_SWAP || call->family == CALL_BPF ? REFUSED
											    : SECCOMP_RET_TRACE;
		uint64_t b = call->family == CALL_OPTION         ? SOL_SOCKET
			     : strcmp(call->name, "fcntl") == 0  ? F_SETPIPE_SZ
			     : strcmp(call->name, "shmctl") == 0 ? SHM_LOCK
								 : 0;
		uint64_t c = call->family == CALL_ADVISE   ? 23 /* MADV_POPULATE_WRITE */
			     : call->family == CALL_OPTION ? SO_ATTACH_FILTER
							   : 0;
		assert_int_equal(wide(call->name, 0, b, c, 0), expected);
		assert_int_equal(asked(AUDIT_ARCH_I386, call->ia32_nr, 0, b, c, 0), expected);
	}
	assert_int_equal(ia32("mmap2", 0, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("fcntl64", 3, F_SETPIPE_SZ, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("fcntl64", 3, F_GETFL, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ia32("ipc", 23 /* SHMGET */, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("ipc", 21 | 1 << 16 /* SHMAT */, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("ipc", 24 /* SHMCTL */, 8, SHM_LOCK, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("madvise", 0, 0, 10 /* MADV_DONTFORK */, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("madvise", 0, 0, 4 /* MADV_DONTNEED */, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("shmctl", 8, SHM_UNLOCK, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("setsockopt", 3, SOL_SOCKET, SO_REUSEADDR, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("setsockopt", 3, 0 /* IPPROTO_IP */, SO_ATTACH_FILTER, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ia32("ipc", 22 /* SHMDT */, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ia32("socketcall", 1 /* SYS_SOCKET */, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("socketcall", 2 /* SYS_BIND */, 0, 0, 0), SECCOMP_RET_ALLOW);
}

/* A filter of the program's own would answer before this one: that it gets one is seen, and nothing else of the kind.
 */
static void stops_for_filters(void **state)
{
	(void)state;
	assert_int_equal(wide("seccomp", SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("seccomp", SECCOMP_SET_MODE_FILTER, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("seccomp", SECCOMP_GET_ACTION_AVAIL, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("prctl", PR_SET_NAME, SECCOMP_MODE_FILTER, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("prctl", PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0), SECCOMP_RET_ALLOW);
}

/* The same number is another call through the other entry. */
static void does_not_mistake_numbers(void **state)
{
	(void)state;
	assert_int_equal(asked(AUDIT_ARCH_X86_64, 9, 0, 0, 0, 0), SECCOMP_RET_TRACE);   /* mmap */
	assert_int_equal(asked(AUDIT_ARCH_I386, 9, 0, 0, 0, 0), SECCOMP_RET_ALLOW);     /* link */
	assert_int_equal(asked(AUDIT_ARCH_I386, 192, 0, 0, 0, 0), SECCOMP_RET_TRACE);   /* mmap2 */
	assert_int_equal(asked(AUDIT_ARCH_X86_64, 192, 0, 0, 0, 0), SECCOMP_RET_ALLOW); /* lgetxattr */
	assert_int_equal(asked(AUDIT_ARCH_X86_64, 169, 0, 0, 0, 0), REFUSED);           /* reboot */
	assert_int_equal(asked(AUDIT_ARCH_I386, 169, 0, 0, 0, 0), SECCOMP_RET_ALLOW);   /* nfsservctl, long gone */
	assert_int_equal(asked(AUDIT_ARCH_I386, 88, 0, 0, 0, 0), REFUSED);              /* reboot */
}

/* What may not be done at all may not be done through the other entry either. */
static void refuses_through_either_entry(void **state)
{
	static const char *const never[] = {
		"reboot", "kexec_load", "settimeofday", "clock_settime",   "adjtimex",      "setns",  "pivot_root",
		"acct",   "quotactl",   "bpf",          "perf_event_open", "delete_module", "swapon", "swapoff"};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++) {
		assert_int_equal(wide(never[i], 0, 0, 0, 0), REFUSED);
		assert_int_equal(ia32(never[i], 0, 0, 0, 0), REFUSED);
	}
	assert_int_equal(ia32("stime", 0, 0, 0, 0), REFUSED);
	assert_int_equal(ia32("clock_settime64", 0, 0, 0, 0), REFUSED);
	for (uint64_t bind = 0; bind < 2; bind++) {
		uint64_t flags = MS_REMOUNT | (bind ? MS_BIND : 0);
		assert_int_equal(wide("mount", 0, 0, 0, flags), bind ? SECCOMP_RET_ALLOW : REFUSED);
		assert_int_equal(ia32("mount", 0, 0, 0, flags), bind ? SECCOMP_RET_ALLOW : REFUSED);
	}
	assert_int_equal(ia32("seccomp", 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 0), REFUSED);
	assert_int_equal(wide("seccomp", 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 0), REFUSED);
	assert_int_equal(ia32("rt_sigqueueinfo", 1, SIGSEGV, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(ia32("rt_sigqueueinfo", 1, SIGUSR1, 0, 0), SECCOMP_RET_ALLOW);
}

/* The machine of a guest is its own: there maps of bpf are watched, and perf events may be opened. */
static void lets_guests_do_more(void **state)
{
	auto_close int guest = -1, here = -1;
	(void)state;
	assert_int_equal(filter_build(true, &guest), 0);
	assert_int_equal(load(guest), 0);
	assert_int_equal(wide("perf_event_open", 0, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(ia32("perf_event_open", 0, 0, 0, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(wide("bpf", 0, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("reboot", 0, 0, 0, 0), REFUSED);
	assert_int_equal(filter_build(false, &here), 0);
	assert_int_equal(load(here), 0);
	assert_int_equal(wide("perf_event_open", 0, 0, 0, 0), REFUSED);
}

/* A third kind of call, x32, and what is no architecture of this machine: nobody would see it, so it ends the program.
 */
static void ends_what_it_does_not_know(void **state)
{
	(void)state;
	assert_int_equal(asked(AUDIT_ARCH_X86_64, 0x40000000 + 9, 0, 0, 0, 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(asked(AUDIT_ARCH_AARCH64, 9, 0, 0, 0, 0), SECCOMP_RET_KILL_THREAD);
}

/* Who is confined makes processes and threads, and no namespaces that reach further; all else is as in any run. */
static void confines(void **state)
{
	static const uint64_t reaching[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUSER | CLONE_NEWPID};
	auto_close int fd = -1;
	assert_int_equal(wide("unshare", CLONE_NEWUSER, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(filter_build_confined(&fd), 0);
	assert_int_equal(load(fd), 0);
	for (size_t i = 0; i < ARRAY_SIZE(reaching); i++) {
		assert_int_equal(wide("unshare", reaching[i], 0, 0, 0), REFUSED);
		assert_int_equal(ia32("unshare", reaching[i], 0, 0, 0), REFUSED);
		assert_int_equal(wide("clone", reaching[i] | SIGCHLD, 0, 0, 0), REFUSED);
		assert_int_equal(ia32("clone", reaching[i] | SIGCHLD, 0, 0, 0), REFUSED);
	}
	assert_int_equal(wide("clone3", 0, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(ia32("clone3", 0, 0, 0, 0), SECCOMP_RET_ERRNO | ENOSYS);
	assert_int_equal(wide("clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0), SECCOMP_RET_TRACE);
	assert_int_equal(wide("unshare", CLONE_FILES, 0, 0, 0), SECCOMP_RET_TRACE);
	does_not_mistake_numbers(state);
	refuses_through_either_entry(state);
	ends_what_it_does_not_know(state);
}

/* --- what libseccomp does where it has no memory --- */

static int writes(int fd, const char *text)
{
	return write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -EIO;
}

static int write_the_same(int fd)
{
	return writes(fd, "filter");
}

static int frees_twice(int fd)
{
	(void)fd;
	abort();
}

static int leaves_out(int fd)
{
	static bool again;
	int r = writes(fd, again ? "filter" : "filt");
	again = true;
	return r;
}

static int writes_nothing(int fd)
{
	(void)fd;
	return 0;
}

static int says_so(int fd)
{
	(void)fd;
	return -EDOM;
}

static void is_apart(void **state)
{
	static int (*const bad[])(int) = {frees_twice, leaves_out, writes_nothing};
	auto_close int fd = -1;
	char text[8] = "";
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(filter_build_apart(bad[i], &fd), -ENOMEM);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(filter_build_apart(says_so, &fd), -EDOM);
	assert_int_equal(fd, -1);
	assert_int_equal(filter_build_apart(write_the_same, &fd), 0);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 6);
	assert_string_equal(text, "filter");
}

int main(void)
{
	if (seccomp_arch_native() != SCMP_ARCH_X86_64)
		return 0; /* the others have one entry */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_for_watched_calls),
		cmocka_unit_test(stops_for_filters),
		cmocka_unit_test(does_not_mistake_numbers),
		cmocka_unit_test(refuses_through_either_entry),
		cmocka_unit_test(ends_what_it_does_not_know),
		cmocka_unit_test(lets_guests_do_more),
		cmocka_unit_test(is_apart),
		cmocka_unit_test(confines), /* the last: the filter is another then */
	};
	return cmocka_run_group_tests(tests, build, NULL);
}
