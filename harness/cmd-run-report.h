// SPDX-License-Identifier: MIT
/*
 * The end of `enomem run`.
 */
#pragma once

#include "cmd-run-options.h"

/* Store, report and compare results, and keep what failed for --failed. The exit status, after telling what went
 * wrong. */
int run_report(const struct run_options *o, const json_t *results);
