// SPDX-License-Identifier: MIT
/*
 * The writers behind report_write(). They are given a result whose shape was checked; write errors stay on the stream.
 */
#pragma once

#include "report.h"

/* 0 or -ENOMEM */
int report_pretty(const json_t *result, const struct report_options *options, FILE *out);
/* The table alone, used by the former. */
int report_table(const json_t *result, const struct report_options *options, bool ascii, FILE *out);
/* version 13 or 14 */
void report_tap(const json_t *result, unsigned version, FILE *out);
