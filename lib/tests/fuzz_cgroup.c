// SPDX-License-Identifier: MIT
/*
 * mountinfo, /proc/self/cgroup and journal lines, one after the other with a NUL byte between them. A line that parses
 * must come out of writing and parsing it again as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "cgroup.h"
#include "journal-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void fuzz_line(const char *text)
{
	static struct journal_line first, second;
	static char buf[JOURNAL_LINE_MAX];
	if (journal_parse_line(text, &first) < 0)
		return;
	int n = journal_format_line(buf, sizeof(buf), first.verb, first.what, first.old_value, first.new_value);
	if (n <= 0) /* only a value full of escapes is longer than a line may be */
		return;
	check(buf[n - 1] == '\n');
	buf[n - 1] = '\0';
	check(journal_parse_line(buf, &second) == 0 && second.verb == first.verb);
	check(strcmp(first.what, second.what) == 0 && strcmp(first.old_value, second.old_value) == 0 &&
	      strcmp(first.new_value, second.new_value) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup_system sys;
	char *text = malloc(size + 3);
	if (!text)
		return 0;
	memcpy(text, data, size);
	memset(text + size, 0, 3);
	char *end = text + size;
	char *self = text + strlen(text) + 1;
	char *lines = self <= end ? self + strlen(self) + 1 : end;
	if (cgroup_detect(text, self <= end ? self : "", "/nowhere", &sys) == 0) {
		check(cgroup_system_name(&sys) != NULL);
		for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
			check((sys.at[c].version == CGROUP_NONE) == (sys.at[c].mount[0] == '\0'));
	}
	while (lines < end) {
		char *newline = strchrnul(lines, '\n');
		*newline = '\0';
		fuzz_line(lines);
		lines = newline + 1;
	}
	free(text);
	return 0;
}
