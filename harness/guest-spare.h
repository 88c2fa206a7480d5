// SPDX-License-Identifier: MIT
/*
 * The guest whose state was saved is as good as one that is restored from it, and there already: the first job may have
 * it. Which of several workers does is settled in memory that they share.
 */
#pragma once

#include "guest-state.h"

/* Keep it for the first who asks; stopped when there is no memory to share. vm is the caller's no more. */
void spare_keep(struct guest_state *state, struct vm *vm);
/* Take it, and let it go on. False when there is none, or another process was faster. */
bool spare_take(struct guest_state *state, struct vm *ret);
/* Whoever may have it: nobody does any more. Of the process that kept it. */
void spare_drop(struct guest_state *state);
