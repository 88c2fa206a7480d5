// SPDX-License-Identifier: MIT
/*
 * Calls that asked for what no limit could have given.
 */
#pragma once

#include "cause.h"

/*
 * No limit explains it, and another mistake does: a range that is not mapped (ENOMEM of mprotect, mlock, mremap and
 * munmap's likes), or an errno that mostly says that the arguments are wrong. `also` as of cause_name().
 */
bool refusal_asked_wrongly(const struct refusal *r, enum cause_id cause, uint32_t also, const struct snapshot *s);
