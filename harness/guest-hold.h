// SPDX-License-Identifier: MIT
/*
 * The guest's side of `enomem hold --guest`: the same hold as on any machine, its streams over the wire.
 */
#pragma once

#include <jansson.h>

#include "run.h"

/* Hold this run, which was proven in another guest, for the tool that the request names, and tell what came of it. -1
 * after telling that it could not be done. */
int guest_hold(int wire, const json_t *request, const struct run_context *context, const struct plan *plan,
	       const struct plan_run *run);
