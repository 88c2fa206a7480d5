// SPDX-License-Identifier: MIT
/*
 * What no single key can show: unique names, a control, a trigger and a remedy for every case, complete expectations.
 */
#include <string.h>

#include "cleanup.h"
#include "guest-bring.h"
#include "manifest-internal.h"
#include "plan-internal.h"

/* The place of a key of an item, or of the item where the key is missing. */
static const struct node *place_of(const struct node *item, const char *key)
{
	const struct node *n = node_get(item, key);

	return n ? n : item;
}

static void check_unique(struct source *s, const struct node *list, const char *what)
{
	for (const struct node *i = list ? list->first : NULL; i; i = i->next) {
		const struct node *name = node_get(i, "name");
		for (const struct node *j = list->first; j != i; j = j->next) {
			const struct node *other = node_get(j, "name");
			if (strcmp(name->text, other->text) != 0)
				continue;
			node_error(s, name, NULL, "another %s is named '%s' (line %u)", what, name->text,
				   source_line(s, other->offset));
			break;
		}
	}
}

static const struct case_text *case_by_name(const struct scenario *scenario, const char *name)
{
	for (size_t i = 0; i < scenario->case_count; i++) {
		if (strcmp(scenario->cases[i].name, name) == 0)
			return &scenario->cases[i];
	}
	return NULL;
}

static void check_case_names(struct source *s, const struct scenario *scenario, const struct node *run_node)
{
	const struct node *list = node_get(run_node, "cases");

	for (const struct node *i = list ? list->first : NULL; i; i = i->next) {
		if (!case_by_name(scenario, i->text))
			node_error(s, i, NULL, "there is no case '%s'", i->text);
		for (const struct node *j = list->first; j != i; j = j->next) {
			if (strcmp(i->text, j->text) == 0)
				node_error(s, i, NULL, "case '%s' is listed twice", i->text);
		}
	}
}

/* The machine ends before the program can be refused, killed or late, and it must be one that nobody needs. */
static void check_panics(struct source *s, const struct scenario *scenario, const struct expect *e,
			 const struct run_text *run, const struct node *n)
{
	const struct node *place = place_of(n, "name");

	if (e->call.count || e->error || e->signal || e->si_code || e->stall || e->exit)
		node_error(s, place, "leave out call, errno, signal, si_code, stall and exit",
			   "'%s' expects a panic, and another end as well", run->name);
	else if (run->scope != SCOPE_MACHINE)
		node_error(s, place, "say scope: machine", "'%s' expects a panic, which ends the whole machine",
			   run->name);
	else if (scenario->survivable)
		node_error(s, place, "leave out survivable", "'%s' expects a panic, which no machine survives",
			   run->name);
}

/* Does every run that must fail know how? */
static void check_expectation(struct source *s, const struct scenario *scenario, const struct case_text *c,
			      const struct run_text *run, const struct node *n)
{
	struct expect e;

	expect_merge(scenario, c, run, &e);
	if (e.panic)
		check_panics(s, scenario, &e, run, n);
	if (!(e.call.count && e.error) && !e.signal && !e.stall && !e.panic)
		node_error(s, place_of(n, "name"), "expect call and errno, or signal, or stall, or panic",
			   "the expectation of '%s' is not complete", run->name);
	else if (!e.cause)
		node_error(s, place_of(n, "name"), NULL, "the expectation of '%s' names no cause", run->name);
}

/* What contradicts the role itself. */
static void check_role(struct source *s, const struct run_text *run, const struct node *n)
{
	static const char *const failures[] = {"call", "errno", "signal", "si_code", "cause", "stall", "panic"};
	const struct node *expect = node_get(n, "expect"), *panic = node_get(expect, "panic");

	if (run->role != ROLE_REMEDY && node_get(n, "helps"))
		node_error(s, node_get(n, "helps")->key, NULL, "only a remedy helps or does not");
	if (run->described && run->role != ROLE_TRIGGER)
		node_error(s, node_get(n, "described")->key, NULL, "only a trigger is described");
	else if (run->described && expect)
		node_error(s, expect->key, "leave it out, or leave out described",
			   "what is described is not asserted: '%s' cannot expect anything", run->name);
	for (size_t i = 0; run->role == ROLE_CONTROL && i < ARRAY_SIZE(failures); i++) {
		if (node_get(expect, failures[i]))
			node_error(s, node_get(expect, failures[i])->key, NULL,
				   "a control succeeds: it cannot expect '%s'", failures[i]);
	}
	const struct node *without = node_get(expect, "does_without");
	if (without && (run->role != ROLE_REMEDY || !run->helps || !run->expect.call.count))
		node_error(s, without->key, NULL,
			   "only a remedy that helps, and that names the call it is refused, does without it");
	else if (without && !run->expect.says && !run->expect.check_count)
		node_error(s, without->key, "say what the program has in the end: says, or check",
			   "a program that shrugs and exits with 0 would pass");
	if (run->role == ROLE_REMEDY && run->helps && panic)
		node_error(s, panic->key, NULL, "a remedy that helps succeeds: it cannot expect 'panic'");
}

static void check_runs_of_case(struct source *s, const struct scenario *scenario, const struct case_text *c,
			       const struct node *root, const struct node *place)
{
	static const char *const roles[] = {
		[ROLE_CONTROL] = "control", [ROLE_TRIGGER] = "trigger", [ROLE_REMEDY] = "remedy that helps"};
	const struct node *node = node_get(root, "runs");
	unsigned seen[ROLE_COUNT] = {0};

	node = node ? node->first : NULL;
	for (size_t i = 0; i < scenario->run_count && node; i++, node = node->next) {
		const struct run_text *run = &scenario->runs[i];
		if (!run_has_case(run, c))
			continue;
		if (!run->described && (run->role != ROLE_REMEDY || run->helps))
			seen[run->role]++;
		if (run_must_fail(run))
			check_expectation(s, scenario, c, run, node);
		if (arguments_count(scenario, c, run) > PLAN_ARGUMENTS_MAX)
			node_error(s, place_of(node, "arguments"), NULL, "more than %d arguments in all",
				   PLAN_ARGUMENTS_MAX);
	}
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (seen[i] == 0)
			node_error(s, place, NULL, "no %s%s%s", roles[i], c ? " for case " : "", c ? c->name : "");
	}
}

static void check_bring(struct source *s, const struct scenario *scenario, const struct node *list)
{
	if (scenario->bring.count > GUEST_BRING_MAX)
		node_error(s, list->key, "name a directory", "'bring' lists %zu paths, of at most %d",
			   scenario->bring.count, GUEST_BRING_MAX);
	for (const struct node *i = list ? list->first : NULL; i; i = i->next)
		for (const struct node *j = list->first; j != i; j = j->next)
			if (i->kind == NODE_SCALAR && j->kind == NODE_SCALAR && strcmp(i->text, j->text) == 0)
				node_error(s, i, NULL, "'%s' is brought already (line %u)", i->text,
					   source_line(s, j->offset));
}

void manifest_check(struct source *s, const struct scenario *scenario, const struct node *root)
{
	const struct node *runs = node_get(root, "runs"), *cases = node_get(root, "cases");

	check_unique(s, runs, "run");
	check_unique(s, cases, "case");
	check_bring(s, scenario, node_get(root, "bring"));
	manifest_check_scopes(s, scenario, root);
	for (size_t i = 0; i < scenario->run_count; i++) {
		check_role(s, &scenario->runs[i], node_at(runs, i));
		check_case_names(s, scenario, node_at(runs, i));
	}
	if (s->error_count > 0)
		return;
	if (scenario->case_count == 0)
		check_runs_of_case(s, scenario, NULL, root, runs->key);
	for (size_t i = 0; i < scenario->case_count; i++)
		check_runs_of_case(s, scenario, &scenario->cases[i], root, place_of(node_at(cases, i), "name"));
	manifest_check_locate(s, scenario, root);
}
