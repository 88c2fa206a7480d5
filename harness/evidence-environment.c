// SPDX-License-Identifier: MIT
/*
 * What was set for a run, as JSON: under the keys of the manifest, every amount as the number it became.
 */
#include <cap-ng.h>
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "number.h"
#include "run.h"

static json_t *limits_of_group(const uint64_t *limits)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		if (limits[i] != ENVIRONMENT_NOT_SET)
			json_object_set_new(o, cgroup_value_files[i].name, json_number(limits[i]));
	return o;
}

static json_t *rlimits(const uint64_t *limits)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (limits[i] != ENVIRONMENT_NOT_SET && environment_rlimit_name(i))
			json_object_set_new(o, environment_rlimit_name(i), json_number(limits[i]));
	return o;
}

static json_t *settings(const struct environment_setting *table, unsigned count)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < count; i++)
		json_object_set_new(o, table[i].name, json_string(table[i].value));
	return o;
}

/* As the manifest says it. */
static json_t *injections(const struct environment *env)
{
	json_t *o = json_object();
	for (unsigned i = 0; i < env->injection_count; i++) {
		const struct environment_injection *injection = &env->injection[i];
		const char *name = strerrorname_np(injection->error);
		json_object_set_new(o, injection->call,
				    injection->least ? json_sprintf("%s from %" PRIu64, name, injection->least)
						     : json_string(name));
	}
	return o;
}

/* What is rarely set is left out where it is not. */
static void set_filled(json_t *o, const char *key, json_t *value)
{
	if (json_object_size(value))
		json_object_set(o, key, value);
	json_decref(value);
}

static json_t *tmpfs_json(uint64_t bytes, uint64_t inodes)
{
	json_t *o = json_object();
	if (bytes != ENVIRONMENT_NOT_SET)
		json_object_set_new(o, "size", json_number(bytes));
	if (inodes != ENVIRONMENT_NOT_SET)
		json_object_set_new(o, "inodes", json_number(inodes));
	return o;
}

static json_t *live_json(const struct environment *env)
{
	json_t *o = json_object();
	set_filled(o, "rlimit", rlimits(env->live_rlimit));
	set_filled(o, "cgroup", limits_of_group(env->live_cgroup));
	set_filled(o, "sysctl", settings(env->live_sysctl, env->live_sysctl_count));
	set_filled(o, "namespace_sysctl", settings(env->live_namespace_sysctl, env->live_namespace_sysctl_count));
	set_filled(o, "tmpfs", tmpfs_json(env->live_tmpfs_bytes, env->live_tmpfs_inodes));
	if (env->live_swap_bytes)
		json_object_set_new(o, "swap", json_number(env->live_swap_bytes));
	return o;
}

/* Those that a program of root keeps, by the manifest's names. */
static json_t *capabilities(uint64_t kept)
{
	json_t *names = json_array();
	for (unsigned i = 0; i < 64; i++) {
		const char *lower = kept >> i & 1 ? capng_capability_to_name(i) : NULL;
		char name[40];
		size_t length = 0;
		for (; lower && lower[length] && length + 1 < sizeof(name); length++)
			name[length] = (char)toupper((unsigned char)lower[length]);
		name[length] = '\0';
		if (length)
			json_array_append_new(names, json_string(name));
	}
	return names;
}

json_t *evidence_environment(const struct plan_run *run)
{
	const struct environment *env = &run->environment;
	struct environment unset;
	json_t *o = json_object();
	environment_init(&unset);
	json_object_set_new(o, "rlimit", rlimits(env->rlimit));
	json_object_set_new(o, "cgroup", limits_of_group(env->cgroup));
	set_filled(o, "cgroup_above", limits_of_group(env->cgroup_above));
	json_object_set_new(o, "sysctl", settings(env->sysctl, env->sysctl_count));
	set_filled(o, "sys", settings(env->sys, env->sys_count));
	set_filled(o, "namespace_sysctl", settings(env->namespace_sysctl, env->namespace_sysctl_count));
	set_filled(o, "tmpfs", tmpfs_json(env->tmpfs_bytes, env->tmpfs_inodes));
	set_filled(o, "inject", injections(env));
	set_filled(o, "live", live_json(env));
	if (env->swap_said)
		json_object_set_new(o, "swap", json_number(env->swap_bytes));
	if (env->swap_bytes || env->live_swap_bytes)
		json_object_set_new(o, "swap_on", json_string(env->swap_on_disk ? "disk" : "zram"));
	if (env->knobs_writable)
		json_object_set_new(o, "knobs", json_string("writable"));
	if (env->identity[0])
		json_object_set_new(o, "identity", json_string(env->identity));
	if (env->oom_score_adj != unset.oom_score_adj)
		json_object_set_new(o, "oom_score_adj", json_integer(env->oom_score_adj));
	if (env->keep_capabilities)
		json_object_set_new(o, "capabilities", capabilities(env->keep_capabilities));
	json_object_set_new(o, "memory_ceiling", json_number(env->memory_ceiling_bytes));
	json_object_set_new(o, "tasks_ceiling", json_number(env->tasks_ceiling));
	json_object_set_new(o, "deadline_ns", json_number(env->deadline_ns));
	return o;
}
