// SPDX-License-Identifier: MIT
/*
 * Shared by the two that start guests of a world: the one that asks what they are, and the one that has them run.
 */
#pragma once

#include "guest.h"

/* From the start to the first word, and between two runs. A machine under load needs many times the usual. */
#define GUEST_ANSWER_TIMEOUT_NS UINT64_C(20000000000)
#define GUEST_STARTS_MAX        4

/* What WIRE_JOB says: the world, what to run in it, and whether triage is to look; `runs` is taken over. */
json_t *guest_job(const struct guest_world *world, json_t *runs, const struct run_context *context);
/* A serial port that is being restored forgets the byte it took in before: padding goes first. Takes the job. -errno */
int guest_send_job(const struct vm *vm, json_t *job);
/* "Does not answer", with what the console and QEMU said last. */
void guest_tell_silence(const struct vm *vm, int error, char *why, size_t size);
/* After some failed starts from the saved state it is made again; after that, or without one, guests are booted. */
bool guest_must_boot(struct guest_state *state, unsigned starts_failed);
