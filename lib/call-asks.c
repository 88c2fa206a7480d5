// SPDX-License-Identifier: MIT
/*
 * See call-asks.h. Each check is the kernel's own, named by where it stands. What it makes of areas, descriptors and
 * names is not looked at: there a call may be refused.
 */
#include "call-asks.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>

#define PAGE_BYTES            UINT64_C(4096)
#define ADDRESS_BITS          56 /* no address of a program is wider */

/* Debian 12's kernel headers know these, the C library of older systems does not. */
#define ADVICE_POPULATE_READ  22
#define ADVICE_POPULATE_WRITE 23
#define REMAP_KEEP_OLD        4 /* MREMAP_DONTUNMAP */
#define LOCK_WHEN_TOUCHED     1 /* MLOCK_ONFAULT */

#define PROTECTION_KNOWN      (PROT_READ | PROT_WRITE | PROT_EXEC | 8 /* PROT_SEM */)

static bool is_aligned(uint64_t address)
{
	return address % PAGE_BYTES == 0;
}

/* PAGE_ALIGN(), which wraps to 0. */
static uint64_t pages(uint64_t bytes)
{
	return (bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
}

static bool wraps(uint64_t start, uint64_t bytes)
{
	return start + bytes < start;
}

/* arch/x86/kernel/sys_x86_64.c, and do_mmap(), mm/mmap.c. */
static bool map_asks(const uint64_t args[6])
{
	const uint32_t flags = (uint32_t)args[3], type = flags & MAP_TYPE;
	if (args[1] == 0 || !is_aligned(args[5]) || (flags & MAP_FIXED && !is_aligned(args[0])))
		return false;
	return type == MAP_SHARED || type == MAP_PRIVATE || (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS));
}

/* mremap(2) and mremap_to(), mm/mremap.c. One that becomes smaller may split an area. */
static bool remap_asks(const uint64_t args[6])
{
	const uint64_t address = args[0], old = pages(args[1]), new = pages(args[2]), to = args[4];
	const uint32_t flags = (uint32_t)args[3];
	const bool keeps = flags & REMAP_KEEP_OLD, fixed = flags & MREMAP_FIXED;
	if (flags & ~(uint32_t)(MREMAP_MAYMOVE | MREMAP_FIXED | REMAP_KEEP_OLD) || !is_aligned(address) || new == 0)
		return false;
	if ((fixed || keeps) && !(flags & MREMAP_MAYMOVE))
		return false;
	if (keeps && old != new)
		return false;
	if (fixed && (!is_aligned(to) || (address + old > to && to + new > address)))
		return false;
	return fixed || keeps || old != new;
}

/* do_mprotect_pkey(), mm/mprotect.c; do_munmap(), mm/mmap.c; remap_file_pages(2), mm/mmap.c. */
static bool split_asks(const struct call_info *call, const uint64_t args[6])
{
	const uint64_t start = args[0], bytes = args[1];
	if (strcmp(call->name, "remap_file_pages") == 0)
		return args[2] == 0 && bytes >= PAGE_BYTES && !wraps(start & ~(PAGE_BYTES - 1), bytes);
	if (!is_aligned(start) || pages(bytes) == 0 || wraps(start, pages(bytes)))
		return false;
	if (strcmp(call->name, "munmap") == 0)
		return (start + pages(bytes)) >> ADDRESS_BITS == 0;
	const uint64_t grows = args[2] & (PROT_GROWSDOWN | PROT_GROWSUP);
	return grows != (PROT_GROWSDOWN | PROT_GROWSUP) && !(args[2] & ~(uint64_t)PROTECTION_KNOWN & ~grows);
}

/* do_mlock(), apply_vma_lock_flags() and mlockall(2), mm/mlock.c. */
static bool lock_asks(const struct call_info *call, const uint64_t args[6])
{
	const uint64_t into_page = args[0] % PAGE_BYTES;
	if (strcmp(call->name, "shmctl") == 0)
		return (int)args[0] >= 0;
	if (strcmp(call->name, "mlockall") == 0)
		return args[0] && !((uint32_t)args[0] & ~(uint32_t)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) &&
		       (uint32_t)args[0] != MCL_ONFAULT;
	if (strcmp(call->name, "mlock2") == 0 && (uint32_t)args[2] & ~(uint32_t)LOCK_WHEN_TOUCHED)
		return false;
	const uint64_t bytes = pages(args[1] + into_page);
	return bytes != 0 && !wraps(args[0] - into_page, bytes);
}

/* newseg() and do_shmat(), ipc/shm.c. */
static bool segment_asks(const struct call_info *call, const uint64_t args[6])
{
	const uint32_t flags = (uint32_t)args[2];
	if (strcmp(call->name, "shmget") == 0)
		return args[1] != 0 && ((int)args[0] == IPC_PRIVATE || flags & IPC_CREAT);
	if ((int)args[0] < 0 || (args[1] == 0 && flags & SHM_REMAP))
		return false;
	return is_aligned(args[1]) || flags & SHM_RND;
}

/* do_madvise(), mm/madvise.c. Advice that may split an area is left to the kernel: what it says depends on its version.
 */
static bool advice_asks(const uint64_t args[6])
{
	const int advice = (int)args[2];
	return (advice == ADVICE_POPULATE_READ || advice == ADVICE_POPULATE_WRITE) && is_aligned(args[0]) &&
	       pages(args[1]) != 0 && !wraps(args[0], pages(args[1]));
}

/* vfs_fallocate(), fs/open.c; memfd_create(2), mm/memfd.c. */
static bool file_asks(const struct call_info *call, const uint64_t args[6])
{
	const uint32_t known = 0x1f | UINT32_C(63) << 26; /* MFD_*, and a huge page's size */
	if (strcmp(call->name, "fallocate") == 0)
		return (int64_t)args[2] >= 0 && (int64_t)args[3] > 0;
	return !((uint32_t)args[1] & ~known);
}

static bool object_asks(const struct call_info *call, const uint64_t args[6])
{
	/* Which argument has the flags, and those there are. */
	static const struct {
		const char *name;
		unsigned at;
		uint32_t known;
	} flags[] = {{"pipe2", 1, O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_EXCL /* a notification pipe */},
		     {"epoll_create1", 0, EPOLL_CLOEXEC},
		     {"eventfd2", 1, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE},
		     {"inotify_init1", 0, IN_CLOEXEC | IN_NONBLOCK},
		     {"socket", 1, 0xf /* SOCK_TYPE_MASK */ | SOCK_CLOEXEC | SOCK_NONBLOCK}};
	if (strcmp(call->name, "epoll_create") == 0)
		return (int)args[0] > 0;
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(call->name, flags[i].name) == 0)
			return !((uint32_t)args[flags[i].at] & ~flags[i].known);
	return true;
}

bool call_asks(const struct call_info *call, const uint64_t args[6])
{
	switch (call->family) {
	case CALL_MAP:
		return map_asks(args);
	case CALL_REMAP:
		return remap_asks(args);
	case CALL_SPLIT:
		return split_asks(call, args);
	case CALL_LOCK:
		return lock_asks(call, args);
	case CALL_SHM:
		return segment_asks(call, args);
	case CALL_ADVISE:
		return advice_asks(args);
	case CALL_FILE:
		return file_asks(call, args);
	case CALL_PIPE:
	case CALL_OBJECT:
		return object_asks(call, args);
	case CALL_NAMESPACE:
		return args[0] != 0;
	case CALL_SWAP: /* the filter refuses it */
		return false;
	default:
		return true;
	}
}

bool call_names_descriptor(const struct call_info *call, const uint64_t args[6], int *ret_fd)
{
	static const char *const first[] = {"fallocate", "fcntl", "setsockopt", "inotify_add_watch",
					    "io_uring_register"};
	if (call->family == CALL_MAP && !(args[3] & MAP_ANONYMOUS)) {
		*ret_fd = (int)args[4];
		return true;
	}
	for (unsigned i = 0; i < sizeof(first) / sizeof(first[0]); i++)
		if (strcmp(call->name, first[i]) == 0) {
			*ret_fd = (int)args[0];
			return true;
		}
	return false;
}
