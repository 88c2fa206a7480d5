// SPDX-License-Identifier: MIT
/*
 * Rewriting the flags of clone(2), in a register, and of clone3(2), in memory. See untraced.h.
 */
#include "untraced.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define UNTRACED      0x00800000ULL /* CLONE_UNTRACED */
#define SHARES_MEMORY 0x00000100ULL /* CLONE_VM */

#if defined(__x86_64__)
#include <sys/user.h>

/* rdi, or ebx of a 32-bit call. */
static size_t first_argument(bool ia32)
{
	return ia32 ? offsetof(struct user, regs.rbx) : offsetof(struct user, regs.rdi);
}

static int change_register(pid_t tid, bool ia32, uint64_t from, uint64_t to)
{
	errno = 0;
	long now = ptrace(PTRACE_PEEKUSER, tid, first_argument(ia32), NULL);
	if (errno)
		return -errno;
	if ((uint64_t)now != from)
		return -EBUSY;
	return ptrace(PTRACE_POKEUSER, tid, first_argument(ia32), to) < 0 ? -errno : 0;
}

#else

static int change_register(pid_t tid, bool ia32, uint64_t from, uint64_t to)
{
	(void)tid;
	(void)ia32;
	(void)from;
	(void)to;
	return -ENOSYS;
}

#endif

/* A constant may lie where the task itself cannot write: a debugger may, but only while the task stands still. */
static int change_memory(pid_t tid, uint64_t address, uint64_t from, uint64_t to)
{
	uint64_t now = 0;
	struct iovec local = {&now, sizeof(now)};
	struct iovec remote = {(void *)(uintptr_t)address, sizeof(now)}; // NOLINT(performance-no-int-to-ptr)
	if (process_vm_readv(tid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(now))
		return -EFAULT;
	if (now != from)
		return -EBUSY;
	now = to;
	if (process_vm_writev(tid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(now))
		return 0;
	_Static_assert(sizeof(long) == sizeof(now), "ptrace writes the flags at once");
	return ptrace(PTRACE_POKEDATA, tid, address, to) < 0 ? -errno : 0;
}

static int change(const struct untraced *u, pid_t tid, uint64_t from, uint64_t to)
{
	return u->address ? change_memory(tid, u->address, from, to) : change_register(tid, u->ia32, from, to);
}

int untraced_take_out(pid_t tid, const struct call_info *call, const uint64_t args[6], bool ia32, struct untraced *ret)
{
	const uint64_t flags = call_clone_flags(call, tid, args);
	const struct untraced u = {
		.flags = flags, .address = strcmp(call->name, "clone3") == 0 ? args[0] : 0, .ia32 = ia32};
	*ret = (struct untraced){0};
	if (!(flags & UNTRACED))
		return 0;
	int r = change(&u, tid, flags, flags & ~UNTRACED);
	if (r < 0)
		return r;
	*ret = u;
	return 1;
}

void untraced_put_back(const struct untraced *u, pid_t tid)
{
	if (u->flags)
		(void)change(u, tid, u->flags & ~UNTRACED, u->flags);
}

void untraced_put_back_inherited(const struct untraced *u, pid_t task)
{
	if (!u->address || !(u->flags & SHARES_MEMORY))
		untraced_put_back(u, task);
}

void untraced_hand_on(const struct untraced *u, pid_t maker, pid_t task, bool stood, struct untraced *ret)
{
	bool copied = u->address && !(u->flags & SHARES_MEMORY);
	if (u->address)
		untraced_put_back(u, maker);
	if (stood && copied)
		untraced_put_back(u, task);
	else if (!stood && (!u->address || copied))
		*ret = *u;
}
