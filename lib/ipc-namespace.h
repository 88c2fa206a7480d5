// SPDX-License-Identifier: MIT
/*
 * The IPC namespace of a process. What /proc and its sysctls show of System V memory is always the reader's own, so the
 * calling thread enters it for a moment: that takes CAP_SYS_ADMIN.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* shmctl(2), IPC_INFO and SHM_INFO: what there may be, and what there is. */
struct shm_numbers {
	uint64_t shmmax;   /* bytes of one segment */
	uint64_t shmall;   /* pages of all of them */
	uint64_t shmmni;   /* segments */
	uint64_t pages;    /* in use */
	uint64_t segments; /* likewise */
};

/* Allocates nothing in this process. -errno */
int ipc_namespace_shm(pid_t pid, struct shm_numbers *ret);

/* The size of one of its segments. -errno */
int ipc_namespace_segment_bytes(pid_t pid, int id, uint64_t *ret_bytes);

/* Set one of its sysctls, "kernel.shmmax", and read it back. -EIO when it did not take; -errno */
int ipc_namespace_set(pid_t pid, const char *name, const char *value);
