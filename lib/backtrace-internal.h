// SPDX-License-Identifier: MIT
#pragma once

#include "backtrace.h"

/* By libdw; leaves *ret as it is where there is no libdw. */
void backtrace_unwind(pid_t pid, pid_t tid, struct backtrace *ret);
