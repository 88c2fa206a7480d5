// SPDX-License-Identifier: MIT
/*
 * Runs in guests, as the harness sees them: a world is one kernel set up in one way, every job gets a guest of its own
 * in it.
 */
#pragma once

#include <jansson.h>

#include "guest-state.h"
#include "plan.h"
#include "profile.h"
#include "run.h"

struct guest_world {
	struct guest_state *state;
	char cgroup[4];                /* "v2", "v1" */
	uint64_t swap_bytes;           /* that the guest has from the start */
	const struct profile *profile; /* sysctls to set; may be NULL */
	struct machine machine;        /* what the guest is, once guest_world_probe() found out */
};

/*
 * What guests are set to before the user's own sysctls, as profile_json() has it: with an emulated CPU the default
 * 65,530 areas take seconds to reach, so that vm.max_map_count is 4,096 there.
 */
json_t *guest_default_sysctls(const struct guest_state *state);

/* Start a guest of this world to see what it is. -errno, with the reason in `why`. */
int guest_world_probe(struct guest_world *world, char *why, size_t size);

/*
 * Execute runs, of one scenario or several, each in the world it was planned for (they all have the same). A guest that
 * panics, hangs, is killed or talks garbage costs the run it was at; the others are made in a new one. Returns their
 * judged evidence in the order of `runs`, NULL without memory.
 */
json_t *guest_execute(const struct run_context *context, const struct guest_world *world,
		      const struct plan_run *const *runs, size_t count);
