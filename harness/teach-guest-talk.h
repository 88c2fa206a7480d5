// SPDX-License-Identifier: MIT
/*
 * Between the learner's terminal and the wire to a guest, for as long as a lesson's shell there lives. See
 * teach-guest-shell.c.
 */
#pragma once

#include <jansson.h>

#include "guest-vm.h"
#include "teach-session.h"

/* What the guest takes from its start to the shell's first word, and beyond the shell's time. */
#define TALK_START_NS UINT64_C(60000000000)

struct talk {
	struct session s;
	struct vm vm;
	json_t *changed;         /* of who asked last */
	json_t *waiting;         /* what was asked meanwhile; NULL for nothing yet */
	struct wire_frame first; /* the guest's first word, not taken yet */
	bool more;               /* there may be frames that were read, and not taken yet */
	bool over;               /* the guest said so, or says nothing any more */
	int error;               /* of its silence */
	uint64_t until;          /* it may take so long */
	char *out;               /* a frame that the wire has not taken yet */
	size_t out_length, out_at;
	uint64_t out_since; /* it takes nothing */
	bool size_due;
	unsigned interrupts; /* that nothing came after */
	uint64_t first_interrupt;
	bool given_up;
};

/* The relay of a session that is the first member of a talk, which has the guest's first word. */
void talk_relay(struct session *s);
