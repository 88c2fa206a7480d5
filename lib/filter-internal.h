// SPDX-License-Identifier: MIT
/*
 * Between the files that build a run's filter.
 */
#pragma once

#include "filter.h"

/* To be written before the rest, which it falls through to. -errno */
int filter_write_confined(int fd, bool with_ia32);

/*
 * What `write_filter` (a descriptor; 0 or -errno) writes, in a memfd. libseccomp does not bear a lack of memory: where
 * an allocation of its own fails it may free twice, or leave calls out of the filter and say nothing. So it works in a
 * process of its own, twice, and what came out must be the same. -errno, -ENOMEM where it did not survive or was of two
 * minds.
 */
int filter_build_apart(int (*write_filter)(int fd), int *ret_fd);
