// SPDX-License-Identifier: MIT
/*
 * Which scenarios are meant: all of the tree, some by name, or directories anywhere.
 */
#pragma once

#include "manifest.h"

struct selection {
	struct scenario **item;
	size_t count;
};

/*
 * Read the manifests of the named scenarios ("pids-max"), directories (anything with a '/'), or all of the tree when
 * none is named. `tree` is --scenarios, or NULL for the tree this program belongs to. -EINVAL after telling what is
 * wrong; -ENOENT likewise for an unknown name.
 */
int select_scenarios(const char *tree, char *const *names, size_t count, struct selection *ret);
/* All of the tree whose manifests are right; the others are passed over in silence. -ENOENT, -ENOMEM */
int select_readable(const char *tree, struct selection *ret);
void selection_free(struct selection *s);

/* Absolute path of this program, or NULL. */
const char *select_self(void);
/* The program that guests run: enomem-guest where it was built, else this one. */
const char *select_guest_self(void);
