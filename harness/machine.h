// SPDX-License-Identifier: MIT
/*
 * Finding out what this machine is and allows: what planning, doctor and the result's host block are made from.
 */
#pragma once

#include <jansson.h>

#include "plan.h"

/* Probe the running machine. -errno only when /proc is missing; everything else is a field that says no. */
int machine_probe(bool allow_machine, struct machine *ret);

/* Look again at what changes: the counters, sysctls and control groups. -errno when /proc is missing. */
int machine_refresh(struct machine *m);

/* "host" of a result. */
json_t *machine_host(const struct machine *m);

/* Is there such a program in one of the directories of a PATH? NULL: the usual ones. */
bool machine_on_path(const char *program, const char *path);
