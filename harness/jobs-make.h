// SPDX-License-Identifier: MIT
/*
 * What a worker does with its job: makes its runs, here or in a guest, or searches for a boundary. And what stands for
 * that where it did not.
 */
#pragma once

#include "jobs-split.h"

/*
 * The judged evidence of the job's runs, in their order; of a search the boundary, alone; to be freed with
 * json_decref(). Runs that are not made any more because of an interrupt are skipped. NULL without memory.
 */
json_t *job_make(const struct jobs *jobs, struct run_context *context, const struct job *job);
/*
 * The same of a job that no worker brought anything back of: every run of it is broken, for the reason given. After an
 * interrupt nothing is known of it, be it that its worker was killed or that there never was one: then it is skipped.
 */
json_t *job_lost(const struct jobs *jobs, const struct job *job, const char *why);
