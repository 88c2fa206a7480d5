// SPDX-License-Identifier: MIT
/*
 * Taking a call away from a stopped tracee. See witness-inject.h.
 */
#include "witness-inject.h"

#include <stddef.h>
#include <sys/ptrace.h>

#if defined(__x86_64__)
#include <sys/user.h>

bool witness_can_inject(void)
{
	return true;
}

static bool poke(pid_t tid, size_t offset, uint64_t value)
{
	return ptrace(PTRACE_POKEUSER, tid, offset, value) == 0;
}

/*
 * A tracer that sets the number to -1 has the call skipped, and what it left in rax returned (__seccomp_filter(),
 * kernel/seccomp.c). brk(2) knows no errno: it is turned into brk(0), which returns the break and moves nothing, just
 * as a refused one does.
 */
bool witness_inject(const struct tracee *t, int error)
{
	if (t->call->family == CALL_BREAK)
		return poke(t->tid, offsetof(struct user, regs.rdi), 0);
	return poke(t->tid, offsetof(struct user, regs.rax), (uint64_t) - (int64_t)error) &&
	       poke(t->tid, offsetof(struct user, regs.orig_rax), UINT64_MAX);
}

/* A call leaves its arguments' registers as they were. */
void witness_inject_done(const struct tracee *t)
{
	if (t->call->family == CALL_BREAK)
		(void)poke(t->tid, offsetof(struct user, regs.rdi), t->args[0]);
}

#else

bool witness_can_inject(void)
{
	return false;
}

bool witness_inject(const struct tracee *t, int error)
{
	(void)t;
	(void)error;
	return false;
}

void witness_inject_done(const struct tracee *t)
{
	(void)t;
}

#endif
