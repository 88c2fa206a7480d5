// SPDX-License-Identifier: MIT
/*
 * Parsers of the /proc texts that are tables of keys and numbers.
 */
#include "procfs.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "number.h"

_Static_assert(PROCFS_RLIMITS == RLIM_NLIMITS, "every resource limit of the kernel has a row");

#define X(id, key) [MEMINFO_##id] = (key),
const char *const meminfo_names[MEMINFO_COUNT] = {MEMINFO_KEYS(X)};
#undef X
#define X(id, key) [VMSTAT_##id] = (key),
const char *const vmstat_names[VMSTAT_COUNT] = {VMSTAT_KEYS(X)};
#undef X
#define X(id, key, name) [STATUS_##id] = (name),
const char *const status_names[STATUS_COUNT] = {STATUS_KEYS(X)};
#undef X
#define X(id, key, name) [STATUS_##id] = (key),
static const char *const status_keys[STATUS_COUNT] = {STATUS_KEYS(X)};
#undef X

/* fs/proc/base.c, lnames[] */
static const char *const rlimit_rows[PROCFS_RLIMITS] = {
	[RLIMIT_CPU] = "Max cpu time",
	[RLIMIT_FSIZE] = "Max file size",
	[RLIMIT_DATA] = "Max data size",
	[RLIMIT_STACK] = "Max stack size",
	[RLIMIT_CORE] = "Max core file size",
	[RLIMIT_RSS] = "Max resident set",
	[RLIMIT_NPROC] = "Max processes",
	[RLIMIT_NOFILE] = "Max open files",
	[RLIMIT_MEMLOCK] = "Max locked memory",
	[RLIMIT_AS] = "Max address space",
	[RLIMIT_LOCKS] = "Max file locks",
	[RLIMIT_SIGPENDING] = "Max pending signals",
	[RLIMIT_MSGQUEUE] = "Max msgqueue size",
	[RLIMIT_NICE] = "Max nice priority",
	[RLIMIT_RTPRIO] = "Max realtime priority",
	[RLIMIT_RTTIME] = "Max realtime timeout",
};

struct line {
	const char *text;
	size_t length; /* without the newline */
	bool complete; /* it had one: without it, the number at its end may have lost digits or its unit */
};

static bool next_line(const char **cursor, struct line *ret)
{
	const char *start = *cursor;

	if (*start == '\0')
		return false;
	const char *end = strchrnul(start, '\n');
	*ret = (struct line){.text = start, .length = (size_t)(end - start), .complete = *end == '\n'};
	*cursor = ret->complete ? end + 1 : end;
	return true;
}

static bool has_prefix(const struct line *line, const char *prefix)
{
	size_t length = strlen(prefix);

	return line->length >= length && memcmp(line->text, prefix, length) == 0;
}

static size_t count_blanks(const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && (text[i] == ' ' || text[i] == '\t'))
		i++;
	return i;
}

/* Blanks, digits and perhaps " kB", to the end of the line. */
static bool parse_value(const char *text, size_t length, uint64_t *ret)
{
	size_t at = count_blanks(text, length);
	uint64_t value = 0;
	size_t digits = number_scan_digits(text + at, length - at, &value);

	at += digits;
	if (!digits)
		return false;
	if (length - at == 3 && memcmp(text + at, " kB", 3) == 0) {
		if (__builtin_mul_overflow(value, 1024, &value))
			return false;
	} else if (at != length) {
		return false;
	}
	if (value >= ENOMEM_ABSENT)
		return false;
	*ret = value;
	return true;
}

static int parse_table(const char *text, char separator, const char *const *keys, unsigned count, uint64_t *ret)
{
	struct line line;

	for (unsigned i = 0; i < count; i++)
		ret[i] = ENOMEM_ABSENT;
	while (next_line(&text, &line)) {
		const char *end = memchr(line.text, separator, line.length);

		if (!end)
			continue;
		size_t length = (size_t)(end - line.text);
		for (unsigned i = 0; i < count; i++) {
			/* The first byte alone rules most keys out; a guest without KVM feels the difference. */
			if (keys[i][0] != line.text[0] || strncmp(keys[i], line.text, length) != 0 ||
			    keys[i][length] != '\0')
				continue;
			if (!line.complete || !parse_value(end + 1, line.length - length - 1, &ret[i]))
				return -EBADMSG;
			break;
		}
	}
	return 0;
}

int procfs_parse_meminfo(const char *text, struct meminfo *ret)
{
	struct meminfo m = {0};
	int r = parse_table(text, ':', meminfo_names, MEMINFO_COUNT, m.value);

	if (r == 0)
		*ret = m;
	return r;
}

int procfs_parse_vmstat(const char *text, struct vmstat *ret)
{
	struct vmstat v = {0};
	int r = parse_table(text, ' ', vmstat_names, VMSTAT_COUNT, v.value);

	if (r == 0)
		*ret = v;
	return r;
}

/*
 * proc_task_name(), fs/proc/array.c, escapes newline and backslash only; other kernels wrote octal. Whatever else
 * follows a backslash was not escaped by the kernel and stays as it is.
 */
static void unescape(const char *text, size_t length, char *ret, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < length && out + 1 < size; i++) {
		const char *p = text + i;
		size_t left = length - i;
		char c = *p;

		if (c == '\\' && left >= 2 && p[1] == 'n') {
			c = '\n';
			i += 1;
		} else if (c == '\\' && left >= 2 && p[1] == '\\') {
			i += 1;
		} else if (c == '\\' && left >= 4 && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
			   p[3] >= '0' && p[3] <= '7' && (p[1] > '0' || p[2] > '0' || p[3] > '0')) {
			c = (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0'));
			i += 3;
		}
		ret[out++] = c;
	}
	ret[out] = '\0';
}

/* The first of the blank-separated numbers in text. */
static bool parse_first(const char *text, size_t length, uint64_t max, uint64_t *ret)
{
	size_t blanks = count_blanks(text, length);
	uint64_t value = 0;
	size_t digits = number_scan_digits(text + blanks, length - blanks, &value);
	size_t end = blanks + digits;

	if (!digits || value > max || (end < length && count_blanks(text + end, 1) == 0))
		return false;
	*ret = value;
	return true;
}

static bool parse_mask(const char *text, size_t length, uint64_t *ret)
{
	size_t at = count_blanks(text, length);
	uint64_t value = 0;

	if (at == length || length - at > 16)
		return false;
	for (; at < length; at++) {
		char c = text[at];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

/* The state is one letter and its meaning in parentheses. */
static bool parse_state(const char *text, size_t length, char *ret)
{
	size_t at = count_blanks(text, length);

	if (at == length || !((text[at] >= 'A' && text[at] <= 'Z') || (text[at] >= 'a' && text[at] <= 'z')))
		return false;
	if (at + 1 < length && text[at + 1] != ' ')
		return false;
	*ret = text[at];
	return true;
}

/* One line of status that is not simply a number; false when it is one of ours and makes no sense. */
static bool parse_status_line(const struct line *line, struct process_status *ret)
{
	const char *end = memchr(line->text, ':', line->length);
	uint64_t number = 0;

	if (!end)
		return true;
	const char *value = end + 1;
	size_t length = line->length - (size_t)(value - line->text);
	if (has_prefix(line, "Name:")) {
		/* One tab, no more: a name may begin with blanks of its own. */
		if (!line->complete || length == 0 || *value != '\t')
			return false;
		unescape(value + 1, length - 1, ret->comm, sizeof(ret->comm));
		return true;
	}
	if (has_prefix(line, "State:"))
		return line->complete && parse_state(value, length, &ret->state);
	if (has_prefix(line, "CapEff:"))
		return line->complete && parse_mask(value, length, &ret->cap_effective);
	if (has_prefix(line, "Tgid:")) {
		if (!line->complete || !parse_first(value, length, INT32_MAX, &number))
			return false;
		ret->tgid = (int64_t)number;
	} else if (has_prefix(line, "Uid:")) {
		if (!line->complete || !parse_first(value, length, UINT32_MAX, &number))
			return false;
		ret->uid = (uint32_t)number;
	}
	return true;
}

int procfs_parse_status(const char *text, struct process_status *ret)
{
	struct process_status s = {.tgid = -1, .uid = UINT32_MAX, .cap_effective = ENOMEM_ABSENT};
	struct line line;
	int r = parse_table(text, ':', status_keys, STATUS_COUNT, s.value);

	if (r < 0)
		return r;
	while (next_line(&text, &line)) {
		if (!parse_status_line(&line, &s))
			return -EBADMSG;
	}
	*ret = s;
	return 0;
}

int procfs_parse_loadavg_tasks(const char *text, uint64_t *ret_tasks)
{
	uint64_t running = 0, tasks = 0;
	const char *p = text;

	for (int i = 0; i < 3; i++) {
		size_t length = strspn(p, "0123456789.");

		if (!length || p[length] != ' ')
			return -EBADMSG;
		p += length + 1;
	}
	size_t digits = number_scan_digits(p, strlen(p), &running);
	if (!digits || p[digits] != '/')
		return -EBADMSG;
	p += digits + 1;
	digits = number_scan_digits(p, strlen(p), &tasks);
	/* Without the blank behind it, the number may have lost digits. */
	if (!digits || p[digits] != ' ' || tasks >= ENOMEM_ABSENT)
		return -EBADMSG;
	*ret_tasks = tasks;
	return 0;
}

/* One column of a limit: a number or a word, with a blank behind it. */
static bool parse_limit_column(const char **text, size_t *left, uint64_t *ret)
{
	static const char unlimited[] = "unlimited";
	size_t blanks = count_blanks(*text, *left);
	const char *value = *text + blanks;
	size_t rest = *left - blanks, used = sizeof(unlimited) - 1;
	uint64_t number = 0;
	if (rest > used && memcmp(value, unlimited, used) == 0)
		number = ENOMEM_UNLIMITED;
	else
		used = number_scan_digits(value, rest, &number);
	if (!used || used >= rest || value[used] != ' ')
		return false;
	/* RLIM_INFINITY - 1 can be set and binds nothing. */
	*ret = number >= ENOMEM_ABSENT ? ENOMEM_UNLIMITED : number;
	*text = value + used;
	*left = rest - used;
	return true;
}

static int parse_limits(const char *text, unsigned column, uint64_t *ret)
{
	uint64_t values[PROCFS_RLIMITS];
	struct line line;

	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		values[i] = ENOMEM_ABSENT;
	while (next_line(&text, &line)) {
		for (unsigned i = 0; i < PROCFS_RLIMITS; i++) {
			size_t length = strlen(rlimit_rows[i]);
			/* Names are padded to 25 columns: "Max processes of something" would be another row. */
			if (!has_prefix(&line, rlimit_rows[i]) ||
			    count_blanks(line.text + length, line.length - length) < 2)
				continue;
			const char *at = line.text + length;
			size_t left = line.length - length;
			for (unsigned c = 0; c <= column; c++)
				if (!parse_limit_column(&at, &left, &values[i]))
					return -EBADMSG;
			break;
		}
	}
	memcpy(ret, values, sizeof(values));
	return 0;
}

int procfs_parse_limits(const char *text, uint64_t ret_soft[PROCFS_RLIMITS])
{
	return parse_limits(text, 0, ret_soft);
}

int procfs_parse_hard_limits(const char *text, uint64_t ret_hard[PROCFS_RLIMITS])
{
	return parse_limits(text, 1, ret_hard);
}

/* Is name an element of the comma-separated list? */
static bool list_has(const char *list, size_t length, const char *name)
{
	size_t name_length = strlen(name);

	for (;;) {
		const char *comma = memchr(list, ',', length);
		size_t element = comma ? (size_t)(comma - list) : length;

		if (element == name_length && memcmp(list, name, element) == 0)
			return true;
		if (!comma)
			return false;
		list += element + 1;
		length -= element + 1;
	}
}

ssize_t procfs_parse_cgroup(const char *text, const char *controller, char *ret_path, size_t size)
{
	struct line line;

	while (next_line(&text, &line)) {
		uint64_t id = 0;
		size_t digits = number_scan_digits(line.text, line.length, &id);

		if (!digits || digits == line.length || line.text[digits] != ':')
			return -EBADMSG;
		const char *list = line.text + digits + 1;
		const char *end = line.text + line.length;
		const char *colon = memchr(list, ':', (size_t)(end - list));
		if (!colon || colon + 1 == end || colon[1] != '/')
			return -EBADMSG;
		/* A v1 hierarchy may have no controller either, but only the unified one has number 0. */
		if (!list_has(list, (size_t)(colon - list), controller) || (*controller == '\0' && id != 0))
			continue;
		size_t length = (size_t)(end - colon - 1);
		if (length >= size)
			return -ENAMETOOLONG;
		memcpy(ret_path, colon + 1, length);
		ret_path[length] = '\0';
		return (ssize_t)length;
	}
	return -ENOENT;
}
