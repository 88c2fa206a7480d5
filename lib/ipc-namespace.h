// SPDX-License-Identifier: MIT
/*
 * The IPC namespace of a process. What /proc and its sysctls show of System V objects is always the reader's own, so
 * the calling thread enters it for a moment: that takes CAP_SYS_ADMIN.
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

/* msgctl(2) and semctl(2), the same of message queues and of sets of semaphores. */
struct sysv_numbers {
	uint64_t msgmni;     /* queues */
	uint64_t queues;     /* in use */
	uint64_t semmsl;     /* semaphores of one set */
	uint64_t semmns;     /* of all sets */
	uint64_t semmni;     /* sets */
	uint64_t semaphores; /* in use */
	uint64_t sets;       /* likewise */
};

/* Allocates nothing in this process. -errno */
int ipc_namespace_sysv(pid_t pid, struct sysv_numbers *ret);

/* mq_overview(7): POSIX message queues, and what a new one may be. */
struct queue_numbers {
	uint64_t queues_max;                      /* fs.mqueue.queues_max */
	uint64_t messages_max, message_bytes_max; /* of one queue: msg_max, msgsize_max */
	uint64_t messages, message_bytes;         /* of one that names no size */
	uint64_t queues;                          /* in use */
	uint64_t bytes;                           /* that those of the user count, see limit_queue_bytes() */
};

/* Allocates nothing in this process. -errno */
int ipc_namespace_queues(pid_t pid, uid_t uid, struct queue_numbers *ret);

/* The size of one of its segments. -errno */
int ipc_namespace_segment_bytes(pid_t pid, int id, uint64_t *ret_bytes);

/* Set one of its sysctls, "kernel.shmmax", and read it back. -EIO when it did not take; -errno */
int ipc_namespace_set(pid_t pid, const char *name, const char *value);
