// SPDX-License-Identifier: MIT
/*
 * The hard limit on CPU time: of the hard limits in /proc/PID/limits the only one that does more than bound the soft
 * one. And what other limits count of a user: the signals he has queued, and his keys.
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

/* fs/proc/array.c, task_sig(): a line of its own; a name that looks like it has its newline escaped. */
int procfs_parse_signals_queued(const char *text, uint64_t *ret)
{
	static const char key[] = "\nSigQ:\t";
	const char *line = strstr(text, key);
	uint64_t queued = 0;

	if (!line)
		return -EBADMSG;
	line += sizeof(key) - 1;
	size_t digits = number_scan_digits(line, strcspn(line, "\n"), &queued);
	if (!digits || line[digits] != '/' || queued >= ENOMEM_ABSENT)
		return -EBADMSG;
	*ret = queued;
	return 0;
}

static const char *number_at(const char *text, char end, uint64_t *ret)
{
	text += strspn(text, " ");
	size_t digits = number_scan_digits(text, strcspn(text, "\n"), ret);
	return digits && text[digits] == end && *ret < ENOMEM_ABSENT ? text + digits + 1 : NULL;
}

uint32_t procfs_parse_file_uid(const char *text)
{
	static const char key[] = "\nUid:\t";
	const char *at = strstr(text, key);
	uint64_t uid = UINT32_MAX;
	for (int field = 0; at && field < 4; field++) { /* real, effective, saved */
		at += field == 0 ? sizeof(key) - 1 : 1;
		size_t digits = number_scan_digits(at, strcspn(at, "\n"), &uid);
		at = digits && at[digits] == (field < 3 ? '\t' : '\n') ? at + digits : NULL;
	}
	return at && uid < UINT32_MAX ? (uint32_t)uid : UINT32_MAX;
}

bool procfs_maps_root_to_root(const char *text)
{
	uint64_t inside = 1, outside = 1;
	text += strspn(text, " ");
	size_t digits = number_scan_digits(text, strcspn(text, "\n"), &inside);
	text += digits;
	return digits && inside == 0 &&
	       number_scan_digits(text + strspn(text, " "), strlen(text + strspn(text, " ")), &outside) && outside == 0;
}

/* "    0:    11 10/10 4/1000000 66/25000000": how many refer to it, keys, then what counts of keys and of bytes. */
int procfs_parse_key_users(const char *text, uint32_t uid, uint64_t *ret_keys, uint64_t *ret_keys_max,
			   uint64_t *ret_bytes, uint64_t *ret_bytes_max)
{
	uint64_t number[8];
	static const char form[8] = {':', ' ', '/', ' ', '/', ' ', '/', '\n'};
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *at = line;
		for (size_t i = 0; at && i < sizeof(form); i++)
			at = number_at(at, form[i], &number[i]);
		if (!at)
			return -EBADMSG;
		if (number[0] != uid)
			continue;
		*ret_keys = number[4];
		*ret_keys_max = number[5];
		*ret_bytes = number[6];
		*ret_bytes_max = number[7];
		return 0;
	}
	return -ENODATA;
}
