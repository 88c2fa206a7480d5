// SPDX-License-Identifier: MIT
/*
 * The table of watched calls, and which of their errors mean "refused" rather than "asked wrongly".
 */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <unistd.h>

/* SCMP_SYS() is a constant, negative where this architecture lacks the call; the other number is that of x86-64's
 * 32-bit entry (arch/x86/entry/syscalls/syscall_32.tbl). */
#define CALL(name, ia32, family)                                                                                       \
	{                                                                                                              \
#name, SCMP_SYS(name), ia32, family, false                                                             \
	}
#define CALL_ON_DEMAND(name, ia32, family)                                                                             \
	{                                                                                                              \
#name, SCMP_SYS(name), ia32, family, true                                                              \
	}

const struct call_info watched_calls[] = {
	CALL(mmap, 90, CALL_MAP),
	CALL(mremap, 163, CALL_REMAP),
	CALL(mprotect, 125, CALL_SPLIT),
	CALL(pkey_mprotect, 380, CALL_SPLIT),
	CALL(munmap, 91, CALL_SPLIT),
	CALL(remap_file_pages, 257, CALL_SPLIT), /* replaces part of a shared area by another one */
	CALL(brk, 45, CALL_BREAK),
	CALL(fork, 2, CALL_TASK),
	CALL(vfork, 190, CALL_TASK),
	CALL(clone, 120, CALL_TASK),
	CALL(clone3, 435, CALL_TASK),
	CALL(unshare, 310, CALL_NAMESPACE),
	CALL(execve, 11, CALL_EXEC),
	CALL(execveat, 358, CALL_EXEC),
	CALL(mlock, 150, CALL_LOCK),
	CALL(mlock2, 376, CALL_LOCK),
	CALL(mlockall, 152, CALL_LOCK),
	CALL(shmctl, 396, CALL_LOCK), /* the filter stops it for SHM_LOCK only */
	CALL(shmget, 395, CALL_SHM),
	CALL(shmat, 397, CALL_SHM),
	CALL(madvise, 219, CALL_ADVISE),
	CALL(memfd_create, 356, CALL_FILE),
	CALL(fallocate, 324, CALL_FILE),
	CALL(pipe, 42, CALL_PIPE),
	CALL(pipe2, 331, CALL_PIPE),
	CALL(fcntl, 55, CALL_PIPE), /* the filter stops it for F_SETPIPE_SZ only */
	CALL(epoll_create, 254, CALL_OBJECT),
	CALL(epoll_create1, 329, CALL_OBJECT),
	CALL(eventfd, 323, CALL_OBJECT),
	CALL(eventfd2, 328, CALL_OBJECT),
	CALL(inotify_init, 291, CALL_OBJECT),
	CALL(inotify_init1, 332, CALL_OBJECT),
	CALL(inotify_add_watch, 292, CALL_WATCH),
	CALL(timer_create, 259, CALL_TIMER),
	CALL(mq_open, 277, CALL_OBJECT),
	CALL(add_key, 286, CALL_KEY),
	CALL(io_setup, 245, CALL_AIO),
	CALL(setsockopt, 366, CALL_OPTION), /* the filter stops it for SO_ATTACH_FILTER only */
	CALL(socket, 359, CALL_OBJECT),
	CALL(io_uring_setup, 425, CALL_OBJECT),
	CALL(io_uring_register, 427, CALL_PIN),
	CALL(swapoff, 115, CALL_SWAP), /* outside a guest the filter refuses it */
	CALL(bpf, 357, CALL_BPF),      /* likewise; the filter stops it for BPF_MAP_CREATE only */
	CALL_ON_DEMAND(read, 3, CALL_TRANSFER),
	CALL_ON_DEMAND(write, 4, CALL_TRANSFER),
	CALL_ON_DEMAND(sendto, 369, CALL_TRANSFER),
	CALL_ON_DEMAND(msgsnd, 400, CALL_TRANSFER),
	CALL_ON_DEMAND(msgget, 399, CALL_OBJECT),
	CALL_ON_DEMAND(semget, 393, CALL_OBJECT),
	CALL_ON_DEMAND(epoll_ctl, 255, CALL_WATCH),
	CALL_ON_DEMAND(openat, 295, CALL_CREATE), /* the filter stops it for O_CREAT only */
	{NULL, -1, -1, CALL_FILE, false},
};

const struct call_info *call_by_number(uint64_t nr)
{
	for (const struct call_info *call = watched_calls; call->name; call++) {
		if (call->nr >= 0 && (uint64_t)call->nr == nr)
			return call;
	}
	return NULL;
}

bool call_queues_signal(uint64_t nr)
{
	return nr == (uint64_t)SCMP_SYS(rt_sigqueueinfo) || nr == (uint64_t)SCMP_SYS(rt_tgsigqueueinfo) ||
	       nr == (uint64_t)SCMP_SYS(pidfd_send_signal);
}

bool call_sets_filter(uint64_t nr, const uint64_t args[6])
{
	if (nr == (uint64_t)SCMP_SYS(prctl))
		return (uint32_t)args[0] == PR_SET_SECCOMP && args[1] == SECCOMP_MODE_FILTER;
	return nr == (uint64_t)SCMP_SYS(seccomp) && (uint32_t)args[0] == SECCOMP_SET_MODE_FILTER;
}

/* Of more than 0 it is a listener's descriptor, or the thread that could not be given the filter as well. prctl(2) has
 * the mode in the place of the flags, and returns 0. */
bool call_did_set_filter(const uint64_t args[6], int64_t result, bool is_error)
{
	return !is_error && (result == 0 || args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

const struct call_info *call_by_name(const char *name)
{
	for (const struct call_info *call = watched_calls; call->name; call++) {
		if (!strcmp(call->name, name))
			return call;
	}
	return NULL;
}

unsigned call_opens(const struct call_info *call)
{
	if (call->family == CALL_PIPE)
		return strcmp(call->name, "fcntl") == 0 ? 0 : 2;
	if (call->family == CALL_OBJECT)
		return !call_makes_sysv(call);
	return strcmp(call->name, "memfd_create") == 0;
}

bool call_makes_sysv(const struct call_info *call)
{
	return strcmp(call->name, "msgget") == 0 || strcmp(call->name, "semget") == 0;
}

bool call_makes_queue(const struct call_info *call)
{
	return strcmp(call->name, "mq_open") == 0;
}

bool call_makes_inotify(const struct call_info *call)
{
	return strncmp(call->name, "inotify_init", strlen("inotify_init")) == 0;
}

uint64_t call_on_demand_bit(const char *name)
{
	const struct call_info *call = call_by_name(name);

	return call && call->on_demand ? 1ULL << (call - watched_calls) : 0;
}

static bool is_new_segment(const struct call_info *call, const uint64_t args[6])
{
	return !strcmp(call->name, "shmget") && args[1] > 0 && ((int)args[0] == IPC_PRIVATE || args[2] & IPC_CREAT);
}

/*
 * ksys_mmap_pgoff(), mm/mmap.c: huge pages of a size that is named and not offered. A size that is offered, or a file
 * that has no huge pages, is refused for what is wrong with its arguments.
 */
static bool lacks_page_size(const struct call_info *call, const uint64_t args[6])
{
	const uint64_t both = MAP_ANONYMOUS | MAP_HUGETLB;
	unsigned log2 = args[3] >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	char name[64];

	if (call->family != CALL_MAP || (args[3] & both) != both || log2 == 0)
		return false;
	if (log2 < 10) /* less than a KiB, by which they are named */
		return true;
	(void)snprintf(name, sizeof(name), "/sys/kernel/mm/hugepages/hugepages-%llukB", 1ULL << (log2 - 10));
	return access(name, F_OK) < 0;
}

static bool is_new_set(const struct call_info *call, const uint64_t args[6])
{
	return !strcmp(call->name, "semget") && (int)args[1] > 0 &&
	       ((int)args[0] == IPC_PRIVATE || args[2] & IPC_CREAT);
}

/* One that is there already is not made, and its size not looked at. */
static bool is_new_queue(const struct call_info *call, const uint64_t args[6])
{
	return call_makes_queue(call) && args[1] & O_CREAT && args[3];
}

/*
 * perf_mmap(), kernel/events/core.c: of what else mmap() says EPERM to without MAP_LOCKED (a sealed file, one that may
 * not be executed) nothing is a lack of memory.
 */
static bool maps_ring(pid_t pid, const struct call_info *call, const uint64_t args[6])
{
	static const char ring[] = "anon_inode:[perf_event]";
	char name[64], target[sizeof(ring)];
	if (call->family != CALL_MAP || args[3] & MAP_ANONYMOUS || args[2] & PROT_EXEC)
		return false;
	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, (int)args[4]);
	ssize_t length = readlink(name, target, sizeof(target));
	return length == (ssize_t)strlen(ring) && memcmp(target, ring, strlen(ring)) == 0;
}

/*
 * An allow list, because most errors of these calls are about a bad argument (EACCES, EBADF, ENODEV, EEXIST of
 * MAP_FIXED_NOREPLACE), a signal (EINTR, ERESTART* 512 to 516) or an old kernel (ENOSYS). Those that limits give:
 *   ENOMEM  everywhere
 *   EAGAIN  tasks (pids.max, RLIMIT_NPROC, pid_max, threads-max), locked memory in mmap and mremap, areas in madvise
 *   ENOSPC  shmget (shmall, shmmni), msgget, semget, fallocate, write and openat (tmpfs), clone and unshare
 * (namespaces), inotify_add_watch and epoll_ctl (watches), mq_open EDQUOT  add_key EFAULT  read and madvise that
 * populates: a mapping whose file system is full; else a bad pointer EPERM   RLIMIT_MEMLOCK of 0: mlock*,
 * shmget(SHM_HUGETLB), mmap(MAP_LOCKED); a ring of perf events: mmap; fs.pipe-max-size: fcntl; a map of bpf
 * before 5.11; else a matter of rights ENFILE  pipe, socket, where the inode cannot be had: that is what older kernels
 * say instead of ENOMEM ENOBUFS a datagram that memory lacks for (sendto); on 5.10 a socket EMFILE RLIMIT_NOFILE, where
 * a call asks for a descriptor: no lack of memory, but taken for one; inotify_init too where the user has as many as it
 * may have EINVAL  a thread of a process whose children live in another pid namespace; a new segment above shmmax, a
 * new set above semmsl, a POSIX queue above msg_max; else a wrong argument EBUSY   write: a limit of a control group
 * that is lowered below what it holds E2BIG   arguments of execve above a quarter of RLIMIT_STACK; for clone3 a
 * structure from the future execve also fails for every directory of PATH without the program: only what memory and
 * tasks refuse counts.
 */
static bool error_is_refusal(pid_t pid, const struct call_info *call, const uint64_t args[6], int error)
{
	switch (error) {
	case ENOMEM:
		return true;
	case EAGAIN: /* of those: nothing there yet, or nobody who has read it */
		return !call->on_demand;
	case ENOSPC:
		return call->family != CALL_EXEC;
	case EFAULT:
		return call->family == CALL_ADVISE || !strcmp(call->name, "read");
	case EPERM:
		return call->family == CALL_LOCK || call->family == CALL_SHM ||
		       (call->family == CALL_MAP && args[3] & MAP_LOCKED) || !strcmp(call->name, "fcntl") ||
		       call->family == CALL_BPF || maps_ring(pid, call, args);
	case ENFILE:
		return (call->family == CALL_OBJECT && call_opens(call) > 0) ||
		       (call->family == CALL_PIPE && strcmp(call->name, "fcntl") != 0);
	case ENOBUFS:
		return (call->family == CALL_OBJECT && call_opens(call) > 0) || !strcmp(call->name, "sendto");
	case EMFILE:
		return call_opens(call) > 0;
	case EINVAL:
		return call->family == CALL_TASK || is_new_segment(call, args) || is_new_set(call, args) ||
		       is_new_queue(call, args) || lacks_page_size(call, args);
	case EDQUOT:
		return call->family == CALL_KEY;
	case EBUSY:
		return !strcmp(call->name, "write");
	case E2BIG:
		return call->family == CALL_EXEC;
	default:
		return false;
	}
}

/* As the allow list above, but without what needs particular arguments. */
bool call_can_give(const struct call_info *call, int error)
{
	bool ids = strcmp(call->name, "pipe") == 0 || strcmp(call->name, "pipe2") == 0;
	switch (error) {
	case ENOMEM:
		return call->family != CALL_TRANSFER;
	case EAGAIN:
		return call->family == CALL_TASK || call->family == CALL_MAP || call->family == CALL_REMAP ||
		       call->family == CALL_EXEC || call->family == CALL_TIMER || call->family == CALL_AIO ||
		       strcmp(call->name, "mlock") == 0 || strcmp(call->name, "mlock2") == 0;
	case ENOSPC:
		return call->family == CALL_NAMESPACE || call->family == CALL_WATCH ||
		       strcmp(call->name, "shmget") == 0 || strcmp(call->name, "fallocate") == 0 ||
		       call_makes_queue(call);
	case EDQUOT:
		return call->family == CALL_KEY;
	case EPERM:
		return call->family == CALL_LOCK || strcmp(call->name, "fcntl") == 0;
	case E2BIG:
		return call->family == CALL_EXEC;
	case EFAULT:
		return call->family == CALL_ADVISE;
	case EMFILE:
		return call_opens(call) > 0;
	case ENFILE:
		return call->family == CALL_OBJECT || ids || strcmp(call->name, "memfd_create") == 0;
	case ENOBUFS:
		return strcmp(call->name, "socket") == 0;
	default:
		return false;
	}
}

bool call_refused(pid_t pid, const struct call_info *call, const uint64_t args[6], int64_t result, bool is_error,
		  int *ret_error)
{
	if (is_error) {
		if (result >= 0 || result < -4095) /* MAX_ERRNO */
			return false;
		if (!error_is_refusal(pid, call, args, (int)-result))
			return false;
		*ret_error = (int)-result;
		return true;
	}
	/* brk(0) asks where the break is; a break above what was asked means "lower than the heap's start", no refusal.
	 */
	if (call->family == CALL_BREAK && args[0] != 0 && (uint64_t)result < args[0]) {
		*ret_error = ENOMEM;
		return true;
	}
	return false;
}

uint64_t call_clone_flags(const struct call_info *call, pid_t tid, const uint64_t args[6])
{
	if (strcmp(call->name, "clone") == 0)
		return args[0];
	if (strcmp(call->name, "vfork") == 0)
		return 0x4000 | 0x100; /* CLONE_VFORK | CLONE_VM */
	uint64_t flags = 0;
	struct iovec local = {&flags, sizeof(flags)};
	struct iovec remote = {(void *)(uintptr_t)args[0], sizeof(flags)};
	if (strcmp(call->name, "clone3") == 0 &&
	    process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(flags))
		return flags;
	return 0;
}
