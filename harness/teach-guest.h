// SPDX-License-Identifier: MIT
/*
 * Lessons in guests: of what would reach the whole machine. Planned, run and fixed there; the shell's guest is one of
 * its own, which has a shell and some tools besides.
 */
#pragma once

#include "guests.h"
#include "teach-fix.h"

/* What was asked of guests. */
struct teach_guests {
	bool wanted, none;   /* --guest, --no-guest */
	const char *kernels; /* of --guest; NULL: the usual one */
};

/* A guest for one scenario. 0 with guests to be freed with teach_guest_close(); -ENOENT where there is no kernel;
 * -errno with the reason in `why`, or "" after telling. */
int teach_guest_open(const struct teach_guests *o, const struct guest_bring *bring, struct scenario *s,
		     struct guests **ret, char *why, size_t size);
void teach_guest_close(struct guests *guests);

/* The kernel of a lesson's guest, as --guest takes it; NULL where the lesson is about this machine. */
const char *teach_guest_kernel(const struct quiz *q);

/* Run the trigger as the shell has set it up, in a guest that nobody has touched, in a child. Never returns. */
_Noreturn void fix_check_in_guest(const struct quiz *q, const struct teach_fix *fix, struct fix_room *room,
				  json_t *changed, pid_t parent);
/* As fix_shell(), in a guest. */
int fix_guest_shell(struct teaching *t, const struct teach_fix *fix, bool *ret_solved);

/* What to type in a guest: false where something of the remedy cannot be typed. */
bool fix_guest_lines(const struct machine *m, const struct plan_run *trigger, const struct plan_run *remedy,
		     struct teach_fix *f);
