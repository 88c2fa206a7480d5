// SPDX-License-Identifier: MIT
/*
 * From the 32-bit calls of x86-64 to the rows of watched_calls. See calls-ia32.h.
 */
#include "calls-ia32.h"

#include <linux/audit.h>
#include <seccomp.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/uio.h>

#define PAGE_BYTES      4096ULL

/* arch/x86/entry/syscalls/syscall_32.tbl: other names of calls that 64-bit programs make as well. */
#define NR_MMAP         90
#define NR_SOCKETCALL   102
#define NR_IPC          117
#define NR_MMAP2        192
#define NR_FCNTL64      221
#define NR_FALLOCATE    324
#define NR_SIGQUEUE     178 /* rt_sigqueueinfo */
#define NR_TGSIGQUEUE   335 /* rt_tgsigqueueinfo */
#define NR_PIDFD_SIGNAL 424 /* pidfd_send_signal */
#define NR_PRCTL        172
#define NR_SECCOMP      354

bool call_is_ia32(uint32_t arch)
{
#if defined(__x86_64__)
	return arch == AUDIT_ARCH_I386;
#else
	(void)arch;
	return false;
#endif
}

/* struct mmap_arg_struct32, arch/x86/kernel/sys_ia32.c: the first mmap(2) has its arguments in memory. */
static void read_map_arguments(pid_t tid, uint64_t args[6])
{
	uint32_t word[6];
	struct iovec local = {word, sizeof(word)};
	struct iovec remote = {(void *)(uintptr_t)args[0], sizeof(word)}; // NOLINT(performance-no-int-to-ptr)
	memset(args, 0, 6 * sizeof(args[0]));
	if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(word))
		return; /* the kernel cannot read them either */
	for (unsigned i = 0; i < 6; i++)
		args[i] = word[i];
}

/* Of all that shmctl(2) does only locking asks for memory; ipc(2) takes a version in the command as well. */
static const struct call_info *of_shmctl(uint64_t command)
{
	return (command & 0xff) == SHM_LOCK ? call_by_name("shmctl") : NULL;
}

/* ksys_ipc(), ipc/syscall.c: (what, first, second, third, pointer) */
static const struct call_info *of_ipc(uint64_t args[6])
{
	uint64_t what = args[0] & UINT16_MAX;
	const uint64_t get[6] = {args[1], args[2], args[3]}, attach[6] = {args[1], args[4], args[2]};
	const uint64_t control[6] = {args[1], args[2], args[4]};
	if (what == IA32_IPC_SHMCTL) {
		memcpy(args, control, sizeof(control));
		return of_shmctl(args[1]);
	}
	if (what != IA32_IPC_SHMGET && what != IA32_IPC_SHMAT)
		return NULL;
	memcpy(args, what == IA32_IPC_SHMGET ? get : attach, sizeof(get));
	return call_by_name(what == IA32_IPC_SHMGET ? "shmget" : "shmat");
}

const struct call_info *call_of_ia32(pid_t tid, uint64_t nr, uint64_t args[6])
{
	switch (nr) {
	case NR_MMAP:
		read_map_arguments(tid, args);
		break;
	case NR_MMAP2: /* counts the offset in pages */
		args[5] *= PAGE_BYTES;
		return call_by_name("mmap");
	case NR_FCNTL64:
		return call_by_name("fcntl");
	case IA32_SHMCTL:
		return of_shmctl(args[1]);
	case NR_IPC:
		return of_ipc(args);
	case NR_SOCKETCALL: /* the filter stops it for socket(2) only, whose arguments nobody asks for */
		return call_by_name("socket");
	case NR_FALLOCATE: /* (fd, mode, offset, its high half, length, its high half) */
		args[2] |= args[3] << 32;
		args[3] = args[4] | args[5] << 32;
		break;
	default:
		break;
	}
	for (const struct call_info *call = watched_calls; call->name; call++) {
		if (call->ia32_nr >= 0 && (uint64_t)call->ia32_nr == nr)
			return call;
	}
	return NULL;
}

bool call_of_ia32_queues_signal(uint64_t nr)
{
	return nr == NR_SIGQUEUE || nr == NR_TGSIGQUEUE || nr == NR_PIDFD_SIGNAL;
}

bool call_of_ia32_sets_filter(uint64_t nr, const uint64_t args[6])
{
	return nr == NR_PRCTL     ? call_sets_filter((uint64_t)SCMP_SYS(prctl), args)
	       : nr == NR_SECCOMP ? call_sets_filter((uint64_t)SCMP_SYS(seccomp), args)
				  : false;
}
