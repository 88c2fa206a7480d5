// SPDX-License-Identifier: MIT
/*
 * What reading the state of a learner's guest and setting up a run with it have in common.
 */
#pragma once

#include "guest-teach.h"

#define OVERCOMMIT_KBYTES "vm.overcommit_kbytes"
#define OVERCOMMIT_RATIO  "vm.overcommit_ratio"

/* The other one of these two; NULL: it is none of them */
const char *guest_state_other_size(const char *name);
/* Does some run of the plan set this limit of its group, or of the one above? Has some run a tmpfs of its own? */
bool guest_state_sets_group(const struct plan *plan, unsigned v);
bool guest_state_sets_above(const struct plan *plan, unsigned v);
bool guest_state_sets_tmpfs(const struct plan *plan);
