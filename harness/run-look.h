// SPDX-License-Identifier: MIT
/*
 * What `enomem triage` says of the program while it is held at its failing moment: how good its answers are is measured
 * with every trigger there is.
 */
#pragma once

#include <jansson.h>

#include "run.h"

/* For the witness and the sampler to call, once the snapshot is taken; record is a struct run_record. */
void run_look(pid_t pid, void *record);

/* "triage" of evidence: {"ranked": ROW, "told": ROW}, the first row of the ranking without and with what was refused; a
 * ROW is {"cause", "in_use", "bound", "unit"}, or null where there is none. NULL when nobody looked. */
json_t *run_look_json(const struct run_look *look);
