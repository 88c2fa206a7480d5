// SPDX-License-Identifier: MIT
/*
 * What a kernel's image says of itself, before it is booted: whether QEMU can load it, and its release.
 */
#pragma once

#include <stddef.h>

#define KERNEL_RELEASE_MAX 128

/*
 * A whole image: a bzImage (Documentation/arch/x86/boot.rst) or an x86-64 vmlinux with a PVH entry. 0 with its release,
 * "" where it says none; -ENOEXEC with what is wrong with it in `why`.
 */
int kernel_image_parse(const void *data, size_t length, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size);
/* The same of a file, which may be rewritten meanwhile; other -errno when it cannot be read, and `why` says so. */
int kernel_image_read(const char *path, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size);
