// SPDX-License-Identifier: MIT
/*
 * One pass over smaps in constant memory, for the one area that holds an address. See maps-area.h.
 */
#include "maps-area.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "number.h"

/* Snapshots are taken one at a time: see maps.c. Paths longer than a line are cut. */
static char chunk[16 * 1024], line[512];

struct search {
	uint64_t address;
	bool inside, found;
	struct area_kind area;
};

/* "7f0000000000-7f0000200000 rw-p ..." begins an area, "Key:   value" tells of it. */
static bool parse_range(const char *text, uint64_t *ret_start, uint64_t *ret_end)
{
	char *end;
	if (strspn(text, "0123456789abcdef") == 0)
		return false;
	*ret_start = strtoull(text, &end, 16);
	if (*end != '-' || strspn(end + 1, "0123456789abcdef") == 0)
		return false;
	*ret_end = strtoull(end + 1, &end, 16);
	return *end == ' ';
}

/* "perms offset major:minor inode   path" behind the range */
static void parse_file(const char *text, struct area_kind *ret)
{
	int at = 0;
	if (sscanf(text, "%*4s %" SCNx64 " %x:%x %" SCNu64 "%n", &ret->offset, &ret->major, &ret->minor, &ret->inode,
		   &at) != 4)
		return;
	text += at + strspn(text + at, " ");
	if (strlen(text) < sizeof(ret->path))
		memcpy(ret->path, text, strlen(text) + 1);
}

static uint64_t parse_kilobytes(const char *text)
{
	uint64_t number = 0;
	text += strspn(text, " ");
	size_t digits = number_scan_digits(text, strlen(text), &number);
	return digits && !strcmp(text + digits, " kB") && number < ENOMEM_ABSENT / 1024 ? number * 1024 : ENOMEM_ABSENT;
}

static void take_line(struct search *s)
{
	static const char page_size[] = "KernelPageSize:", flags[] = "VmFlags:";
	uint64_t start, end;
	if (parse_range(line, &start, &end)) {
		s->found = s->inside; /* the area's own lines are over */
		s->inside = s->address >= start && s->address < end;
		if (!s->found && s->inside) {
			s->area = (struct area_kind){.start = start, .end = end, .page_size = ENOMEM_ABSENT};
			parse_file(strchr(line, ' '), &s->area);
		}
		return;
	}
	if (!s->inside)
		return;
	if (!strncmp(line, page_size, sizeof(page_size) - 1))
		s->area.page_size = parse_kilobytes(line + sizeof(page_size) - 1);
	else if (!strncmp(line, flags, sizeof(flags) - 1))
		s->area.huge_pages = strstr(line + sizeof(flags) - 1, " ht") != NULL;
}

int smaps_area_fd(int fd, uint64_t address, struct area_kind *ret)
{
	struct search s = {.address = address};
	size_t length = 0;
	off_t at = 0;
	ssize_t n;
	while (!s.found && (n = pread(fd, chunk, sizeof(chunk), at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		for (ssize_t i = 0; i < n && !s.found; i++) {
			if (chunk[i] != '\n') {
				if (length + 1 < sizeof(line))
					line[length++] = chunk[i];
				continue;
			}
			line[length] = '\0';
			length = 0;
			take_line(&s);
		}
	}
	if (!s.found && length)
		return -EBADMSG;
	if (!s.found && !s.inside)
		return -ENOENT;
	*ret = s.area;
	return 0;
}
