// SPDX-License-Identifier: MIT
/*
 * What a program asks its loader for.
 */
#pragma once

#include <stddef.h>

/*
 * The names in DT_NEEDED in their order, each with its NUL: two programs with the same loader and the same names are
 * given the same libraries. Returns the length of all of them, or 0 where more than the names decides (RPATH, RUNPATH
 * and the like), where they do not fit, or where the file makes no sense to us: then only the loader knows.
 */
size_t elf_needs(const char *program, char *ret, size_t size);
