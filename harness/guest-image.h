// SPDX-License-Identifier: MIT
/*
 * The initramfs of a guest, packed by us: this program as init, the few tools a run needs, what all of them link to,
 * and the kernel's modules. Scenarios come on a disk: guest-cargo.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct guest_bring;

struct guest_image {
	int fd; /* a memory file that holds the archive */
	uint64_t bytes, hash;
};

/*
 * Pack. `self` is this program, `modules` the kernel's directory of modules with its file "order", or a whole
 * lib/modules/RELEASE, or "" for none;
 * `bring`, if not NULL, programs and files of this machine, at the places they have here: see guest-bring.h. 0; -ENOENT
 * and other -errno after telling on errors what is missing.
 */
int guest_image_pack(const char *self, const char *modules, const struct guest_bring *bring, FILE *errors,
		     struct guest_image *ret);
void guest_image_close(struct guest_image *image);

/* FNV-1a, 64 bits: names of cached things, nothing that has to withstand an adversary. */
#define HASH_START UINT64_C(14695981039346656037)
uint64_t hash_bytes(uint64_t hash, const void *data, size_t length);
