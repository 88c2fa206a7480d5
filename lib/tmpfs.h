// SPDX-License-Identifier: MIT
/*
 * A tmpfs of another mount namespace.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * Change the size or the number of inodes of the tmpfs that is mounted where a process sees it, without entering its
 * namespaces; ENOMEM_ABSENT leaves a number as it is. Needs CAP_SYS_ADMIN. -EINVAL also where it is no tmpfs, or holds
 * more than that already; -errno
 */
int tmpfs_resize(pid_t pid, const char *path, uint64_t bytes, uint64_t inodes);

/* The same in two steps, for who holds the mount longer than the process lives: its directory, to be closed, or -errno;
 * and its change. */
int tmpfs_open(pid_t pid, const char *path);
int tmpfs_resize_at(int directory_fd, uint64_t bytes, uint64_t inodes);
