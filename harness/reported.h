// SPDX-License-Identifier: MIT
/*
 * What a refused program made of it: "popen: Cannot allocate memory", in its own words.
 */
#pragma once

#include <jansson.h>

/*
 * One text: the first line that tells an error as perror(3) does, as {"called": "popen", "errno": "ENOMEM", "more":
 * what follows, if anything}. NULL when no line does.
 */
json_t *reported_in(const char *text);

/* What a run of a result or a reference reported, a new reference; NULL when it did not. */
json_t *reported_by(const json_t *run);
