// SPDX-License-Identifier: MIT
/*
 * Shared between cause.c and its parts: the case under judgement, and how a limit is added to it.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "cause.h"
#include "limits.h"
#include "number.h"

#define PAGE_BYTES         4096ULL

/* A memory group charges in batches of pages: it refuses a few pages below the limit (9 to 14 measured). */
#define CHARGE_BATCH_BYTES (64 * PAGE_BYTES)

struct cause_case {
	const struct refusal *refusal; /* NULL when a signal or a stall is judged */
	const struct snapshot *before; /* may be NULL */
	const struct snapshot *s;
	struct cause_report *report;
	/* States (1 << index) whose arithmetic cannot be exact; they count only where no exact limit explains the
	 * failure. */
	uint32_t doubtful;
};

/* The three numbers of a state; any of them may be ENOMEM_ABSENT, then the limit is not evaluated. */
struct cause_sum {
	uint64_t in_use, asked, bound;
};

/* Add an evaluated limit; expected_error is the errno it refuses with. NULL when a number is absent or nothing is
 * asked. */
struct limit_state *cause_add(struct cause_case *c, enum cause_id id, struct cause_sum sum, int expected_error,
			      const char *where);
/* What cause_add() just returned is not exact: it will refuse if no exact limit does, whatever its arithmetic says. */
void cause_doubt(struct cause_case *c, const struct limit_state *state);
/* Decide the doubtful states once all limits are there. */
void cause_settle(struct cause_case *c);

/* A number of the process at hand, ENOMEM_ABSENT when there is none. */
uint64_t cause_status(const struct cause_case *c, enum status_key key);
uint64_t cause_rlimit(const struct cause_case *c, unsigned resource);
/* A soft limit that the kernel compares in pages, rounded down to one. */
uint64_t cause_rlimit_pages(const struct cause_case *c, unsigned resource);
bool cause_capable(const struct cause_case *c, unsigned capability);

/* Did one of the group's counters move since the start? */
enum moved { MOVED_NO, MOVED_YES, MOVED_UNKNOWN };
enum moved cause_moved(const struct cause_case *c, enum cgroup_value counter);

/* Limits that several families share. Sizes are multiples of a page; those that are 0 add nothing. */
void cause_address_space_limit(struct cause_case *c, uint64_t in_use, uint64_t asked);
void cause_data_limit_of_image(struct cause_case *c, uint64_t image);
void cause_memlock_limit(struct cause_case *c, uint64_t in_use, uint64_t asked, int error_above, bool explicit_lock);
/* Of a ring of perf events, which counts by user first and as locked memory for the rest. */
void cause_ring(struct cause_case *c, uint64_t asked);
void cause_lock_of_break(struct cause_case *c, uint64_t asked);
/* split_vma() at whichever ends of the range lie inside an area. */
void cause_map_count_of_split(struct cause_case *c);
void cause_commit_limit(struct cause_case *c, uint64_t asked);
/* The same where the call says something else than ENOMEM. */
void cause_commit_limit_as(struct cause_case *c, uint64_t asked, int error);
void cause_commit_heuristic(struct cause_case *c, uint64_t asked);

/* Memory that a call charged to its groups: the kernel's own, or a file's. */
void cause_charge(struct cause_case *c, uint64_t asked, int error);
/* A limit of its own group that a write lowers below what the group holds. */
void cause_limit_lowered(struct cause_case *c);
/* Descriptors: no lack of memory, but refused by the same calls. Memory is looked at beside it. */
void cause_open_files(struct cause_case *c);
/* A block of pages in one piece; only where there is memory enough, but in smaller pieces. */
void cause_physical_fragmentation(struct cause_case *c, uint64_t block);
/* Huge pages: promised to a mapping, and taken by a fault. */
void cause_hugetlb_reservation(struct cause_case *c, uint64_t asked_bytes, unsigned log2_size);
void cause_hugetlb_fault(struct cause_case *c);
/* Space on the tmpfs of the file at hand, asked for by a call, or by a fault within [address, address + length). */
void cause_tmpfs_space(struct cause_case *c, uint64_t asked, int error);
void cause_tmpfs_fault(struct cause_case *c, uint64_t address, uint64_t length, int error);
/* New namespaces, by their CLONE_NEW* flags. */
void cause_new_namespaces(struct cause_case *c, uint64_t flags);
/* What the IPC namespace has for a new segment of System V memory. */
void cause_shm_namespace(struct cause_case *c, uint64_t size);
void cause_sysv_namespace(struct cause_case *c);
/* Likewise for a new POSIX message queue. */
void cause_queue(struct cause_case *c);
/* What the capability of the first user namespace lifts; a user who is not root may hold it just in his own. */
void cause_unless_capable(struct cause_case *c, unsigned capability, const struct limit_state *state);
/* What a pipe may hold, and all pipes of a user together, for those without the capability. */
void cause_pipe_size(struct cause_case *c);
void cause_pipe_pages(struct cause_case *c);
/* A size of huge pages that the kernel does not offer. */
void cause_hugetlb_page_size(struct cause_case *c, uint64_t asked_bytes, unsigned log2_size);
/* Space on the hugetlbfs of the file at hand. */
void cause_hugetlbfs_space(struct cause_case *c, uint64_t asked, int error);
/* The whole machine: is nearly all of its swap in use? */
bool cause_swap_is_full(uint64_t total, uint64_t free_bytes);

/* One evaluator per family. */
void cause_map(struct cause_case *c);
void cause_remap(struct cause_case *c);
void cause_split(struct cause_case *c);
void cause_break(struct cause_case *c);
void cause_lock(struct cause_case *c);
void cause_pin(struct cause_case *c);
void cause_swap(struct cause_case *c);
void cause_shm(struct cause_case *c);
void cause_advise(struct cause_case *c);
void cause_task(struct cause_case *c);
void cause_exec(struct cause_case *c);
void cause_file(struct cause_case *c);
void cause_pipe(struct cause_case *c);
void cause_object(struct cause_case *c);
void cause_transfer(struct cause_case *c);
void cause_create(struct cause_case *c);
void cause_namespace(struct cause_case *c);
void cause_watch(struct cause_case *c);
void cause_timer(struct cause_case *c);
void cause_aio(struct cause_case *c);
void cause_key(struct cause_case *c);
void cause_bpf(struct cause_case *c);
void cause_epoll_watch(struct cause_case *c);
void cause_option(struct cause_case *c);
