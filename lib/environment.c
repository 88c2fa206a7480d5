// SPDX-License-Identifier: MIT
/*
 * Defaults of a run's environment, and the names of the resource limits a manifest may set.
 */
#include "environment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "cleanup.h"
#include "number.h"

#define DEFAULT_DEADLINE_NS UINT64_C(10000000000)
#define DEFAULT_TASKS       512
#define OOM_SCORE_ADJ_MAX   1000
#define ERRNO_MAX           133

static const struct {
	const char *name;
	unsigned rlimit;
} rlimit_names[] = {
	{"as", RLIMIT_AS},
	{"data", RLIMIT_DATA},
	{"stack", RLIMIT_STACK},
	{"memlock", RLIMIT_MEMLOCK},
	{"nproc", RLIMIT_NPROC},
	{"nofile", RLIMIT_NOFILE},
	{"cpu", RLIMIT_CPU},
	{"fsize", RLIMIT_FSIZE},
	{"core", RLIMIT_CORE},
	{"rss", RLIMIT_RSS},
	{"sigpending", RLIMIT_SIGPENDING},
	{"msgqueue", RLIMIT_MSGQUEUE},
};

void environment_init(struct environment *env)
{
	/* All bytes, padding too: the struct travels through a descriptor as it is. */
	memset(env, 0, sizeof(*env));
	for (size_t i = 0; i < ARRAY_SIZE(env->rlimit); i++)
		env->rlimit[i] = env->live_rlimit[i] = ENVIRONMENT_NOT_SET;
	for (size_t i = 0; i < ARRAY_SIZE(env->cgroup); i++)
		env->cgroup[i] = env->cgroup_above[i] = env->live_cgroup[i] = ENVIRONMENT_NOT_SET;
	env->tmpfs_bytes = env->tmpfs_inodes = ENVIRONMENT_NOT_SET;
	env->live_tmpfs_bytes = env->live_tmpfs_inodes = ENVIRONMENT_NOT_SET;
	env->oom_score_adj = OOM_SCORE_ADJ_MAX;
	env->deadline_ns = DEFAULT_DEADLINE_NS;
	env->tasks_ceiling = DEFAULT_TASKS;
}

static int errno_by_name(const char *text, size_t length)
{
	for (int error = 1; error <= ERRNO_MAX; error++) {
		const char *name = strerrorname_np(error);
		if (name && strlen(name) == length && strncmp(name, text, length) == 0)
			return error;
	}
	return -EINVAL;
}

int environment_parse_injection(const char *call, const char *text, struct environment_injection *ret)
{
	static const char from[] = " from ";
	const char *size = strstr(text, from);
	int error = errno_by_name(text, size ? (size_t)(size - text) : strlen(text));
	uint64_t least = 0;

	if (error < 0 || (size && (number_parse_size(size + strlen(from), &least) < 0 || least == 0)))
		return -EINVAL;
	if (strcmp(call, "brk") == 0 && error != ENOMEM)
		return -ENOTSUP;
	/* All bytes: the struct travels as it is. */
	memset(ret, 0, sizeof(*ret));
	if ((size_t)snprintf(ret->call, sizeof(ret->call), "%s", call) >= sizeof(ret->call))
		return -EINVAL;
	ret->error = error;
	ret->least = least;
	return 0;
}

int environment_rlimit_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++) {
		if (strcmp(rlimit_names[i].name, name) == 0)
			return (int)rlimit_names[i].rlimit;
	}
	return -ENOENT;
}

const char *environment_rlimit_name(unsigned rlimit)
{
	for (size_t i = 0; i < ARRAY_SIZE(rlimit_names); i++) {
		if (rlimit_names[i].rlimit == rlimit)
			return rlimit_names[i].name;
	}
	return NULL;
}
