// SPDX-License-Identifier: MIT
/*
 * A scenario made ready for somebody else's program, here and in a guest.
 */
#pragma once

#include <jansson.h>

#include "parameters.h"
#include "run-command.h"

/* Where a guest's own programs lie, those that were brought, and those of a root directory. */
#define COMMAND_GUEST_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What the scenario's own program needs is forgotten, and the parameters are set. -ENOMEM */
int command_scenario(struct scenario *s, const struct parameters *parameters);

/* Nothing is expected of the run any more, and the command has its place, for so long (0: as long as commands have). */
void command_adapt(struct plan_run *run, struct run_command *command, uint64_t deadline_ns);

/* A command for a guest, with our environment variables; and there. -EBADMSG, -ENOMEM */
json_t *command_to_json(const struct run_command *command, uint64_t deadline_ns);
int command_from_json(const json_t *json, struct run_command *ret, uint64_t *ret_deadline_ns);
