// SPDX-License-Identifier: MIT
/*
 * Refused tasks: copy_process(), kernel/fork.c, for fork, vfork and clone; execve for what it checks of them.
 */
#include <sched.h>
#include <sys/resource.h>

#include "cause-internal.h"

/*
 * Only the initial root is exempt for sure. Capabilities exempt as well, but only those in the initial user namespace,
 * and a user who is not root may hold them just in his own: then the limit counts where nothing else explains the
 * refusal.
 */
static void nproc(struct cause_case *c, uint64_t asked_tasks, uint64_t capabilities)
{
	const struct snapshot *s = c->s;

	if (!s->process_seen || limit_nproc_exempt(s->status.uid, 0))
		return;
	struct cause_sum sum = {s->uid_tasks, asked_tasks, cause_rlimit(c, RLIMIT_NPROC)};
	const struct limit_state *state =
		cause_add(c, CAUSE_RLIMIT_NPROC, sum, EAGAIN, "/proc/PID/limits: Max processes");
	if (state && state->refuses && limit_nproc_exempt(s->status.uid, capabilities))
		cause_doubt(c, state);
}

/* pids_can_fork(), kernel/cgroup/pids.c: every group from the task's own up to the root must have room. */
static void pids_max(struct cause_case *c)
{
	const struct snapshot *s = c->s;

	if (!s->process_seen || !s->in_cgroup)
		return;
	struct cause_sum own = {s->cgroup.value[CGROUP_PIDS_CURRENT], 1, s->cgroup.value[CGROUP_PIDS_MAX]};
	(void)cause_add(c, CAUSE_PIDS_MAX, own, EAGAIN, "pids.max of its group");
	for (unsigned i = 0; i < s->ancestor_count; i++) {
		const struct ancestor_numbers *a = &s->ancestor[i];
		/* Groups without a limit are most of them; leaving them out keeps the report readable. */
		if (a->controller != CGROUP_PIDS || a->max == ENOMEM_UNLIMITED)
			continue;
		struct cause_sum sum = {a->current, 1, a->max};
		(void)cause_add(c, CAUSE_PIDS_MAX, sum, EAGAIN, "pids.max of a group above");
	}
}

/* alloc_pid(), kernel/pid.c: in the pid namespace of the machine, and in the run's own where that has a limit. */
static void task_ids(struct cause_case *c)
{
	const struct snapshot *s = c->s;
	uint64_t pid_max = s->sysctl[SYSCTL_PID_MAX], in_use = s->pid_ids;

	if (pid_max != ENOMEM_ABSENT) {
		uint64_t capacity = limit_pid_capacity(pid_max);
		/* Not counted, but a task holds three ids at most: its own, its group's, its session's. */
		if (in_use == ENOMEM_ABSENT && s->tasks < capacity / 3)
			in_use = s->tasks;
		(void)cause_add(c, CAUSE_PID_MAX, (struct cause_sum){in_use, 1, capacity}, EAGAIN,
				"/proc/sys/kernel/pid_max");
	}
	if (s->namespace_pid_max != ENOMEM_ABSENT) {
		struct cause_sum own = {s->namespace_pid_ids, 1, limit_pid_capacity(s->namespace_pid_max)};
		(void)cause_add(c, CAUSE_PID_MAX, own, EAGAIN, "kernel.pid_max of its pid namespace");
	}
}

/* nr_threads >= max_threads in copy_process(), and ids running out. */
static void machine_tasks(struct cause_case *c)
{
	struct cause_sum threads = {c->s->tasks, 1, c->s->sysctl[SYSCTL_THREADS_MAX]};

	(void)cause_add(c, CAUSE_THREADS_MAX, threads, EAGAIN, "/proc/sys/kernel/threads-max");
	task_ids(c);
}

void cause_task(struct cause_case *c)
{
	const struct snapshot *s = c->s;
	uint64_t flags = c->refusal->clone_flags;

	/* dup_task_struct() comes first: the new task's kernel stack, at least. */
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
	cause_new_namespaces(c, flags);
	nproc(c, 1, s->status.cap_effective);
	pids_max(c);
	machine_tasks(c);
	/*
	 * alloc_pid() finds PIDNS_ADDING cleared and says ENOMEM; a thread fails earlier, because it may not live in
	 * another namespace than its process.
	 */
	if (s->process_seen && s->pidns_children_dead)
		(void)cause_add(c, CAUSE_DEAD_PID_NAMESPACE, (struct cause_sum){0, 1, 0},
				(flags & CLONE_THREAD) ? EINVAL : ENOMEM, "/proc/PID/ns/pid_for_children");
	/* dup_mmap() charges each copied area; a child that shares the memory copies none. */
	if (s->process_seen && s->commit_seen && !(flags & CLONE_VM)) {
		cause_commit_heuristic(c, s->commit.largest_area_bytes);
		cause_commit_limit(c, s->commit.fork_charge_bytes);
	}
}

/* copy_strings(), fs/exec.c: before anything of the new image is looked at, and nothing else there says E2BIG but a
 * single string above MAX_ARG_STRLEN. */
static void exec_arguments(struct cause_case *c)
{
	uint64_t stack = cause_rlimit(c, RLIMIT_STACK);

	if (stack == ENOMEM_ABSENT)
		return;
	struct cause_sum sum = {0, c->refusal->asked_bytes, limit_exec_arguments(stack)};
	(void)cause_add(c, CAUSE_RLIMIT_STACK, sum, E2BIG, "/proc/PID/limits: a quarter of Max stack size");
}

/*
 * The new image starts in an empty address space. RLIMIT_NPROC is looked at once more after a change of identity, and
 * there capabilities do not matter (flag_nproc_exceeded(), kernel/sys.c).
 */
void cause_exec(struct cause_case *c)
{
	uint64_t image = limit_round_up_to_page(c->refusal->asked_bytes, PAGE_BYTES);

	if (c->refusal->error == E2BIG) {
		exec_arguments(c);
		return;
	}
	nproc(c, 0, 0);
	cause_address_space_limit(c, 0, image);
	cause_data_limit_of_image(c, image);
	cause_commit_limit(c, image);
}
