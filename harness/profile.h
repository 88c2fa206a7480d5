// SPDX-License-Identifier: MIT
/*
 * Sysctl settings a user wants validated: `--sysctl K=V` and `--profile FILE|DIR` in the syntax of sysctl.d(5). They
 * are read here, sent to a guest as JSON, resolved against the guest's /proc/sys and written there.
 *
 * Rules, where systemd-sysctl and `sysctl --system` leave a choice:
 * - A directory is a root when it holds etc/sysctl.d, run/sysctl.d, usr/local/lib/sysctl.d, usr/lib/sysctl.d,
 *   lib/sysctl.d or etc/sysctl.conf, else its *.conf files are read. Links in a root lead to files of that root.
 * - etc/sysctl.conf of a root is read last, as `sysctl --system` does (systemd-sysctl does not read it).
 * - "-key" takes back an earlier assignment of the same name as well; "-pattern" takes back an earlier pattern of the
 *   same text, and excludes nothing else. Both as systemd-sysctl has it.
 * - A pattern given with --sysctl wins over what a profile sets explicitly.
 * - What would not take effect is a failure, where systemd-sysctl goes on: a setting the kernel does not have, one that
 *   may not be written, a pattern that matches nothing. A leading '-' allows each of them.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PROFILE_LINE_MAX     (64U << 10)
#define PROFILE_FILE_MAX     (1U << 20)
#define PROFILE_NAME_MAX     1024
#define PROFILE_SETTINGS_MAX 65536U
#define PROFILE_COMMAND_LINE "--sysctl"

struct profile_setting {
	char *name;  /* as a path below /proc/sys: "vm/overcommit_memory" */
	char *value; /* NULL: excluded from patterns */
	bool ignore_failure;
	bool glob; /* the name is a pattern; in a resolved profile: one that matches nothing */
	char *file;
	unsigned line; /* from 1; 0 for --sysctl */
};

struct profile {
	struct profile_setting *item;
	size_t count;
};

/*
 * Append the settings of a file or a directory, before those of --sysctl. -EINVAL with "FILE:LINE: error: ..." and a
 * hint for every error, -errno (told as well) when something cannot be read; p is then as it was.
 */
int profile_read(const char *path, FILE *errors, struct profile *p);
/* "vm.swappiness=10", "-vm.swappiness=10", "-vm.swappiness". Wins over every profile, whatever was read first. -EINVAL
 * (told), -ENOMEM */
int profile_add(struct profile *p, const char *assignment, FILE *errors);
void profile_free(struct profile *p);

/* To send to a guest; NULL when out of memory. */
json_t *profile_json(const struct profile *p);
/* -EBADMSG for what profile_json() would not have written. */
int profile_from_json(const json_t *j, struct profile *ret);

/*
 * What is to be written below root (/proc/sys), in that order: each name once, patterns expanded. A pattern that
 * matches nothing stays in the list unless its failure is ignored, so that profile_apply() tells of it. -errno
 */
int profile_resolve(const struct profile *p, const char *root, struct profile *ret);
/*
 * Write them. Stops at the first failure that is not to be ignored, with "FILE:LINE: vm.foo: cannot be set to 1: ENOENT
 * (...)" in failed; -EIO when the kernel took the write but not the value. A setting that cannot be written but has the
 * value already is none. Each value is read back right after its write: a later one may change it (vm.overcommit_kbytes
 * sets vm.overcommit_ratio to 0).
 */
int profile_apply(const struct profile *resolved, const char *root, char *failed, size_t size);
