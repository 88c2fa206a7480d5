// SPDX-License-Identifier: MIT
/*
 * Scenario, case and run laid over each other: what a run must show, and the environment it gets.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "plan-internal.h"

bool run_must_fail(const struct run_text *r)
{
	return r->role == ROLE_TRIGGER || (r->role == ROLE_REMEDY && !r->helps);
}

bool run_has_case(const struct run_text *r, const struct case_text *c)
{
	for (size_t i = 0; i < r->cases.count; i++) {
		if (c && strcmp(r->cases.item[i], c->name) == 0)
			return true;
	}
	return r->cases.count == 0;
}

size_t arguments_count(const struct scenario *s, const struct case_text *c, const struct run_text *r)
{
	return s->arguments.count + (c ? c->arguments.count : 0) + r->arguments.count;
}

static void lay_text(char **to, char *from)
{
	if (from)
		*to = from;
}

static void lay_expect(struct expect *to, const struct expect *from)
{
	if (from->call.count)
		to->call = from->call;
	lay_text(&to->error, from->error);
	lay_text(&to->signal, from->signal);
	lay_text(&to->si_code, from->si_code);
	lay_text(&to->cause, from->cause);
	lay_text(&to->says, from->says);
	lay_text(&to->exit, from->exit);
	if (from->has_stall) {
		to->stall = from->stall;
		to->has_stall = true;
	}
}

void expect_merge(const struct scenario *s, const struct case_text *c, const struct run_text *r, struct expect *ret)
{
	static char success[] = "0", refused[] = "1";

	memset(ret, 0, sizeof(*ret));
	if (run_must_fail(r)) {
		lay_expect(ret, &s->expect);
		if (c)
			lay_expect(ret, &c->expect);
	} else {
		ret->exit = success;
	}
	lay_expect(ret, &r->expect);
	/* A program that was refused says so and exits 1; one that dies or hangs has no exit code. */
	if (run_must_fail(r) && !ret->exit && ret->error && !ret->signal && !ret->stall)
		ret->exit = refused;
}

/* Nothing of an earlier text stays behind the new one: the struct is handed on as bytes. */
static bool set_text(char *place, size_t size, const char *text)
{
	memset(place, 0, size);
	return (size_t)snprintf(place, size, "%s", text) < size;
}

static int apply_sysctl(const struct setting *setting, struct environment *env)
{
	unsigned i = 0;

	while (i < env->sysctl_count && strcmp(env->sysctl[i].name, setting->key) != 0)
		i++;
	if (i == ENVIRONMENT_SYSCTLS)
		return -E2BIG;
	if (!set_text(env->sysctl[i].name, sizeof(env->sysctl[i].name), setting->key) ||
	    !set_text(env->sysctl[i].value, sizeof(env->sysctl[i].value), setting->value))
		return -EINVAL;
	if (i == env->sysctl_count)
		env->sysctl_count++;
	return 0;
}

/* One limit into its place in table[index]. An index below 0 is a name nobody knows. */
static int apply_limit(const char *value, const char *no_limit, const struct machine *m, uint64_t *table, int index)
{
	if (index < 0)
		return -EINVAL;
	if (strcmp(value, no_limit) == 0) {
		table[index] = ENOMEM_UNLIMITED;
		return 0;
	}
	return plan_amount(value, m, &table[index]);
}

static int apply_words(const struct environment_text *text, struct environment *env, const char **ret_bad)
{
	if (text->identity) {
		*ret_bad = text->identity;
		if (!set_text(env->identity, sizeof(env->identity), text->identity))
			return -EINVAL;
	}
	if (text->oom_score_adj) {
		char *end;
		*ret_bad = text->oom_score_adj;
		long adj = strtol(text->oom_score_adj, &end, 10);
		if (*end || adj < -1000 || adj > 1000)
			return -EINVAL;
		env->oom_score_adj = (int)adj;
	}
	if (text->cpus)
		env->all_cpus = strcmp(text->cpus, "all") == 0;
	return 0;
}

static int apply_limits(const struct environment_text *text, const struct machine *m, uint64_t *rlimits,
			uint64_t *cgroups, const char **ret_bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < text->rlimit.count; i++) {
		const struct setting *setting = &text->rlimit.item[i];
		*ret_bad = setting->value;
		r = apply_limit(setting->value, "unlimited", m, rlimits, environment_rlimit_by_name(setting->key));
	}
	for (size_t i = 0; r == 0 && i < text->cgroup.count; i++) {
		const struct setting *setting = &text->cgroup.item[i];
		*ret_bad = setting->value;
		r = apply_limit(setting->value, "max", m, cgroups, cgroup_value_by_name(setting->key));
	}
	return r;
}

int environment_apply_live(const struct environment_text *text, const struct machine *m, struct environment *env,
			   const char **ret_bad)
{
	return apply_limits(text, m, env->live_rlimit, env->live_cgroup, ret_bad);
}

int environment_apply(const struct environment_text *text, const struct machine *m, struct environment *env,
		      const char **ret_bad)
{
	int r = apply_limits(text, m, env->rlimit, env->cgroup, ret_bad);

	for (size_t i = 0; r == 0 && i < text->sysctl.count; i++) {
		*ret_bad = text->sysctl.item[i].key;
		r = apply_sysctl(&text->sysctl.item[i], env);
	}
	return r < 0 ? r : apply_words(text, env, ret_bad);
}
