// SPDX-License-Identifier: MIT
/*
 * See parameters.h.
 */
#include "parameters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "environment.h"
#include "manifest-internal.h"
#include "plan-internal.h"

#define HINT_NAMES 128

/* --- which key is meant ------------------------------------------------------------------------------------------ */

static const char *const maps[] = {"rlimit",           "cgroup", "cgroup_above", "sysctl",
				   "namespace_sysctl", "tmpfs",  "sys",          "inject"};
static const char *const alone[] = {"swap", "swap_on", "knobs", "identity", "oom_score_adj", "cpus"};
static const char *const sysctl_roots[] = {"vm.", "kernel.", "fs.", "net.", "user."};

/* Every spelling there is, for the hint at a wrong one. */
static const char *spelling_at(unsigned index)
{
	static const char *const often[] = {"vm.overcommit_memory", "vm.overcommit_ratio", "vm.max_map_count",
					    "kernel.pid_max",       "kernel.threads-max",  "tmpfs.size",
					    "tmpfs.inodes"};
	static _Thread_local char name[64];
	const char *word;
	if (index < ARRAY_SIZE(often))
		return often[index];
	index -= ARRAY_SIZE(often);
	if (index < ARRAY_SIZE(alone))
		return alone[index];
	index -= ARRAY_SIZE(alone);
	for (unsigned i = 0; (word = words_cgroup.at(i)); i++, index--)
		if (index == 0)
			return word;
	word = words_rlimit.at(index);
	if (!word || !*word)
		return word;
	(void)snprintf(name, sizeof(name), "rlimit.%s", word);
	return name;
}

static const struct words spellings = {.what = "parameter", .at = spelling_at};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Of "rlimit.as" the map and the rest; "memory.max" and "vm.max_map_count" say by themselves whose they are. */
static bool split(const char *key, struct parameter *ret)
{
	const char *dot = strchr(key, '.'), *map = NULL, *rest = key;
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (strcmp(key, alone[i]) == 0)
			map = "";
	for (size_t i = 0; dot && i < ARRAY_SIZE(maps); i++)
		if (strlen(maps[i]) == (size_t)(dot - key) && begins(key, maps[i])) {
			map = maps[i];
			rest = dot + 1;
		}
	if (!map && words_cgroup.knows(key))
		map = "cgroup";
	for (size_t i = 0; !map && i < ARRAY_SIZE(sysctl_roots); i++)
		if (begins(key, sysctl_roots[i]) && key[strlen(sysctl_roots[i])])
			map = "sysctl";
	if (!map || strlen(rest) >= sizeof(ret->key))
		return false;
	ret->either = rest == key && strcmp(map, "sysctl") == 0 && words_namespace_sysctl.knows(key);
	(void)snprintf(ret->map, sizeof(ret->map), "%s", map);
	(void)snprintf(ret->key, sizeof(ret->key), "%s", rest);
	return true;
}

/* --- reading ----------------------------------------------------------------------------------------------------- */

/* As the line of a manifest, so that what is wrong is found and told as it is there. */
static int check(const struct parameter *p, const char *text, FILE *errors)
{
	auto_free char *line = NULL, *file = NULL;
	int n = p->map[0] ? asprintf(&line, "%s: {'%s': '%s'}", p->map, p->key, p->value)
			  : asprintf(&line, "%s: '%s'", p->key, p->value);
	if (n < 0 || asprintf(&file, "-p %s", text) < 0)
		return -ENOMEM;
	return manifest_check_environment(line, file, errors);
}

int parameters_add(struct parameters *p, const char *text, FILE *errors)
{
	char key[sizeof(p->item[0].key) + sizeof(p->item[0].map)], hint[96];
	const char *equals = strchr(text, '=');
	struct parameter one = {.either = false};
	if (p->count == PARAMETERS_MAX) {
		(void)fprintf(errors, "enomem: -p %s: more than %d parameters\n", text, PARAMETERS_MAX);
		return -E2BIG;
	}
	if (!equals || equals == text || (size_t)(equals - text) >= sizeof(key) || !equals[1] ||
	    strlen(equals + 1) >= sizeof(one.value) || strpbrk(text, "'\n")) {
		(void)fprintf(errors, "enomem: -p %s: no KEY=VALUE\nHint: -p memory.max=64M, -p rlimit.as=32M\n", text);
		return -EINVAL;
	}
	(void)snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
	(void)snprintf(one.value, sizeof(one.value), "%s", equals + 1);
	if (!split(key, &one)) {
		const char *near = words_hint(&spellings, key, hint, sizeof(hint));
		(void)fprintf(errors, "enomem: -p %s: unknown parameter '%s'\nHint: %s\n", text, key,
			      near ? near
				   : "the keys of an environment, as in enomem-scenario(5): rlimit.as, memory.max, "
				     "vm.overcommit_memory, ...");
		return -EINVAL;
	}
	int r = check(&one, text, errors);
	if (r == 0)
		p->item[p->count++] = one;
	return r;
}

/* --- applying ---------------------------------------------------------------------------------------------------- */

static struct settings *settings_of(struct environment_text *text, const char *map)
{
	struct settings *const places[] = {&text->rlimit,           &text->cgroup, &text->cgroup_above, &text->sysctl,
					   &text->namespace_sysctl, &text->tmpfs,  &text->sys,          &text->inject};
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (strcmp(map, maps[i]) == 0)
			return places[i];
	return NULL;
}

static char **word_of(struct environment_text *text, const char *key)
{
	char **const places[] = {&text->swap,     &text->swap_on,       &text->knobs,
				 &text->identity, &text->oom_score_adj, &text->cpus};
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (strcmp(key, alone[i]) == 0)
			return places[i];
	return NULL;
}

/* Where its value stands; NULL where it is not said. */
static char **find(struct environment_text *text, const struct parameter *p)
{
	struct settings *settings = settings_of(text, p->map);
	char **word = settings ? NULL : word_of(text, p->key);
	for (size_t i = 0; settings && i < settings->count; i++)
		if (strcmp(settings->item[i].key, p->key) == 0)
			return &settings->item[i].value;
	return word && *word ? word : NULL;
}

static int replace(char **place, const char *value)
{
	char *copy = strdup(value);
	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

static int put(struct environment_text *text, const struct parameter *p)
{
	struct settings *settings = settings_of(text, p->map);
	char **place = find(text, p);
	if (place || !settings)
		return replace(place ? place : word_of(text, p->key), p->value);
	struct setting *item = reallocarray(settings->item, settings->count + 1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	settings->item = item;
	settings->item[settings->count] = (struct setting){strdup(p->key), strdup(p->value)};
	if (!settings->item[settings->count].key || !settings->item[settings->count].value) {
		free(settings->item[settings->count].key);
		free(settings->item[settings->count].value);
		return -ENOMEM;
	}
	settings->count++;
	return 0;
}

static enum scope reach(const struct parameter *p)
{
	static const char *const machine[] = {"sysctl", "sys"}, *const machine_word[] = {"swap", "swap_on", "knobs"},
				 *const space[] = {"namespace_sysctl", "tmpfs"};
	for (size_t i = 0; i < ARRAY_SIZE(machine); i++)
		if (strcmp(p->map, machine[i]) == 0)
			return SCOPE_MACHINE;
	for (size_t i = 0; !p->map[0] && i < ARRAY_SIZE(machine_word); i++)
		if (strcmp(p->key, machine_word[i]) == 0)
			return SCOPE_MACHINE;
	for (size_t i = 0; i < ARRAY_SIZE(space); i++)
		if (strcmp(p->map, space[i]) == 0)
			return SCOPE_NAMESPACE;
	return begins(p->map, "cgroup") ? SCOPE_CGROUP : SCOPE_PROCESS;
}

/* The value that the run has, whichever level says it. */
static char **value_of(struct scenario *s, struct case_text *c, struct run_text *r, const struct parameter *p)
{
	char **place = find(&r->environment, p);
	if (!place && c)
		place = find(&c->environment, p);
	return place ? place : find(&s->environment, p);
}

static bool any_trigger_has(struct scenario *s, const struct parameter *p)
{
	for (size_t i = 0; i < s->run_count; i++)
		for (size_t c = 0; s->runs[i].role == ROLE_TRIGGER && c < (s->case_count ? s->case_count : 1); c++) {
			struct case_text *text = s->case_count ? &s->cases[c] : NULL;
			if (run_has_case(&s->runs[i], text) && value_of(s, text, &s->runs[i], p))
				return true;
		}
	return false;
}

/* A name that two maps know: the namespaces' own unless the triggers set the machine's. */
static struct parameter settled(struct scenario *s, const struct parameter *p)
{
	struct parameter one = *p;
	if (one.either && !any_trigger_has(s, &one))
		(void)strcpy(one.map, "namespace_sysctl");
	return one;
}

int parameters_set(const struct parameters *p, struct scenario *s)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct parameter one = settled(s, &p->item[i]);
		for (size_t r = 0; r < s->run_count; r++) {
			if (put(&s->runs[r].environment, &one) < 0)
				return -ENOMEM;
			if (s->runs[r].scope < reach(&one))
				s->runs[r].scope = reach(&one);
		}
	}
	return 0;
}

static int replace_where(struct environment_text *text, const struct parameter *p, const char *was)
{
	char **place = find(text, p);
	return place && strcmp(*place, was) == 0 ? replace(place, p->value) : 0;
}

/* Wherever the manifest says this value. */
static int replace_all(struct scenario *s, const struct parameter *p, const char *was)
{
	int r = replace_where(&s->environment, p, was);
	for (size_t i = 0; r == 0 && i < s->case_count; i++)
		r = replace_where(&s->cases[i].environment, p, was);
	for (size_t i = 0; r == 0 && i < s->run_count; i++)
		r = replace_where(&s->runs[i].environment, p, was);
	return r;
}

/* Of each trigger in each case. One whose value was replaced already has the new one. */
static int replace_of_triggers(struct scenario *s, const struct parameter *p)
{
	for (size_t i = 0; i < s->run_count; i++)
		for (size_t c = 0; s->runs[i].role == ROLE_TRIGGER && c < (s->case_count ? s->case_count : 1); c++) {
			struct case_text *text = s->case_count ? &s->cases[c] : NULL;
			char **place = run_has_case(&s->runs[i], text) ? value_of(s, text, &s->runs[i], p) : NULL;
			if (!place || strcmp(*place, p->value) == 0)
				continue;
			auto_free char *was = strdup(*place);
			if (!was || replace_all(s, p, was) < 0)
				return -ENOMEM;
		}
	return 0;
}

int parameters_replace(const struct parameters *p, struct scenario *s, FILE *errors)
{
	for (size_t i = 0; i < p->count; i++) {
		const struct parameter one = settled(s, &p->item[i]);
		if (!any_trigger_has(s, &one)) {
			(void)fprintf(errors,
				      "enomem: -p %s%s%s: no trigger of %s sets it, and nothing is predicted of it\n"
				      "Hint: with a program of yours it can be set: enomem run -p ... %s -- COMMAND\n",
				      p->item[i].map, p->item[i].map[0] ? "." : "", p->item[i].key, s->name, s->name);
			return -EINVAL;
		}
		if (replace_of_triggers(s, &one) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* --- for completion ---------------------------------------------------------------------------------------------- */

/* As it is said without more words than are needed. */
static void print_key(const char *map, const char *key, json_t *seen, FILE *out)
{
	char text[192];
	struct parameter bare;
	bool plain = !map[0] || (split(key, &bare) &&
				 (strcmp(bare.map, map) == 0 || (bare.either && strcmp(map, "namespace_sysctl") == 0)));
	(void)snprintf(text, sizeof(text), "%s%s%s=", plain ? "" : map, plain ? "" : ".", key);
	if (!json_object_get(seen, text) && json_object_set_new(seen, text, json_true()) == 0)
		(void)fprintf(out, "%s\n", text);
}

static void print_keys(const struct environment_text *text, json_t *seen, FILE *out)
{
	struct environment_text *where = (struct environment_text *)(uintptr_t)text;
	for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
		const struct settings *settings = settings_of(where, maps[m]);
		for (size_t i = 0; i < settings->count; i++)
			print_key(maps[m], settings->item[i].key, seen, out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(alone); i++)
		if (*word_of(where, alone[i]))
			print_key("", alone[i], seen, out);
}

void parameters_print(const struct scenario *s, FILE *out)
{
	json_auto_t *seen = json_object();
	print_keys(&s->environment, seen, out);
	for (size_t i = 0; i < s->case_count; i++)
		print_keys(&s->cases[i].environment, seen, out);
	for (size_t i = 0; i < s->run_count; i++)
		if (s->runs[i].role == ROLE_TRIGGER)
			print_keys(&s->runs[i].environment, seen, out);
}

/* --- for guests -------------------------------------------------------------------------------------------------- */

json_t *parameters_json(const struct parameters *p)
{
	json_t *all = json_array();
	for (size_t i = 0; i < p->count; i++)
		(void)json_array_append_new(all, json_pack("[s, s, s, b]", p->item[i].map, p->item[i].key,
							   p->item[i].value, p->item[i].either));
	return all;
}

int parameters_from_json(const json_t *json, struct parameters *ret)
{
	const json_t *item;
	size_t i;
	*ret = (struct parameters){.count = 0};
	json_array_foreach (json, i, item) {
		const char *map, *key, *value;
		int either;
		struct parameter *one = &ret->item[ret->count];
		if (i == PARAMETERS_MAX ||
		    json_unpack((json_t *)(uintptr_t)item, "[s, s, s, b]", &map, &key, &value, &either) < 0 ||
		    strlen(map) >= sizeof(one->map) || strlen(key) >= sizeof(one->key) ||
		    strlen(value) >= sizeof(one->value))
			return -EBADMSG;
		(void)strcpy(one->map, map);
		(void)strcpy(one->key, key);
		(void)strcpy(one->value, value);
		one->either = either;
		ret->count++;
	}
	return 0;
}
