// SPDX-License-Identifier: MIT
/*
 * Where what failed is to be run again: of results, what failed in each place, and how it was set up there.
 */
#pragma once

#include <jansson.h>

#include "cmd-run-options.h"

/*
 * What failed or was broken in results, as an array of places:
 *   {"kernels": [release, ...], "chosen": ["pids-max/fork", "cpu-limit", ...], "command": [...], "options": {...},
 *    "profile": ..., "locate": bool}
 * "kernels" is null for this machine, "options" is guest_options of the result. Guests that differ in nothing else, and
 * in which the same failed, are one place. Of any JSON: what is missing is left out. NULL without memory.
 */
json_t *failed_places(const json_t *results);

/* Where they run is said anew: places that differ in nothing but the kernel and what failed there become one. */
void failed_merge(json_t *places);

/* Is it a scenario, or a case of one, by name? Nothing that names a directory, a pattern or an option. */
bool failed_is_choice(const char *word);

/* Are these places that could have been made so? Of a file that somebody else may have written. */
bool failed_places_valid(const json_t *places);

/*
 * What was typed, and for the rest what is recorded of a place, which has to live as long. 0, or an exit status after
 * telling. To be freed with failed_options_free().
 */
int failed_options(const struct run_options *typed, const json_t *place, struct run_options *ret);
void failed_options_free(const struct run_options *typed, struct run_options *o);
