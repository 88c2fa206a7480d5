// SPDX-License-Identifier: MIT
/*
 * Names of C++ functions as their source has them: by the C++ library, where it is there. A machine that runs C++
 * programs has it; enomem itself does not need it.
 */
#pragma once

#include <stddef.h>

/* Into ret, cut at its end where it is too long. As it is where it is no such name, or nobody is there to read it. */
void demangle(const char *symbol, char *ret, size_t size);
