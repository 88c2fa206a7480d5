// SPDX-License-Identifier: MIT
/*
 * One scenario, and which of its runs: SCENARIO, SCENARIO/CASE, DIRECTORY/, DIRECTORY/CASE.
 */
#pragma once

#include "plan.h"
#include "select.h"

/* Read the scenario; *ret_rest is what follows its name in the word, NULL for nothing. An exit status after telling. */
int select_one(const char *tree, const char *word, struct selection *ret, const char **ret_rest);

/*
 * The run that is meant: a trigger, of the case or with the name that `rest` says; of all there are where it is NULL.
 * Triggers that set the same are one. `rest` may name any other run as well. EXIT_USAGE after telling what there is.
 */
int select_run(struct plan *plan, const char *word, const char *rest, struct plan_run **ret);
