// SPDX-License-Identifier: MIT
/*
 * All counters at one moment. Every file that can be opened beforehand is; taking a snapshot allocates nothing, so it
 * can be taken while memory is refused, with the process held still.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "maps.h"
#include "procfs.h"

/* Sysctls a cause depends on: index, name, path below /proc/sys. */
#define SYSCTL_KEYS(X)                                                                                                 \
	X(OVERCOMMIT_MEMORY, "vm.overcommit_memory", "vm/overcommit_memory")                                           \
	X(OVERCOMMIT_RATIO, "vm.overcommit_ratio", "vm/overcommit_ratio")                                              \
	X(OVERCOMMIT_KBYTES, "vm.overcommit_kbytes", "vm/overcommit_kbytes")                                           \
	X(ADMIN_RESERVE_KBYTES, "vm.admin_reserve_kbytes", "vm/admin_reserve_kbytes")                                  \
	X(USER_RESERVE_KBYTES, "vm.user_reserve_kbytes", "vm/user_reserve_kbytes")                                     \
	X(MAX_MAP_COUNT, "vm.max_map_count", "vm/max_map_count")                                                       \
	X(MMAP_MIN_ADDR, "vm.mmap_min_addr", "vm/mmap_min_addr")                                                       \
	X(NR_OVERCOMMIT_HUGEPAGES, "vm.nr_overcommit_hugepages", "vm/nr_overcommit_hugepages")                         \
	X(PID_MAX, "kernel.pid_max", "kernel/pid_max")                                                                 \
	X(THREADS_MAX, "kernel.threads-max", "kernel/threads-max")
#define X(id, name, path) SYSCTL_##id,
enum sysctl_key { SYSCTL_KEYS(X) SYSCTL_COUNT };
#undef X
extern const char *const sysctl_names[SYSCTL_COUNT];

/* A cgroup above the run's own, for one controller. */
struct ancestor_numbers {
	enum cgroup_controller controller;
	uint64_t current, max;
};

struct snapshot {
	bool taken;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	struct meminfo meminfo;
	struct vmstat vmstat;
	uint64_t sysctl[SYSCTL_COUNT]; /* ENOMEM_ABSENT where this kernel has none */
	uint64_t tasks;                /* on the whole machine */
	struct cgroup_numbers cgroup;  /* the run's own group */
	unsigned ancestor_count;
	struct ancestor_numbers ancestor[CGROUP_ANCESTORS * 2];
	/* The process at hand; nothing below is valid unless process_seen. */
	bool process_seen;
	pid_t pid;
	struct process_status status;
	uint64_t rlimit[PROCFS_RLIMITS]; /* soft limits */
	bool maps_seen;
	struct maps_summary maps;
	bool commit_seen; /* smaps was read: only where a fork was refused */
	struct smaps_commit commit;
	/* The pid namespace its children would get. */
	uint64_t pidns_inode, pidns_children_inode; /* 0 when unreadable or not populated yet */
	bool pidns_children_dead;                   /* children's namespace once had an init and has no process now */
	uint64_t uid_tasks;                         /* tasks of its real uid, ENOMEM_ABSENT when not counted */
	bool in_cgroup;                             /* it sits in the run's own group (true when there is no group) */
	char elsewhere[256];                        /* where it sits when it does not */
};

/* Descriptors opened before any limit is set. */
struct snapshot_source {
	int meminfo_fd, vmstat_fd, loadavg_fd, proc_fd;
	int sysctl_fd[SYSCTL_COUNT];
	const struct cgroup *cgroup; /* may be NULL */
	struct cgroup_ancestors ancestors;
	uint64_t task_size;
};

/* What to look at beyond the machine and the group. */
struct snapshot_request {
	pid_t pid;                /* 0: no process */
	uint64_t address, length; /* range the refused call was about; 0, 0 for none */
	bool maps;                /* count the areas and measure the holes */
	bool commit;              /* a fork was refused for memory: read smaps */
	bool pidns;               /* a clone was refused: is the children's pid namespace dead? */
	bool uid_tasks;           /* a clone was refused with EAGAIN: count the user's tasks */
};

/* Open what can be opened; a missing file is ENOMEM_ABSENT later, never an error. -errno only for /proc itself. */
int snapshot_source_open(const struct cgroup *cgroup, struct snapshot_source *ret);
void snapshot_source_close(struct snapshot_source *s);

/* Take a snapshot into *ret. Allocates nothing and cannot fail: what could not be read is marked absent. */
void snapshot_take(const struct snapshot_source *s, const struct snapshot_request *request, struct snapshot *ret);
