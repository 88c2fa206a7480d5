// SPDX-License-Identifier: MIT
/*
 * For the tests of profiles: a temporary directory with files in it, among them a /proc/sys of plain files.
 */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "profile.h"

static char tree[64], sys[80], messages[8192];

static inline const char *in_tree(const char *name)
{
	static char path[4][512];
	static unsigned next;
	char *ret = path[next++ % 4];
	(void)snprintf(ret, 512, "%s/%s", tree, name);
	return ret;
}

/* Make a file and the directories above it. */
static void put_bytes(const char *name, const char *text, size_t length)
{
	char path[512];
	(void)snprintf(path, sizeof(path), "%s/%s", tree, name);
	for (char *slash = path + strlen(tree) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
		*slash = '/';
	}
	auto_fclose FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, length, f), length);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static inline void assert_file(const char *name, const char *expected)
{
	char text[256];
	auto_fclose FILE *f = fopen(in_tree(name), "re");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	text[strcspn(text, "\n")] = '\0';
	assert_string_equal(text, expected);
}

static int make_tree(void **state)
{
	(void)state;
	(void)snprintf(tree, sizeof(tree), "/tmp/enomem-test-XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	(void)snprintf(sys, sizeof(sys), "%s/sys", tree);
	put("sys/vm/swappiness", "60\n");
	put("sys/vm/overcommit_memory", "0\n");
	put("sys/vm/overcommit_ratio", "50\n");
	put("sys/net/ipv4/conf/all/rp_filter", "0\n");
	put("sys/net/ipv4/conf/default/rp_filter", "0\n");
	put("sys/net/ipv4/conf/enp3s0.200/rp_filter", "0\n");
	put("sys/net/ipv4/conf/hub0/rp_filter", "0\n");
	put("canary", "untouched\n");
	return 0;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_tree(void **state)
{
	(void)state;
	return nftw(tree, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static FILE *open_messages(void)
{
	memset(messages, 0, sizeof(messages));
	FILE *f = fmemopen(messages, sizeof(messages), "w");
	assert_non_null(f);
	return f;
}

/* Read what lies in the tree; what is told is in messages. */
static int read_profile(struct profile *p, const char *name)
{
	auto_fclose FILE *f = open_messages();
	return profile_read(in_tree(name), f, p);
}

static int add(struct profile *p, const char *assignment)
{
	auto_fclose FILE *f = open_messages();
	return profile_add(p, assignment, f);
}

static inline void assert_told(const char *text)
{
	if (!strstr(messages, text))
		fail_msg("'%s' is not in: %s", text, messages);
}

/* "name=value" of each setting, one per line; '-' before: failure ignored, '*' before: a pattern, no '=': excluded. */
static void assert_settings(const struct profile *p, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *f = open_memstream(&text, &length);
	assert_non_null(f);
	for (size_t i = 0; i < p->count; i++) {
		const struct profile_setting *s = &p->item[i];
		fprintf(f, "%s%s%s%s%s\n", s->ignore_failure ? "-" : "", s->glob ? "*" : "", s->name,
			s->value ? "=" : "", s->value ? s->value : "");
	}
	fclose(f);
	assert_string_equal(text, expected);
	free(text);
}
