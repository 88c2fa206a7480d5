// SPDX-License-Identifier: MIT
/*
 * What the witness writes down of a call or a signal, and the snapshot that goes with it; the process is held
 * meanwhile.
 */
#pragma once

#include <signal.h>

#include "tracees.h"
#include "witness.h"

/* A refused call: error is a positive errno, result what the call returned. With the first one goes a snapshot. */
void witness_note_refused(struct witness *w, const struct tracee *t, int64_t result, int error);
/* What a call was given: a control has to be given what the trigger is refused. */
void witness_note_granted(struct witness *w, const struct tracee *t, int64_t result);
/* A signal; info is NULL where the kernel shows none (SIGKILL). snapshot: it may be fatal, look at the process. */
void witness_note_signal(struct witness *w, const struct tracee *t, int signal, const siginfo_t *info, bool snapshot);
