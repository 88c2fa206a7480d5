// SPDX-License-Identifier: MIT
/*
 * What the files that read and apply profiles share.
 */
#pragma once

#include "profile.h"

struct profile_errors {
	FILE *out; /* or NULL */
	unsigned count;
};

/* "FILE:LINE: error: ..." and a hint; line 0: none. Nothing in it can move a terminal's cursor. */
void profile_error(struct profile_errors *e, const char *file, unsigned line, const char *hint, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* One line of a file; comments and blank lines add nothing. -EINVAL and -E2BIG are told, -ENOMEM is not. */
int profile_line(struct profile *p, const char *file, unsigned line, const char *text, size_t length,
		 struct profile_errors *e);
/* Append a copy. -ENOMEM, -E2BIG */
int profile_append(struct profile *p, const struct profile_setting *setting);
bool profile_has_wildcard(const char *name);
/* Is this a path below /proc/sys as sysctl_path() writes it? */
bool profile_is_name(const char *name);
/* "vm/overcommit_memory" as people write it: "vm.overcommit_memory". */
void profile_dotted(const char *name, char *buf, size_t size);
bool profile_is_utf8(const char *text, size_t length);

/* Did the kernel take what was written? It prints numbers in its own way. */
bool profile_same_value(const char *written, const char *read);
