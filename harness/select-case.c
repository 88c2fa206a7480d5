// SPDX-License-Identifier: MIT
/*
 * See select-case.h.
 */
#include "select-case.h"

#include <limits.h>
#include <string.h>

#include "cleanup.h"
#include "say.h"

int select_one(const char *tree_given, const char *word, struct selection *ret, const char **ret_rest)
{
	char tree[PATH_MAX + 64] = "";
	const char *slash = NULL;
	*ret_rest = NULL;
	if (strchr(word, '/')) {
		if (select_tree(tree_given, tree, sizeof(tree)) < 0)
			return EXIT_USAGE;
		slash = select_split(tree, word);
	}
	auto_free char *name = slash ? strndup(word, (size_t)(slash - word)) : strdup(word);
	auto_free char *directory = NULL;
	if (!name || asprintf(&directory, "%s/", name) < 0) {
		directory = NULL;
		return say_no_memory(EXIT_BROKEN);
	}
	*ret_rest = slash ? slash + 1 : NULL;
	char *const names[] = {strchr(name, '/') ? directory : name};
	if (select_scenarios(tree_given, names, 1, ret) < 0)
		return EXIT_USAGE;
	if (ret->count == 1)
		return 0;
	(void)say_error(0, "%s: a program takes the place of one scenario's, this names %zu", word, ret->count);
	selection_free(ret);
	return EXIT_USAGE;
}

/* Do two runs set the same? What is watched, what is kept and for how long makes no difference to another program. */
static bool set_the_same(const struct plan_run *a, const struct plan_run *b)
{
	static struct environment x, y;
	memcpy(&x, &a->environment, sizeof(x));
	memcpy(&y, &b->environment, sizeof(y));
	x.watch_calls = y.watch_calls = 0;
	x.keep_capabilities = y.keep_capabilities = 0;
	x.deadline_ns = y.deadline_ns = 0;
	/* environment_init() sets its padding as well. */
	return a->scope == b->scope && !a->skip == !b->skip && memcmp(&x, &y, sizeof(x)) == 0; // NOLINT
}

static bool is_meant(const struct plan_run *run, const char *rest)
{
	bool trigger = run->role == ROLE_TRIGGER;
	if (!rest)
		return trigger;
	return strcmp(run->name, rest) == 0 || strcmp(run->run->name, rest) == 0 ||
	       (trigger && run->case_text && strcmp(run->case_text->name, rest) == 0);
}

/* One before it that sets the same stands for it. */
static bool is_listed(const struct plan *plan, size_t at, const char *rest)
{
	for (size_t i = 0; i < at; i++)
		if (is_meant(&plan->runs[i], rest) && set_the_same(&plan->runs[i], &plan->runs[at]))
			return true;
	return false;
}

static int tell_which(const struct plan *plan, const char *word, const char *rest, size_t found)
{
	const char *name = plan->scenario->name;
	if (found)
		(void)say_error(0, "%s: its runs set different limits: which one?", word);
	else
		(void)say_error(0, "%s: %s has no such case or run", word, name);
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct plan_run *run = &plan->runs[i];
		if (found ? !is_meant(run, rest) || is_listed(plan, i, rest) : run->role != ROLE_TRIGGER)
			continue;
		(void)fprintf(stderr, "  enomem run '%s/%s' -- ...\n", name, run->name);
	}
	return EXIT_USAGE;
}

int select_run(struct plan *plan, const char *word, const char *rest, struct plan_run **ret)
{
	struct plan_run *first = NULL;
	size_t found = 0;
	for (size_t i = 0; i < plan->run_count; i++) {
		struct plan_run *run = &plan->runs[i];
		if (!is_meant(run, rest))
			continue;
		/* One that can happen here stands for one of another version of control groups. */
		if (!first || (first->skip && !run->skip)) {
			first = run;
			found = 1;
		} else if (!run->skip && !set_the_same(first, run)) {
			found++;
		}
	}
	if (found != 1)
		return tell_which(plan, word, rest, found);
	*ret = first;
	return 0;
}
