// SPDX-License-Identifier: MIT
/*
 * The guests of one `enomem run`: kernels chosen, images packed, states found or made, and plans made for what the
 * guests turn out to be.
 */
#pragma once

#include "guest-bring.h"
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
	const struct guest_bring *bring; /* what images hold besides; NULL */
};

/* One kernel. */
struct guest_site {
	struct guest_kernel kernel;
	struct guest_state state;
	struct guest_world world, other; /* of the cgroup version asked for, and of the other one */
	uint64_t image_bytes;
	bool usable, other_known;
	bool interrupted; /* before it was usable: it may well be another time */
	char why[1200];   /* when it is not usable */
	const struct guests_options *options;
	uint64_t memory_bytes;     /* not the options'; 0: theirs */
	struct guest_site *larger; /* the same with more RAM, for what a scenario brings; NULL until it is wanted */
};

struct guests {
	struct guest_site *site;
	size_t count;
	struct guest_cargo *cargo; /* the scenarios that were selected */
};

/*
 * Get every guest ready, several at once where that saves time. -ENOENT, -EINVAL after telling when there is no such
 * kernel at all, -EEXIST after telling that two of the scenarios have one name; a kernel that does not boot is a site
 * that is not usable.
 */
int guests_open(const struct guests_options *options, const struct selection *selection, struct guests *ret);
void guests_close(struct guests *guests);

/* Plan a scenario for a site. As plan_make(). */
int guests_plan(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan **ret);
/* Do a scenario's files leave no room in the guest's memory? `why` says what to do about it. */
bool guests_is_too_large(const struct guest_site *site, const struct scenario *scenario, char *why, size_t size);
/* Could what a scenario brings not be packed? `why` says for what reason. */
bool guests_lacks_brought(const struct guest_site *site, const struct scenario *scenario, char *why, size_t size);
/* Let a site make those runs of a plan for this machine that cannot happen here. As plan_make(). */
int guests_help(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan *plan);
/* The same where the site is not usable: what is skipped for want of a guest says why there is none. */
void guests_tell_why(const struct guest_site *site, struct plan *plan);
/* Is there such a run in this plan? */
bool guests_could_help(const struct plan *plan);

/*
 * Of a site that was interrupted: what its machine would have been, as the site's own; its host block, without what
 * only the guest could have told; and a plan of which every run is skipped for that reason. As plan_make().
 */
void guests_imagine(struct guest_site *site, const struct machine *here);
json_t *guests_imagined_host(const struct guest_site *site);
int guests_plan_imagined(const struct guest_site *site, const struct scenario *scenario, FILE *errors,
			 struct plan **ret);
