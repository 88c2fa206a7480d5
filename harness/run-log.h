// SPDX-License-Identifier: MIT
/*
 * The kernel log of a run: its lines, and whom the OOM killer named in them.
 */
#pragma once

#include "kmsg.h"
#include "run.h"

/* Read what was logged since fd was opened into the record. fd may be -1: then nothing is known. */
void run_read_log(struct run_record *record, int fd);
