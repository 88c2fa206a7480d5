// SPDX-License-Identifier: MIT
/*
 * A panic for want of memory: which text it is, and the numbers of the OOM report before it. The machine is gone, so
 * its console is all there is.
 */
#include <string.h>

#include "cause-internal.h"

/* check_panic_on_oom() and out_of_memory(), mm/oom_kill.c */
static bool is_out_of_memory(const char *text)
{
	static const char *const known[] = {"system-wide panic_on_oom is enabled", "compulsory panic_on_oom is enabled",
					    "System is deadlocked on memory"};
	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strstr(text, known[i]))
			return true;
	return false;
}

/* The last report: earlier ones are about kills that did not help. */
static const char *last_report(const char *console)
{
	static const char begin[] = "invoked oom-killer";
	const char *last = console;
	for (const char *p = console; (p = strstr(p, begin)); p++)
		last = p;
	return last;
}

/* The number of kB right behind a word on this line; false when there is none. */
static bool kilobytes(const char *line, const char *word, uint64_t *ret)
{
	const char *end = strchrnul(line, '\n'), *found = strstr(line, word);
	uint64_t number = 0;
	if (!found || found >= end)
		return false;
	found += strlen(word);
	found += strspn(found, " =");
	size_t digits = number_scan_digits(found, (size_t)(end - found), &number);
	if (!digits || strncmp(found + digits, "kB", 2) != 0 || number >= ENOMEM_ABSENT / 1024)
		return false;
	*ret = number * 1024;
	return true;
}

struct report {
	uint64_t managed, free, swap_total, swap_free;
	bool zones, swap;
	bool group; /* it is about a memory group: mem_cgroup_print_oom_meminfo(), or who called */
	bool group_numbers;
	uint64_t group_usage, group_limit;
};

/* show_free_areas(), mm/show_mem.c: one line per zone; and what dump_header() says of swap or of the group. */
static void read_line(const char *line, struct report *r)
{
	uint64_t free_bytes, managed, bytes;
	if (kilobytes(line, " free:", &free_bytes) && kilobytes(line, " managed:", &managed)) {
		r->zones = true;
		r->free = limit_add(r->free, free_bytes);
		r->managed = limit_add(r->managed, managed);
	} else if (kilobytes(line, "Free swap ", &bytes)) {
		r->swap_free = bytes;
	} else if (kilobytes(line, "Total swap ", &bytes)) {
		r->swap_total = bytes;
		r->swap = true;
	} else if (!r->group_numbers && kilobytes(line, "memory: usage ", &bytes)) {
		r->group = true;
		r->group_numbers = kilobytes(line, ", limit ", &r->group_limit);
		r->group_usage = bytes;
	}
}

static void read_report(const char *text, struct report *ret)
{
	memset(ret, 0, sizeof(*ret));
	const char *panic = strstr(text, "Kernel panic - not syncing");
	for (const char *line = text; *line;) {
		if (panic && line > panic && ret->zones)
			return; /* panic_print says it all once more */
		read_line(line, ret);
		line = strchrnul(line, '\n');
		line += *line == '\n';
	}
}

void cause_of_panic(const char *panic_text, const char *console, struct cause_report *ret)
{
	struct cause_case c = {.report = ret};
	struct cause_sum sum = {0, PAGE_BYTES, 0};
	enum cause_id id = CAUSE_SYSTEM_OOM;
	struct report report;
	bool known = false;
	memset(ret, 0, sizeof(*ret));
	if (!is_out_of_memory(panic_text))
		return;
	const char *text = last_report(console ? console : "");
	read_report(text, &report);
	/* With "quiet" the report itself is not on the console, but the panic's own call trace is. */
	report.group |= strstr(text, "mem_cgroup_out_of_memory") != NULL;
	if (strstr(panic_text, "compulsory") && !report.group && !report.zones && !strstr(text, "__alloc_pages"))
		return; /* a group's limit or the whole machine: that is not to be told */
	if (strstr(panic_text, "compulsory") && report.group) {
		id = CAUSE_MEMCG_MAX;
		known = report.group_numbers;
		if (known)
			sum = (struct cause_sum){report.group_usage, PAGE_BYTES, report.group_limit};
	} else if (report.zones && report.free <= report.managed && report.swap_free <= report.swap_total) {
		known = true;
		sum.in_use = limit_add(report.managed - report.free, report.swap_total - report.swap_free);
		sum.bound = limit_add(report.managed, report.swap_total);
		if (report.swap && cause_swap_is_full(report.swap_total, report.swap_free))
			id = CAUSE_SWAP_FULL;
	}
	struct limit_state *state = cause_add(&c, id, sum, 0, "the kernel's last words");
	if (!state)
		return;
	state->refuses = true;
	if (!known)
		state->in_use = state->asked = state->bound = ENOMEM_ABSENT;
}
