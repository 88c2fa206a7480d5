// SPDX-License-Identifier: MIT
/*
 * A stored result as the command that makes it again.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/*
 * The words behind "enomem run" and before the scenario, an array of strings, new: the guest's kernel and how guests
 * were set up, parameters, settings. What is as by default is left out. Of any JSON. NULL without memory.
 */
json_t *replay_words(const json_t *result);

/* Was a file or directory of settings given (--profile)? Else its label is made of single settings. */
bool replay_has_profile(const json_t *result);
