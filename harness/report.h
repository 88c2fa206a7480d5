// SPDX-License-Identifier: MIT
/*
 * A result (JSON, see results/schema.json) written for people and for machines, and two results compared.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum report_format { FORMAT_PRETTY, FORMAT_TAP, FORMAT_TAP13, FORMAT_JSON, FORMAT_COUNT };
extern const char *const report_format_names[FORMAT_COUNT]; /* "pretty", "tap", "tap13", "json" */

struct report_options {
	bool colour;
	bool verbose;   /* pretty: every run and every check */
	unsigned width; /* pretty: columns of the terminal, 0 when there is none (then 120) */
};

/* Write a result. 0, -EINVAL when it is no result, -EIO or the errno when out could not be written (the stream is
 * flushed). */
int report_write(enum report_format format, const json_t *result, const struct report_options *options, FILE *out);

/* Read and validate a stored result: -EINVAL with file:line:column and reason on errors; -errno likewise when it cannot
 * be read. */
int result_load(const char *path, FILE *errors, json_t **ret);
/* Validate the shape of a result already parsed; messages name the JSON path of what is wrong. 0 or -EINVAL. */
int result_check(const json_t *result, const char *name, FILE *errors);
/* Store atomically (temporary file beside it, fsync, rename): a full disk loses nothing. -errno */
int result_store(const char *path, const json_t *result);

/*
 * What moved between two results: verdicts, causes, outcomes, boundaries (with both numbers), new and lost scenarios
 * and runs. Times, pids and addresses are noise and never show. Returns the number of differences written to out, or
 * -ENOMEM.
 */
int compare_results(const json_t *a, const json_t *b, const char *name_a, const char *name_b, FILE *out);
