// SPDX-License-Identifier: MIT
/*
 * What reports and comparisons of several results share.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The kernel series "6.1" of a result; its whole release where that does not begin so. Fills buf and returns it. */
char *result_series(const json_t *result, char *buf, size_t size);

/* Why something was skipped, without the one thing in it that varies: the exact release becomes the series. */
json_t *result_stable_reason(const json_t *result, const char *reason);

/* "6.1 v2", and the profile if that is wanted: what results of two files are paired by. */
char *result_key(const json_t *result, bool with_profile, char *buf, size_t size);

/* A run and the host of its result: what a bound has to be seen against. */
struct bounded {
	const json_t *host, *run;
};

/*
 * Are two bounds of the same cause the same limit? They are when they are equal, or when only the machine's RAM
 * differs: limits that the kernel derives from RAM in proportion to it, and limits that were set to the same share of
 * it (a whole tenth of a percent).
 */
bool same_bound(const struct bounded *a, const struct bounded *b);

/* One comparison under way: where its lines go, and how many there were. */
struct comparison {
	FILE *out;
	const char *name_a, *name_b;
	const char *kernel; /* before each line, where several are compared */
	const json_t *host_a, *host_b;
	bool selected_only;
	const json_t *partly; /* of scenarios with these names only some runs were asked for; NULL */
	int differences;
};

/* The beginning of a line that tells a difference: "scenario: run: ". */
void compare_begin(struct comparison *c, const char *scenario, const char *run);
void compare_verdict(struct comparison *c, const char *scenario, const char *run, const json_t *a, const json_t *b);
/* Objects of an array by their name; borrowed. NULL without memory. */
json_t *compare_index(const json_t *list);

/*
 * Boundaries that were located on both sides: they moved when they are not where they were as seen from their
 * predictions, which know of the machine's size and settings. 0 or -ENOMEM
 */
int compare_boundaries(struct comparison *c, const char *scenario, const json_t *a, const json_t *b);

/* What moved between two results, or a result and a reference. 0 or -ENOMEM; see differences. */
int compare_pair(struct comparison *c, const json_t *a, const json_t *b);
