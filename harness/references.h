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

/*
 * Scenarios that name no class, as those of references, get title and class of the scenario of that name in the tree
 * (NULL: that of this program). What is not there, or cannot be read, stays as it is.
 */
void references_classify(const char *tree, const json_t *results);
