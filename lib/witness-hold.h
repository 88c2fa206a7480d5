// SPDX-License-Identifier: MIT
/*
 * For who looks at a process at its failing moment (witness.h: look): other tracers want to look, too, and there can be
 * one only.
 */
#pragma once

#include "witness.h"

/*
 * Let go of a process whose threads are all stopped: it stands still as if by a SIGSTOP, free to be traced, its refused
 * call answered; a fault is met again by who continues it. The witness hears no more of it, and whoever continues it
 * meets ENOSYS from watched calls (SECCOMP_RET_TRACE without a tracer): the run must be ended. -EBUSY when a thread is
 * not stopped: then nothing has changed. -ESRCH when there is no such process.
 */
int witness_let_go(struct witness *w, pid_t tgid);

/*
 * Let a process that is about to end (witness.h: at_end) end, and leave it a zombie: its parent cannot reap what is
 * traced, and the witness does once it is asked to go on. -EBUSY when it has other threads, or takes too long.
 */
int witness_make_zombie(struct witness *w, pid_t tgid);

/* End the run: with the init of its namespace all of it dies. */
void witness_kill_all(struct witness *w);
