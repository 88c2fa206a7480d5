// SPDX-License-Identifier: MIT
/*
 * Memory that has to stay in RAM: RLIMIT_MEMLOCK, and what else refuses mlock, mlockall, shmctl(SHM_LOCK),
 * io_uring_register and rings of perf events.
 */
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "cause-internal.h"

static uint64_t page_up(uint64_t bytes)
{
	return limit_round_up_to_page(bytes, PAGE_BYTES);
}

/* The pages a range touches: both ends count when it is not aligned. */
static uint64_t pages_of_range(uint64_t start, uint64_t length)
{
	return length ? page_up(limit_add(length, start % PAGE_BYTES)) : 0;
}

/*
 * mlock_future_ok(), do_mlock() and can_do_mlock(), mm/mlock.c: a limit of 0 forbids the call, any other one bounds it.
 * CAP_IPC_LOCK lifts it, but only the initial user namespace's: a user who is not root may hold it just in his own.
 */
void cause_memlock_limit(struct cause_case *c, uint64_t in_use, uint64_t asked, int error_above, bool explicit_lock)
{
	uint64_t limit = cause_rlimit(c, RLIMIT_MEMLOCK);
	bool capable = cause_capable(c, CAP_IPC_LOCK);

	if (asked == 0 || (capable && c->s->status.uid == 0))
		return;
	struct cause_sum sum = {in_use, asked, cause_rlimit_pages(c, RLIMIT_MEMLOCK)};
	const struct limit_state *state =
		cause_add(c, CAUSE_RLIMIT_MEMLOCK, sum, limit == 0 && explicit_lock ? EPERM : error_above,
			  "/proc/PID/limits: Max locked memory");
	if (state && state->refuses && capable)
		cause_doubt(c, state);
}

/*
 * mlock_future_ok() in do_brk_flags(), mm/mmap.c: after mlockall(MCL_FUTURE), of which nothing tells but that something
 * is locked. So it counts only where nothing else explains why the break stayed.
 */
void cause_lock_of_break(struct cause_case *c, uint64_t asked)
{
	uint64_t locked = cause_status(c, STATUS_VM_LOCKED);

	if (locked == 0 || locked == ENOMEM_ABSENT)
		return;
	unsigned count = c->report->count;
	cause_memlock_limit(c, locked, asked, ENOMEM, false);
	if (c->report->count > count && c->report->state[count].refuses)
		cause_doubt(c, &c->report->state[count]);
}

/*
 * user_shm_lock(), mm/mlock.c: segments count by user, together with what io_uring pinned, and the kernel shows that
 * sum to nobody. So only what is above the limit by itself is known to be refused by it.
 */
static void lock_of_segment(struct cause_case *c)
{
	cause_memlock_limit(c, 0, page_up(c->refusal->asked_bytes), ENOMEM, true);
}

/*
 * apply_vma_lock_flags(), mm/mlock.c, and __mm_populate(), mm/gup.c: no limit, but ENOMEM too. Every page of the range
 * has to be in an area, and one that may be accessed. What lies before the first hole is locked by then, and counts in
 * what is locked; it was not when the limit was looked at.
 */
static void lock_of_range(struct cause_case *c, uint64_t range)
{
	const struct maps_summary *maps = &c->s->maps;
	uint64_t locked = cause_status(c, STATUS_VM_LOCKED);
	bool incomplete = c->s->maps_seen && maps->target_missing > 0 && maps->target_missing <= range;

	if (incomplete && locked != ENOMEM_ABSENT && locked >= maps->target_reach)
		locked -= maps->target_reach;
	cause_memlock_limit(c, locked, range, ENOMEM, true);
	if (incomplete)
		(void)cause_add(c, CAUSE_NOT_MAPPED, (struct cause_sum){0, range, range - maps->target_missing}, ENOMEM,
				"/proc/PID/maps: what of the range is there, and may be accessed");
}

/* do_mlock() and mlockall(), mm/mlock.c */
void cause_lock(struct cause_case *c)
{
	const uint64_t *args = c->refusal->args;

	if (!strcmp(c->refusal->call->name, "shmctl")) {
		lock_of_segment(c);
		return;
	}
	if (!strcmp(c->refusal->call->name, "mlockall")) {
		/* MCL_FUTURE alone locks nothing yet: it is refused only where locking is forbidden altogether. */
		if (args[0] & MCL_CURRENT || cause_rlimit(c, RLIMIT_MEMLOCK) == 0)
			cause_memlock_limit(c, 0, cause_status(c, STATUS_VM_SIZE), ENOMEM, true);
		return;
	}
	lock_of_range(c, pages_of_range(args[0], args[1]));
	if (c->s->maps_seen)
		cause_map_count_of_split(c);
	/* The pages are faulted in at once; __mlock_posix_error_return() makes an ENOMEM of the EFAULT. */
	cause_tmpfs_fault(c, args[0], args[1], ENOMEM);
	if (c->refusal->error == EAGAIN) /* which it makes of every other failure of a fault */
		cause_charge(c, PAGE_BYTES, EAGAIN);
}

/*
 * __io_account_mem(), io_uring/rsrc.c: what all rings of the user pin counts together, with no look at what is locked,
 * and the kernel shows that sum to nobody. So only what is above the limit by itself is known to be refused by it.
 */
void cause_pin(struct cause_case *c)
{
	cause_memlock_limit(c, 0, page_up(c->refusal->asked_bytes), ENOMEM, false);
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
}

/*
 * perf_mmap(), kernel/events/core.c: a ring counts for its user, up to kernel.perf_event_mlock_kb for each processor,
 * and what is above that is pinned by its process, up to RLIMIT_MEMLOCK. So the two limits are one sum, of which what
 * the process has pinned otherwise is a part. Where perf_event_paranoid is -1 nobody looks at either.
 */
void cause_ring(struct cause_case *c, uint64_t asked)
{
	const struct counted_numbers *n = &c->s->counted;
	uint64_t pinned = cause_status(c, STATUS_VM_PINNED), limit = cause_rlimit_pages(c, RLIMIT_MEMLOCK);
	if (n->perf_mlock_kb == ENOMEM_ABSENT || n->perf_cpus == ENOMEM_ABSENT || n->perf_rings == ENOMEM_ABSENT ||
	    n->perf_lenient != 0 || pinned == ENOMEM_ABSENT || limit == ENOMEM_ABSENT)
		return;
	uint64_t allowance = limit_perf_allowance(n->perf_mlock_kb, n->perf_cpus, PAGE_BYTES);
	uint64_t counted = n->perf_rings < allowance ? n->perf_rings : allowance; /* it may have been lowered since */
	struct cause_sum sum = {counted + pinned / PAGE_BYTES, asked / PAGE_BYTES,
				limit == ENOMEM_UNLIMITED ? limit : limit_add(allowance, limit / PAGE_BYTES)};
	const struct limit_state *state =
		cause_add(c, CAUSE_PERF_MLOCK, sum, EPERM, "/proc/sys/kernel/perf_event_mlock_kb, for each processor");
	cause_unless_capable(c, CAP_IPC_LOCK, state);
}
