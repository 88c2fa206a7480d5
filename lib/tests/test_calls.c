// SPDX-License-Identifier: MIT
/*
 * The table of watched calls, and what is a refusal and what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/perf_event.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls-ia32.h"
#include "calls.h"
#include "cleanup.h"

static void test_table(void **state)
{
	(void)state;
	unsigned count = 0;

	for (const struct call_info *call = watched_calls; call->name; call++, count++) {
		assert_ptr_equal(call_by_name(call->name), call);
		int nr = seccomp_syscall_resolve_name(call->name);
		assert_int_equal(call->nr, nr);
		if (nr >= 0)
			assert_ptr_equal(call_by_number((uint64_t)nr), call);
		for (const struct call_info *other = watched_calls; other < call; other++)
			assert_string_not_equal(call->name, other->name);
	}
	assert_int_equal(count, 51);
	assert_true(count <= 64); /* each has a bit */
	assert_ptr_equal(call_by_number(SYS_mmap), call_by_name("mmap"));
	assert_ptr_equal(call_by_number(SYS_clone3), call_by_name("clone3"));
	assert_null(call_by_number(SYS_lseek));
	assert_null(call_by_number(UINT64_MAX));
	assert_true(call_queues_signal(SYS_rt_sigqueueinfo) && call_queues_signal(SYS_rt_tgsigqueueinfo));
	assert_true(call_queues_signal(SYS_pidfd_send_signal));
	assert_false(call_queues_signal(SYS_kill) || call_queues_signal(UINT64_MAX));
	assert_null(call_by_number((uint64_t)-1));
	assert_null(call_by_number((uint64_t)SYS_mmap + (1ULL << 32)));
	assert_null(call_by_name("process_madvise"));
	assert_null(call_by_name("mma"));
	assert_null(call_by_name("mmap2"));
	assert_null(call_by_name(""));
}

/* Of the other numbers, and what arguments become. */
static const char *ia32(uint64_t nr, uint64_t args[6])
{
	const struct call_info *call = call_of_ia32(getpid(), nr, args);
	return call ? call->name : "";
}

static void test_ia32(void **state)
{
	(void)state;
	uint64_t args[6] = {0};
	for (const struct call_info *call = watched_calls; call->name; call++) {
		int nr = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, call->name);
		/* libseccomp knows these only as parts of ipc(2) and socketcall(2). */
		if (nr < 0)
			assert_true(call->family == CALL_SHM || strcmp(call->name, "shmctl") == 0 ||
				    strcmp(call->name, "socket") == 0 || call->family == CALL_OPTION ||
				    call->on_demand);
		else
			assert_int_equal(call->ia32_nr, nr);
		memset(args, 0, sizeof(args));
		args[1] = strcmp(call->name, "shmctl") == 0 ? SHM_LOCK : 0;
		assert_string_equal(ia32((uint64_t)call->ia32_nr, args), call->name);
	}
	args[1] = SHM_UNLOCK;
	assert_string_equal(ia32(396, args), "");
	static const char *const unwatched[] = {"getpid", "lseek", "open", "link", "getgroups", "mincore"};
	for (unsigned i = 0; i < ARRAY_SIZE(unwatched); i++)
		assert_string_equal(
			ia32((uint64_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, unwatched[i]), args), "");
	assert_string_equal(ia32(UINT64_MAX, args), "");
	assert_string_equal(ia32(192 + (1ULL << 32), args), "");
	/* Not with each other's numbers: link() is mmap's of 64 bits, lgetxattr() mmap2's of 32. */
	assert_string_equal(ia32(SYS_mmap, args), "");
	assert_null(call_by_number(192));
	assert_true(call_is_ia32(AUDIT_ARCH_I386));
	assert_false(call_is_ia32(AUDIT_ARCH_X86_64) || call_is_ia32(0));
	static const char *const queues[] = {"rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"};
	for (unsigned i = 0; i < ARRAY_SIZE(queues); i++)
		assert_true(call_of_ia32_queues_signal(
			(uint64_t)seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, queues[i])));
	assert_false(call_of_ia32_queues_signal(SYS_rt_sigqueueinfo) || call_of_ia32_queues_signal(UINT64_MAX));
}

static void test_ia32_arguments(void **state)
{
	(void)state;
	static uint32_t map[6] = {0x1000, 0x2000, 3, 0x22, UINT32_MAX, 0x3000};
	uint64_t first[6] = {(uint64_t)(uintptr_t)map}, unreadable[6] = {16, 1, 2, 3, 4, 5};
	assert_string_equal(ia32(90, first), "mmap");
	assert_true(first[0] == 0x1000 && first[1] == 0x2000 && first[2] == 3 && first[3] == 0x22);
	assert_true(first[4] == UINT32_MAX && first[5] == 0x3000);
	assert_string_equal(ia32(90, unreadable), "mmap");
	assert_true(unreadable[0] == 0 && unreadable[1] == 0 && unreadable[5] == 0);

	uint64_t second[6] = {0x1000, 0x2000, 3, 0x22, 7, 3};
	assert_string_equal(ia32(192, second), "mmap");
	assert_true(second[0] == 0x1000 && second[1] == 0x2000 && second[5] == 0x3000);

	uint64_t get[6] = {23 | 1 << 16, 5, 4096, IPC_CREAT, 1, 2}, attach[6] = {21, 8, SHM_RDONLY, 0x100, 0x7000, 0};
	uint64_t detach[6] = {22, 8};
	assert_string_equal(ia32(117, get), "shmget");
	assert_true(get[0] == 5 && get[1] == 4096 && get[2] == IPC_CREAT && get[3] == 0);
	assert_string_equal(ia32(117, attach), "shmat");
	assert_true(attach[0] == 8 && attach[1] == 0x7000 && attach[2] == SHM_RDONLY);
	assert_string_equal(ia32(117, detach), "");
	uint64_t lock[6] = {24 | 1 << 16, 8, SHM_LOCK | 0x100, 0, 0x7000}, unlock[6] = {24, 8, SHM_UNLOCK};
	assert_string_equal(ia32(117, lock), "shmctl");
	assert_true(lock[0] == 8 && lock[1] == (SHM_LOCK | 0x100) && lock[2] == 0x7000);
	assert_string_equal(ia32(117, unlock), "");

	uint64_t allocate[6] = {3, 1, 0x1000, 2, 0x2000, 4}, resize[6] = {3, 1031, 65536}, make[6] = {1, 0x1000};
	assert_string_equal(ia32(324, allocate), "fallocate");
	assert_true(allocate[0] == 3 && allocate[1] == 1);
	assert_true(allocate[2] == 0x200001000 && allocate[3] == 0x400002000);
	assert_string_equal(ia32(221, resize), "fcntl");
	assert_true(resize[1] == 1031 && resize[2] == 65536);
	assert_string_equal(ia32(102, make), "socket");
}

static void test_on_demand(void **state)
{
	(void)state;
	uint64_t all = 0;
	for (const struct call_info *call = watched_calls; call->name; call++) {
		uint64_t bit = call_on_demand_bit(call->name);
		assert_int_equal(bit != 0, call->on_demand);
		assert_int_equal(all & bit, 0);
		all |= bit;
	}
	static const char *const names[] = {"read",   "write",  "openat", "sendto",
					    "msgsnd", "msgget", "semget", "epoll_ctl"};
	uint64_t named = 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		named |= call_on_demand_bit(names[i]);
	assert_int_equal(all, named);
	assert_int_equal(call_on_demand_bit("mmap"), 0);
	assert_int_equal(call_on_demand_bit("lseek"), 0);
}

/* The errno of a refusal, 0 when it is none, -1 when *ret_error was touched without need. */
static int refusal(const char *name, const uint64_t args[6], int64_t result, bool is_error)
{
	int error = 12345;

	if (call_refused(0, call_by_name(name), args, result, is_error, &error))
		return error;
	return error == 12345 ? 0 : -1;
}

static int failed(const char *name, int error)
{
	static const uint64_t none[6];

	return refusal(name, none, -error, true);
}

/* A datagram says ENOBUFS for what the others call ENOMEM; semaphores have no descriptor. */
static void test_errors_of_queues(void **state)
{
	(void)state;
	assert_int_equal(failed("sendto", ENOBUFS), ENOBUFS);
	assert_int_equal(failed("sendto", EFAULT), 0);
	assert_int_equal(failed("write", ENOBUFS), 0);
	assert_int_equal(failed("msgsnd", ENOBUFS), 0);
	assert_int_equal(failed("semget", ENOBUFS), 0);
	assert_int_equal(failed("semget", ENFILE), 0);
	assert_int_equal(failed("semget", EMFILE), 0);
	assert_int_equal(call_opens(call_by_name("semget")), 0);
	assert_int_equal(call_opens(call_by_name("mq_open")), 1);
	assert_int_equal(failed("mq_open", ENOSPC), ENOSPC);
	assert_int_equal(failed("mq_open", EMFILE), EMFILE);
	assert_int_equal(failed("mq_open", EINVAL), 0); /* one that is there already */
	assert_int_equal(failed("mq_open", EDQUOT), 0);
	assert_int_equal(failed("epoll_ctl", ENOSPC), ENOSPC);
	assert_int_equal(failed("epoll_ctl", EEXIST), 0);
	assert_int_equal(failed("add_key", EDQUOT), EDQUOT);
	assert_int_equal(failed("add_key", ENOMEM), ENOMEM);
	assert_int_equal(failed("add_key", EACCES), 0);
	assert_int_equal(failed("bpf", EPERM), EPERM);
	assert_int_equal(failed("bpf", E2BIG), 0);
	int error = 0;
	const uint64_t args[6] = {1, O_CREAT | O_RDWR, 0600, 1};
	assert_true(call_refused(0, call_by_name("mq_open"), args, -EINVAL, true, &error) && error == EINVAL);
	assert_int_equal(call_opens(call_by_name("socket")), 1);
}

/* An event that counts nothing; -1 where there may be none, as for most users of Debian. */
static int open_event(void)
{
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof(event),
					.config = PERF_COUNT_SW_DUMMY,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1};
	return (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

/* mmap() says EPERM of many things: only of a ring of perf events it is a limit. */
static void test_errors_of_rings(void **state)
{
	const struct call_info *map = call_by_name("mmap");
	int error = 0;
	(void)state;
	auto_close int file = memfd_create("sealed", MFD_CLOEXEC);
	auto_close int event = open_event();
	uint64_t args[6] = {0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, (uint64_t)file, 0};
	assert_true(file >= 0);
	assert_false(call_refused(getpid(), map, args, -EPERM, true, &error));
	if (event < 0)
		skip();
	args[4] = (uint64_t)event;
	assert_true(call_refused(getpid(), map, args, -EPERM, true, &error) && error == EPERM);
	assert_false(call_refused(getpid(), map, args, -EINVAL, true, &error)); /* no power of two */
	assert_false(call_refused(getpid(), map, args, -EACCES, true, &error)); /* a matter of rights */
	assert_false(call_refused(0, map, args, -EPERM, true, &error)); /* of nobody it is not known what it is */
	args[2] |= PROT_EXEC;
	assert_false(call_refused(getpid(), map, args, -EPERM, true, &error));
	args[2] = PROT_READ;
	args[3] |= MAP_ANONYMOUS;
	assert_false(call_refused(getpid(), map, args, -EPERM, true, &error));
	args[3] = MAP_SHARED;
	assert_false(call_refused(getpid(), call_by_name("mprotect"), args, -EPERM, true, &error));
}

static void test_errors(void **state)
{
	(void)state;
	for (const struct call_info *call = watched_calls; call->name; call++) {
		assert_int_equal(failed(call->name, ENOMEM), ENOMEM);
		assert_int_equal(failed(call->name, EAGAIN), call->on_demand ? 0 : EAGAIN);
		static const int never[] = {EINTR,  ENOSYS,  EACCES,  EBADF,     ENODEV, EEXIST, EFAULT,
					    ENOENT, ENOTDIR, ETXTBSY, EOVERFLOW, ELOOP,  EBUSY,  512,
					    513,    514,     515,     516,       517};
		for (const int *e = never; e < never + ARRAY_SIZE(never); e++)
			if ((*e != EFAULT || (strcmp(call->name, "read") != 0 && strcmp(call->name, "madvise") != 0)) &&
			    (*e != EBUSY || strcmp(call->name, "write") != 0))
				assert_int_equal(failed(call->name, *e), 0);
	}
	static const struct {
		const char *name;
		int error;
		bool refused;
	} row[] = {
		{"mlock", EPERM, true},
		{"mlock2", EPERM, true},
		{"mlockall", EPERM, true},
		{"shmctl", EPERM, true},
		{"shmget", EPERM, true},
		{"madvise", EFAULT, true},
		{"clone", EPERM, false},
		{"mprotect", EPERM, false},
		{"munmap", EPERM, false},
		{"mmap", EPERM, false},
		{"execve", EPERM, false},
		{"clone", EINVAL, true},
		{"clone3", EINVAL, true},
		{"fork", EINVAL, true},
		{"vfork", EINVAL, true},
		{"mmap", EINVAL, false},
		{"shmget", EINVAL, false},
		{"mlock", EINVAL, false},
		{"madvise", EINVAL, false},
		{"shmget", ENOSPC, true},
		{"fallocate", ENOSPC, true},
		{"clone", ENOSPC, true},
		{"execve", ENOSPC, false},
		{"execve", E2BIG, true},
		{"execveat", E2BIG, true},
		{"clone3", E2BIG, false},
		{"execve", ENOENT, false},
		{"execveat", EACCES, false},
		{"pipe", ENFILE, true},
		{"pipe2", ENFILE, true},
		{"fcntl", ENFILE, false},
		{"fcntl", EPERM, true},
		{"pipe2", EPERM, false},
		{"mmap", ENFILE, false},
		{"fallocate", ENFILE, false},
		{"fallocate", EPERM, false},
		{"pipe", EMFILE, true},
		{"pipe2", EMFILE, true},
		{"fcntl", EMFILE, false},
		{"eventfd", EMFILE, true},
		{"eventfd2", EMFILE, true},
		{"epoll_create", EMFILE, true},
		{"epoll_create1", EMFILE, true},
		{"socket", EMFILE, true},
		{"memfd_create", EMFILE, true},
		{"fallocate", EMFILE, false},
		{"mmap", EMFILE, false},
		{"clone", EMFILE, false},
		{"shmget", EMFILE, false},
		{"socket", ENFILE, true},
		{"eventfd2", ENFILE, true},
		{"socket", ENOBUFS, true},
		{"pipe", ENOBUFS, false},
		{"socket", EPERM, false},
		{"socket", EINVAL, false},
		{"unshare", ENOSPC, true},
		{"unshare", EINVAL, false},
		{"unshare", EPERM, false},
		{"write", ENOSPC, true},
		{"openat", ENOSPC, true},
		{"read", EFAULT, true},
		{"write", EFAULT, false},
		{"read", EPERM, false},
		{"write", EBUSY, true},
		{"read", EBUSY, false},
		{"io_uring_setup", EPERM, false},
		{"io_uring_register", EINVAL, false},
		{"io_uring_setup", EMFILE, true},
		{"swapoff", EPERM, false},
		{"timer_create", EAGAIN, true},
		{"timer_create", EINVAL, false},
		{"io_setup", EAGAIN, true},
		{"io_setup", EINVAL, false},
		{"setsockopt", ENOMEM, true},
		{"setsockopt", EPERM, false},
		{"mmap", EINVAL, false},
	};
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(failed(row[i].name, row[i].error), row[i].refused ? row[i].error : 0);

	uint64_t segment[6] = {IPC_PRIVATE, 65537, 0600};
	assert_int_equal(refusal("shmget", segment, -EINVAL, true), EINVAL); /* may be shmmax */
	segment[1] = 0;
	assert_int_equal(refusal("shmget", segment, -EINVAL, true), 0); /* too small */
	segment[1] = 65537;
	segment[0] = 17;
	assert_int_equal(refusal("shmget", segment, -EINVAL, true), 0); /* larger than the one there is */
	segment[2] |= IPC_CREAT;
	assert_int_equal(refusal("shmget", segment, -EINVAL, true), EINVAL);
	assert_int_equal(refusal("shmat", segment, -EINVAL, true), 0);
	uint64_t locked[6] = {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED};
	assert_int_equal(refusal("mmap", locked, -EPERM, true), EPERM);
	locked[3] &= ~(uint64_t)MAP_LOCKED;
	assert_int_equal(refusal("mmap", locked, -EPERM, true), 0);
	locked[3] |= MAP_HUGETLB;
	assert_int_equal(refusal("mmap", locked, -EINVAL, true), 0); /* of the default size: there is one */
	locked[3] |= 24U << MAP_HUGE_SHIFT;
	assert_int_equal(refusal("mmap", locked, -EINVAL, true), EINVAL);
	locked[3] &= ~(uint64_t)MAP_ANONYMOUS; /* a file that has no huge pages */
	assert_int_equal(refusal("mmap", locked, -EINVAL, true), 0);
	locked[3] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_FIXED | 21U << MAP_HUGE_SHIFT;
	if (access("/sys/kernel/mm/hugepages/hugepages-2048kB", F_OK) == 0) /* offered: the address is not aligned */
		assert_int_equal(refusal("mmap", locked, -EINVAL, true), 0);
}

static void test_descriptors(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned count;
	} row[] = {{"pipe", 2},          {"pipe2", 2},        {"fcntl", 0},     {"socket", 1}, {"eventfd2", 1},
		   {"epoll_create1", 1}, {"memfd_create", 1}, {"fallocate", 0}, {"mmap", 0},   {"clone", 0}};
	for (size_t i = 0; i < ARRAY_SIZE(row); i++)
		assert_int_equal(call_opens(call_by_name(row[i].name)), row[i].count);
}

static void test_results(void **state)
{
	(void)state;
	static const uint64_t none[6];

	/* results that are no errors, and errors that are none */
	assert_int_equal(refusal("mmap", none, 0x7f0000000000, false), 0);
	assert_int_equal(refusal("mmap", none, -ENOMEM, false), 0); /* the tracer says it is an address */
	assert_int_equal(refusal("mmap", none, 0, true), 0);
	assert_int_equal(refusal("mmap", none, ENOMEM, true), 0);
	assert_int_equal(refusal("mmap", none, -4096, true), 0);
	assert_int_equal(refusal("mmap", none, INT64_MIN, true), 0);
	assert_int_equal(refusal("fork", none, 0, false), 0);
}

static int break_refused(uint64_t wanted, uint64_t got)
{
	const uint64_t args[6] = {wanted};

	return refusal("brk", args, (int64_t)got, false);
}

/* brk(2) returns the break it kept. */
static void test_break(void **state)
{
	(void)state;
	assert_int_equal(break_refused(0, 0x555555559000), 0);
	assert_int_equal(break_refused(0x555555560000, 0x555555560000), 0);
	assert_int_equal(break_refused(0x555555560001, 0x555555560000), ENOMEM);
	assert_int_equal(break_refused(0x555555560000, 0x555555559000), ENOMEM);
	assert_int_equal(break_refused(1, 0x555555559000), 0); /* below the heap's start */
	assert_int_equal(break_refused(UINT64_MAX, 0x555555559000), ENOMEM);
	assert_int_equal(break_refused(1ULL << 63, 0x555555559000), ENOMEM);
	assert_int_equal(failed("brk", ENOSYS), 0); /* a filter's doing */
	assert_int_equal(failed("brk", ENOMEM), ENOMEM);
}

/* This kernel, asked for more than there can be. */
static void test_here(void **state)
{
	(void)state;
	uint64_t args[6] = {0, 1ULL << 62, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0};

	long result = syscall(SYS_mmap, args[0], args[1], args[2], args[3], args[4], args[5]);
	assert_int_equal(result, -1);
	assert_int_equal(refusal("mmap", args, -errno, true), ENOMEM);

	uint64_t kept = (uint64_t)syscall(SYS_brk, 0UL);
	assert_int_equal(break_refused(0, kept), 0);
	assert_int_equal(break_refused(1ULL << 62, (uint64_t)syscall(SYS_brk, 1UL << 62)), ENOMEM);
}

/* What injecting may choose from: never an errno that needs particular arguments, or another call. */
static void test_can_give(void **state)
{
	static const struct {
		const char *call;
		int error;
		bool can;
	} known[] = {
		{"mmap", ENOMEM, true},         {"mmap", EAGAIN, true},     {"mmap", EPERM, false},
		{"munmap", EAGAIN, false},      {"brk", EAGAIN, false},     {"clone3", EAGAIN, true},
		{"clone", ENOSPC, false},       {"execve", E2BIG, true},    {"mlockall", EPERM, true},
		{"shmget", ENOSPC, true},       {"pipe2", EMFILE, true},    {"fcntl", ENFILE, false},
		{"fcntl", EPERM, true},         {"socket", ENOBUFS, true},  {"read", ENOMEM, false},
		{"madvise", EFAULT, true},      {"io_setup", EAGAIN, true}, {"setsockopt", EAGAIN, false},
		{"timer_create", EAGAIN, true}, {"mq_open", ENOSPC, true},  {"mq_open", EMFILE, true},
		{"mq_open", EINVAL, false},     {"add_key", EDQUOT, true},  {"mmap", EDQUOT, false},
		{"epoll_ctl", ENOSPC, true},    {"bpf", ENOMEM, true},      {"bpf", EAGAIN, false},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		assert_int_equal(call_can_give(call_by_name(known[i].call), known[i].error), known[i].can);
	for (const struct call_info *call = watched_calls; call->name; call++)
		assert_false(call_can_give(call, ENOENT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_ia32),
		cmocka_unit_test(test_ia32_arguments),
		cmocka_unit_test(test_on_demand),
		cmocka_unit_test(test_errors_of_queues),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_errors_of_rings),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_break),
		cmocka_unit_test(test_here),
		cmocka_unit_test(test_can_give),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
