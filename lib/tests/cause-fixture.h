// SPDX-License-Identifier: MIT
/*
 * A refused call in a guest of 512 MB in which no limit is near: each test of causes brings one of them down.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "cause.h"
#include "cleanup.h"
#include "number.h"

#define KB        1024ULL
#define MB        (1024 * KB)
#define PAGE      4096ULL
#define TASK_SIZE 0x7ffffffff000ULL
#define RAM_BYTES (486896 * KB)

struct fixture {
	struct snapshot s, before; /* before.taken: counters may have moved since */
	struct refusal r;
	struct fatal_signal signal;
	struct cause_report report;
};

static inline void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	struct snapshot *s = &f->s;
	for (unsigned i = 0; i < MEMINFO_COUNT; i++)
		s->meminfo.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < SYSCTL_COUNT; i++)
		s->sysctl[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < CGROUP_VALUE_COUNT; i++)
		s->cgroup.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < STATUS_COUNT; i++)
		s->status.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < PROCFS_RLIMITS; i++)
		s->rlimit[i] = ENOMEM_UNLIMITED;
	for (unsigned i = 0; i < VMSTAT_COUNT; i++)
		s->vmstat.value[i] = ENOMEM_ABSENT;
	for (unsigned i = 0; i < BUDDY_ORDERS; i++)
		s->buddy.blocks[i] = ENOMEM_ABSENT;
	s->cpu_ns = s->cpu_hard_limit_ns = s->file_bytes = ENOMEM_ABSENT;
	s->open_files = s->pid_ids = s->namespace_pid_max = s->namespace_pid_ids = ENOMEM_ABSENT;
	for (unsigned i = 0; i < NAMESPACE_COUNT; i++)
		s->namespaces[i] = (struct namespace_numbers){ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	s->inotify = (struct inotify_numbers){ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT, ENOMEM_ABSENT};
	s->counted = (struct counted_numbers)COUNTED_ABSENT;
	s->signals_queued = ENOMEM_ABSENT;
	s->taken = s->process_seen = s->maps_seen = s->in_cgroup = true;

	s->meminfo.value[MEMINFO_MEM_TOTAL] = RAM_BYTES;
	s->meminfo.value[MEMINFO_MEM_AVAILABLE] = RAM_BYTES / 2;
	s->meminfo.value[MEMINFO_MEM_FREE] = RAM_BYTES / 4;
	s->meminfo.value[MEMINFO_SWAP_TOTAL] = s->meminfo.value[MEMINFO_SWAP_FREE] = 0;
	s->meminfo.value[MEMINFO_COMMIT_LIMIT] = 243448 * KB;
	s->meminfo.value[MEMINFO_COMMITTED_AS] = 30000 * KB;
	s->meminfo.value[MEMINFO_HUGEPAGES_TOTAL] = s->meminfo.value[MEMINFO_HUGEPAGES_FREE] = 0;
	s->meminfo.value[MEMINFO_HUGEPAGES_RSVD] = 0;
	s->meminfo.value[MEMINFO_HUGEPAGE_SIZE] = 2 * MB;
	s->sysctl[SYSCTL_OVERCOMMIT_MEMORY] = 0;
	s->sysctl[SYSCTL_ADMIN_RESERVE_KBYTES] = 8192;
	s->sysctl[SYSCTL_USER_RESERVE_KBYTES] = 14336;
	s->sysctl[SYSCTL_MAX_MAP_COUNT] = 65530;
	s->sysctl[SYSCTL_NR_OVERCOMMIT_HUGEPAGES] = 0;
	s->sysctl[SYSCTL_PID_MAX] = 32768;
	s->sysctl[SYSCTL_THREADS_MAX] = 3700;
	s->tasks = 60;
	s->uid_tasks = 3;
	s->status.uid = 1000;
	s->status.value[STATUS_VM_SIZE] = 1000 * PAGE;
	s->status.value[STATUS_VM_DATA] = 100 * PAGE;
	s->status.value[STATUS_VM_LOCKED] = 0;
	s->cgroup.value[CGROUP_PIDS_CURRENT] = 2;
	s->cgroup.value[CGROUP_PIDS_MAX] = ENOMEM_UNLIMITED;
	s->cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL] = 0;
	s->maps.count = 20;
	s->maps.mapped_bytes = 1000 * PAGE;
	s->maps.free_bytes = TASK_SIZE - 1000 * PAGE;
	s->maps.largest_hole_bytes = TASK_SIZE / 2;
	f->before = *s;
	f->before.taken = false;
	f->signal.swap_free_least = ENOMEM_ABSENT;
}

static inline void fixture_call(struct fixture *f, const char *name, int error, const uint64_t args[6])
{
	f->r.call = call_by_name(name);
	assert_non_null(f->r.call);
	f->r.error = error;
	memcpy(f->r.args, args, sizeof(f->r.args));
}

/* Every state must hold what its arithmetic says, and be filled in. Near a commit limit the kernel itself is not exact.
 */
static inline void fixture_check(const struct cause_report *report)
{
	assert_true(report->count <= CAUSE_STATES_MAX);
	for (unsigned i = 0; i < report->count; i++) {
		const struct limit_state *state = &report->state[i];
		uint64_t sum;
		bool over = __builtin_add_overflow(state->in_use, state->asked, &sum) || sum > state->bound;
		assert_non_null(state->where);
		assert_true(state->id < CAUSE_UNKNOWN);
		if (state->refuses && state->id != CAUSE_COMMIT_LIMIT && state->id != CAUSE_MEMCG_MAX &&
		    state->id != CAUSE_MEMCG_SWAP_MAX && state->id != CAUSE_SYSTEM_OOM && state->id != CAUSE_SWAP_FULL)
			assert_true(over && state->bound != ENOMEM_UNLIMITED);
	}
}

static inline void judge(struct fixture *f)
{
	memset(&f->report, 0xa5, sizeof(f->report));
	cause_of_refusal(&f->r, f->before.taken ? &f->before : NULL, &f->s, &f->report);
	fixture_check(&f->report);
}

static inline void judge_signal(struct fixture *f)
{
	memset(&f->report, 0xa5, sizeof(f->report));
	cause_of_signal(&f->signal, f->before.taken ? &f->before : NULL, &f->s, &f->report);
	fixture_check(&f->report);
}

static inline void judge_stall(struct fixture *f)
{
	memset(&f->report, 0xa5, sizeof(f->report));
	cause_of_stall(f->before.taken ? &f->before : NULL, &f->s, &f->report);
	fixture_check(&f->report);
}

static inline enum cause_id named(const struct fixture *f)
{
	unsigned index;
	uint32_t also;

	return cause_name(&f->report, &index, &also);
}

/* The state of a cause, NULL when it was not evaluated. */
static inline const struct limit_state *state_of(const struct fixture *f, enum cause_id id)
{
	for (unsigned i = 0; i < f->report.count; i++) {
		if (f->report.state[i].id == id)
			return &f->report.state[i];
	}
	return NULL;
}

/* Does this limit refuse, and no other one? */
#define assert_only(f, cause)                                                                                          \
	do {                                                                                                           \
		unsigned index_;                                                                                       \
		uint32_t also_;                                                                                        \
		assert_string_equal(cause_infos[cause_name(&(f)->report, &index_, &also_)].name,                       \
				    cause_infos[cause].name);                                                          \
		assert_int_equal(also_, 0);                                                                            \
		if ((cause) != CAUSE_UNKNOWN)                                                                          \
			assert_int_equal((f)->report.state[index_].id, cause);                                         \
	} while (0)

/* Evaluated, and found to leave room. */
#define assert_allows(f, cause)                                                                                        \
	do {                                                                                                           \
		assert_non_null(state_of(f, cause));                                                                   \
		assert_false(state_of(f, cause)->refuses);                                                             \
	} while (0)

#define assert_sum(f, cause, in_use_, asked_, bound_)                                                                  \
	do {                                                                                                           \
		const struct limit_state *state_ = state_of(f, cause);                                                 \
		assert_non_null(state_);                                                                               \
		assert_int_equal(state_->in_use, in_use_);                                                             \
		assert_int_equal(state_->asked, asked_);                                                               \
		assert_int_equal(state_->bound, bound_);                                                               \
	} while (0)
