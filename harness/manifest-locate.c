// SPDX-License-Identifier: MIT
/*
 * Checks of what --locate is told: single values, and whether what is varied is there.
 */
#include <string.h>

#include "cleanup.h"
#include "manifest-internal.h"
#include "number.h"
#include "plan-internal.h"

void check_varied_argument(struct source *s, const struct node *n)
{
	uint64_t position;
	bool option = strncmp(n->text, "--", 2) == 0 && n->text[2];

	if (!option && (number_parse_count(n->text, &position) < 0 || position == 0))
		node_error(s, n, "an option (--bytes), or a position from 1", "'%s' is no argument that can be varied",
			   n->text);
}

void check_varied_setting(struct source *s, const struct node *n)
{
	static const char *const map[] = {"rlimit.", "cgroup.",           "cgroup_above.",
					  "sysctl.", "namespace_sysctl.", "tmpfs."};

	for (size_t i = 0; i < ARRAY_SIZE(map); i++)
		if (strncmp(n->text, map[i], strlen(map[i])) == 0 && n->text[strlen(map[i])])
			return;
	node_error(s, n, "as in rlimit.as, cgroup.memory.max, sysctl.vm.max_map_count",
		   "'%s' is no limit that can be varied", n->text);
}

void check_locate_amount(struct source *s, const struct node *n)
{
	int r = amount_parse(n->text, NULL, NULL);

	if (r == -ERANGE)
		node_error(s, n, NULL, "'%s' is too large", n->text);
	else if (r < 0)
		node_error(s, n, "digits and at most one of K M G T (64M), or an amount (ram + swap)",
			   "bad amount '%s'", n->text);
}

void check_locate_step(struct source *s, const struct node *n)
{
	check_locate_amount(s, n);
	if (n->text[strspn(n->text, "0")] == '\0')
		node_error(s, n, NULL, "a step of 0 leads nowhere");
}

void check_predicted(struct source *s, const struct node *n)
{
	const char *text = n->text;
	char term[SUM_TERM_MAX];
	bool minus, bad = false;

	while (sum_next(&text, term, &minus, &bad))
		bad |= !metric_path_valid(term, strlen(term)) && amount_parse(term, NULL, NULL) < 0;
	if (bad)
		node_error(s, n,
			   "amounts (ram + swap) and metric paths (cause.bound - cause.in_use), joined by + and -",
			   "bad prediction '%s'", n->text);
}

/* Where a key of `locate` is said: of the case, else of the scenario, else the place of the whole. */
static const struct node *place_of_key(const struct node *root, const struct node *item, const char *key)
{
	const struct node *own = node_get(item, "locate"), *shared = node_get(root, "locate");

	if (node_get(own, key))
		return node_get(own, key);
	if (node_get(shared, key))
		return node_get(shared, key);
	return own ? own->key : shared->key;
}

static bool has_setting(const struct settings *settings, const char *key)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->item[i].key, key) == 0)
			return true;
	return false;
}

/* Only a limit that is set is varied: its key and how far it reaches were checked where it is set. */
static bool environment_has(const struct environment_text *e, const char *name)
{
	const struct {
		const char *map;
		const struct settings *settings;
	} maps[] = {{"rlimit.", &e->rlimit}, {"cgroup.", &e->cgroup},
		    {"sysctl.", &e->sysctl}, {"cgroup_above.", &e->cgroup_above},
		    {"tmpfs.", &e->tmpfs},   {"namespace_sysctl.", &e->namespace_sysctl}};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (strncmp(name, maps[i].map, strlen(maps[i].map)) == 0)
			return has_setting(maps[i].settings, name + strlen(maps[i].map));
	return false;
}

static size_t position_of(const struct strings *arguments, const char *argument)
{
	for (size_t i = 0; i + 1 < arguments->count; i++)
		if (strcmp(arguments->item[i], argument) == 0)
			return i + 1;
	return 0;
}

/* Does one level, scenario, case or run, have what is varied? */
static bool level_has(const struct locate_text *l, const struct strings *arguments, const struct environment_text *e)
{
	return l->setting ? environment_has(e, l->setting) : position_of(arguments, l->argument) > 0;
}

static void check_varied(struct source *s, const struct scenario *scenario, const struct case_text *c,
			 const struct locate_text *l, const struct run_text *run, const struct node *place)
{
	bool there = level_has(l, &scenario->arguments, &scenario->environment) ||
		     level_has(l, &run->arguments, &run->environment);
	uint64_t position;

	if (c)
		there |= level_has(l, &c->arguments, &c->environment);
	if (!l->setting && number_parse_count(l->argument, &position) == 0)
		there = position <= arguments_count(scenario, c, run);
	if (!there)
		node_error(s, place, NULL, "'%s' has no %s '%s' to vary", run->name,
			   l->setting ? "setting" : "argument", l->setting ? l->setting : l->argument);
}

/* The trigger in which it is varied. NULL after telling that there is none. */
static const struct run_text *trigger_of(struct source *s, const struct scenario *scenario, const struct case_text *c,
					 const struct locate_text *l, const struct node *place)
{
	for (size_t i = 0; i < scenario->run_count; i++) {
		const struct run_text *run = &scenario->runs[i];
		if (run->role == ROLE_TRIGGER && run_has_case(run, c) && (!l->run || strcmp(run->name, l->run) == 0))
			return run;
	}
	node_error(s, place, NULL, "%s%sthere is no trigger '%s' to vary anything in", c ? c->name : "", c ? ": " : "",
		   l->run ? l->run : "");
	return NULL;
}

static void check_case(struct source *s, const struct scenario *scenario, const struct case_text *c,
		       const struct node *root, const struct node *item)
{
	struct locate_text l;
	if (!locate_merge(scenario, c, &l))
		return;
	const struct {
		const char *key, *text;
	} needed[] = {{"step", l.step}, {"granted", l.granted}, {"refused", l.refused}, {"predicted", l.predicted}};
	const struct node *whole = place_of_key(root, item, "");

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!needed[i].text)
			node_error(s, whole, NULL, "locate without '%s'", needed[i].key);
	if (!l.argument == !l.setting) {
		node_error(s, whole, NULL, "locate varies an argument or a setting: name one of them");
		return;
	}
	if (l.tolerance && !l.why)
		node_error(s, place_of_key(root, item, "tolerance"), "why: ...",
			   "a tolerance without a reason hides what it is there for");
	if (l.elsewhere && !l.has_when)
		node_error(s, place_of_key(root, item, "elsewhere"), "say when the other prediction holds",
			   "'elsewhere' without 'when'");
	const struct run_text *run = trigger_of(s, scenario, c, &l, place_of_key(root, item, "run"));
	struct expect e;
	if (!run)
		return;
	expect_merge(scenario, c, run, &e);
	if (e.panic || e.stall)
		node_error(s, whole, NULL, "'%s' ends in a %s: that is no boundary to be searched for", run->name,
			   e.panic ? "panic" : "stall");
	check_varied(s, scenario, c, &l, run, place_of_key(root, item, l.setting ? "setting" : "argument"));
}

static void check_case_names(struct source *s, const struct scenario *scenario, const struct node *list)
{
	for (const struct node *i = list ? list->first : NULL; i; i = i->next) {
		bool known = false;
		for (size_t c = 0; c < scenario->case_count; c++)
			known |= i->text && strcmp(scenario->cases[c].name, i->text) == 0;
		if (!known)
			node_error(s, i, NULL, "there is no case '%s'", i->text ? i->text : "");
	}
}

void manifest_check_locate(struct source *s, const struct scenario *scenario, const struct node *root)
{
	const struct node *cases = node_get(root, "cases");

	check_case_names(s, scenario, node_get(node_get(root, "locate"), "cases"));
	if (scenario->case_count == 0)
		check_case(s, scenario, NULL, root, NULL);
	for (size_t i = 0; i < scenario->case_count; i++) {
		const struct node *item = node_at(cases, i), *list = node_get(node_get(item, "locate"), "cases");
		if (list)
			node_error(s, list->key, "of the scenario it says for which cases",
				   "a case's locate is for that case");
		check_case(s, scenario, &scenario->cases[i], root, item);
	}
}
