// SPDX-License-Identifier: MIT
/*
 * What a page says of a cause, and which of a run's numbers show it filling up. Only of what is in a stored result.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

struct cause_words {
	const char *counts;  /* what is in use of it: "address space of the program" */
	const char *sample;  /* the column of the samples that is this, or NULL */
	const char *metric;  /* the path in a snapshot that is this, or NULL */
	const char *total;   /* the path of the whole where the metric is what is left of it, or NULL */
	const char *context; /* another column of the same unit that is worth a look beside it, or NULL */
	const char *why;     /* a paragraph */
};
/* NULL for an id that is not known here. */
const struct cause_words *cause_words(const char *id);

/*
 * What a run says of the limit: its cause; where it has none, the predicted one as {"id", "unit", "bound"}, the last
 * only where the run's environment or its settings of the machine tell it. New; NULL where neither is known, or without
 * memory.
 */
json_t *cause_or_predicted(const json_t *run);

/* A path of names in nested objects, "process.vm_size", of a snapshot. */
const json_t *cause_metric(const json_t *snapshot, const char *path);
