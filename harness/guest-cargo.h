// SPDX-License-Identifier: MIT
/*
 * What a guest reads only when a job needs it: the files of scenarios, one after the other on a read-only disk, without
 * a file system: the job says what lies where. They are no part of the booted state, which is smaller and booted sooner
 * for it, and serves scenarios that were written or built after it was saved.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "manifest.h"

/* Where the scenarios lie in a guest: GUEST_SCENARIOS/NAME. */
#define GUEST_SCENARIOS    "/scenarios"
/* The second disk: the first one is for swap. */
#define GUEST_CARGO_DEVICE "/dev/vdb"
/* The disk's size, which is part of a booted state; what is not written to costs nothing. */
#define GUEST_CARGO_BYTES  (UINT64_C(256) << 20)

struct guest_cargo {
	int fd;
	/* By scenario: [[path in the guest, may it be executed, offset, length], ...]; of its manifest, which a held
	 * tool must not find on the disk, [path, false, text]. */
	json_t *files;
	json_t *not_brought; /* by scenario: why none of what it brings is here */
};

/*
 * Pack scenarios: everything in their directories but what is only for readers, and what their programs link to. One
 * that is there twice is packed once. What only one of them brings fails for that one alone. 0; -ENOENT, -EEXIST (two
 * directories of one name), -EFBIG and other -errno after telling on errors what is wrong.
 */
int guest_cargo_pack(struct scenario *const *scenarios, size_t count, FILE *errors, struct guest_cargo *ret);
void guest_cargo_close(struct guest_cargo *cargo);

/* How much of a guest's memory the files of a scenario take there. */
uint64_t guest_cargo_bytes(const struct guest_cargo *cargo, const char *scenario);

/* Why what a scenario brings is not there; NULL where it is. */
const char *guest_cargo_not_brought(const struct guest_cargo *cargo, const char *scenario);

/*
 * In the guest: put files, as one scenario's entry in `files` has them, where they belong below `root`; those that are
 * there already stay. -errno, -EBADMSG for an entry that makes no sense, with the reason in `why`.
 */
int guest_cargo_unload(const char *disk, const char *root, const json_t *files, char *why, size_t size);
