// SPDX-License-Identifier: MIT
/*
 * What the parts of guest-modules.h share.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#define MODULE_BYTES (UINT64_C(64) << 20) /* of one module, unpacked */

/* What is loaded must be nobody else's to write: it is `owner`'s, ours or root's. */
bool modules_trusted(const struct stat *st, uid_t owner);

/*
 * A file in memory with what the unpacker ("xz", "zstd", "gzip") makes of `from`; `shown` is the file's name. -errno
 * after telling on errors: -EINTR when it was interrupted, -EBADMSG when it says that it cannot.
 */
int modules_unpack(const char *unpacker, int from, const char *shown, FILE *errors);
