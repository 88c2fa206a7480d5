// SPDX-License-Identifier: MIT
/*
 * What commands that run something need before: the filter of the witness, and a journal of what is made.
 */
#pragma once

#include "run.h"

/*
 * Both are the caller's then, and in *ret; a machine where nothing can be watched for another reason needs no filter.
 * 0; -errno after telling what cannot be had, nothing is open then.
 */
int run_open(const struct machine *m, struct journal *journal, int *ret_filter_fd, struct run_context *ret);
