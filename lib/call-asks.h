// SPDX-License-Identifier: MIT
/*
 * Calls that no lack of anything can refuse: those that ask for nothing, and those whose arguments the kernel refuses
 * whatever there is. Told from the arguments alone, as the 64-bit call has them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "calls.h"

/* May the kernel lack what this call asks for? A break is asked for elsewhere: only who follows it knows. */
bool call_asks(const struct call_info *call, const uint64_t args[6]);

/* The descriptor that is looked up before anything else; false: it names none. */
bool call_names_descriptor(const struct call_info *call, const uint64_t args[6], int *ret_fd);
