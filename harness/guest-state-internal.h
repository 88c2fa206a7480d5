// SPDX-License-Identifier: MIT
/*
 * Shared by the parts of the booted states: their names, what is thrown away, and what is known of KVM.
 */
#pragma once

#include "guest-state.h"

#define STATE_KEY_MAX 4096

/* Is there such a program, on PATH if it has no slash? */
bool state_has_program(const char *program);
/* QEMU's smallest firmware, if it is where QEMU's files are: an emulated guest boots a tenth sooner than with the
 * usual one, which looks for what no guest of ours has. */
void state_find_firmware(struct guest_state *state);
/* Everything a state depends on, as text. A restart of the host is among it: states need not be on disk before. */
int state_key(const struct guest_state *state, char *ret, size_t size);
/* Remove one state's directory. */
void state_remove(const char *directory);
/* Keep the most recently used, and nothing that a killed harness left unfinished. */
void state_evict(const char *states);
/* What was begun under the name of a state and never finished. The state's lock has to be held. */
void state_remove_drafts(const char *final);

/* /dev/kvm can be opened, and nothing is remembered against it since the machine was started. */
bool state_kvm_worth_trying(void);
void state_kvm_remember(const char *why);
/* Boot once without saving. -errno as guest_state_open() */
int state_boots(const struct guest_state *state, char *why, size_t size);
