// SPDX-License-Identifier: MIT
/*
 * Which trigger of a scenario is held. See hold.h.
 */
#include <errno.h>
#include <string.h>

#include "hold.h"
#include "report-text.h"
#include "say.h"

static bool is_meant(const struct plan_run *run, const char *case_name, const char *run_name)
{
	if (run->role != ROLE_TRIGGER || (run_name && strcmp(run->run->name, run_name) != 0))
		return false;
	return !case_name || (run->case_text && !strcmp(run->case_text->name, case_name));
}

static int say_none(const struct plan *plan)
{
	char names[TEXT_MAX] = "";
	(void)say_error(0, "%s: no trigger of this case and name", plan->scenario->name);
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].role == ROLE_TRIGGER)
			text_add(names, sizeof(names), "%s%s", *names ? "; " : "", plan->runs[i].name);
	say_hint("there are: %s", names);
	return EXIT_USAGE;
}

int hold_choose(const struct plan *plan, const char *case_name, const char *run_name, int phase,
		const struct plan_run **ret)
{
	const char *why = NULL, *whose = NULL;
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct plan_run *run = &plan->runs[i];
		if (!is_meant(run, case_name, run_name))
			continue;
		enum hold_phase this_phase = phase >= 0          ? (enum hold_phase)phase
					     : run->expect.stall ? HOLD_AT
								 : HOLD_POST;
		const char *not_this = hold_why_not(plan, run, this_phase);
		if (!not_this) {
			*ret = run;
			return 0;
		}
		if (!why) {
			why = not_this;
			whose = run->name;
		}
	}
	if (!why)
		return say_none(plan);
	(void)say_error(0, "%s: %s: cannot be held here: %s", plan->scenario->name, whose, why);
	return EXIT_ALL_SKIPPED;
}

int hold_no_plan(int error)
{
	if (error != -ENOMEM)
		return EXIT_USAGE;
	(void)say_error(error, "no plan of the scenario could be made");
	return EXIT_BROKEN;
}
