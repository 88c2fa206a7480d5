// SPDX-License-Identifier: MIT
/*
 * Between the files that build a run's filter.
 */
#pragma once

#include "filter.h"

/* To be written before the rest, which it falls through to. -errno */
int filter_write_confined(int fd, bool with_ia32);
