// SPDX-License-Identifier: MIT
/*
 * A stored run as commands that a person types: what was set for it, its program in there, and what takes it all away
 * again. Everything is quoted for a shell; whoever shows it as markup escapes it. Of any JSON: what is missing is left
 * out.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

/* Whose run it is. */
struct commands_of {
	const json_t *result, *scenario;
	const json_t *trigger; /* what the run is compared with, or the run itself */
};

/* A script: an array of lines, new; empty where the file does not say what was done. NULL without memory. */
json_t *commands_script(const struct commands_of *of, const json_t *run);

/* What is typed while the program of a run lives: its environment's live changes. As above. */
json_t *commands_live(const struct commands_of *of, const json_t *run);

/* "v1" or "v2", whose files its lines name; NULL where it needs no control group. */
const char *commands_cgroup(const struct commands_of *of, const json_t *run);

/* Do lines of it need root? Is something of the whole machine other than before, while it lasts? */
bool commands_need_root(const json_t *run);
bool commands_change_machine(const json_t *run);

/* Any text as one word of a shell; to be freed. NULL without memory. */
char *commands_word(const char *text);
