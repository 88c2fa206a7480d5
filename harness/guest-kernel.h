// SPDX-License-Identifier: MIT
/*
 * The kernels that guests boot: those that ci/kernels brought into the cache, or a file.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct guest_kernel {
	char name[64];     /* as a user says it: "6.1", or the file's name */
	char release[128]; /* "6.1.0-56-cloud-amd64"; "" when only the guest knows */
	char image[512];   /* vmlinux or bzImage */
	char modules[512]; /* directory with a file "order", or lib/modules/RELEASE; "" for none */
	bool cached;       /* found in the cache, not named by its path */
};

/*
 * Find the kernels meant by "all", by series or releases ("6.1", "5.10,6.12"), or by the path of an image. Sorted by
 * version for "all". 0 with *ret to free(); -ENOENT after telling on errors what is missing and how to get it.
 */
int guest_kernels_find(const char *spec, FILE *errors, struct guest_kernel **ret, size_t *ret_count);

/*
 * Can QEMU load its image? -ENOEXEC when not, with what is wrong in `why`, which names the file and how to have it
 * again; other -errno when it cannot be read: that says nothing against it.
 */
int guest_kernel_check(const struct guest_kernel *kernel, char *why, size_t size);

/* The one that is used when none is named: 6.1 (Debian 12's own), else the newest in the cache. -ENOENT, silently. */
int guest_kernel_default(struct guest_kernel *ret);
/* Is there such a series or release in the cache? Nothing is told. */
bool guest_kernel_cached(const char *name, struct guest_kernel *ret);
