// SPDX-License-Identifier: MIT
/*
 * The list of scenarios by class, for people and for programs.
 */
#pragma once

#include "select.h"

enum list_format { LIST_PRETTY, LIST_JSON, LIST_MARKDOWN, LIST_FORMATS };
extern const char *const list_format_names[LIST_FORMATS];

/* Print to stdout. -EINVAL after telling what is wrong with a manifest on this machine; else -errno. */
int list_scenarios(const struct selection *selection, bool allow_machine, enum list_format format);
