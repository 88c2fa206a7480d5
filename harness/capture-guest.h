// SPDX-License-Identifier: MIT
/*
 * Captures in guests: made there, sent here as one frame.
 */
#pragma once

#include "capture.h"
#include "guests.h"

/* In the guest: look at a run. The observer's data is `c`, and its directory is in the guest's memory. -errno */
int capture_guest_begin(struct capture *c, struct run_observer *ret);
/* In the guest, after the run: what to send, malloc()ed. Removes the directory, and lets the guest promise memory
 * again: it is good for no other run. -errno */
int capture_guest_end(struct capture *c, char **ret, size_t *ret_length);
#define CAPTURE_GUEST_HEAD 96
/* In the guest: what to send instead, where there is nothing else. Its length. */
size_t capture_guest_failed(int error, char buf[CAPTURE_GUEST_HEAD]);
/* Here: make the files of such a frame in c->directory, and take over what was counted. -EBADMSG, -errno: c->error too
 */
int capture_guest_take(struct capture *c, const char *data, size_t length);

/* A trigger in the one guest of `options`. 0 and its evidence, which is judged, else the exit status after telling. */
int capture_in_guest(const struct guests_options *options, const struct selection *selection, const char *case_name,
		     const char *run_name, struct capture *c, json_t **ret_key);
