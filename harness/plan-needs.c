// SPDX-License-Identifier: MIT
/*
 * What this machine lacks, as sentences: for the needs a manifest states and for those an environment implies.
 */
#include <cap-ng.h>
#include <stdarg.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "own-group.h"
#include "plan-internal.h"
#include "sysctl.h"

__attribute__((format(printf, 1, 2))) static char *sentence(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? NULL : text;
}

/* -1, 0, 1: this kernel against "6.1". */
static int kernel_compare(const struct machine *m, const char *version)
{
	unsigned major = 0, minor = 0;

	if (sscanf(version, "%4u.%4u", &major, &minor) != 2)
		return 0;
	if (m->kernel_major != major)
		return m->kernel_major < major ? -1 : 1;
	return m->kernel_minor < minor ? -1 : m->kernel_minor > minor;
}

static bool kernel_fits(const char *range, const struct machine *m)
{
	for (const char *c = range; *c; c += strcspn(c, " "), c += strspn(c, " ")) {
		if (strncmp(c, ">=", 2) == 0 ? kernel_compare(m, c + 2) < 0 : kernel_compare(m, c + 1) >= 0)
			return false;
	}
	return true;
}

static const char *version_name(enum cgroup_version version)
{
	return version == CGROUP_V1 ? "v1" : version == CGROUP_V2 ? "v2" : "not mounted";
}

static int controller_by_name(const char *name)
{
	for (int i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (strcmp(cgroup_controller_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* Why no group with this controller can be made here; false when one can. */
static bool controller_missing(int controller, const struct machine *m, char **ret)
{
	const char *name = cgroup_controller_names[controller];

	if (m->cgroup.at[controller].version == CGROUP_NONE)
		*ret = sentence("needs the %s controller (cgroup v1 or v2), which is not mounted", name);
	else if (!m->cgroup_writable[controller] && !m->root)
		*ret = sentence("needs a cgroup of its own with the %s controller: run as root, or in a delegated "
				"cgroup: " OWN_GROUP_COMMAND " enomem ...",
				name);
	else if (!m->cgroup_writable[controller])
		*ret = sentence(
			"needs a cgroup of its own with the %s controller, but its hierarchy cannot be written here",
			name);
	else
		return false;
	return true;
}

static bool cgroup_version_missing(const struct needs *n, const struct machine *m, char **ret)
{
	int decides = CGROUP_MEMORY;

	if (!n->cgroup_version)
		return false;
	for (size_t i = 0; i < n->controllers.count; i++) {
		int controller = controller_by_name(n->controllers.item[i]);
		if (controller >= 0 && (i == 0 || controller == CGROUP_MEMORY))
			decides = controller;
	}
	const char *here = version_name(m->cgroup.at[decides].version);
	if (strcmp(here, n->cgroup_version) == 0)
		return false;
	*ret = sentence("needs cgroup %s (the %s controller is %s here)", n->cgroup_version,
			cgroup_controller_names[decides], here);
	return true;
}

static bool on_path(const char *tool)
{
	const char *path = getenv("PATH");

	if (tool[0] == '/')
		return access(tool, X_OK) == 0;

	for (const char *c = path ? path : "/usr/bin:/bin"; *c;) {
		size_t length = strcspn(c, ":");
		char file[1024];
		snprintf(file, sizeof(file), "%.*s/%s", (int)length, length ? c : ".", tool);
		if (access(file, X_OK) == 0)
			return true;
		c += length + (c[length] == ':');
	}
	return false;
}

/* The sysctls of the snapshot, and any other from the running kernel. */
static bool sysctl_value(const char *name, const struct machine *m, char *ret, size_t size)
{
	for (size_t i = 0; i < SYSCTL_COUNT; i++) {
		if (strcmp(sysctl_names[i], name) != 0)
			continue;
		snprintf(ret, size, "%llu", (unsigned long long)m->now.sysctl[i]);
		return m->now.sysctl[i] < ENOMEM_ABSENT;
	}
	return sysctl_read(name, ret, size) == 0;
}

static bool sysctl_missing(const struct setting *wanted, const struct machine *m, char **ret)
{
	static const char not [] = "not ";
	char value[SYSCTL_VALUE_MAX];
	const bool other = strncmp(wanted->value, not, strlen(not )) == 0;

	if (!sysctl_value(wanted->key, m, value, sizeof(value)))
		*ret = sentence("needs %s, which this kernel does not have", wanted->key);
	else if (other && strcmp(value, wanted->value + strlen(not )) == 0)
		*ret = sentence("needs another %s than %s", wanted->key, value);
	else if (other)
		return false;
	else if (strcmp(value, wanted->value) != 0)
		*ret = sentence("needs %s = %s (it is %s)", wanted->key, wanted->value, value);
	else
		return false;
	return true;
}

/* A guest has less RAM than its machine was given: the kernel's own image and tables are not in MemTotal. */
static bool ram_missing(const char *wanted, const struct machine *m, char **ret)
{
	uint64_t bytes, here = m->now.meminfo.value[MEMINFO_MEM_TOTAL];
	char need[64], have[64];

	if (number_parse_size(wanted, &bytes) < 0 || here >= ENOMEM_ABSENT || here >= bytes)
		return false;
	*ret = sentence("needs %s of RAM (%s has %s%s)", number_format_bytes(need, sizeof(need), bytes),
			m->guest ? "this guest" : "this machine", number_format_bytes(have, sizeof(have), here),
			m->guest ? ": --guest-memory" : "");
	return true;
}

uint64_t needed_capabilities(const struct needs *n)
{
	uint64_t mask = 0;
	for (size_t i = 0; i < n->capabilities.count; i++) {
		int capability = capng_name_to_capability(n->capabilities.item[i]);
		if (capability >= 0 && capability < 64)
			mask |= UINT64_C(1) << capability;
	}
	return mask;
}

static bool has_capability(const struct machine *m, const char *name)
{
	int capability = capng_name_to_capability(name);

	return capability >= 0 && capability < 64 && (m->capabilities >> capability & 1);
}

char *plan_missing(const struct needs *n, const struct machine *m)
{
	char *why = NULL;

	if (n->kernel && !kernel_fits(n->kernel, m))
		return sentence("needs kernel %s (this is %u.%u)", n->kernel, m->kernel_major, m->kernel_minor);
	if (n->root && !m->root)
		return sentence("needs root");
	if (n->user_namespaces && !m->user_namespaces)
		return sentence("needs unprivileged user namespaces (see sysctl user.max_user_namespaces)");
	if (n->io_uring && !m->io_uring)
		return sentence(
			"needs io_uring (see sysctl kernel.io_uring_disabled and the container's seccomp profile)");
	if (n->ia32 && !m->ia32)
		return sentence("needs a kernel that runs 32-bit programs (CONFIG_IA32_EMULATION, and no "
				"ia32_emulation=0 on its command line)");
	if (n->default_sysctls && !m->default_sysctls)
		return sentence("needs a guest without --sysctl and --profile");
	for (size_t i = 0; i < n->capabilities.count; i++) {
		if (!has_capability(m, n->capabilities.item[i]))
			return sentence("needs CAP_%s", n->capabilities.item[i]);
	}
	for (size_t i = 0; i < n->controllers.count; i++) {
		int controller = controller_by_name(n->controllers.item[i]);
		if (controller >= 0 && controller_missing(controller, m, &why))
			return why;
	}
	if (cgroup_version_missing(n, m, &why))
		return why;
	for (size_t i = 0; i < n->sysctl.count; i++) {
		if (sysctl_missing(&n->sysctl.item[i], m, &why))
			return why;
	}
	if (n->ram && ram_missing(n->ram, m, &why))
		return why;
	for (size_t i = 0; i < n->tools.count; i++) {
		if (!on_path(n->tools.item[i]))
			return sentence("needs the program %s%s", n->tools.item[i],
					n->tools.item[i][0] == '/' ? "" : " on PATH");
	}
	return NULL;
}

char *plan_not_brought(const struct strings *bring)
{
	for (size_t i = 0; i < bring->count; i++)
		if (access(bring->item[i], R_OK) < 0)
			return sentence("needs %s, which is not here", bring->item[i]);
	return NULL;
}

/* The limits of a group: its controller must be usable, and its version must have the limit. */
static bool limits_missing(const uint64_t *limits, const struct machine *m, char **ret)
{
	for (size_t v = 0; v < CGROUP_VALUE_COUNT; v++) {
		const struct cgroup_value_file *file = &cgroup_value_files[v];
		if (limits[v] == ENVIRONMENT_NOT_SET)
			continue;
		if (controller_missing((int)file->controller, m, ret))
			return true;
		enum cgroup_version version = m->cgroup.at[file->controller].version;
		if (version == CGROUP_V1 ? file->v1_file : file->v2_file)
			continue;
		*ret = sentence("needs %s, which cgroup %s does not have (the %s controller is %s here)", file->name,
				version_name(version), cgroup_controller_names[file->controller],
				version_name(version));
		return true;
	}
	return false;
}

/* The first kernel parameter of the environment that only root may set. */
static const char *needs_root(const struct environment *env)
{
	if (env->sysctl_count > 0)
		return env->sysctl[0].name;
	if (env->live_sysctl_count > 0)
		return env->live_sysctl[0].name;
	if (env->namespace_sysctl_count > 0)
		return env->namespace_sysctl[0].name;
	return env->live_namespace_sysctl_count > 0 ? env->live_namespace_sysctl[0].name : NULL;
}

static bool privilege_missing(const struct environment *env, const struct machine *m, char **ret)
{
	if (!m->root && !m->user_namespaces)
		*ret = sentence("needs root or unprivileged user namespaces to make its namespaces");
	else if (env->identity[0] && !m->root)
		*ret = sentence("needs root to become %s", env->identity);
	else if (needs_root(env) && !m->root)
		*ret = sentence("needs root to set %s", needs_root(env));
	else if ((env->live_tmpfs_bytes != ENVIRONMENT_NOT_SET || env->live_tmpfs_inodes != ENVIRONMENT_NOT_SET) &&
		 !m->root)
		*ret = sentence("needs root to resize a tmpfs live");
	else if (env->oom_score_adj < 0 && !has_capability(m, "sys_resource"))
		*ret = sentence("needs CAP_SYS_RESOURCE to set oom_score_adj below 0");
	else
		return false;
	return true;
}

/* Machine scope is for guests; elsewhere the user and the manifest must both agree. */
static bool scope_missing(const struct plan_run *run, const struct machine *m, char **ret)
{
	bool survivable = run->scenario->survivable;

	if (run->scope != SCOPE_MACHINE || m->guest || (survivable && m->allow_machine))
		return false;
	*ret = survivable
		       ? sentence("machine scope: needs --allow-machine, or a guest (ci/kernels 6.1 brings a kernel)")
		       : sentence("machine scope: needs a guest (ci/kernels 6.1 brings a kernel)");
	return true;
}

/* What cannot be taken back, and so is never done to a machine that somebody needs. */
static bool guest_missing(const struct environment *env, const struct machine *m, char **ret)
{
	const char *what = env->swap_said || env->live_swap_bytes > 0 ? "swap"
			   : env->sys_count > 0                       ? "sys"
			   : env->knobs_writable                      ? "writable knobs"
								      : NULL;

	if (m->guest || !what)
		return false;
	*ret = sentence("needs a guest: %s", what);
	return true;
}

/* Where the kernel keeps it once for all, writing it in a namespace of our own would change the whole machine. */
static bool namespace_missing(const struct environment *env, const struct machine *m, char **ret)
{
	static const char pid_max[] = "kernel.pid_max", since[] = "6.14";

	for (unsigned i = 0; i < env->namespace_sysctl_count; i++) {
		if (strcmp(env->namespace_sysctl[i].name, pid_max) != 0 || kernel_compare(m, since) >= 0)
			continue;
		*ret = sentence("needs kernel >=%s: %s is not per namespace here", since, pid_max);
		return true;
	}
	return false;
}

int environment_missing(const struct plan_run *run, const struct machine *m, char **ret_why)
{
	const struct environment *env = &run->environment;
	char *why = NULL;

	if (!scope_missing(run, m, &why) && !guest_missing(env, m, &why) && !privilege_missing(env, m, &why) &&
	    !namespace_missing(env, m, &why) && !limits_missing(env->cgroup, m, &why) &&
	    !limits_missing(env->cgroup_above, m, &why) && !limits_missing(env->live_cgroup, m, &why)) {
		*ret_why = NULL;
		return 0;
	}
	if (!why)
		return -ENOMEM;
	*ret_why = why;
	return 0;
}
