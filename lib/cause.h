// SPDX-License-Identifier: MIT
/*
 * Which limit refused. Every limit we know is evaluated against the snapshot of the failing moment, not only the
 * predicted one; those that would refuse this very call are named with their arithmetic. When none would, the answer is
 * `unknown`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "calls.h"
#include "snapshot.h"

/* id, name, the unit of its numbers, the counter that only this limit moves (delta path) or NULL where the kernel keeps
 * none */
#define CAUSES(X)                                                                                                      \
	X(RLIMIT_AS, "rlimit-as", "bytes", NULL)                                                                       \
	X(RLIMIT_DATA, "rlimit-data", "bytes", NULL)                                                                   \
	X(RLIMIT_STACK, "rlimit-stack", "bytes", NULL)                                                                 \
	X(RLIMIT_MEMLOCK, "rlimit-memlock", "bytes", NULL)                                                             \
	X(RLIMIT_NPROC, "rlimit-nproc", "tasks", NULL)                                                                 \
	X(MAX_MAP_COUNT, "max-map-count", "areas", NULL)                                                               \
	X(ADDRESS_SPACE, "address-space", "bytes", NULL)                                                               \
	X(COMMIT_LIMIT, "commit-limit", "bytes", NULL)                                                                 \
	X(COMMIT_HEURISTIC, "commit-heuristic", "bytes", NULL)                                                         \
	X(PIDS_MAX, "pids-max", "tasks", "cgroup.pids.events.max")                                                     \
	X(PID_MAX, "pid-max", "tasks", NULL)                                                                           \
	X(THREADS_MAX, "threads-max", "tasks", NULL)                                                                   \
	X(DEAD_PID_NAMESPACE, "dead-pid-namespace", "tasks", NULL)                                                     \
	X(NAMESPACES_MAX, "namespaces-max", "namespaces", NULL)                                                        \
	X(INOTIFY_WATCHES_MAX, "inotify-watches-max", "watches", NULL)                                                 \
	X(INOTIFY_INSTANCES_MAX, "inotify-instances-max", "instances", NULL)                                           \
	X(RLIMIT_SIGPENDING, "rlimit-sigpending", "signals", NULL)                                                     \
	X(EPOLL_WATCHES_MAX, "epoll-watches-max", "watches", NULL)                                                     \
	X(KEYS_MAX, "keys-max", "keys", NULL)                                                                          \
	X(RLIMIT_MSGQUEUE, "rlimit-msgqueue", "bytes", NULL)                                                           \
	X(AIO_MAX, "aio-max", "requests", NULL)                                                                        \
	X(PIPE_MAX_SIZE, "pipe-max-size", "bytes", NULL)                                                               \
	X(PIPE_USER_PAGES, "pipe-user-pages", "pages", NULL)                                                           \
	X(OPTMEM_MAX, "optmem-max", "bytes", NULL)                                                                     \
	X(PERF_MLOCK, "perf-mlock", "pages", NULL)                                                                     \
	X(MEMCG_MAX, "memcg-max", "bytes", "cgroup.memory.events.oom_kill")                                            \
	X(MEMCG_SWAP_MAX, "memcg-swap-max", "bytes", "cgroup.memory.events.oom_kill")                                  \
	X(MEMCG_HIGH, "memcg-high", "bytes", "cgroup.memory.events.high")                                              \
	X(SYSTEM_OOM, "system-oom", "bytes", "vmstat.oom_kill")                                                        \
	X(SWAP_FULL, "swap-full", "bytes", "vmstat.oom_kill")                                                          \
	X(HUGETLB_POOL, "hugetlb-pool", "pages", NULL)                                                                 \
	X(HUGETLB_SIZE, "hugetlb-size", "pages", NULL)                                                                 \
	X(HUGETLB_CGROUP, "hugetlb-cgroup", "bytes", "cgroup.hugetlb.events.max")                                      \
	X(HUGETLBFS_SIZE, "hugetlbfs-size", "bytes", NULL)                                                             \
	X(TMPFS_SIZE, "tmpfs-size", "bytes", NULL)                                                                     \
	X(SHM_LIMIT, "shm-limit", "bytes", NULL)                                                                       \
	X(IPC_LIMIT, "ipc-limit", "queues", NULL)                                                                      \
	X(FRAGMENTATION, "fragmentation", "bytes", NULL)                                                               \
	X(KMALLOC_MAX, "kmalloc-max", "bytes", NULL)                                                                   \
	X(RLIMIT_NOFILE, "rlimit-nofile", "descriptors", NULL)                                                         \
	X(RLIMIT_CPU, "rlimit-cpu", "ns", NULL)                                                                        \
	X(NOT_MAPPED, "not-mapped", "bytes", NULL)                                                                     \
	X(INJECTED, "injected", "", NULL)                                                                              \
	X(KILLED_BY_OTHER, "killed-by-other", "", NULL)                                                                \
	X(UNKNOWN, "unknown", "", NULL)
#define X(id, name, unit, counter) CAUSE_##id,
enum cause_id { CAUSES(X) CAUSE_COUNT };
#undef X

struct cause_info {
	const char *name, *unit, *counter;
};
extern const struct cause_info cause_infos[CAUSE_COUNT];
/* -ENOENT when the name is no cause id. */
int cause_by_name(const char *name);

/* One limit, evaluated. The statement is always: in_use + asked > bound, in the cause's unit. */
struct limit_state {
	enum cause_id id;
	uint64_t in_use, asked,
		bound;     /* bound may be ENOMEM_UNLIMITED; in_use is ENOMEM_ABSENT where nothing told them */
	bool refuses;      /* in_use + asked > bound, with the kernel's own rounding */
	bool errno_fits;   /* it refuses this call with the errno that was seen */
	const char *unit;  /* of the three numbers, where it is not that of the cause; NULL where it is */
	const char *where; /* file or call a reader looks at: "/proc/sys/vm/max_map_count" (static storage) */
};

#define CAUSE_STATES_MAX 24
struct cause_report {
	unsigned count; /* every limit that applies to this call, refusing or not */
	struct limit_state state[CAUSE_STATES_MAX];
};

/* A refused call: evaluate every limit that applies to it. before: at the program's start, to see which counters moved;
 * NULL when there is none. */
void cause_of_refusal(const struct refusal *refusal, const struct snapshot *before, const struct snapshot *failure,
		      struct cause_report *ret);

/* A fatal signal as observed, with what the harness knows about who sent it. */
enum { LOG_GROUP_OWN = 1, LOG_GROUP_ABOVE };
struct fatal_signal {
	int signal, code; /* code: si_code, INT32_MIN when the kernel did not show it (SIGKILL) */
	uint64_t address; /* fault address of SIGSEGV and SIGBUS */
	int32_t tgid;
	bool oom_counter_moved; /* the run's own cgroup counted an OOM kill during the run */
	bool oom_kill_unclear;  /* it did, but another process of the run may have been the victim */
	int log_names_pid; /* 1: the kernel log names this pid (or this group) as killed; 0: readable and does not; -1:
			      unreadable */
	bool log_says_memcg; /* that line is about a memory cgroup, not the whole machine */
	unsigned log_group;  /* whose limit that is: LOG_GROUP_OWN, or LOG_GROUP_ABOVE + the snapshot's ancestor; 0:
				not known */
	bool in_swapoff;     /* it was ended in swapoff(2): the swap that is free is none to go to any more */
	uint64_t swap_free_least; /* the least free swap seen during the run: the victim's is free again when it is
				     looked at; ENOMEM_ABSENT when nobody looked */
};

/*
 * SIGSEGV: stack growth against rlimit-stack, rlimit-as, commit; SIGKILL: memcg-max, memcg-swap-max, system-oom,
 * swap-full, rlimit-cpu or killed-by-other; SIGBUS: in an area of huge pages hugetlb-cgroup and hugetlb-pool, in a file
 * on tmpfs tmpfs-size and commit.
 */
void cause_of_signal(const struct fatal_signal *sig, const struct snapshot *before, const struct snapshot *failure,
		     struct cause_report *ret);

/*
 * A program that was not done in time, as it was right before it was ended: throttled above memory.high, or asleep or
 * spinning in a full group that kills nobody. A stall has other reasons by far the most of the time: those are unknown.
 */
void cause_of_stall(const struct snapshot *before, const struct snapshot *failure, struct cause_report *ret);

/*
 * A kernel that gave up: panic_text is what follows "Kernel panic - not syncing: ", console the lines before it, with
 * or without time stamps, NULL for none. The numbers come from the last OOM report found there.
 */
void cause_of_panic(const char *panic_text, const char *console, struct cause_report *ret);

/*
 * The verdict over a report: the one limit that refuses, or CAUSE_UNKNOWN when none does. When several do,
 * the first whose errno fits is named and *ret_also has a bit (1 << index in report) for each other one that refuses.
 */
enum cause_id cause_name(const struct cause_report *report, unsigned *ret_index, uint32_t *ret_also);
