// SPDX-License-Identifier: MIT
/*
 * The control groups of a stored run as commands, in the version that the result's machine has, and what is changed
 * while its program lives. See report-commands-internal.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "cleanup.h"
#include "report-commands-internal.h"
#include "report-text.h"

#define TRY      "try" /* the group's name */
#define COMM_MAX 15    /* of a name, as the kernel keeps it and pgrep(1) sees it */

/* Where memory and pids are on v1; a hybrid machine has v2 besides, without them. */
static bool is_v1(const struct commands_of *of)
{
	const char *version = text_of2(of->result, "host", "cgroup");
	return !strcmp(version, "v1") || !strcmp(version, "hybrid");
}

static unsigned controllers_in(const json_t *limits)
{
	unsigned used = 0;
	const json_t *value = NULL;
	const char *name;
	json_object_foreach ((json_t *)(uintptr_t)limits, name, value) {
		int v = cgroup_value_by_name(name);
		used |= v >= 0 ? 1U << cgroup_value_files[v].controller : 0;
	}
	return used;
}

static unsigned controllers_of(const json_t *run)
{
	const json_t *live = commands_setting(run, "live");
	return controllers_in(commands_setting(run, "cgroup")) | controllers_in(commands_setting(run, "cgroup_above")) |
	       controllers_in(json_object_get(live, "cgroup"));
}

const char *commands_cgroup(const struct commands_of *of, const json_t *run)
{
	return !controllers_of(run) ? NULL : is_v1(of) ? "v1" : "v2";
}

/* The group of the program, or the one around it, where there is one. */
static const char *directory(const struct commands_of *of, const json_t *run, unsigned controller, bool above,
			     char *buf, size_t size)
{
	bool v1 = is_v1(of);
	(void)snprintf(buf, size, "/sys/fs/cgroup%s%s/" TRY "%s", v1 ? "/" : "",
		       v1 ? cgroup_controller_names[controller] : "",
		       !above && commands_setting(run, "cgroup_above") ? "/inner" : "");
	return buf;
}

/* Every directory of the run's once, after a blank each. */
static void put_directories(FILE *out, const struct commands_of *of, const json_t *run, bool above)
{
	unsigned used = controllers_of(run);
	char path[128];
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (used >> c & 1)
			(void)fprintf(out, " %s", directory(of, run, c, above, path, sizeof(path)));
		if (used >> c & 1 && !is_v1(of))
			return;
	}
}

static void add_directories(json_t *lines, const char *command, const struct commands_of *of, const json_t *run,
			    bool both)
{
	auto_free char *paths = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&paths, &size);
	if (!out)
		return;
	put_directories(out, of, run, false);
	if (both)
		put_directories(out, of, run, true);
	(void)fclose(out);
	commands_add(lines, "%s%s", command, paths);
}

/* "2MB", of the machine that made the result. */
static const char *page_name(const struct commands_of *of, char *buf, size_t size)
{
	const json_t *before = json_object_get(json_object_get(of->trigger, "snapshots"), "before");
	json_int_t bytes = text_integer(json_object_get(before, "meminfo"), "Hugepagesize", 2 << 20);
	bool giga = bytes >= 1 << 30;
	(void)snprintf(buf, size, "%" JSON_INTEGER_FORMAT "%s", bytes >> (giga ? 30 : 20), giga ? "GB" : "MB");
	return buf;
}

static void add_limit(json_t *lines, const struct commands_of *of, const char *where, int v, const json_t *value)
{
	const struct cgroup_value_file *f = &cgroup_value_files[v];
	const char *file = is_v1(of) ? f->v1_file : f->v2_file;
	char text[TEXT_MAX], page[32];
	if (!file) {
		commands_add(lines, "# cgroup %s has no %s", is_v1(of) ? "v1" : "v2", f->name);
		return;
	}
	const char *star = strchr(file, '*'), *none = is_v1(of) && f->controller != CGROUP_PIDS ? "-1" : "max";
	(void)text_value(value, text, sizeof(text));
	commands_add(lines, "echo %s > %s/%.*s%s%s", json_is_null(value) ? none : text, where,
		     (int)(star ? star - file : (ptrdiff_t)strlen(file)), file,
		     star ? page_name(of, page, sizeof(page)) : "", star ? star + 1 : "");
	commands_note(lines, "cgroup", f->name, value);
}

/*
 * v1 limits memory and swap together, and never below memory alone: that goes out of the way first, and is set last.
 * Without a limit of memory, swap alone cannot be limited there.
 */
static void add_memory_v1(json_t *lines, const struct commands_of *of, const char *where, const json_t *limits)
{
	const json_t *memory = json_object_get(limits, "memory.max"),
		     *swap = json_object_get(limits, "memory.swap.max");
	json_auto_t *none = json_null();
	json_auto_t *sum = json_integer(json_integer_value(memory) + json_integer_value(swap));
	if (swap)
		add_limit(lines, of, where, CGROUP_MEMORY_SWAP_MAX, none);
	if (memory)
		add_limit(lines, of, where, CGROUP_MEMORY_MAX, memory);
	if (json_is_integer(memory) && json_is_integer(swap))
		add_limit(lines, of, where, CGROUP_MEMORY_SWAP_MAX, sum);
	else if (json_is_integer(swap))
		commands_add(lines, "# cgroup v1 limits swap only where memory.max is set as well");
}

static void add_limits(json_t *lines, const struct commands_of *of, const json_t *run, bool above, const json_t *limits)
{
	const json_t *value = NULL;
	const char *name;
	char where[128];
	if (is_v1(of))
		add_memory_v1(lines, of, directory(of, run, CGROUP_MEMORY, above, where, sizeof(where)), limits);
	json_object_foreach ((json_t *)(uintptr_t)limits, name, value) {
		int v = cgroup_value_by_name(name);
		if (v < 0 || (is_v1(of) && (v == CGROUP_MEMORY_MAX || v == CGROUP_MEMORY_SWAP_MAX)))
			continue;
		(void)directory(of, run, cgroup_value_files[v].controller, above, where, sizeof(where));
		add_limit(lines, of, where, v, value);
	}
}

/* v2: what a group's children may be limited in. */
static void add_enabling(json_t *lines, unsigned used, const char *where)
{
	char list[64] = "";
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		if (used >> c & 1)
			text_add(list, sizeof(list), "%s+%s", *list ? " " : "", cgroup_controller_names[c]);
	commands_add(lines, "echo \"%s\" > %s/cgroup.subtree_control", list, where);
}

void commands_add_groups(json_t *lines, const struct commands_of *of, const json_t *run)
{
	const json_t *inner = commands_setting(run, "cgroup"), *above = commands_setting(run, "cgroup_above");
	const unsigned used = controllers_of(run);
	if (!used)
		return;
	if (!is_v1(of))
		add_enabling(lines, used, "/sys/fs/cgroup");
	add_directories(lines, above ? "mkdir -p" : "mkdir", of, run, false);
	if (!is_v1(of) && above && controllers_in(inner))
		add_enabling(lines, controllers_in(inner), "/sys/fs/cgroup/" TRY);
	add_limits(lines, of, run, true, above);
	add_limits(lines, of, run, false, inner);
}

void commands_put_joining(FILE *out, const struct commands_of *of, const json_t *run)
{
	const unsigned used = controllers_of(run);
	char path[128];
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		if (!(used >> c & 1))
			continue;
		(void)fprintf(out, "echo 0 > %s/cgroup.procs && ", directory(of, run, c, false, path, sizeof(path)));
		if (!is_v1(of))
			return;
	}
}

void commands_add_groups_end(json_t *lines, const struct commands_of *of, const json_t *run)
{
	if (controllers_of(run))
		add_directories(lines, "rmdir", of, run, commands_setting(run, "cgroup_above") != NULL);
}

/* --- while it lives ---------------------------------------------------------------------------------------------- */

static void add_live_limits(json_t *lines, const json_t *limits)
{
	const json_t *value = NULL;
	const char *name;
	char text[TEXT_MAX];
	json_object_foreach ((json_t *)(uintptr_t)limits, name, value) {
		auto_free char *word = commands_word(name);
		(void)text_value(value, text, sizeof(text));
		commands_add(lines, "prlimit --pid \"$pid\" --%s=%s", word ? word : "?",
			     json_is_null(value) ? "unlimited" : text);
		commands_note(lines, "rlimit", name, value);
	}
}

static void add_live_tmpfs(json_t *lines, const json_t *tmpfs)
{
	const json_t *size = json_object_get(tmpfs, "size"), *inodes = json_object_get(tmpfs, "inodes");
	char options[96] = "remount";
	if (size)
		text_add(options, sizeof(options), ",size=%" JSON_INTEGER_FORMAT, json_integer_value(size));
	if (inodes)
		text_add(options, sizeof(options), ",nr_inodes=%" JSON_INTEGER_FORMAT, json_integer_value(inodes));
	if (tmpfs) {
		commands_add(lines, "nsenter --target \"$pid\" --mount mount -o %s /dev/shm", options);
		commands_note(lines, "tmpfs", "size", size);
	}
}

json_t *commands_live(const struct commands_of *of, const json_t *run)
{
	const json_t *live = commands_setting(run, "live"), *value = NULL;
	const json_t *program = json_array_get(json_object_get(run, "argv"), 0);
	json_t *lines = json_array();
	const char *sysctl;
	char name[COMM_MAX + 1];
	(void)snprintf(name, sizeof(name), "%s", json_string_value(program) ?: "");
	auto_free char *word = commands_word(name);
	bool of_process = json_object_get(live, "rlimit") || json_object_get(live, "namespace_sysctl") ||
			  json_object_get(live, "tmpfs");
	if (of_process && word)
		commands_add(lines, "pid=$(pgrep -nx -- %s)", word);
	add_live_limits(lines, json_object_get(live, "rlimit"));
	add_limits(lines, of, run, false, json_object_get(live, "cgroup"));
	json_object_foreach (json_object_get(live, "sysctl"), sysctl, value) {
		commands_assign(lines, "sysctl -w ", sysctl, "=", value);
		commands_note(lines, "sysctl", sysctl, value);
	}
	json_object_foreach (json_object_get(live, "namespace_sysctl"), sysctl, value) {
		commands_assign(lines, "nsenter --target \"$pid\" --ipc sysctl -w ", sysctl, "=", value);
		commands_note(lines, "sysctl", sysctl, value);
	}
	add_live_tmpfs(lines, json_object_get(live, "tmpfs"));
	if (json_object_get(live, "swap"))
		commands_add_swap(lines, run, text_integer(live, "swap", 0));
	return lines;
}
