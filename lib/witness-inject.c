// SPDX-License-Identifier: MIT
/*
 * Taking a call away from a stopped tracee. See witness-inject.h.
 */
#include "witness-inject.h"

#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>

#include "witness-asked.h"

#if defined(__x86_64__)
#include <sys/user.h>

bool witness_can_inject(void)
{
	return true;
}

/* Where the kernel looks for the first argument: rdi, or rbx of a 32-bit call. */
static size_t first_argument(const struct tracee *t)
{
	return t->ia32 ? offsetof(struct user, regs.rbx) : offsetof(struct user, regs.rdi);
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
bool witness_take_away(const struct tracee *t, int error)
{
	if (t->call->family == CALL_BREAK)
		return poke(t->tid, first_argument(t), 0);
	return poke(t->tid, offsetof(struct user, regs.rax), (uint64_t) - (int64_t)error) &&
	       poke(t->tid, offsetof(struct user, regs.orig_rax), UINT64_MAX);
}

/* A call leaves its arguments' registers as they were. */
void witness_inject_done(const struct tracee *t)
{
	if (t->call->family == CALL_BREAK)
		(void)poke(t->tid, first_argument(t), t->args[0]);
}

#else

bool witness_can_inject(void)
{
	return false;
}

bool witness_take_away(const struct tracee *t, int error)
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

/* A brk() that gives back is let through, and so is that of other processes, whose break nobody followed. */
static bool asks_for(const struct witness *w, const struct tracee *t, uint64_t least)
{
	if (t->call->family != CALL_BREAK)
		return least == 0 || witness_asked(t, 0) >= least;
	return t->tgid == w->program && w->last_break && t->args[0] > w->last_break &&
	       t->args[0] - w->last_break >= least;
}

void witness_inject(const struct witness *w, struct tracee *t)
{
	t->injected = 0;
	for (unsigned i = 0; i < w->injection_count && !t->injected; i++) {
		const struct environment_injection *injection = &w->injection[i];
		if (strcmp(injection->call, t->call->name) == 0 && asks_for(w, t, injection->least) &&
		    witness_take_away(t, injection->error))
			t->injected = injection->error;
	}
}
