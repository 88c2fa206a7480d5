// SPDX-License-Identifier: MIT
/*
 * What failed, to be run again: of the last run of this user, or of a stored result.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "select.h"

/*
 * Keep the names of the scenarios that failed or were broken in $XDG_STATE_HOME/enomem/failed (~/.local/state where it
 * is not set). Where none was nothing is kept, and what was kept before is forgotten. Who has no such directory, and
 * cannot be given one, does without: 0, or -errno for who wants to know.
 */
int failed_remember(const json_t *results);

/*
 * Select what is kept there (path ""), or what failed in the result stored in path, with a filter as for names. 0, or
 * the exit status after telling: 4 also where nothing failed or nothing is kept, 2 where names were given beside it.
 */
int failed_select(const char *tree, const char *path, size_t named, const struct select_filter *filter,
		  struct selection *ret);
