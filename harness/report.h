// SPDX-License-Identifier: MIT
/*
 * Results (JSON, see results/schema.json) written for people and for machines, stored, merged and compared.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

enum report_format {
	FORMAT_PRETTY,
	FORMAT_TAP,
	FORMAT_TAP13,
	FORMAT_JSON,
	FORMAT_JUNIT,
	FORMAT_MARKDOWN,
	FORMAT_COUNT
};
/* "pretty", "tap", "tap13", "json", "junit", "markdown" */
extern const char *const report_format_names[FORMAT_COUNT];

struct report_options {
	bool colour;
	bool verbose;     /* pretty: every run and every check */
	bool interrupted; /* tap: it bails out, since what was not run looks like what is skipped */
	unsigned width;   /* pretty: columns of the terminal, 0 when there is none (then 120) */
};

/* Write a result. 0, -EINVAL when it is no result, -EIO or the errno when out could not be written (the stream is
 * flushed). */
int report_write(enum report_format format, const json_t *result, const struct report_options *options, FILE *out);
/*
 * Write several results, one per kernel, as one document: pretty and markdown are a table of scenarios and kernels,
 * json is one result per line, tap is one stream and junit one file in which the kernel is part of each name. One
 * result is written as report_write() does. The tables take references as well. Same errors.
 */
int report_write_set(enum report_format format, json_t *const *results, size_t count,
		     const struct report_options *options, FILE *out);

/* Read and validate a stored result: -EINVAL with file:line:column and reason on errors; -errno likewise when it cannot
 * be read. */
int result_load(const char *path, FILE *errors, json_t **ret);
/* The same of a file that may hold several results or references, one after another: an array of at least one. */
int results_load(const char *path, FILE *errors, json_t **ret);
/* Validate the shape of a result already parsed; messages name the JSON path of what is wrong. 0 or -EINVAL. */
int result_check(const json_t *result, const char *name, FILE *errors);
/* The same of a result or a reference. */
int result_check_any(const json_t *result, const char *name, FILE *errors);
/* Store atomically (temporary file beside it, fsync, rename): a full disk loses nothing. -errno */
int result_store(const char *path, const json_t *result);
/* The same of several: one to a line. */
int results_store(const char *path, json_t *const *results, size_t count);
/* One JSON value, by jansson's flags: json_dumpf() hands every token to the stream on its own. 0, -EIO, -ENOMEM */
int result_write(const json_t *json, size_t flags, FILE *out);
/* As they are stored: one indented, several one to a line. 0 or -EIO. */
int results_dump(json_t *const *results, size_t count, FILE *out);

/*
 * The stable part of a result, a reference to keep in version control: names, verdicts, outcomes, causes, checks; no
 * number that varies, in canonical order. NULL without memory.
 */
#define REFERENCE_SCHEMA "enomem-reference/1"
json_t *result_stable(const json_t *result);
bool result_is_reference(const json_t *result);

/* What tells the results of an array apart in a heading, as an array of texts: "6.1", the whole release where two are
 * of one series, and the cgroup version and profile where they differ. NULL without memory. */
json_t *results_labels(const json_t *results);

/*
 * Join results of the same kernel and options into one result each; the order of first appearance stays. Scenarios that
 * differ in their verdict are told on errors. 0, -EEXIST when there were such, -EINVAL for a reference, -ENOMEM.
 */
int results_merge(const json_t *results, FILE *errors, json_t **ret);

/*
 * What moved between two results: verdicts, causes, outcomes, boundaries (with both numbers), new and lost scenarios
 * and runs. Times, pids and addresses are noise and never show, nor do bounds that moved only as the machine's RAM did.
 * Where one is a reference, what references hold is compared. Returns the number of differences written to out, or
 * -ENOMEM.
 */
int compare_results(const json_t *a, const json_t *b, const char *name_a, const char *name_b, FILE *out);
/* The same of two arrays of results, paired by kernel and cgroup version; of one each, whatever they are. */
int compare_sets(const json_t *a, const json_t *b, const char *name_a, const char *name_b, FILE *out);
/* A stored baseline: a file of results, or a directory with <series>.json in it. */
struct baseline {
	const char *path;
	json_t *stored; /* NULL: a directory, whose files are read when it is known which */
};

/* Before anything runs that is to be compared. The path has to live as long. -errno after a message on stderr */
int baseline_open(const char *path, struct baseline *ret);
void baseline_close(struct baseline *b);
/*
 * What moved from a baseline to this result. Of several results the one of the same kernel series and cgroup version is
 * taken. With selected_only, scenarios that only the baseline has are not told: they were not asked for; nor are runs
 * that only it has of those whose names are keys of `partly` (NULL for none). The number of differences, or -errno
 * after a message on stderr.
 */
int baseline_compare(const json_t *result, const struct baseline *b, bool selected_only, const json_t *partly,
		     FILE *out);
