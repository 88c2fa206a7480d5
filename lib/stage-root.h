// SPDX-License-Identifier: MIT
/*
 * Another root directory for the program of a run, with this machine's /proc, /sys and /dev in it.
 */
#pragma once

#include "stage.h"

/* In the run's own mount namespace, before any limit is set: mount what programs expect where the directory has a place
 * for it. -errno, with what could not be done in ret_step */
int stage_root_prepare(const char *root, char *ret_step, size_t size);
/* The last that is done as the user we are: from here on the program's root is `root`, and it is in it. -errno */
int stage_root_enter(const char *root);
