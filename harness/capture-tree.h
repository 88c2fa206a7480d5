// SPDX-License-Identifier: MIT
/*
 * A directory of small files as one piece of memory, to go over a guest's wire: for each file its path, a NUL, its
 * length in decimal, a NUL, its bytes.
 */
#pragma once

#include <stddef.h>

/* All regular files below a directory, in the order of their names; malloc()ed. -errno, -EFBIG beyond 48 MiB */
int capture_tree_pack(const char *directory, char **ret, size_t *ret_length);
/* Make them below a directory that is there. -EBADMSG for what is no such piece of memory, or leaves the directory;
 * -errno, with the path in `at`. */
int capture_tree_unpack(const char *directory, const char *data, size_t length, char *at, size_t size);
