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

#define ENVIRONMENT_SYSCTLS 8
#define ENVIRONMENT_NOT_SET ENOMEM_ABSENT

struct environment {
	uint64_t rlimit[PROCFS_RLIMITS];     /* soft limit to set, by RLIMIT_ number; ENVIRONMENT_NOT_SET to leave */
	uint64_t cgroup[CGROUP_VALUE_COUNT]; /* limit to set, by v2 name; ENVIRONMENT_NOT_SET to leave */
	struct {
		char name[128], value[64];
	} sysctl[ENVIRONMENT_SYSCTLS]; /* machine scope */
	unsigned sysctl_count;
	/* What the harness changes while the program is held at its failing moment, for remedies that help a living
	 * process. */
	uint64_t live_rlimit[PROCFS_RLIMITS], live_cgroup[CGROUP_VALUE_COUNT];
	char identity[64]; /* user name or number to become; "" to stay */
	int oom_score_adj; /* 1000 unless the manifest says otherwise: the victim goes first */
	uint64_t
		keep_capabilities; /* by CAP_ number: what the scenario needs of those a root program loses otherwise */
	bool all_cpus; /* false: witness and victim share one CPU, which makes runs repeatable and stops cheap */
	uint64_t deadline_ns;
	uint64_t memory_ceiling_bytes; /* the run's own ceilings, in force even when the scenario sets no limit; 0: plan
					  decides */
	uint64_t tasks_ceiling;
};

/* Nothing set, default ceilings and deadline. */
void environment_init(struct environment *env);

/* RLIMIT_ number of "as", "data", "stack", "memlock", "nproc", "nofile", "cpu", "fsize", "core"; -ENOENT otherwise. */
int environment_rlimit_by_name(const char *name);
/* Its name, NULL for a number without one. */
const char *environment_rlimit_name(unsigned rlimit);
