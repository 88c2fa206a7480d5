// SPDX-License-Identifier: MIT
/*
 * Booted states: a kernel is booted once, up to where its init waits for a job, and saved; every machine-scope run
 * starts from a copy. They lie in the cache under a name made of everything they depend on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guest-cargo.h"
#include "guest-image.h"
#include "guest-kernel.h"
#include "guest-root.h"
#include "guest-vm.h"

/* The least in which all scenarios can be made. */
#define GUEST_MEMORY_DEFAULT (UINT64_C(288) << 20)

struct guest_options {
	uint64_t memory_bytes;
	unsigned cpus;
	char append[256];                /* to the kernel's command line */
	bool cold;                       /* never save, never restore */
	const struct guest_cargo *cargo; /* what guests find on their disk; may be NULL */
	const struct guest_root *root;   /* a third disk; NULL for none */
	const atomic_bool *interrupted;  /* give up when it becomes true; may be NULL */
	bool keep_booted;                /* the guest that was booted to be saved is the first that is started */
};

struct guest_state {
	struct guest_kernel kernel;
	struct guest_options options;
	struct guest_image image;
	char qemu[512];
	char firmware[512]; /* of an emulated machine; "" for QEMU's own */
	bool kvm;
	char directory[512];     /* "" when there is no saved state: guests are booted */
	char why_cold[300];      /* then: why */
	uint64_t saved;          /* which of the states that were made under this name was used last */
	unsigned boots;          /* how often it took to boot, 0 when the state was there */
	uint64_t boot_ns;        /* how long the last boot took, 0 likewise */
	struct vm spare;         /* with keep_booted: the guest that was saved, paused, until somebody starts one */
	atomic_int *spare_taker; /* the process that did, 0 for none yet; shared with children. NULL without a spare */
};

/*
 * Find the saved state of a kernel, or boot it and save it. The image is taken over. Boots that hang are repeated.
 * Notes that people should read (no KVM, a boot repeated, no state) go through say_note(). -ENOENT without QEMU, -EINTR
 * when interrupted, -ENOTSUP when the kernel lacks what no run can do without, else -errno when the kernel does not
 * boot: `why` tells, with the console's last lines.
 */
int guest_state_open(const struct guest_kernel *kernel, const struct guest_options *options, struct guest_image *image,
		     struct guest_state *ret, char *why, size_t size);
void guest_state_close(struct guest_state *state);
/* A child is gone that may have started a guest: the one it was given, if it was the one that had been booted, ends. */
void guest_state_taker_ended(struct guest_state *state, pid_t pid);

/* Start a guest: restored when there is a state and cold is false, or the one that was saved, if it is still to be had.
 * A cold one has said WIRE_READY when this returns.
 * -errno, with the reason in `why` */
int guest_state_start(struct guest_state *state, bool cold, struct vm *ret, char *why, size_t size);
/* What a guest said with WIRE_READY, as guest_state_recall() knows it. */
#define GUEST_STATE_READY "ready"
/* Small things that are known of a state, kept beside it: bytes of exactly this size. -ENOENT */
int guest_state_recall(const struct guest_state *state, const char *name, void *ret, size_t size);
void guest_state_remember(const struct guest_state *state, const char *name, const void *data, size_t size);
/*
 * The state that was started last does not restore: boot and save again, unless another process just did so. -errno
 * when that fails or there is nowhere to save: guests are to be booted then.
 */
int guest_state_renew(struct guest_state *state);
