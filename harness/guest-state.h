// SPDX-License-Identifier: MIT
/*
 * Booted states: a kernel is booted once, up to where its init waits for a job, and saved; every machine-scope run
 * starts from a copy. They lie in the cache under a name made of everything they depend on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-image.h"
#include "guest-kernel.h"
#include "guest-vm.h"

struct guest_options {
	uint64_t memory_bytes;
	unsigned cpus;
	char append[256]; /* to the kernel's command line */
	bool cold;        /* never save, never restore */
};

struct guest_state {
	struct guest_kernel kernel;
	struct guest_options options;
	struct guest_image image;
	char qemu[64];
	bool kvm;
	char directory[512]; /* "" when there is no saved state: guests are booted */
	char why_cold[160];  /* then: why */
	unsigned boots;      /* how often it took to boot, 0 when the state was there */
	uint64_t boot_ns;    /* how long the last boot took, 0 likewise */
};

/*
 * Find the saved state of a kernel, or boot it and save it. The image is taken over. Boots that hang are repeated.
 * Notes that people should read (no KVM, a boot repeated) go through say_note(). -ENOENT without QEMU, -EIO when the
 * kernel does not boot: `why` tells, with the console's last lines.
 */
int guest_state_open(const struct guest_kernel *kernel, const struct guest_options *options, struct guest_image *image,
		     struct guest_state *ret, char *why, size_t size);
void guest_state_close(struct guest_state *state);

/* Start a guest: restored when there is a state and cold is false. A cold one has said WIRE_READY when this returns.
 * -errno */
int guest_state_start(const struct guest_state *state, bool cold, struct vm *ret);
/* Small things that are known of a state, kept beside it: bytes of exactly this size. -ENOENT */
int guest_state_recall(const struct guest_state *state, const char *name, void *ret, size_t size);
void guest_state_remember(const struct guest_state *state, const char *name, const void *data, size_t size);
/* This state does not restore: nobody shall use it again. */
void guest_state_spoil(struct guest_state *state);
