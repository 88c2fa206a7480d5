// SPDX-License-Identifier: MIT
/*
 * Groups, identity, machine-wide values and live changes of a run. See run-environment.h.
 */
#include "run-environment.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include "number.h"

#define LOCK_TIMEOUT_NS 30000000000ULL

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

/*
 * memory.max is meant as a limit on memory, not on RAM with swap as a way out: unless the scenario says otherwise, its
 * group may not swap. Where the kernel does not account swap and the machine has some, the limit proves nothing.
 */
static int forbid_swap(const struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	const struct environment *env = &record->run->environment;
	if (env->cgroup[CGROUP_MEMORY_MAX] == ENVIRONMENT_NOT_SET ||
	    env->cgroup[CGROUP_MEMORY_MAX] == ENOMEM_UNLIMITED ||
	    env->cgroup[CGROUP_MEMORY_SWAP_MAX] != ENVIRONMENT_NOT_SET)
		return 0;
	int r = cgroup_set(cg, CGROUP_MEMORY_SWAP_MAX, 0);
	if (r == 0 || context->machine->now.meminfo.value[MEMINFO_SWAP_TOTAL] == 0)
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

/* The group of a run: its scenario's limits, and enomem's own ceilings where the scenario sets none. */
int run_make_group(struct run_context *context, struct run_record *record, struct cgroup *cg)
{
	const struct environment *env = &record->run->environment;
	unsigned controllers = 0;
	char name[64];
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (context->machine->cgroup_writable[c] &&
		    (c != CGROUP_HUGETLB || env->cgroup[CGROUP_HUGETLB_MAX] != ENVIRONMENT_NOT_SET ||
		     env->cgroup[CGROUP_HUGETLB_RSVD_MAX] != ENVIRONMENT_NOT_SET))
			controllers |= 1U << c;
	if (!controllers)
		return 0;
	(void)snprintf(name, sizeof(name), "enomem-%lu-%u-%u", context->owner, context->worker, context->runs);
	struct announcement announcement = {.journal = context->journal};
	int r = cgroup_create_announced(&context->machine->cgroup, name, controllers, announce, &announcement, cg);
	if (announcement.error < 0)
		return run_problem(record, -r, "journal", "make the state directory writable, or set ENOMEM_STATE_DIR",
				   "%s: cannot be written", context->journal->path);
	if (r < 0)
		return run_problem(record, -r, "cgroup", "enomem doctor tells which hierarchies can be used",
				   "cgroup %s: cannot be created", name);
	record->cgroup = cg;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++) {
		uint64_t value = env->cgroup[v];
		/* "max" says that the scenario sets no limit, not that a run gone wrong may have the machine. */
		bool ours = value == ENVIRONMENT_NOT_SET || value == ENOMEM_UNLIMITED;
		if (ours && v == CGROUP_MEMORY_MAX && controllers & 1U << CGROUP_MEMORY)
			value = env->memory_ceiling_bytes;
		if (ours && v == CGROUP_PIDS_MAX && controllers & 1U << CGROUP_PIDS)
			value = env->tasks_ceiling;
		if (value == ENVIRONMENT_NOT_SET)
			continue;
		r = cgroup_set(cg, (enum cgroup_value)v, value);
		if (r < 0)
			return run_problem(record, -r, "cgroup", NULL, "cgroup %s: %s cannot be set", name,
					   cgroup_value_files[v].name);
	}
	return forbid_swap(context, record, cg);
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

int run_change_machine(struct run_context *context, struct run_record *record, struct sysctl_session *session)
{
	const struct environment *env = &record->run->environment;
	int r = sysctl_session_open(session, context->journal, LOCK_TIMEOUT_NS);
	session->journal = r < 0 ? NULL : context->journal;
	if (r < 0)
		return run_problem(record, -r, "machine lock", "another enomem run holds it: wait, or enomem recover",
				   "the lock for machine-wide changes could not be taken");
	for (unsigned i = 0; i < env->sysctl_count; i++) {
		r = sysctl_session_set(session, env->sysctl[i].name, env->sysctl[i].value);
		if (r < 0)
			return run_problem(record, -r, "sysctl", NULL, "%s: cannot be set to %s", env->sysctl[i].name,
					   env->sysctl[i].value);
	}
	return 0;
}

/* A remedy for a living process: the limit is raised while the program stands still, then it may ask again. */
void run_change_live(const struct refusal *first, void *data)
{
	struct run_record *record = data;
	const struct environment *env = &record->run->environment;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (env->live_cgroup[v] != ENVIRONMENT_NOT_SET && record->cgroup) {
			int r = cgroup_set(record->cgroup, (enum cgroup_value)v, env->live_cgroup[v]);
			if (r < 0)
				(void)run_problem(record, -r, "live", NULL, "%s: cannot be changed live",
						  cgroup_value_files[v].name);
		}
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++) {
		struct rlimit limit;
		if (env->live_rlimit[i] == ENVIRONMENT_NOT_SET)
			continue;
		if (prlimit(first->tgid, (__rlimit_resource_t)i, NULL, &limit) == 0) {
			limit.rlim_cur = env->live_rlimit[i] == ENOMEM_UNLIMITED ? RLIM_INFINITY : env->live_rlimit[i];
			if (prlimit(first->tgid, (__rlimit_resource_t)i, &limit, NULL) == 0)
				continue;
		}
		(void)run_problem(record, errno, "live", NULL, "rlimit %s: cannot be changed live",
				  environment_rlimit_name(i));
	}
}

bool run_changes_live(const struct environment *env)
{
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (env->live_cgroup[v] != ENVIRONMENT_NOT_SET)
			return true;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (env->live_rlimit[i] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}
