// SPDX-License-Identifier: MIT
/*
 * Records of /dev/kmsg and lines of the OOM killer, from any bytes; what comes out must be terminated, printable and a
 * real pid.
 */
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "kmsg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATTERN 0x5a

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void parse_line(const char *text, struct kmsg_oom *oom)
{
	struct kmsg_oom before;

	memcpy(&before, oom, sizeof(before));
	if (!kmsg_oom_line(text, oom)) {
		require(memcmp(&before, oom, sizeof(before)) == 0);
		return;
	}
	require(oom->pid > 0 || (oom->pid == 0 && oom->task_memcg[0] != '\0'));
	require(memchr(oom->comm, '\0', sizeof(oom->comm)) && memchr(oom->task_memcg, '\0', sizeof(oom->task_memcg)) &&
		memchr(oom->oom_memcg, '\0', sizeof(oom->oom_memcg)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = malloc(size + 1);
	auto_free char *record_bytes = malloc(size ? size : 1);
	struct kmsg_record record;
	struct kmsg_oom oom;

	require(text && record_bytes);
	memcpy(text, data, size);
	text[size] = '\0';
	memcpy(record_bytes, data, size);
	memset(&oom, 0, sizeof(oom));
	memset(&record, PATTERN, sizeof(record));
	if (kmsg_parse(record_bytes, size, &record) == 0) {
		require(record.level <= 7 && memchr(record.text, '\0', sizeof(record.text)));
		for (const unsigned char *c = (const unsigned char *)record.text; *c; c++)
			require(*c >= 0x20 && *c != 0x7f);
		parse_line(record.text, &oom);
	} else {
		for (size_t i = 0; i < sizeof(record); i++)
			require(((const unsigned char *)&record)[i] == PATTERN);
	}
	/* The bare text as well, on top of what is known: other lines must not be able to break the merge. */
	for (char *line = text; line;) {
		char *newline = strchr(line, '\n');

		if (newline)
			*newline = '\0';
		parse_line(line, &oom);
		line = newline ? newline + 1 : NULL;
	}
	return 0;
}
