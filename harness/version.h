// SPDX-License-Identifier: MIT
/*
 * What this program is made of, for bug reports and for whoever compares results of two machines.
 */
#pragma once

#include <stdio.h>

/* The commit it was built from, "" where that is not known; a '+' after it: with changes. Of a file made by each build.
 */
extern const char enomem_commit[];

/* One JSON object. -errno after telling what went wrong. */
int version_write_json(const char *commit, FILE *out);
