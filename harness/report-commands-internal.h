// SPDX-License-Identifier: MIT
/*
 * What the parts of report-commands share: those of control groups and of a living program are in
 * report-commands-group.c.
 */
#pragma once

#include <stdio.h>

#include "report-commands.h"

/* environment.KIND of a run, NULL where it has none. */
const json_t *commands_setting(const json_t *run, const char *kind);

__attribute__((format(printf, 2, 3))) void commands_add(json_t *lines, const char *format, ...);
/* A line "BEFORE NAME=VALUE", the last of it as one word of a shell. */
void commands_assign(json_t *lines, const char *before, const char *name, const char *separator, const json_t *value);
/* So much swap, whose device or file is $swap from there on; of none, all is turned off. */
void commands_add_swap(json_t *lines, const json_t *run, json_int_t bytes);

/*
 * Behind the last line how much it is that it sets, "  # 16 MiB", where that is a size of at least 1 KiB: of a setting
 * of one kind ("rlimit", "cgroup", "sysctl", "tmpfs", "swap"), or of all that the program's own line has.
 */
void commands_note(json_t *lines, const char *kind, const char *name, const json_t *value);
void commands_note_program(json_t *lines, const json_t *run);

/* Groups with the run's limits; how a shell enters them ("echo 0 > .../cgroup.procs && "); how they go away. */
void commands_add_groups(json_t *lines, const struct commands_of *of, const json_t *run);
void commands_put_joining(FILE *out, const struct commands_of *of, const json_t *run);
void commands_add_groups_end(json_t *lines, const struct commands_of *of, const json_t *run);
