// SPDX-License-Identifier: MIT
/*
 * The writers behind report_write(). They are given results whose shape was checked; write errors stay on the stream.
 */
#pragma once

#include "report.h"

/* 0 or -ENOMEM */
int report_pretty(const json_t *result, const struct report_options *options, FILE *out);
/* The table alone, used by the former. */
int report_table(const json_t *result, const struct report_options *options, bool ascii, FILE *out);
/* Arrays of results and of their labels, see results_labels(). version 13 or 14 */
void report_tap(const json_t *results, const json_t *labels, unsigned version, FILE *out);
void report_junit(const json_t *results, const json_t *labels, FILE *out);

/* Does the scenario's verdict have to be told on its own, because no run carries it? */
bool report_verdict_is_alone(const json_t *scenario);
