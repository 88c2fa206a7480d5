// SPDX-License-Identifier: MIT
/*
 * The root directory of a program in a guest: a disk image that mke2fs makes of the directory, and that the guest may
 * write to as it likes, since what it writes is thrown away. Images lie in the cache under a name made of everything
 * that stat(2) tells of everything in the directory.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The guest's third disk, and where it is mounted there. */
#define GUEST_ROOT_DISK "/dev/vdc"
#define GUEST_ROOT      "/root-directory"

struct guest_root {
	int fd;        /* of the image, to read */
	uint64_t hash; /* of what the directory holds */
};

/* What a directory holds, and as how large an image it may be made. */
struct guest_root_tree {
	uint64_t hash, inodes, blocks;
};
/* 0, or -errno after telling which file it is that no image can be made of: one that cannot be read, or a mount. */
int guest_root_walk(int directory_fd, const char *directory, struct guest_root_tree *ret);

/* 0, or the exit status after telling why there is none. */
int guest_root_open(int directory_fd, const char *directory, const atomic_bool *interrupted, struct guest_root *ret);
void guest_root_close(struct guest_root *root);

/* In the guest, before anything is executed there. -errno */
int guest_root_mount(void);
