// SPDX-License-Identifier: MIT
/*
 * Groups, identity and live changes of a run. See run-environment.h.
 */
#include "run-environment.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ipc-namespace.h"
#include "number.h"
#include "tmpfs.h"

#define LOCK_TIMEOUT_NS 30000000000ULL
#define UNDO_TIMEOUT_NS 2000000000ULL

int run_problem(struct run_record *record, int error, const char *step, const char *hint, const char *format, ...)
{
	va_list args;
	(void)snprintf(record->problem.step, sizeof(record->problem.step), "%s", step);
	record->problem.error = error;
	record->problem.hint = hint;
	va_start(args, format);
	(void)vsnprintf(record->problem.message, sizeof(record->problem.message), format, args);
	va_end(args);
	return -1;
}

static bool machine_has_swap(const struct run_context *context, const struct environment *env)
{
	if (env->live_swap_bytes > 0)
		return true;
	return env->swap_said ? env->swap_bytes > 0 : context->machine->now.meminfo.value[MEMINFO_SWAP_TOTAL] > 0;
}

/*
 * memory.max is meant as a limit on memory, not on RAM with swap as a way out: unless the scenario says otherwise, its
 * group may not swap. Where the kernel does not account swap and the machine has some, the limit proves nothing.
 */
static int forbid_swap(const struct run_context *context, struct run_record *record, struct cgroup *cg,
		       const uint64_t *limits, bool has_ceiling)
{
	const bool limited =
		limits[CGROUP_MEMORY_MAX] != ENVIRONMENT_NOT_SET && limits[CGROUP_MEMORY_MAX] != ENOMEM_UNLIMITED;
	if ((!limited && !has_ceiling) || limits[CGROUP_MEMORY_SWAP_MAX] != ENVIRONMENT_NOT_SET)
		return 0;
	int r = cgroup_set(cg, CGROUP_MEMORY_SWAP_MAX, 0);
	if (r == 0 || !machine_has_swap(context, &record->run->environment))
		return 0;
	return run_problem(record, -r, "cgroup", "swapoff -a, or boot with swapaccount=1",
			   "cgroup %s: swap cannot be forbidden, and this machine has some", cg->name);
}

struct announcement {
	struct journal *journal;
	int error;
};

static int announce(const char *path, unsigned enables, void *data)
{
	struct announcement *a = data;
	a->error = enables ? journal_enabled(a->journal, path, enables) : journal_cgroup(a->journal, path);
	return a->error;
}

static bool limits_anything(const uint64_t *limits, unsigned controllers)
{
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (limits[v] != ENVIRONMENT_NOT_SET && controllers & 1U << cgroup_value_files[v].controller)
			return true;
	return false;
}

/* hugetlb only where it is limited: it is rarely there, and its files are many. */
static unsigned wanted_controllers(const struct run_context *context, const struct environment *env)
{
	const unsigned hugetlb = 1U << CGROUP_HUGETLB;
	unsigned controllers = 0;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (context->machine->cgroup_writable[c])
			controllers |= 1U << c;
	if (!limits_anything(env->cgroup, hugetlb) && !limits_anything(env->cgroup_above, hugetlb) &&
	    !limits_anything(env->live_cgroup, hugetlb))
		controllers &= ~hugetlb;
	return controllers;
}

static int set_limit(struct run_record *record, struct cgroup *cg, unsigned v, uint64_t value)
{
	int r = value == ENVIRONMENT_NOT_SET ? 0 : cgroup_set(cg, (enum cgroup_value)v, value);
	return r < 0 ? run_problem(record, -r, "cgroup", NULL, "cgroup %s: %s cannot be set", cg->name,
				   cgroup_value_files[v].name)
		     : 0;
}

/* The scenario's limits, and enomem's own ceilings where the scenario sets none. */
static int set_own_limits(const struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	const struct environment *env = &record->run->environment;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++) {
		uint64_t value = env->cgroup[v];
		/* "max" says that the scenario sets no limit, not that a run gone wrong may have the machine. */
		bool ours = value == ENVIRONMENT_NOT_SET || value == ENOMEM_UNLIMITED;
		if (ours && v == CGROUP_MEMORY_MAX && cg->path[CGROUP_MEMORY][0])
			value = env->memory_ceiling_bytes;
		if (ours && v == CGROUP_PIDS_MAX && cg->path[CGROUP_PIDS][0])
			value = env->tasks_ceiling;
		if (set_limit(record, cg, v, value) < 0)
			return -1;
	}
	return forbid_swap(context, record, cg, env->cgroup,
			   env->ceiling_without_swap && cg->path[CGROUP_MEMORY][0] &&
				   env->memory_ceiling_bytes != ENOMEM_UNLIMITED);
}

static int set_limits_above(const struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	const struct environment *env = &record->run->environment;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (set_limit(record, cg, v, env->cgroup_above[v]) < 0)
			return -1;
	return forbid_swap(context, record, cg, env->cgroup_above, false);
}

/*
 * The names end so that neither of two groups inside each other begins the other's: a path or a line of the kernel log
 * that holds a run's group by name means that group.
 */
static int create_groups(struct run_context *context, struct run_record *record, unsigned controllers,
			 struct cgroup *cg)
{
	static struct cgroup outer;
	struct announcement announcement = {.journal = context->journal};
	cgroup_announce tell = run_is_thrown_away(context, record->run) ? NULL : announce;
	bool above = limits_anything(record->run->environment.cgroup_above, ~0U);
	char name[64], inner[80];
	(void)snprintf(name, sizeof(name), "enomem-%lu-%u-%u", context->owner, context->worker, context->runs);
	(void)snprintf(inner, sizeof(inner), "%.60s-in", name);
	int r = cgroup_create_announced(&context->machine->cgroup, name, controllers, tell, &announcement,
					above ? &outer : cg);
	if (r == 0 && above) {
		r = cgroup_create_inside(&outer, inner, tell, &announcement, cg);
		if (r < 0)
			(void)cgroup_remove(&outer, UNDO_TIMEOUT_NS);
	}
	if (announcement.error < 0)
		return run_problem(record, -r, "journal", "make the state directory writable, or set ENOMEM_STATE_DIR",
				   "%s: cannot be written", context->journal->path);
	if (r < 0)
		return run_problem(record, -r, "cgroup", "enomem doctor tells which hierarchies can be used",
				   "cgroup %s: cannot be created", name);
	record->cgroup = cg;
	return 0;
}

int run_make_group(struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	unsigned controllers = wanted_controllers(context, &record->run->environment);
	if (!controllers)
		return 0;
	if (create_groups(context, record, controllers, cg) < 0)
		return -1;
	if (cg->above && set_limits_above(context, record, cg->above) < 0)
		return -1;
	return set_own_limits(context, record, cg);
}

void run_join_group(const struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	char procs[sizeof(context->place->group[0]) + 16];
	struct cgroup_system system = context->machine->cgroup;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		struct cgroup_hierarchy *at = &system.at[c];
		const char *path = context->place->group[c];
		size_t length = strlen(at->mount);
		if (path[0] && strncmp(path, at->mount, length) == 0)
			(void)snprintf(at->parent, sizeof(at->parent), "%.*s", (int)sizeof(at->parent) - 1,
				       path + length);
		else
			at->version = CGROUP_NONE;
	}
	cgroup_open_detected(&system, cg);
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		(void)snprintf(procs, sizeof(procs), "%s/cgroup.procs", cg->path[c]);
		if (cg->path[c][0]) {
			(void)snprintf(cg->name, sizeof(cg->name), "%.63s", strrchr(cg->path[c], '/') + 1);
			cg->procs_fd[c] = open(procs, O_WRONLY | O_CLOEXEC);
			record->cgroup = cg;
		}
	}
}

int run_set_identity(struct run_record *record, struct stage_spec *spec)
{
	const char *identity = record->run->environment.identity;
	uint64_t number;
	if (!identity[0])
		return 0;
	spec->change_identity = true;
	if (number_parse_count(identity, &number) == 0 && number < UINT32_MAX) {
		spec->uid = spec->gid = (uint32_t)number;
		return 0;
	}
	const struct passwd *user = getpwnam(identity);
	if (!user)
		return run_problem(record, 0, "identity", NULL, "user %s: not known on this machine", identity);
	spec->uid = user->pw_uid;
	spec->gid = user->pw_gid;
	return 0;
}

int run_calm_machine(struct run_context *context, struct run_record *record, int *ret_fd)
{
	int r = journal_machine_calm(context->journal, LOCK_TIMEOUT_NS, ret_fd);
	return r < 0 ? run_problem(record, -r, "machine lock", "wait for the other enomem run to end",
				   "another enomem run keeps the machine changed")
		     : 0;
}

static bool changes_tmpfs_live(const struct environment *env)
{
	return env->live_tmpfs_bytes != ENVIRONMENT_NOT_SET || env->live_tmpfs_inodes != ENVIRONMENT_NOT_SET;
}

static void change_namespaces_live(struct run_record *record, pid_t pid)
{
	const struct environment *env = &record->run->environment;
	for (unsigned i = 0; i < env->live_namespace_sysctl_count; i++) {
		const struct environment_setting *setting = &env->live_namespace_sysctl[i];
		int r = ipc_namespace_set(pid, setting->name, setting->value);
		if (r < 0)
			(void)run_problem(record, -r, "live", NULL, "%s: cannot be set to %s live", setting->name,
					  setting->value);
	}
	int r = changes_tmpfs_live(env)
			? tmpfs_resize(pid, ENVIRONMENT_TMPFS, env->live_tmpfs_bytes, env->live_tmpfs_inodes)
			: 0;
	if (r < 0)
		(void)run_problem(record, -r, "live", NULL, ENVIRONMENT_TMPFS ": cannot be resized live");
}

/* A remedy for a living process: the limit is raised while the program stands still, then it may go on. */
static void change_live(struct run_record *record, pid_t pid)
{
	const struct environment *env = &record->run->environment;
	run_change_machine_live(record);
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (env->live_cgroup[v] != ENVIRONMENT_NOT_SET && record->cgroup) {
			int r = cgroup_set(record->cgroup, (enum cgroup_value)v, env->live_cgroup[v]);
			if (r < 0)
				(void)run_problem(record, -r, "live", NULL, "%s: cannot be changed live",
						  cgroup_value_files[v].name);
		}
	change_namespaces_live(record, pid);
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++) {
		struct rlimit limit;
		if (env->live_rlimit[i] == ENVIRONMENT_NOT_SET)
			continue;
		if (prlimit(pid, (__rlimit_resource_t)i, NULL, &limit) == 0) {
			limit.rlim_cur = env->live_rlimit[i] == ENOMEM_UNLIMITED ? RLIM_INFINITY : env->live_rlimit[i];
			/* As before the start, and as there it needs CAP_SYS_RESOURCE. */
			if (limit.rlim_cur > limit.rlim_max)
				limit.rlim_max = limit.rlim_cur;
			if (prlimit(pid, (__rlimit_resource_t)i, &limit, NULL) == 0)
				continue;
		}
		(void)run_problem(record, errno, "live", NULL, "rlimit %s: cannot be changed live",
				  environment_rlimit_name(i));
	}
}

void run_change_live(const struct refusal *first, void *data)
{
	change_live(data, first->tgid);
}

void run_change_at_stall(void *data)
{
	struct run_record *record = data;
	change_live(record, record->sampler.at_deadline.pid);
}

bool run_changes_live(const struct environment *env)
{
	if (env->live_sysctl_count > 0 || env->live_swap_bytes > 0 || env->live_namespace_sysctl_count > 0 ||
	    changes_tmpfs_live(env))
		return true;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (env->live_cgroup[v] != ENVIRONMENT_NOT_SET)
			return true;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (env->live_rlimit[i] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

char **run_plain_environment(void)
{
	static char plain[] = "LC_ALL=C";
	size_t count = 0, n = 0;
	while (environ[count])
		count++;
	char **all = calloc(count + 2, sizeof(char *));
	for (size_t i = 0; all && i < count; i++)
		if (strncmp(environ[i], "LC_ALL=", strlen("LC_ALL=")) != 0)
			all[n++] = environ[i];
	if (all)
		all[n] = plain;
	return all;
}
