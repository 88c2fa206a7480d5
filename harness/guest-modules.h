// SPDX-License-Identifier: MIT
/*
 * The modules that guests need, out of a tree as `make modules_install` or a distribution's package leaves it:
 * lib/modules/RELEASE. ci/kernels picks the same ones for the cache.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The tree of a kernel's modules: lib/modules/RELEASE or usr/lib/modules/RELEASE in the image's directory or one above
 * it, so in / at last. What belongs to somebody else than us, root and the image's owner does not count.
 */
bool guest_modules_find(const char *image, const char *release, char *ret, size_t size);

/*
 * Call `found` with the name and the content of each module, those it depends on first. One that is not in the tree is
 * built in, or the guest will say that it is missing. -errno after telling on errors which file cannot be had.
 */
int guest_modules_each(const char *modules, void (*found)(const char *name, const void *data, size_t length, void *to),
		       void *to, FILE *errors);
