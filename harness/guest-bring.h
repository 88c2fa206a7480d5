// SPDX-License-Identifier: MIT
/*
 * What a guest's image holds besides: a program of the user's with what it links to and what interprets it, and files.
 */
#pragma once

#include <stddef.h>

#define GUEST_BRING_MAX 32

struct guest_bring {
	const char *path[GUEST_BRING_MAX]; /* absolute; a directory stands for all that is in it */
	size_t count;
};

/* -E2BIG after telling */
int guest_bring_add(struct guest_bring *b, const char *path);

/* Call `found` with every file, each interpreter that a script names on its first line included. */
int guest_bring_each(const struct guest_bring *b, void (*found)(const char *path, void *data), void *data);

/* Where a program is, as execvp(3) looks for it; a malloc()ed absolute path, NULL where there is none. */
char *guest_bring_find(const char *name);
