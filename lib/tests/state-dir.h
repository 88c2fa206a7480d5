// SPDX-License-Identifier: MIT
/*
 * For the tests of sysctls and journals: a state directory and a /proc/sys of their own, made of plain files.
 */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "sysctl.h"

static char state_dir[64], sysctl_dir[96];

static void put(const char *name, const char *text)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", sysctl_dir, name);
	auto_fclose FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
}

static void assert_value(const char *name, const char *expected)
{
	char value[SYSCTL_VALUE_MAX];
	assert_int_equal(sysctl_read(name, value, sizeof(value)), 0);
	assert_string_equal(value, expected);
}

static int make_state(void **state)
{
	char path[128];
	(void)state;
	(void)snprintf(state_dir, sizeof(state_dir), "/tmp/enomem-test-XXXXXX");
	if (!mkdtemp(state_dir) || setenv("ENOMEM_STATE_DIR", state_dir, 1) < 0)
		return -1;
	(void)snprintf(sysctl_dir, sizeof(sysctl_dir), "%s/sys", state_dir);
	(void)snprintf(path, sizeof(path), "%s/vm", sysctl_dir);
	if (mkdir(sysctl_dir, 0700) < 0 || mkdir(path, 0700) < 0)
		return -1;
	sysctl_root = sysctl_dir;
	put("vm/overcommit_memory", "0\n");
	put("vm/overcommit_ratio", "50\n");
	put("vm/overcommit_kbytes", "0\n");
	put("vm/max_map_count", "65530\n");
	put("vm/lowmem", "256\t256\t32\n");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static int remove_state(void **state)
{
	(void)state;
	sysctl_root = "/proc/sys";
	return nftw(state_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* How many files of the state directory end like this. */
static inline unsigned count_files(const char *end)
{
	auto_closedir DIR *d = opendir(state_dir);
	unsigned count = 0;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));) {
		size_t length = strlen(e->d_name), n = strlen(end);
		count += length >= n && strcmp(e->d_name + length - n, end) == 0;
	}
	return count;
}
