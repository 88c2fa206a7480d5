// SPDX-License-Identifier: MIT
/*
 * The modules that guests need, out of a tree as `make modules_install` or a distribution's package leaves it:
 * lib/modules/RELEASE. ci/kernels picks the same ones for the cache.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/*
 * The tree of a kernel's modules: lib/modules/RELEASE or usr/lib/modules/RELEASE in the image's directory or one above
 * it, so in / at last. What belongs to somebody else than us, root and the image's owner, or others may write to, or is
 * reached by a link from there, does not count; the first two are told on errors. -ENOENT where there is none; other
 * -errno, told, when it cannot be found out.
 */
int guest_modules_find(const char *image, const char *release, char *ret, size_t size, FILE *errors);

/*
 * Call `found` with the name and the content of each module, those it depends on first. One that is not in the tree is
 * built in, or the guest will say that it is missing. Files and directories must belong to us, root or the tree's
 * owner. -errno after telling on errors which file cannot be had.
 */
int guest_modules_each(const char *modules, void (*found)(const char *name, const void *data, size_t length, void *to),
		       void *to, FILE *errors);
