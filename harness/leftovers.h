// SPDX-License-Identifier: MIT
/*
 * What killed runs left behind, undone and told.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Undo what dead harnesses left and say so on stderr; silent when there was nothing. */
void leftovers_undo(void);
/* At the end of an interrupted run: what is left in spite of all, by name, or that everything was taken down. */
void leftovers_tell(void);
/* The same for `enomem recover`, on out; with dry_run only tell. Returns how many things there were, or -errno. */
int leftovers_report(bool dry_run, FILE *out);
