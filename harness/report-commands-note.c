// SPDX-License-Identifier: MIT
/*
 * Sizes in commands are what the kernel takes, bytes or kilobytes; behind the line stands how much that is. See
 * report-commands-internal.h.
 */
#include <stdint.h>
#include <string.h>

#include "cleanup.h"
#include "number.h"
#include "report-commands-internal.h"
#include "report-text.h"

#define NOTED_FROM 1024 /* below that, the number says it */

/* Only names that are known are ever told: a file's own could be more than a comment. */
static const struct {
	const char *kind, *name;
	unsigned bytes; /* of one */
} sizes[] = {
	{"rlimit", "as", 1},
	{"rlimit", "data", 1},
	{"rlimit", "stack", 1},
	{"rlimit", "memlock", 1},
	{"rlimit", "fsize", 1},
	{"rlimit", "core", 1},
	{"rlimit", "rss", 1},
	{"rlimit", "msgqueue", 1},
	{"tmpfs", "size", 1},
	{"swap", "size", 1},
	{"cgroup", "memory.max", 1},
	{"cgroup", "memory.high", 1},
	{"cgroup", "memory.swap.max", 1},
	{"cgroup", "memory.kmem.max", 1},
	{"cgroup", "memory.kmem.tcp.max", 1},
	{"cgroup", "hugetlb.max", 1},
	{"cgroup", "hugetlb.rsvd.max", 1},
	{"sysctl", "kernel.shmmax", 1},
	{"sysctl", "kernel.msgmax", 1},
	{"sysctl", "kernel.msgmnb", 1},
	{"sysctl", "vm.overcommit_kbytes", 1024},
	{"sysctl", "vm.admin_reserve_kbytes", 1024},
	{"sysctl", "vm.user_reserve_kbytes", 1024},
	{"sysctl", "vm.min_free_kbytes", 1024},
};

/* "16 MiB"; NULL for what is no size, or too small to be told. */
static const char *size_text(const char *kind, const char *name, const json_t *value, char *buf, size_t size)
{
	const char *text = json_string_value(value);
	uint64_t number = 0;
	if (json_is_integer(value) && json_integer_value(value) > 0)
		number = (uint64_t)json_integer_value(value);
	else if (!text || !*text || number_scan_digits(text, strlen(text), &number) != strlen(text))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		if (strcmp(kind, sizes[i].kind) != 0 || strcmp(name, sizes[i].name) != 0)
			continue;
		if (number > INT64_MAX / sizes[i].bytes || number * sizes[i].bytes < NOTED_FROM)
			return NULL;
		return number_format_bytes(buf, size, number * sizes[i].bytes);
	}
	return NULL;
}

/* Behind the last line. */
static void add_behind(json_t *lines, const char *note)
{
	size_t last = json_array_size(lines) - 1;
	const char *line = json_string_value(json_array_get(lines, last));
	if (line)
		(void)json_array_set_new(lines, last, json_sprintf("%s  # %s", line, note));
}

void commands_note(json_t *lines, const char *kind, const char *name, const json_t *value)
{
	char buf[64];
	const char *text = size_text(kind, name, value, buf, sizeof(buf));
	if (text)
		add_behind(lines, text);
}

void commands_note_program(json_t *lines, const json_t *run)
{
	static const char *const settings[][2] = {
		{"tmpfs", "tmpfs"}, {"namespace_sysctl", "sysctl"}, {"rlimit", "rlimit"}};
	char note[TEXT_MAX] = "", buf[64];
	const json_t *value = NULL;
	const char *name;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		json_object_foreach ((json_t *)(uintptr_t)commands_setting(run, settings[i][0]), name, value) {
			const char *text = size_text(settings[i][1], name, value, buf, sizeof(buf));
			if (text)
				text_add(note, sizeof(note), "%s%s: %s", *note ? ", " : "", name, text);
		}
	}
	if (*note)
		add_behind(lines, note);
}
