// SPDX-License-Identifier: MIT
/*
 * Runs that cannot happen here and could in a guest. See guests.h.
 */
#include "guests.h"

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "plan-internal.h"

static bool is_skipped(const struct plan *plan, const struct plan_run *run)
{
	return plan->skip || run->skip;
}

/* Of this case, does a run need more than this machine gives? */
static bool case_needs_help(const struct plan *plan, const struct case_text *case_text)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].case_text == case_text && is_skipped(plan, &plan->runs[i]))
			return true;
	return false;
}

bool guests_could_help(const struct plan *plan)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (is_skipped(plan, &plan->runs[i]))
			return true;
	return false;
}

struct help {
	const struct plan *here, *there;
};

/* Runs of a case that moved do not stay here as well. */
static void drop_what_moved(struct plan *plan)
{
	size_t kept = 0;
	for (size_t i = 0; i < plan->run_count; i++) {
		bool moved = false;
		for (size_t k = 0; k < plan->run_count; k++)
			moved |= plan->runs[k].world && plan->runs[k].case_text == plan->runs[i].case_text;
		if (moved && !plan->runs[i].world)
			plan_run_free(&plan->runs[i]);
		else
			plan->runs[kept++] = plan->runs[i];
	}
	plan->run_count = kept;
}

/* A case is proven in one place: control, trigger and remedies of it move together, if the guest can make any more. */
static bool moves(const struct plan_run *run, void *data)
{
	const struct help *help = data;
	if (!case_needs_help(help->here, run->case_text))
		return false;
	for (size_t i = 0; i < help->here->run_count; i++) {
		const struct plan_run *here = &help->here->runs[i];
		if (here->case_text != run->case_text || !is_skipped(help->here, here))
			continue;
		for (size_t k = 0; k < help->there->run_count; k++)
			if (help->there->runs[k].run == here->run &&
			    help->there->runs[k].case_text == here->case_text &&
			    !is_skipped(help->there, &help->there->runs[k]))
				return true;
	}
	return false;
}

static bool is_marked(const struct plan_run *run, void *data)
{
	(void)data;
	return run->world != NULL;
}

/* The end of a reason changes: a kernel is not what is missing. As it was without memory. */
__attribute__((format(printf, 2, 3))) static void change_advice(char **skip, const char *format, ...)
{
	const char *text = *skip ? *skip : "", *advice = strstr(text, " (ci/kernels");
	auto_free char *end = NULL;
	char *told = NULL;
	va_list args;
	if (!strstr(text, "needs a guest") && !strstr(text, "or a guest"))
		return;
	va_start(args, format);
	int r = vasprintf(&end, format, args);
	va_end(args);
	if (r < 0) {
		end = NULL;
		return;
	}
	if (asprintf(&told, "%.*s; %s", (int)(advice ? advice - text : (ptrdiff_t)strlen(text)), text, end) < 0)
		return;
	free(*skip);
	*skip = told;
}

static void tell_why(char **skip, const struct guest_site *site, const char *why)
{
	change_advice(skip, "kernel %s: no guest: %s", site->kernel.name, why);
}

/* Of what is skipped here for want of a guest, and would be in the one there is: why there. */
static void tell_what_guest_lacks(const struct guest_site *site, const struct plan *there, struct plan *plan)
{
	if (there->skip)
		change_advice(&plan->skip, "in one of %s: %s", site->kernel.name, there->skip);
	for (size_t i = 0; i < plan->run_count; i++) {
		struct plan_run *here = &plan->runs[i];
		const char *lacks = there->skip;
		for (size_t k = 0; k < there->run_count && !lacks; k++)
			if (there->runs[k].run == here->run && there->runs[k].case_text == here->case_text)
				lacks = there->runs[k].skip;
		if (lacks)
			change_advice(&here->skip, "in one of %s: %s", site->kernel.name, lacks);
	}
}

static void tell_why_all(const struct guest_site *site, const char *why, struct plan *plan)
{
	tell_why(&plan->skip, site, why);
	for (size_t i = 0; i < plan->run_count; i++)
		tell_why(&plan->runs[i].skip, site, why);
}

void guests_tell_why(const struct guest_site *site, struct plan *plan)
{
	tell_why_all(site, site->why, plan);
}

int guests_help(struct guest_site *site, const struct scenario *scenario, FILE *errors, struct plan *plan)
{
	struct plan *there = NULL;
	char why[PATH_MAX + 256];
	if (guests_lacks_brought(site, scenario, why, sizeof(why)) ||
	    (scenario->bring.count == 0 && guests_is_too_large(site, scenario, why, sizeof(why)))) {
		tell_why_all(site, why, plan);
		return 0;
	}
	int r = guests_plan(site, scenario, errors, &there);
	if (r < 0)
		return r;
	/* The question is asked of the plans as they were: grafting changes both. */
	auto_free bool *move = calloc(there->run_count + 1, sizeof(bool));
	struct help help = {plan, there};
	for (size_t i = 0; move && i < there->run_count; i++)
		move[i] = moves(&there->runs[i], &help);
	for (size_t i = 0; move && i < there->run_count; i++)
		if (!move[i])
			there->runs[i].world = NULL;
	tell_what_guest_lacks(site, there, plan);
	r = move ? plan_graft(plan, there, is_marked, NULL) : -ENOMEM;
	if (r == 0)
		drop_what_moved(plan);
	plan_free(there);
	return r;
}
