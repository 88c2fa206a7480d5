// SPDX-License-Identifier: MIT
/*
 * A command line in JSON. Its words may be any bytes, JSON holds UTF-8.
 */
#pragma once

#include <jansson.h>

/*
 * Set "argv", for people: what is no UTF-8 becomes '?' in it. Where there is such a word "argv_hex" is set as well: all
 * words, each byte as two hexadecimal digits, nothing lost. -ENOMEM
 */
int argv_to_json(json_t *into, char *const *argv);
