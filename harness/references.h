// SPDX-License-Identifier: MIT
/*
 * The reference results that came with this program, beside its scenarios.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

/*
 * Append all of them, oldest kernel first, and what a guest cannot run, since it has no shell and no interpreter. 0;
 * -ENOENT where there are none, after telling; -EINVAL after telling what is wrong with one.
 */
int references_load(FILE *errors, json_t *results);
