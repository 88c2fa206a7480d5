// SPDX-License-Identifier: MIT
/*
 * Files that are there as a whole or not at all.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Writes a file's content: 0 or -errno. Errors that stay on the stream need not be told. */
typedef int store_writer(FILE *out, void *data);

/*
 * Store atomically (temporary file beside it, fsync, rename): a full disk loses nothing, and nothing is left. What is
 * there and no ordinary file (a pipe, /dev/stdout) is written into. -errno
 */
int store_file(const char *path, store_writer *writer, void *data);

/* Would storing at `path` replace this file, which is there, under whatever name? */
bool store_replaces(const char *path, const char *file);
