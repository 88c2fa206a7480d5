// SPDX-License-Identifier: MIT
/*
 * What the parts of the cgroup code share with each other and with their tests, and nobody else needs.
 */
#pragma once

#include <time.h>

#include "cgroup.h"
#include "clock.h"

/* What cgroup_leaf_enter() makes. */
#define CGROUP_LEAF_NAMES "enomem-*-leaf"

/* "<mount><own group>" of a hierarchy, without a slash at the end. -ENAMETOOLONG */
int cgroup_own_directory(const struct cgroup_hierarchy *at, const char *root_prefix, char *ret, size_t size);

/* The controllers we know in DIR/cgroup.controllers or DIR/cgroup.subtree_control, as a bit mask; 0 when unreadable. */
unsigned cgroup_read_controllers(const char *dir, const char *file);

/* Enable ('+') or disable ('-') controllers for the groups in a directory: all of them, or none. -errno */
int cgroup_write_subtree_control(const char *dir, char sign, unsigned controllers);

/* Open every value of a group whose path[] is filled in. */
void cgroup_open_values(struct cgroup *cg);

/* Open the file that serves a value in a directory; -1 where there is none. */
int cgroup_open_value(const char *dir, enum cgroup_version version, enum cgroup_value value, bool write);
/* A file that is one number; "no limit" in either version's spelling is ENOMEM_UNLIMITED. */
uint64_t cgroup_plain_number(int fd);
/* The number behind a key of a file's text, of which memory.stat is the longest. */
#define CGROUP_KEYED_BYTES 8192
uint64_t cgroup_keyed_number(const char *text, const char *key);

/* Absolute, no "." or ".." in it, and its last component starts with "enomem-". */
bool cgroup_path_is_ours(const char *path);

bool cgroup_has_children(int dirfd);
/* Any whose name the pattern, as fnmatch(3) has it, does not match. */
bool cgroup_has_children_but(int dirfd, const char *pattern);

/* Serialises "enable, make" against "remove, disable". -1 when somebody sits on the lock: then nothing is disabled
 * later. */
int cgroup_lock_parent(const char *dir);

/* Never signals pid 0, pid 1 or the caller. -EBUSY when only the caller is left, -ETIMEDOUT. */
int cgroup_kill_directory(int dirfd, uint64_t deadline_ns);

/* Remove a directory and the groups below it, retrying EBUSY; one that is gone already is no error. */
int cgroup_remove_directory(int dirfd, const char *path, uint64_t deadline_ns);

/* A deadline that no timeout, however large, makes wrap. */
static inline uint64_t deadline_after(uint64_t timeout_ns)
{
	uint64_t now = clock_now_ns();
	return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

static inline void sleep_ns(uint64_t ns)
{
	struct timespec t = {.tv_sec = (time_t)(ns / 1000000000U), .tv_nsec = (long)(ns % 1000000000U)};
	(void)nanosleep(&t, NULL);
}
