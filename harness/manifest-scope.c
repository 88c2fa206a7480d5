// SPDX-License-Identifier: MIT
/*
 * What a run sets must reach no further than its scope says: a sysctl, swap or a file in /sys is the whole machine's,
 * and what is kept per namespace needs one of the run's own.
 */
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"

static const struct reach {
	const char *key, *what;
	enum scope scope; /* at least */
} reaches[] = {
	{"sysctl", "a sysctl", SCOPE_MACHINE},
	{"sys", "a value in /sys", SCOPE_MACHINE},
	{"swap", "swap", SCOPE_MACHINE},
	{"knobs", "a writable knob", SCOPE_MACHINE},
	{"namespace_sysctl", "a namespace_sysctl", SCOPE_NAMESPACE},
	{"tmpfs", "a tmpfs", SCOPE_NAMESPACE},
};

/* The key of such a value below "environment" or "live"; NULL where nothing is set that reaches anywhere. */
static const struct node *key_of(const struct node *owner, const char *block, const struct reach *reach)
{
	const struct node *value = node_get(node_get(owner, block), reach->key);

	if (!value || (value->kind == NODE_MAP && value->count == 0))
		return NULL;
	if (strcmp(reach->key, "knobs") == 0 && strcmp(value->text, "writable") != 0)
		return NULL;
	return value->key;
}

static void report(struct source *s, const struct node *key, const struct reach *reach)
{
	if (reach->scope == SCOPE_MACHINE)
		node_error(s, key, "say scope: machine", "%s reaches the whole machine, but the scope does not",
			   reach->what);
	else
		node_error(s, key, "say scope: namespace", "%s reaches the run's namespaces, but the scope does not",
			   reach->what);
}

/* Of the scenario or of a case: then every run gets it. */
static bool check_shared(struct source *s, const struct scenario *scenario, const struct node *root,
			 const struct reach *reach)
{
	const struct node *key = key_of(root, "environment", reach), *cases = node_get(root, "cases");
	bool shared = key != NULL;

	if (key && scenario->scope < reach->scope)
		report(s, key, reach);
	for (size_t i = 0; i < scenario->case_count; i++) {
		key = key_of(node_at(cases, i), "environment", reach);
		shared |= key != NULL;
		if (key && scenario->scope < reach->scope)
			report(s, key, reach);
	}
	return shared;
}

static void check_run(struct source *s, const struct scenario *scenario, const struct run_text *run,
		      const struct node *n, const struct reach *reach, bool shared)
{
	const struct node *key = key_of(n, "environment", reach), *live = key_of(n, "live", reach);

	if (run->scope >= reach->scope)
		return;
	if (live)
		report(s, live, reach);
	if (key)
		report(s, key, reach);
	else if (shared && scenario->scope >= reach->scope)
		node_error(s, node_get(n, "scope"), NULL, "this run inherits %s, which needs scope %s", reach->what,
			   scope_names[reach->scope]);
}

void manifest_check_scopes(struct source *s, const struct scenario *scenario, const struct node *root)
{
	const struct node *runs = node_get(root, "runs");

	for (size_t i = 0; i < ARRAY_SIZE(reaches); i++) {
		bool shared = check_shared(s, scenario, root, &reaches[i]);
		for (size_t r = 0; r < scenario->run_count; r++)
			check_run(s, scenario, &scenario->runs[r], node_at(runs, r), &reaches[i], shared);
	}
}
