// SPDX-License-Identifier: MIT
/*
 * Failures that the witness makes itself, where a kernel cannot be brought to fail: the call is taken away at its
 * beginning and answered in the kernel's place, and nothing of it happens. So a munmap() leaves its mapping, a fork()
 * has no child, and a brk() returns the break there was.
 */
#pragma once

#include <stdbool.h>

#include "tracees.h"
#include "witness.h"

/* Does this architecture let a tracer take a call away? */
bool witness_can_inject(void);

/* At the beginning of t->call, of which id, entry and arguments are known: have it answered with that errno. */
bool witness_take_away(const struct tracee *t, int error);

/* At the filter's stop of t->call: refuse it where the run says so, and note with which errno in t->injected. */
void witness_inject(const struct witness *w, struct tracee *t);

/* At the exit stop of such a call: put back what was changed. */
void witness_inject_done(const struct tracee *t);
