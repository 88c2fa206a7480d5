// SPDX-License-Identifier: MIT
/*
 * SHA-256 (FIPS 180-4), as a page's Content-Security-Policy names the scripts that may run.
 */
#pragma once

#include <stddef.h>

#define SHA256_BASE64 45 /* with the NUL */

/* The digest of a text in base64. Returns ret. */
char *sha256_base64(const char *text, size_t length, char ret[SHA256_BASE64]);
