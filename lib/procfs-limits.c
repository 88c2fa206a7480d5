// SPDX-License-Identifier: MIT
/*
 * The hard limit on CPU time: of the hard limits in /proc/PID/limits the only one that does more than bound the soft
 * one.
 */
#include <errno.h>
#include <string.h>

#include "number.h"
#include "procfs.h"

int procfs_parse_hard_cpu_limit(const char *text, uint64_t *ret_seconds)
{
	static const char row[] = "Max cpu time ";
	static const char blank[] = " \t";
	char word[32];
	const char *line = text;

	while (strncmp(line, row, strlen(row)) != 0) {
		line = strchr(line, '\n');
		if (!line)
			return -ENODATA;
		line++;
	}
	line += strlen(row);
	line += strspn(line, blank);
	line += strcspn(line, " \t\n"); /* the soft limit */
	line += strspn(line, blank);
	size_t length = strcspn(line, " \t\n");
	if (length == 0 || length >= sizeof(word))
		return -EBADMSG;
	memcpy(word, line, length);
	word[length] = '\0';
	if (strcmp(word, "unlimited") == 0) {
		*ret_seconds = ENOMEM_UNLIMITED;
		return 0;
	}
	return number_parse_count(word, ret_seconds) < 0 ? -EBADMSG : 0;
}
