// SPDX-License-Identifier: MIT
/*
 * The initramfs of a guest, packed by us: this program as init, every scenario, the few tools a run needs, what all of
 * them link to, and the kernel's modules.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "manifest.h"

/* Where the scenarios lie in the image: GUEST_SCENARIOS/NAME. */
#define GUEST_SCENARIOS "/scenarios"

struct guest_image {
	int fd; /* a memory file that holds the archive */
	uint64_t bytes, hash;
};

/*
 * Pack. `self` is this program, `modules` the kernel's directory of modules with its file "order", or "" for none.
 * 0; -ENOENT and other -errno after telling on errors what is missing.
 */
int guest_image_pack(const char *self, struct scenario *const *scenarios, size_t count, const char *modules,
		     FILE *errors, struct guest_image *ret);
void guest_image_close(struct guest_image *image);

/* FNV-1a, 64 bits: names of cached things, nothing that has to withstand an adversary. */
#define HASH_START UINT64_C(14695981039346656037)
uint64_t hash_bytes(uint64_t hash, const void *data, size_t length);
