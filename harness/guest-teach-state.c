// SPDX-License-Identifier: MIT
/*
 * What the learner's guest is set to now. See guest-teach.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include <sys/vfs.h>

#include "cgroup-internal.h"
#include "cleanup.h"
#include "guest-teach-state.h"
#include "ipc-namespace-internal.h"

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

/* The two sizes of vm.overcommit_memory=2 exclude each other: who sets one reads 0 of the other
 * (overcommit_ratio_handler(), mm/util.c). NULL: it is none of them */
const char *guest_state_other_size(const char *name)
{
	return !strcmp(name, OVERCOMMIT_KBYTES)  ? OVERCOMMIT_RATIO
	       : !strcmp(name, OVERCOMMIT_RATIO) ? OVERCOMMIT_KBYTES
						 : NULL;
}

bool guest_state_sets_tmpfs(const struct plan *plan)
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
		const char *name = guest_state_other_size(all[i].name);
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
	if (pid <= 0 || !guest_state_sets_tmpfs(plan) || statfs(path, &fs) < 0)
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

bool guest_state_sets_above(const struct plan *plan, unsigned v)
{
	for (size_t i = 0; i < plan->run_count; i++)
		if (plan->runs[i].environment.cgroup_above[v] != ENVIRONMENT_NOT_SET)
			return true;
	return false;
}

bool guest_state_sets_group(const struct plan *plan, unsigned v)
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
	bool (*const is_set)(const struct plan *plan, unsigned v) =
		above ? guest_state_sets_above : guest_state_sets_group;
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
