// SPDX-License-Identifier: MIT
/*
 * The guests of one `enomem run`: kernels chosen, images packed, states found or made, and plans made for what the
 * guests turn out to be.
 */
#pragma once

#include "guest.h"
#include "select.h"

/* What the user asked of guests. */
struct guests_options {
	const char *kernels; /* --guest; NULL: the default kernel, if there is one */
	struct guest_options machine;
	const char *cgroup; /* "v2" or "v1": what guests have where a scenario does not ask for the other */
	uint64_t swap_bytes;
	struct profile profile;
	unsigned at_once;
	const char *tree; /* --scenarios */
};

/* One kernel. */
struct guest_site {
	struct guest_kernel kernel;
	struct guest_state state;
	struct guest_world world, other; /* of the cgroup version asked for, and of the other one */
	bool usable, other_known;
	char why[1200]; /* when it is not usable */
};

struct guests {
	struct guest_site *site;
	size_t count;
	struct selection all; /* what the images hold */
};

/*
 * Get every guest ready, several at once where that saves time. -ENOENT, -EINVAL after telling when there is no such
 * kernel at all; a kernel that does not boot is a site that is not usable.
 */
int guests_open(const struct guests_options *options, const struct selection *selection, struct guests *ret);
void guests_close(struct guests *guests);

/* Plan a scenario for a site. As plan_make(). */
int guests_plan(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan **ret);
/* Let a site make those runs of a plan for this machine that cannot happen here. As plan_make(). */
int guests_help(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan *plan);
/* Is there such a run in this plan? */
bool guests_could_help(const struct plan *plan);
