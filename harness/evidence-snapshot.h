// SPDX-License-Identifier: MIT
/*
 * Snapshots and samples as JSON.
 */
#pragma once

#include <jansson.h>

#include "sampler.h"
#include "snapshot.h"

json_t *evidence_snapshot(const struct snapshot *s);
json_t *evidence_samples(const struct sampler *s);
