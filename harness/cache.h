// SPDX-License-Identifier: MIT
/*
 * Where kernels and booted guests are kept between runs: ENOMEM_CACHE_DIR, else XDG_CACHE_HOME/enomem, else
 * ~/.cache/enomem. ci/kernels follows the same rule.
 */
#pragma once

#include <stddef.h>

/* "<cache>/SUB" as a path, made with mode 0700 where it is missing. -ENOENT without a home, -EPERM when it belongs to
 * somebody else, -errno */
int cache_directory(const char *sub, char *ret, size_t size);
/* The same without making anything. */
int cache_path(const char *sub, char *ret, size_t size);
