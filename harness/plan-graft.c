// SPDX-License-Identifier: MIT
/*
 * One plan from two: what cannot happen on this machine is planned for a guest, and a guest with cgroup v1 serves those
 * runs that need it.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "plan-internal.h"

/* The manifest's order: cases, and within each the runs. */
static int by_place(const void *a, const void *b)
{
	const struct plan_run *x = a, *y = b;
	if (x->case_text != y->case_text)
		return x->case_text < y->case_text ? -1 : 1;
	return x->run < y->run ? -1 : x->run > y->run;
}

static struct plan_run *place_for(struct plan *into, const struct plan_run *run)
{
	for (size_t i = 0; i < into->run_count; i++)
		if (into->runs[i].case_text == run->case_text && into->runs[i].run == run->run) {
			plan_run_free(&into->runs[i]);
			return &into->runs[i];
		}
	return &into->runs[into->run_count++];
}

int plan_graft(struct plan *into, struct plan *from, bool (*wanted)(const struct plan_run *run, void *data), void *data)
{
	size_t kept = 0;
	bool any = false;
	struct plan_run *runs =
		reallocarray(into->runs, into->run_count + from->run_count + 1, sizeof(struct plan_run));
	if (!runs)
		return -ENOMEM;
	into->runs = runs;
	for (size_t i = 0; i < from->run_count; i++) {
		if (!wanted(&from->runs[i], data)) {
			from->runs[kept++] = from->runs[i];
			continue;
		}
		*place_for(into, &from->runs[i]) = from->runs[i];
		any = true;
	}
	from->run_count = kept;
	if (!any)
		return 0;
	qsort(into->runs, into->run_count, sizeof(struct plan_run), by_place);
	/* What kept all of it from running need not keep these. Each other run still has its own reason. */
	freep(&into->skip);
	into->skip = NULL;
	return plan_summary(into);
}
