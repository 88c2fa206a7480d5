// SPDX-License-Identifier: MIT
/*
 * Evidence of runs whose guest could make none, and what the harness adds to that of the others.
 */
#pragma once

#include "guest.h"

#define GUEST_CONSOLE_BYTES 16384

/* The text after "Kernel panic - not syncing: " in a console, NULL when there is none. Static storage. */
const char *guest_panic_text(const char *console);

json_t *guest_evidence_panic(const struct plan_run *run, const char *text, const char *console);
/* The whole guest stopped answering. */
json_t *guest_evidence_hang(const struct plan_run *run);
json_t *guest_evidence_broken(const struct plan_run *run, const char *why);

/* "guest": which kernel and machine it was. */
void guest_describe(json_t *evidence, const struct guest_world *world, bool cold);
/* "console": its last lines, or those around a panic. */
void guest_add_console(json_t *evidence, const char *console);
/* What a WIRE_FAILED says. */
void guest_failed_message(const char *json, char *ret, size_t size);
