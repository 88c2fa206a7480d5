// SPDX-License-Identifier: MIT
/*
 * enomem hold --guest, as the harness sees it: each hold has a guest of its own, with the tool in it.
 */
#pragma once

#include "guests.h"
#include "hold-options.h"

struct hold_guests {
	struct guests_options options; /* worlds point into it */
	struct guests guests;
	struct guest_bring bring;
	char **tool; /* argv[0] is an absolute path */
};

/* Find the tool, and get a guest ready that has it. 0, or the exit status after telling why there is none. */
int hold_guests_open(const struct hold_options *o, const struct selection *selection, struct hold_guests *ret);
void hold_guests_close(struct hold_guests *g);

/* As hold_run(). A guest that the tool brings down counts as a tool that was started. */
int hold_guest_run(const struct plan_run *run, struct hold *h, char *why, size_t size);
