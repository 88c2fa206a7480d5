// SPDX-License-Identifier: MIT
/*
 * See guest-teach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include <sys/vfs.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "guest-teach.h"
#include "ipc-namespace-internal.h"

/* --- reading ----------------------------------------------------------------------------------------------------- */

static bool read_line(const char *path, char *buf, size_t size)
{
	if (procfs_read_at(AT_FDCWD, path, buf, size) <= 0)
		return false;
	buf[strcspn(buf, "\n")] = '\0';
	return true;
}

/* Of a file that shows every choice the one in brackets. */
static const char *chosen(char *text)
{
	char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;
	if (!to)
		return text;
	*to = '\0';
	return from + 1;
}

#define OVERCOMMIT_KBYTES "vm.overcommit_kbytes"
#define OVERCOMMIT_RATIO  "vm.overcommit_ratio"

/* The two sizes of vm.overcommit_memory=2 exclude each other: who sets one reads 0 of the other
 * (overcommit_ratio_handler(), mm/util.c). NULL: it is none of them */
static const char *other_size(const char *name)
{
	return !strcmp(name, OVERCOMMIT_KBYTES)  ? OVERCOMMIT_RATIO
	       : !strcmp(name, OVERCOMMIT_RATIO) ? OVERCOMMIT_KBYTES
						 : NULL;
}

static bool tmpfs_is_set_by_some(const struct plan *plan)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].environment.tmpfs_bytes != ENVIRONMENT_NOT_SET ||
		    plan->runs[i].environment.tmpfs_inodes != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

static void add_setting(json_t *to, const char *root, const struct environment_setting *s, bool dots)
{
	char path[192], text[1024];
	(void)snprintf(path, sizeof(path), "%s/%s", root, s->name);
	for (char *at = path + strlen(root); dots && *at; at++)
		if (*at == '.')
			*at = '/';
	if (read_line(path, text, sizeof(text)))
		(void)json_object_set_new(to, s->name, json_string(chosen(text)));
}

/* One of the two sizes says nothing without the other. */
static void add_sysctls(json_t *to, const struct environment_setting *all, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct environment_setting other = {.name = ""};
		const char *name = other_size(all[i].name);
		add_setting(to, "/proc/sys", &all[i], true);
		if (!name)
			continue;
		(void)snprintf(other.name, sizeof(other.name), "%s", name);
		add_setting(to, "/proc/sys", &other, true);
	}
}

bool guest_state_is_of_ipc(const char *name)
{
	static const char *const prefixes[] = {"kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."};
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* Those of the shell's IPC namespace; all others are the machine's as well. */
static json_t *read_namespace(const struct plan *plan, pid_t pid)
{
	json_t *all = json_object();
	auto_close int back = -1;
	if (pid <= 0 || ipc_namespace_enter(pid, &back) < 0)
		return all;
	for (size_t i = 0; i < plan->run_count; i++) {
		const struct environment *env = &plan->runs[i].environment;
		for (unsigned k = 0; k < env->namespace_sysctl_count; k++)
			if (guest_state_is_of_ipc(env->namespace_sysctl[k].name))
				add_setting(all, "/proc/sys", &env->namespace_sysctl[k], true);
	}
	(void)ipc_namespace_leave(back);
	return all;
}

/* As the shell sees it. */
static void add_tmpfs(json_t *to, const struct plan *plan, pid_t pid)
{
	char path[64];
	struct statfs fs;
	(void)snprintf(path, sizeof(path), "/proc/%d/root" ENVIRONMENT_TMPFS, pid);
	if (pid <= 0 || !tmpfs_is_set_by_some(plan) || statfs(path, &fs) < 0)
		return;
	(void)json_object_set_new(to, "tmpfs_bytes", json_integer((json_int_t)fs.f_blocks * (json_int_t)fs.f_bsize));
	(void)json_object_set_new(to, "tmpfs_inodes", json_integer((json_int_t)fs.f_files));
}

static void add_settings(const struct environment *env, json_t *sysctl, json_t *sys)
{
	add_sysctls(sysctl, env->sysctl, env->sysctl_count);
	add_sysctls(sysctl, env->live_sysctl, env->live_sysctl_count);
	for (unsigned i = 0; i < env->sys_count; i++)
		add_setting(sys, "/sys", &env->sys[i], false);
}

/* "/dev/vda partition 98300 0 -2": in KiB. */
static uint64_t read_swap(bool *ret_on_disk)
{
	char text[4096], device[64];
	unsigned long long kib;
	uint64_t sum = 0;
	*ret_on_disk = false;
	const char *line = procfs_read_at(AT_FDCWD, "/proc/swaps", text, sizeof(text)) > 0 ? strchr(text, '\n') : NULL;
	for (; line && sscanf(line, "\n%63s %*s %llu", device, &kib) == 2; line = strchr(line + 1, '\n')) {
		sum += (uint64_t)kib << 10;
		*ret_on_disk |= strncmp(device, "/dev/zram", 9) != 0;
	}
	return sum;
}

static json_t *limit_json(unsigned which, uint64_t limit)
{
	return json_pack("[i, I]", (int)which, limit == ENOMEM_UNLIMITED ? (json_int_t)-1 : (json_int_t)limit);
}

static bool above_is_set_by_some(const struct plan *plan, unsigned v)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].environment.cgroup_above[v] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

static bool is_set_by_some(const struct plan *plan, unsigned v)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].environment.cgroup[v] != ENVIRONMENT_NOT_SET ||
		    plan->runs[i].environment.live_cgroup[v] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

/* ENOMEM_ABSENT where the group has none of it. */
static uint64_t read_value(const char *path, enum cgroup_version version, unsigned v)
{
	struct cgroup_numbers all;
	uint64_t number, ignored;
	if (version == CGROUP_V1) { /* which has a word of its own for "max" */
		cgroup_read_path(path, version, 1U << cgroup_value_files[v].controller, &all, &ignored);
		return all.value[v];
	}
	auto_close int fd = cgroup_open_value(path, version, v, false);
	return fd >= 0 && procfs_read_number_fd(fd, &number) == 0 ? number : ENOMEM_ABSENT;
}

/* Of the limited group, or of the one above it. */
static json_t *read_groups(const struct plan *plan, const struct fix_room *room, const struct machine *m, bool above)
{
	bool (*const is_set)(const struct plan *plan, unsigned v) = above ? above_is_set_by_some : is_set_by_some;
	json_t *all = json_array();
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++) {
		const enum cgroup_controller c = cgroup_value_files[v].controller;
		char path[sizeof(room->place.group[0])];
		(void)snprintf(path, sizeof(path), "%s", room->place.group[c]);
		if (above && path[0])
			*strrchr(path, '/') = '\0';
		if (!path[0] || !is_set(plan, v) || m->cgroup.at[c].version == CGROUP_NONE)
			continue;
		const uint64_t number = read_value(path, m->cgroup.at[c].version, v);
		if (number != ENOMEM_ABSENT)
			(void)json_array_append_new(all, limit_json(v, number));
	}
	return all;
}

static json_t *read_rlimits(pid_t pid)
{
	char path[64], text[8192];
	uint64_t soft[PROCFS_RLIMITS];
	json_t *all = json_array();
	(void)snprintf(path, sizeof(path), "/proc/%d/limits", pid);
	if (pid <= 0 || procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0 || procfs_parse_limits(text, soft) < 0)
		return all;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		if (soft[i] != ENOMEM_ABSENT && environment_rlimit_name(i) &&
		    strcmp(environment_rlimit_name(i), "core") != 0)
			(void)json_array_append_new(all, limit_json(i, soft[i]));
	return all;
}

json_t *guest_state_read(const struct plan *plan, const struct fix_room *room, const struct machine *m, pid_t pid)
{
	json_t *sysctl = json_object(), *sys = json_object();
	bool on_disk;
	for (size_t i = 0; i < plan->run_count; i++)
		add_settings(&plan->runs[i].environment, sysctl, sys);
	const uint64_t swap = read_swap(&on_disk);
	json_t *all = json_pack("{s:o, s:o, s:o, s:I, s:b, s:o, s:o, s:o}", "sysctl", sysctl, "sys", sys, "namespace",
				read_namespace(plan, pid), "swap", (json_int_t)swap, "swap_on_disk", on_disk, "cgroup",
				read_groups(plan, room, m, false), "cgroup_above", read_groups(plan, room, m, true),
				"rlimit", read_rlimits(pid));
	add_tmpfs(all, plan, pid);
	return all;
}

static bool has_item(const json_t *array, const json_t *item)
{
	const json_t *other;
	size_t i;
	json_array_foreach (array, i, other)
		if (json_equal(other, item))
			return true;
	return false;
}

json_t *guest_state_changed(const json_t *before, const json_t *now)
{
	static const char *const settings[] = {"sysctl", "sys", "namespace"},
				 *const limits[] = {"cgroup", "cgroup_above", "rlimit"},
				 *const numbers[] = {"tmpfs_bytes", "tmpfs_inodes"};
	json_t *changed = json_object(), *value;
	const char *name;
	size_t k;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		json_t *of = json_object();
		json_object_foreach (json_object_get(now, settings[i]), name, value)
			if (!json_equal(value, json_object_get(json_object_get(before, settings[i]), name)))
				(void)json_object_set(of, name, value);
		(void)json_object_set_new(changed, settings[i], of);
	}
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		json_t *of = json_array();
		json_array_foreach (json_object_get(now, limits[i]), k, value)
			if (!has_item(json_object_get(before, limits[i]), value))
				(void)json_array_append(of, value);
		(void)json_object_set_new(changed, limits[i], of);
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (json_object_get(now, numbers[i]) &&
		    !json_equal(json_object_get(before, numbers[i]), json_object_get(now, numbers[i])))
			(void)json_object_set(changed, numbers[i], json_object_get(now, numbers[i]));
	if (!json_equal(json_object_get(before, "swap"), json_object_get(now, "swap"))) {
		(void)json_object_set(changed, "swap", json_object_get(now, "swap"));
		(void)json_object_set(changed, "swap_on_disk", json_object_get(now, "swap_on_disk"));
	}
	return changed;
}

/* --- setting ----------------------------------------------------------------------------------------------------- */

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
	const char *other = other_size(name);
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
	const char *said = json_string_value(json_object_get(given, other_size(name)));
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
		const bool zero = other_size(name) && !strcmp(text, "0");
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
	if (!tmpfs_is_set_by_some(plan) || (bytes && json_integer_value(bytes) <= 0) ||
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
		r = apply_limits(json_object_get(changed, "cgroup_above"), plan, above_is_set_by_some,
				 env->cgroup_above, CGROUP_VALUE_COUNT);
	if (r == 0)
		r = apply_tmpfs(changed, plan, env);
	if (r == 0)
		r = apply_limits(json_object_get(changed, "cgroup"), plan, is_set_by_some, env->cgroup,
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
