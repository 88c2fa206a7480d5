// SPDX-License-Identifier: MIT
/*
 * The environment of a run: everything that is set before the program starts. Plain data without pointers, so that the
 * harness can hand it to its stage role through a descriptor as it is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "procfs.h"

#define ENVIRONMENT_SYSCTLS  8
#define ENVIRONMENT_SETTINGS 4
#define ENVIRONMENT_NOT_SET  ENOMEM_ABSENT
#define ENVIRONMENT_INJECTED 8
/* Where the run's own tmpfs is mounted: a directory that every machine has, and that is a tmpfs anyway. */
#define ENVIRONMENT_TMPFS    "/dev/shm"

struct environment_setting {
	char name[128], value[64];
};

/* A call that the witness refuses in the kernel's place: a failure that no limit can be made to give. */
struct environment_injection {
	char call[24];  /* a watched call */
	int error;      /* positive errno */
	uint64_t least; /* bytes: calls that ask for less go through; 0 for all */
};

struct environment {
	uint64_t rlimit[PROCFS_RLIMITS];     /* soft limit to set, by RLIMIT_ number; ENVIRONMENT_NOT_SET to leave */
	uint64_t cgroup[CGROUP_VALUE_COUNT]; /* limit to set, by v2 name; ENVIRONMENT_NOT_SET to leave */
	uint64_t cgroup_above[CGROUP_VALUE_COUNT]; /* of a group around it, made only where something is set here */
	struct environment_setting sysctl[ENVIRONMENT_SYSCTLS]; /* machine scope */
	unsigned sysctl_count;
	struct environment_setting sys[ENVIRONMENT_SETTINGS]; /* below /sys; guest only */
	unsigned sys_count;
	struct environment_setting namespace_sysctl[ENVIRONMENT_SETTINGS]; /* in the run's own namespaces */
	unsigned namespace_sysctl_count;
	uint64_t tmpfs_bytes, tmpfs_inodes; /* of a tmpfs on ENVIRONMENT_TMPFS; none where neither is set */
	bool swap_said;                     /* guest only; false: the machine keeps the swap it has */
	bool swap_on_disk;                  /* the guest's disk, else zram */
	uint64_t swap_bytes;                /* all the swap there is during the run, 0 for none */
	bool knobs_writable;                /* guest only: the program may write below /proc/sys and /sys */
	/* What the harness changes while the program is held at its failing moment, for remedies that help a living
	 * process. */
	uint64_t live_rlimit[PROCFS_RLIMITS], live_cgroup[CGROUP_VALUE_COUNT];
	struct environment_setting live_sysctl[ENVIRONMENT_SYSCTLS];
	unsigned live_sysctl_count;
	struct environment_setting live_namespace_sysctl[ENVIRONMENT_SETTINGS]; /* of the IPC namespace */
	unsigned live_namespace_sysctl_count;
	uint64_t live_tmpfs_bytes, live_tmpfs_inodes;
	uint64_t live_swap_bytes; /* added to what there is; 0: none */
	struct environment_injection injection[ENVIRONMENT_INJECTED];
	unsigned injection_count;
	char identity[64]; /* user name or number to become; "" to stay */
	int oom_score_adj; /* 1000 unless the manifest says otherwise: the victim goes first */
	uint64_t
		keep_capabilities; /* by CAP_ number: what the scenario needs of those a root program loses otherwise */
	uint64_t watch_calls; /* calls watched on demand, by call_on_demand_bit(): those the manifest expects to fail */
	bool all_cpus;        /* false: witness and victim share one CPU, which makes runs repeatable and stops cheap */
	uint64_t deadline_ns;
	uint64_t memory_ceiling_bytes; /* the run's own ceilings, in force even when the scenario sets no limit; 0: plan
					  decides */
	uint64_t tasks_ceiling;
	bool ceiling_without_swap; /* the ceiling of memory is one of RAM: where the group is held by nothing else */
};

/*
 * "ENOMEM", or "ENOMEM from 1M" for calls that ask for at least so much, as the injection of a call. -EINVAL where the
 * text is none, -ENOTSUP where the call cannot say it: brk(2) returns the break it kept, which is ENOMEM and nothing
 * else.
 */
int environment_parse_injection(const char *call, const char *text, struct environment_injection *ret);

/* Nothing set, default ceilings and deadline. */
void environment_init(struct environment *env);

/* RLIMIT_ number of "as", "data", "stack", "memlock", "nproc", "nofile", "cpu", "fsize", "core", "rss"; -ENOENT
 * otherwise. */
int environment_rlimit_by_name(const char *name);
/* Its name, NULL for a number without one. */
const char *environment_rlimit_name(unsigned rlimit);
