// SPDX-License-Identifier: MIT
/*
 * Parsers of the /proc texts that are rows of numbers: free blocks, pressure, a process's groups.
 */
#include <errno.h>
#include <string.h>

#include "number.h"
#include "procfs.h"

/* The next blank-separated number of a line; false at its end or when it is none. */
static bool next_number(const char **cursor, uint64_t *ret)
{
	const char *p = *cursor + strspn(*cursor, " \t");
	size_t digits = number_scan_digits(p, strlen(p), ret);

	if (!digits || *ret >= ENOMEM_ABSENT || (p[digits] != ' ' && p[digits] != '\t' && p[digits] != '\n'))
		return false;
	*cursor = p + digits;
	return true;
}

/* Kernel allocations never come from there: gfp_zone(), include/linux/gfp.h. */
static bool is_for_movable_only(const char *zone, size_t length)
{
	return (length == 7 && !memcmp(zone, "Movable", 7)) || (length == 6 && !memcmp(zone, "Device", 6));
}

/* One row: "Node 0, zone    DMA32    759    572 ..." */
static bool add_zone(const char *line, struct buddyinfo *b)
{
	static const char zone_word[] = "zone";
	const char *end = strchrnul(line, '\n'), *zone = strstr(line, zone_word);

	if (strncmp(line, "Node ", 5) != 0 || *end != '\n' || !zone || zone > end)
		return false;
	zone += sizeof(zone_word) - 1;
	zone += strspn(zone, " ");
	size_t length = strcspn(zone, " \n");
	const char *cursor = zone + length;
	if (!length || is_for_movable_only(zone, length))
		return length != 0;
	for (unsigned order = 0; order < BUDDY_ORDERS; order++) {
		uint64_t blocks = 0;
		cursor += strspn(cursor, " ");
		if (*cursor == '\n')
			return order > 0;
		if (!next_number(&cursor, &blocks))
			return false;
		b->blocks[order] = b->blocks[order] == ENOMEM_ABSENT ? blocks : b->blocks[order] + blocks;
	}
	return cursor[strspn(cursor, " ")] == '\n';
}

int procfs_parse_buddyinfo(const char *text, struct buddyinfo *ret)
{
	struct buddyinfo b;

	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		b.blocks[i] = ENOMEM_ABSENT;
	for (const char *line = text; *line;) {
		if (!add_zone(line, &b))
			return -EBADMSG;
		line = strchrnul(line, '\n');
		line += *line == '\n';
	}
	*ret = b;
	return 0;
}

uint64_t buddyinfo_largest(const struct buddyinfo *b, uint64_t page_size)
{
	if (b->blocks[0] == ENOMEM_ABSENT)
		return ENOMEM_ABSENT;
	for (unsigned order = BUDDY_ORDERS; order-- > 0;)
		if (b->blocks[order] != ENOMEM_ABSENT && b->blocks[order] > 0)
			return page_size << order;
	return 0;
}

int procfs_parse_pressure(const char *text, struct pressure *ret)
{
	static const char average_word[] = "avg10=", total_word[] = " total=";
	const char *line = !strncmp(text, "full ", 5) ? text : strstr(text, "\nfull ");
	uint64_t average = 0, total = 0;

	if (!line)
		return -EBADMSG;
	line += *line == '\n';
	const char *end = strchrnul(line, '\n');
	const char *at = strstr(line, average_word), *sum = strstr(line, total_word);
	if (*end != '\n' || !at || !sum || at > end || sum > end)
		return -EBADMSG;
	at += sizeof(average_word) - 1;
	sum += sizeof(total_word) - 1;
	size_t digits = number_scan_digits(at, (size_t)(end - at), &average);
	if (!digits || at[digits] != '.' || !next_number(&sum, &total) || sum != end)
		return -EBADMSG;
	*ret = (struct pressure){average, total};
	return 0;
}

int procfs_parse_stat_family(const char *text, uint64_t *ret_parent, uint64_t *ret_group, uint64_t *ret_session)
{
	const char *p = strrchr(text, ')'); /* the command may hold one, what follows cannot */
	uint64_t parent = 0, group = 0, session = 0;

	/* ") S parent group session " */
	if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
		return -EBADMSG;
	p += 3;
	if (!next_number(&p, &parent) || !next_number(&p, &group) || !next_number(&p, &session))
		return -EBADMSG;
	*ret_parent = parent;
	*ret_group = group;
	*ret_session = session;
	return 0;
}
