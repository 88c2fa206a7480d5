// SPDX-License-Identifier: MIT
/*
 * For the tests of guests: a temporary directory, with a cache in it, and files made there.
 */
#pragma once

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

static char tree[64], messages[8192];

static inline const char *in_tree(const char *name)
{
	static char path[8][600];
	static unsigned next;
	char *ret = path[next++ % 8];
	(void)snprintf(ret, 600, "%s/%s", tree, name);
	return ret;
}

/* Make a file and the directories above it. */
static inline void put_bytes(const char *name, const char *text, size_t length)
{
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/%s", tree, name);
	for (char *slash = path + strlen(tree) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			abort();
		*slash = '/';
	}
	auto_fclose FILE *f = fopen(path, "we");
	if (!f || fwrite(text, 1, length, f) != length)
		abort();
}

static inline void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static inline int make_tree(void **state)
{
	(void)state;
	(void)snprintf(tree, sizeof(tree), "/tmp/enomem-test-XXXXXX");
	return mkdtemp(tree) && setenv("ENOMEM_CACHE_DIR", in_tree("cache"), 1) == 0 ? 0 : -1;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline FILE *open_messages(void)
{
	memset(messages, 0, sizeof(messages));
	FILE *f = fmemopen(messages, sizeof(messages), "w");
	if (!f)
		abort();
	return f;
}

#define assert_told(text)                                                                                              \
	do {                                                                                                           \
		if (!strstr(messages, text))                                                                           \
			fail_msg("'%s' is not in: %s", text, messages);                                                \
	} while (0)
