// SPDX-License-Identifier: MIT
/*
 * -p KEY=VALUE: what a scenario's manifest says of the environment, said anew on the command line, in the manifest's
 * words and read by its parser.
 */
#pragma once

#include <jansson.h>

#include "manifest.h"

#define PARAMETERS_MAX 16

struct parameter {
	char map[24]; /* "rlimit"; "" for a key that stands for itself, such as cpus */
	char key[128], value[128];
	bool either; /* a sysctl that is kept per namespace as well, and was not said which is meant */
};

struct parameters {
	struct parameter item[PARAMETERS_MAX];
	size_t count;
};

/* Read "memory.max=64M" or "rlimit.as=32M" and keep it. -EINVAL after telling on errors what is wrong, -E2BIG likewise.
 */
int parameters_add(struct parameters *p, const char *text, FILE *errors);

/*
 * For a program in the scenario's place: every run gets them, whatever the manifest says, and reaches as far as they do
 * (a sysctl: the whole machine). -ENOMEM
 */
int parameters_set(const struct parameters *p, struct scenario *s);

/*
 * For the scenario's own program: each takes the place of what a trigger has, in triggers and wherever else that value
 * stands; controls and remedies that say another one keep it. -EINVAL after telling that no trigger has it; -ENOMEM
 */
int parameters_replace(const struct parameters *p, struct scenario *s, FILE *errors);

/* What parameters_replace() can replace in a scenario, as "KEY=", one a line and each once. */
void parameters_print(const struct scenario *s, FILE *out);

/* There and back, for guests. -EBADMSG */
json_t *parameters_json(const struct parameters *p);
int parameters_from_json(const json_t *json, struct parameters *ret);
