// SPDX-License-Identifier: MIT
/*
 * The trigger, set up as the learner's guest says that it is. See guest-teach.h.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "guest-teach-state.h"

static bool is_among(const struct environment_setting *all, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(all[i].name, name))
			return true;
	return false;
}

static bool sysctl_is_set_by_some(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct environment *env = &plan->runs[i].environment;
		if (is_among(env->sysctl, env->sysctl_count, name) ||
		    is_among(env->live_sysctl, env->live_sysctl_count, name))
			return true;
	}
	return false;
}

/* The learner's guest may say anything: what no run sets is not read there, and so was made up. */
static bool sysctl_is_known(const struct plan *plan, const char *name)
{
	const char *other = guest_state_other_size(name);
	return sysctl_is_set_by_some(plan, name) || (other && sysctl_is_set_by_some(plan, other));
}

static bool sys_is_known(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (is_among(plan->runs[i].environment.sys, plan->runs[i].environment.sys_count, name))
			return true;
	return false;
}

static bool namespace_is_known(const struct plan *plan, const char *name)
{
	for (size_t i = 0; guest_state_is_of_ipc(name) && i < plan->run_count; i++)
		if (is_among(plan->runs[i].environment.namespace_sysctl,
			     plan->runs[i].environment.namespace_sysctl_count, name))
			return true;
	return false;
}

static bool rlimit_is_known(const struct plan *plan, unsigned which)
{
	(void)plan;
	return environment_rlimit_name(which) && strcmp(environment_rlimit_name(which), "core") != 0;
}

static unsigned find_setting(const struct environment_setting *all, unsigned count, const char *name)
{
	unsigned at = 0;
	while (at < count && strcmp(all[at].name, name) != 0)
		at++;
	return at;
}

static void remove_setting(struct environment_setting *all, unsigned *count, const char *name)
{
	const unsigned at = find_setting(all, *count, name);
	if (at == *count)
		return;
	memmove(&all[at], &all[at + 1], (*count - at - 1) * sizeof(*all));
	memset(&all[--*count], 0, sizeof(*all));
}

/* What is 0 because the other one was set must not be written. Where that is 0 as well, nothing may be reserved. */
static bool other_is_set(const json_t *given, const char *name)
{
	const char *said = json_string_value(json_object_get(given, guest_state_other_size(name)));
	return said && strcmp(said, "0") != 0;
}

static int apply_settings(const json_t *given, const struct plan *plan,
			  bool (*is_known)(const struct plan *plan, const char *name), struct environment_setting *all,
			  unsigned most, unsigned *count)
{
	const char *name;
	const json_t *value;
	json_object_foreach ((json_t *)(uintptr_t)given, name, value) {
		const char *text = json_string_value(value);
		if (!text || !is_known(plan, name) || strlen(name) >= sizeof(all->name) ||
		    strlen(text) >= sizeof(all->value))
			return -EBADMSG;
		const bool zero = guest_state_other_size(name) && !strcmp(text, "0");
		if (zero)
			remove_setting(all, count, name);
		if (zero && other_is_set(given, name))
			continue;
		/* Writing the ratio makes both 0. */
		const char *written = zero ? OVERCOMMIT_RATIO : name;
		const unsigned at = find_setting(all, *count, written);
		if (at == most)
			return -E2BIG;
		if (at == *count)
			(void)snprintf(all[(*count)++].name, sizeof(all->name), "%s", written);
		(void)snprintf(all[at].value, sizeof(all->value), "%s", text);
	}
	return 0;
}

static int apply_limits(const json_t *given, const struct plan *plan,
			bool (*is_known)(const struct plan *plan, unsigned which), uint64_t *limit, size_t count)
{
	const json_t *pair;
	size_t i;
	json_array_foreach (given, i, pair) {
		const json_int_t which = json_integer_value(json_array_get(pair, 0)),
				 value = json_integer_value(json_array_get(pair, 1));
		if (which < 0 || (size_t)which >= count || !is_known(plan, (unsigned)which))
			return -EBADMSG;
		limit[which] = value < 0 ? ENOMEM_UNLIMITED : (uint64_t)value;
	}
	return 0;
}

/* A size of 0 would be none. */
static int apply_tmpfs(const json_t *given, const struct plan *plan, struct environment *env)
{
	const json_t *bytes = json_object_get(given, "tmpfs_bytes"), *inodes = json_object_get(given, "tmpfs_inodes");
	if (!bytes && !inodes)
		return 0;
	if (!guest_state_sets_tmpfs(plan) || (bytes && json_integer_value(bytes) <= 0) ||
	    (inodes && json_integer_value(inodes) <= 0))
		return -EBADMSG;
	if (bytes)
		env->tmpfs_bytes = (uint64_t)json_integer_value(bytes);
	if (inodes)
		env->tmpfs_inodes = (uint64_t)json_integer_value(inodes);
	return 0;
}

struct expect fix_expectation(const struct plan_run *remedy)
{
	const struct environment *env = &remedy->environment;
	struct expect e = remedy->expect;
	bool live = env->live_sysctl_count || env->live_swap_bytes;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		live |= env->live_rlimit[i] != ENVIRONMENT_NOT_SET;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		live |= env->live_cgroup[v] != ENVIRONMENT_NOT_SET;
	/* What helps at the failing moment keeps it from coming. */
	if (live)
		return (struct expect){.exit = (char *)(uintptr_t) "0"};
	e.check = NULL;
	e.check_count = 0;
	return e;
}

int guest_state_apply(const json_t *request, const struct plan *plan, struct plan_run *run)
{
	const char *name = json_string_value(json_object_get(request, "remedy"));
	const json_t *changed = json_object_get(request, "changed"), *swap = json_object_get(changed, "swap");
	struct environment *env = &run->environment;
	const struct plan_run *remedy = NULL;
	for (size_t i = 0; name && i < plan->run_count; i++)
		if (!strcmp(plan->runs[i].name, name))
			remedy = &plan->runs[i];
	if (!remedy)
		return -EBADMSG;
	int r = apply_settings(json_object_get(changed, "sysctl"), plan, sysctl_is_known, env->sysctl,
			       ENVIRONMENT_SYSCTLS, &env->sysctl_count);
	if (r == 0)
		r = apply_settings(json_object_get(changed, "sys"), plan, sys_is_known, env->sys, ENVIRONMENT_SETTINGS,
				   &env->sys_count);
	if (r == 0)
		r = apply_settings(json_object_get(changed, "namespace"), plan, namespace_is_known,
				   env->namespace_sysctl, ENVIRONMENT_SETTINGS, &env->namespace_sysctl_count);
	if (r == 0)
		r = apply_limits(json_object_get(changed, "cgroup_above"), plan, guest_state_sets_above,
				 env->cgroup_above, CGROUP_VALUE_COUNT);
	if (r == 0)
		r = apply_tmpfs(changed, plan, env);
	if (r == 0)
		r = apply_limits(json_object_get(changed, "cgroup"), plan, guest_state_sets_group, env->cgroup,
				 CGROUP_VALUE_COUNT);
	if (r == 0)
		r = apply_limits(json_object_get(changed, "rlimit"), plan, rlimit_is_known, env->rlimit,
				 PROCFS_RLIMITS);
	if (swap) {
		env->swap_said = true;
		env->swap_bytes = (uint64_t)json_integer_value(swap);
		env->swap_on_disk = json_is_true(json_object_get(changed, "swap_on_disk"));
	}
	run->expect = fix_expectation(remedy);
	run->run = remedy->run;
	run->role = remedy->role;
	return r;
}
