// SPDX-License-Identifier: MIT
/*
 * The 32-bit calls of an x86-64 kernel: what a 32-bit program makes, and a 64-bit one may (int 0x80). Their numbers are
 * others, some of their arguments lie elsewhere, and a few calls go through one that does many things. Here each is
 * turned into the row of watched_calls that it is, with that row's arguments, so that nothing behind knows of two
 * kinds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

/* ipc(2) does these as well. */
#define IA32_IPC_SHMAT  21
#define IA32_IPC_SHMGET 23
#define IA32_IPC_SHMCTL 24
#define IA32_SHMGET     395
#define IA32_SHMCTL     396
#define IA32_SHMAT      397
#define IA32_EXIT_GROUP 252

/* An AUDIT_ARCH_* value: is a call of that kind one of these? */
bool call_is_ia32(uint32_t arch);

/* NULL when the number is not watched. args are those of the call, and become those of the row; what lies in the
 * caller's memory is read there. */
const struct call_info *call_of_ia32(pid_t tid, uint64_t nr, uint64_t args[6]);

/* As call_queues_signal(). */
bool call_of_ia32_queues_signal(uint64_t nr);
/* As call_sets_filter(). */
bool call_of_ia32_sets_filter(uint64_t nr, const uint64_t args[6]);
