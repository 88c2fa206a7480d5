// SPDX-License-Identifier: MIT
/*
 * How runs are getting on where no line can be drawn again and again: one line on stderr for each scenario that is
 * done.
 */
#pragma once

#include "jobs-split.h"

/* After a job has ended: of its plans those that are done now, of so many jobs in all. Nothing where jobs->tell is not
 * set. */
void jobs_tell_done(const struct jobs *jobs, const struct job *job, size_t count, const struct job *ended);

/* The judged runs of one plan, in its order, from the jobs they were made in. */
json_t *jobs_gather(const struct plan *plan, size_t number, const struct job *job, size_t count);
