// SPDX-License-Identifier: MIT
/*
 * Scenario, case and run laid over each other: what a run must show, and the environment it gets.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "calls.h"
#include "cleanup.h"
#include "limits.h"
#include "number.h"
#include "plan-internal.h"

#define PAGE_BYTES 4096

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

static uint64_t on_demand(const struct strings *calls)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < calls->count; i++)
		bits |= call_on_demand_bit(calls->item[i]);
	return bits;
}

uint64_t watched_on_demand(const struct scenario *s, const struct case_text *c)
{
	uint64_t bits = on_demand(&s->expect.call) | (c ? on_demand(&c->expect.call) : 0);

	for (size_t i = 0; i < s->run_count; i++)
		bits |= run_has_case(&s->runs[i], c) ? on_demand(&s->runs[i].expect.call) : 0;
	return bits;
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
	lay_text(&to->panic, from->panic);
	lay_text(&to->oom_kills, from->oom_kills);
	to->does_without |= from->does_without;
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

/* A value over an earlier one of that name, or behind the last. -E2BIG when there is no room for another one. */
static int apply_setting(const struct setting *setting, struct environment_setting *table, unsigned room,
			 unsigned *count)
{
	unsigned i = 0;

	while (i < *count && strcmp(table[i].name, setting->key) != 0)
		i++;
	if (i == room)
		return -E2BIG;
	if (!set_text(table[i].name, sizeof(table[i].name), setting->key) ||
	    !set_text(table[i].value, sizeof(table[i].value), setting->value))
		return -EINVAL;
	if (i == *count)
		++*count;
	return 0;
}

static int apply_settings(const struct settings *settings, struct environment_setting *table, unsigned room,
			  unsigned *count, const char **ret_bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->count; i++) {
		*ret_bad = settings->item[i].key;
		r = apply_setting(&settings->item[i], table, room, count);
	}
	return r;
}

/*
 * Kernel parameters: an amount becomes its number, so that a limit can be said relative to what the machine has. Plain
 * numbers stay as they are written, and so does what is no amount: some parameters are words or several numbers.
 */
static int apply_sysctls(const struct settings *settings, const struct machine *m, struct environment_setting *table,
			 unsigned room, unsigned *count, const char **ret_bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->count; i++) {
		char digits[32];
		struct setting setting = settings->item[i];
		uint64_t number;
		*ret_bad = setting.value;
		bool plain = setting.value[strspn(setting.value, "0123456789")] == '\0';
		int amount = plain ? -EINVAL : plan_amount(setting.value, m, &number);
		if (amount == 0) {
			snprintf(digits, sizeof(digits), "%" PRIu64, number);
			setting.value = digits;
		} else if (amount == -ERANGE || amount_intended(setting.value)) {
			return amount;
		}
		r = apply_setting(&setting, table, room, count);
		if (r < 0)
			*ret_bad = setting.key;
	}
	return r;
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

/* Limits by their names into the table that has a place for each. */
static int apply_limits(const struct settings *settings, int (*by_name)(const char *name), const char *no_limit,
			const struct machine *m, uint64_t *table, const char **ret_bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < settings->count; i++) {
		const struct setting *setting = &settings->item[i];
		*ret_bad = setting->value;
		r = apply_limit(setting->value, no_limit, m, table, by_name(setting->key));
	}
	return r;
}

/* A failure to inject, over an earlier one of that call; "none" takes it away. */
static int apply_injection(const struct setting *setting, struct environment *env)
{
	struct environment_injection *table = env->injection, given = {0};
	unsigned i = 0;

	while (i < env->injection_count && strcmp(table[i].call, setting->key) != 0)
		i++;
	if (strcmp(setting->value, "none") == 0) {
		if (i == env->injection_count)
			return 0;
		table[i] = table[--env->injection_count];
		memset(&table[env->injection_count], 0, sizeof(table[0]));
		return 0;
	}
	if (i == ENVIRONMENT_INJECTED)
		return -E2BIG;
	int r = environment_parse_injection(setting->key, setting->value, &given);
	if (r < 0)
		return r;
	memcpy(&table[i], &given, sizeof(given));
	env->injection_count += i == env->injection_count;
	return 0;
}

static int apply_injections(const struct environment_text *text, struct environment *env, const char **ret_bad)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < text->inject.count; i++) {
		*ret_bad = text->inject.item[i].key;
		r = apply_injection(&text->inject.item[i], env);
	}
	return r;
}

static int apply_swap(const struct environment_text *text, const struct machine *m, struct environment *env,
		      const char **ret_bad)
{
	if (text->swap_on)
		env->swap_on_disk = strcmp(text->swap_on, "disk") == 0;
	if (text->knobs)
		env->knobs_writable = strcmp(text->knobs, "writable") == 0;
	if (!text->swap)
		return 0;
	*ret_bad = text->swap;
	env->swap_said = true;
	return plan_amount(text->swap, m, &env->swap_bytes);
}

/* shmem_parse_one(), mm/shmem.c: whole pages, rounded up. */
static int apply_tmpfs(const struct settings *settings, const struct machine *m, uint64_t *bytes, uint64_t *inodes,
		       const char **ret_bad)
{
	for (size_t i = 0; i < settings->count; i++) {
		bool is_size = strcmp(settings->item[i].key, "size") == 0;
		uint64_t number;
		*ret_bad = settings->item[i].value;
		int r = plan_amount(*ret_bad, m, &number);
		if (r < 0 || number == 0)
			return r < 0 ? r : -ERANGE;
		*(is_size ? bytes : inodes) = is_size ? limit_round_up_to_page(number, PAGE_BYTES) : number;
	}
	return 0;
}

int environment_apply_live(const struct environment_text *text, const struct machine *m, struct environment *env,
			   const char **ret_bad)
{
	int r = apply_limits(&text->rlimit, environment_rlimit_by_name, "unlimited", m, env->live_rlimit, ret_bad);

	if (r == 0)
		r = apply_limits(&text->cgroup, cgroup_value_by_name, "max", m, env->live_cgroup, ret_bad);
	if (r == 0)
		r = apply_sysctls(&text->sysctl, m, env->live_sysctl, ENVIRONMENT_SYSCTLS, &env->live_sysctl_count,
				  ret_bad);
	if (r == 0)
		r = apply_sysctls(&text->namespace_sysctl, m, env->live_namespace_sysctl, ENVIRONMENT_SETTINGS,
				  &env->live_namespace_sysctl_count, ret_bad);
	if (r == 0)
		r = apply_tmpfs(&text->tmpfs, m, &env->live_tmpfs_bytes, &env->live_tmpfs_inodes, ret_bad);
	if (r < 0 || !text->swap)
		return r;
	*ret_bad = text->swap;
	r = plan_amount(text->swap, m, &env->live_swap_bytes);
	/* A guest has one disk. */
	return r == 0 && env->swap_on_disk && env->swap_bytes > 0 && env->live_swap_bytes > 0 ? -EBUSY : r;
}

int environment_apply(const struct environment_text *text, const struct machine *m, struct environment *env,
		      const char **ret_bad)
{
	int r = apply_limits(&text->rlimit, environment_rlimit_by_name, "unlimited", m, env->rlimit, ret_bad);

	if (r == 0)
		r = apply_limits(&text->cgroup, cgroup_value_by_name, "max", m, env->cgroup, ret_bad);
	if (r == 0)
		r = apply_limits(&text->cgroup_above, cgroup_value_by_name, "max", m, env->cgroup_above, ret_bad);
	if (r == 0)
		r = apply_sysctls(&text->sysctl, m, env->sysctl, ENVIRONMENT_SYSCTLS, &env->sysctl_count, ret_bad);
	if (r == 0)
		r = apply_settings(&text->sys, env->sys, ENVIRONMENT_SETTINGS, &env->sys_count, ret_bad);
	if (r == 0)
		r = apply_sysctls(&text->namespace_sysctl, m, env->namespace_sysctl, ENVIRONMENT_SETTINGS,
				  &env->namespace_sysctl_count, ret_bad);
	if (r == 0)
		r = apply_tmpfs(&text->tmpfs, m, &env->tmpfs_bytes, &env->tmpfs_inodes, ret_bad);
	if (r == 0)
		r = apply_injections(text, env, ret_bad);
	if (r == 0)
		r = apply_swap(text, m, env, ret_bad);
	return r < 0 ? r : apply_words(text, env, ret_bad);
}
