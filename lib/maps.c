// SPDX-License-Identifier: MIT
/*
 * /proc/PID/maps and smaps, line by line. The numbers are parsed by hand: a process at max_map_count has 3 MB of them,
 * and it is held still meanwhile.
 */
#include "maps.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

#define PAGE_BYTES 4096ULL

struct area {
	uint64_t start, end;
	bool private_writable, accessible;
	const char *name; /* "" for anonymous memory */
	size_t name_length;
};

/* The harness takes one snapshot at a time, so one buffer is enough; on its stack 64 KiB could fault while memory is
 * refused. */
static char chunk[64 * 1024];

static bool skip_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* Lower-case hexadecimal digits, as the kernel prints them; at least one, at most sixteen. */
static bool scan_hex(const char **p, const char *end, uint64_t *ret)
{
	const char *start = *p, *s = start;
	uint64_t value = 0;
	for (; s < end; s++) {
		unsigned digit = (unsigned)(unsigned char)*s - '0';
		if (digit > 9) {
			digit = (unsigned)(unsigned char)*s - 'a';
			if (digit > 5)
				break;
			digit += 10;
		}
		value = value << 4 | digit;
	}
	if (s == start || s - start > 16)
		return false;
	*p = s;
	*ret = value;
	return true;
}

static bool scan_decimal(const char **p, const char *end)
{
	uint64_t unused;
	size_t digits = number_scan_digits(*p, (size_t)(end - *p), &unused);

	*p += digits;
	return digits > 0;
}

static bool scan_permissions(const char **p, const char *end, struct area *ret)
{
	const char *s = *p;
	if (end - s < 4 || (s[0] != 'r' && s[0] != '-') || (s[1] != 'w' && s[1] != '-') ||
	    (s[2] != 'x' && s[2] != '-') || (s[3] != 'p' && s[3] != 's'))
		return false;
	ret->private_writable = s[1] == 'w' && s[3] == 'p';
	ret->accessible = s[0] == 'r' || s[1] == 'w' || s[2] == 'x';
	*p += 4;
	return true;
}

/* show_map_vma(), fs/proc/task_mmu.c: "start-end perms offset major:minor inode   name" */
static bool parse_area(const char *line, size_t length, struct area *ret)
{
	const char *p = line, *end = line + length;
	uint64_t unused;
	if (!scan_hex(&p, end, &ret->start) || !skip_char(&p, end, '-') || !scan_hex(&p, end, &ret->end) ||
	    !skip_char(&p, end, ' ') || !scan_permissions(&p, end, ret) || !skip_char(&p, end, ' ') ||
	    !scan_hex(&p, end, &unused) || !skip_char(&p, end, ' ') || !scan_hex(&p, end, &unused) ||
	    !skip_char(&p, end, ':') || !scan_hex(&p, end, &unused) || !skip_char(&p, end, ' ') ||
	    !scan_decimal(&p, end))
		return false;
	if (p < end && *p != ' ')
		return false;
	while (p < end && *p == ' ')
		p++;
	ret->name = p;
	ret->name_length = (size_t)(end - p);
	return ret->start < ret->end;
}

/* A file cannot pass for one of the kernel's own names: its path begins with a slash. */
static bool has_name(const struct area *area, const char *name)
{
	return area->name_length == strlen(name) && memcmp(area->name, name, area->name_length) == 0;
}

static void add_hole(struct maps_summary *sum, uint64_t low, uint64_t high)
{
	if (high <= low)
		return;
	sum->free_bytes += high - low;
	if (high - low > sum->largest_hole_bytes)
		sum->largest_hole_bytes = high - low;
}

static bool is_inside(const struct area *area, uint64_t address)
{
	return area->start < address && address < area->end;
}

/* How much of the range there is: areas come in order. */
static void cover_target(struct maps_parser *p, const struct area *area)
{
	uint64_t low = area->start > p->target_start ? area->start : p->target_start,
		 high = area->end < p->target_end ? area->end : p->target_end;
	if (low < high && area->accessible)
		p->sum.target_missing -= high - low;
	if (low < high && low == p->target_start + p->sum.target_reach)
		p->sum.target_reach += high - low;
}

static void look_at_target(struct maps_parser *p, const struct area *area, bool is_stack)
{
	struct maps_summary *sum = &p->sum;
	uint64_t address = p->target_start;
	if (!p->target_start && !p->target_end)
		return;
	if (area->start <= address && address < area->end) {
		sum->target_mapped = true;
		sum->target_start_area = area->start;
		sum->target_private_writable = area->private_writable;
	}
	cover_target(p, area);
	/* An empty range splits nothing. */
	if (p->target_end > p->target_start)
		sum->target_splits += (uint64_t)is_inside(area, p->target_start) + is_inside(area, p->target_end);
	if (area->end <= address)
		sum->below_end = area->end;
	if (area->start > address && !sum->above_start) {
		sum->above_start = area->start;
		sum->above_is_stack = is_stack;
	}
}

static void maps_line(struct maps_parser *p, const char *line, size_t length)
{
	struct maps_summary *sum = &p->sum;
	struct area area;
	/* Areas never overlap and never go backwards: m_start(), fs/proc/task_mmu.c. */
	if (!parse_area(line, length, &area) || area.start < p->previous_end) {
		p->bad = true;
		return;
	}
	if (has_name(&area, "[vsyscall]"))
		return;
	bool is_stack = has_name(&area, "[stack]");
	uint64_t bytes = area.end - area.start;
	uint64_t high = area.start;
	/* vm_start_gap(), include/linux/mm.h: nothing is placed in the guard gap below what grows down. */
	if (is_stack)
		high = high > MAPS_STACK_GUARD_GAP_BYTES ? high - MAPS_STACK_GUARD_GAP_BYTES : 0;
	add_hole(sum, p->previous_end > p->min_address ? p->previous_end : p->min_address,
		 high < p->task_size ? high : p->task_size);
	sum->count++;
	sum->mapped_bytes += bytes;
	if (area.start < p->task_size)
		sum->mapped_below_end += (area.end < p->task_size ? area.end : p->task_size) - area.start;
	if (area.private_writable && bytes > sum->largest_private_writable_bytes)
		sum->largest_private_writable_bytes = bytes;
	if (has_name(&area, "anon_inode:[perf_event]"))
		sum->ring_bytes += bytes;
	if (is_stack) {
		sum->stack_start = area.start;
		sum->stack_end = area.end;
	}
	look_at_target(p, &area, is_stack);
	p->previous_end = area.end;
}

void maps_begin(struct maps_parser *p, uint64_t min_address, uint64_t task_size, uint64_t address, uint64_t length)
{
	uint64_t end;
	/* Field by field: clearing the line buffer as well would be for nothing. */
	p->sum = (struct maps_summary){0};
	p->min_address = min_address;
	p->task_size = task_size;
	p->previous_end = 0;
	p->bad = false;
	p->line_length = 0;
	p->target_start = address & ~(PAGE_BYTES - 1);
	p->target_end = p->target_start;
	if (length) {
		if (__builtin_add_overflow(address, length, &end) || __builtin_add_overflow(end, PAGE_BYTES - 1, &end))
			end = UINT64_MAX;
		p->target_end = end & ~(PAGE_BYTES - 1);
		p->sum.target_missing = p->target_end - p->target_start;
	}
}

typedef void (*line_handler)(void *parser, const char *line, size_t length);

/*
 * Hand on each complete line, cut to size bytes; the beginning of the last one is kept in line[] for the next chunk.
 * A line that lies within one chunk is not copied.
 */
static void feed_lines(char *line, unsigned size, unsigned *line_length, const char *text, uint64_t length,
		       line_handler handler, void *parser)
{
	const char *end = text + length;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t part = (size_t)((newline ? newline : end) - text);

		if (newline && *line_length == 0) {
			handler(parser, text, part < size ? part : size);
		} else {
			size_t room = size - *line_length;
			size_t kept = part < room ? part : room;
			memcpy(line + *line_length, text, kept);
			*line_length += (unsigned)kept;
			if (newline) {
				handler(parser, line, *line_length);
				*line_length = 0;
			}
		}
		text = newline ? newline + 1 : end;
	}
}

static void maps_handler(void *parser, const char *line, size_t length)
{
	maps_line(parser, line, length);
}

void maps_feed(struct maps_parser *p, const char *text, uint64_t length)
{
	feed_lines(p->line, sizeof(p->line), &p->line_length, text, length, maps_handler, p);
}

int maps_end(struct maps_parser *p, struct maps_summary *ret)
{
	/* Text that ends within a line was cut off, and so may be a number in it. */
	if (p->bad || p->line_length)
		return -EBADMSG;
	*ret = p->sum;
	add_hole(ret, p->previous_end > p->min_address ? p->previous_end : p->min_address, p->task_size);
	return 0;
}

/* Files of seq_file keep their place in the descriptor: reading starts over with lseek(). */
static int read_all(int fd, void (*feed)(void *parser, const char *text, size_t length), void *parser)
{
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n == 0)
			return 0;
		if (n > 0)
			feed(parser, chunk, (size_t)n);
		else if (errno != EINTR)
			return -errno;
	}
}

static void maps_chunk(void *parser, const char *text, size_t length)
{
	maps_feed(parser, text, length);
}

int maps_read_fd(int fd, uint64_t min_address, uint64_t task_size, uint64_t address, uint64_t length,
		 struct maps_summary *ret)
{
	struct maps_parser p;
	maps_begin(&p, min_address, task_size, address, length);
	int r = read_all(fd, maps_chunk, &p);
	return r < 0 ? r : maps_end(&p, ret);
}

/* What is known of the area whose lines are being read. */
struct smaps_parser {
	struct smaps_commit sum;
	bool bad, in_area, size_seen, flags_seen;
	bool accountable, left_out;
	uint64_t area_bytes, previous_end;
	unsigned line_length;
	char line[512];
};

/* dup_mmap(), kernel/fork.c: VM_ACCOUNT areas are charged one by one, VM_DONTCOPY ones are passed over. */
static void smaps_finish_area(struct smaps_parser *p)
{
	if (!p->in_area)
		return;
	if (!p->size_seen || !p->flags_seen)
		p->bad = true;
	if (p->accountable && !p->left_out) {
		p->sum.fork_charge_bytes += p->area_bytes;
		if (p->area_bytes > p->sum.largest_area_bytes)
			p->sum.largest_area_bytes = p->area_bytes;
	}
	p->in_area = false;
}

static bool smaps_flags(struct smaps_parser *p, const char *text, size_t length)
{
	p->flags_seen = true;
	while (length) {
		if (*text == ' ') {
			text++;
			length--;
			continue;
		}
		if (length < 2 || text[1] == ' ' || (length > 2 && text[2] != ' '))
			return false;
		if (memcmp(text, "ac", 2) == 0)
			p->accountable = true;
		else if (memcmp(text, "dc", 2) == 0)
			p->left_out = true;
		text += 2;
		length -= 2;
	}
	return true;
}

/* The kernel computes Size from the same two addresses as the header. */
static bool smaps_size(struct smaps_parser *p, const char *text, size_t length)
{
	uint64_t kib;
	while (length && *text == ' ') {
		text++;
		length--;
	}
	size_t digits = number_scan_digits(text, length, &kib);
	p->size_seen = true;
	return digits && length - digits == 3 && memcmp(text + digits, " kB", 3) == 0 && kib == p->area_bytes / 1024;
}

static bool smaps_line(struct smaps_parser *p, const char *line, size_t length)
{
	static const char size_key[] = "Size:", flags_key[] = "VmFlags:";
	const size_t size_length = sizeof(size_key) - 1, flags_length = sizeof(flags_key) - 1;
	struct area area;
	/* Keys begin with a capital letter, addresses are printed in lower case. */
	if (length == 0 || line[0] < 'A' || line[0] > 'Z') {
		smaps_finish_area(p);
		if (!parse_area(line, length, &area) || area.start < p->previous_end)
			return false;
		p->previous_end = area.end;
		p->in_area = true;
		p->size_seen = p->flags_seen = p->accountable = p->left_out = false;
		p->area_bytes = area.end - area.start;
		return true;
	}
	if (!p->in_area || !memchr(line, ':', length))
		return false;
	if (length >= size_length && memcmp(line, size_key, size_length) == 0)
		return smaps_size(p, line + size_length, length - size_length);
	if (length >= flags_length && memcmp(line, flags_key, flags_length) == 0)
		return smaps_flags(p, line + flags_length, length - flags_length);
	return true;
}

static void smaps_handler(void *parser, const char *line, size_t length)
{
	struct smaps_parser *p = parser;

	if (!smaps_line(p, line, length))
		p->bad = true;
}

static void smaps_chunk(void *parser, const char *text, size_t length)
{
	struct smaps_parser *p = parser;

	feed_lines(p->line, sizeof(p->line), &p->line_length, text, length, smaps_handler, p);
}

int smaps_read_fd(int fd, struct smaps_commit *ret)
{
	struct smaps_parser p = {.bad = false};
	int r = read_all(fd, smaps_chunk, &p);

	if (r < 0)
		return r;
	smaps_finish_area(&p);
	if (p.bad || p.line_length)
		return -EBADMSG;
	*ret = p.sum;
	return 0;
}
