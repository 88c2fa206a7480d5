// SPDX-License-Identifier: MIT
/*
 * What failed, to be run again: of the last run of this user, or of a stored result.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "select.h"

/*
 * Keep the places (failed-place.h) in which something failed or was broken in $XDG_STATE_HOME/enomem/failed
 * (~/.local/state where it is not set). Where nothing did nothing is kept, and what was kept before is forgotten. Who
 * has no such directory, and cannot be given one, does without: 0, or -errno for who wants to know.
 */
int failed_remember(const json_t *results);

/*
 * The places that are kept there (path ""), or those of the result stored in path; none where nothing failed or nothing
 * is kept. elsewhere: where they run is said anew, failed_merge(). 0, or the exit status after telling: 2 also where
 * names were given beside it.
 */
int failed_load(const char *path, size_t named, bool elsewhere, json_t **ret);

/*
 * Select what failed in a place, with a filter as for names; the place has to live as long. 0, or an exit status: 4
 * where none of it is among the scenarios, which is told.
 */
int failed_select(const char *tree, const json_t *place, const struct select_filter *filter, struct selection *ret);
