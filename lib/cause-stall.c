// SPDX-License-Identifier: MIT
/*
 * Programs that neither fail nor go on: throttled by memory.high, or waiting in a full group for memory nobody frees.
 */
#include <string.h>

#include "cause-internal.h"

/* mem_cgroup_handle_over_high(), mm/memcontrol.c: sleeps on the way back to the program, for as long as it is above. */
static void above_high(struct cause_case *c)
{
	const uint64_t *v = c->s->cgroup.value;
	struct cause_sum sum = {v[CGROUP_MEMORY_CURRENT], PAGE_BYTES, v[CGROUP_MEMORY_HIGH]};

	if (sum.bound == ENOMEM_UNLIMITED)
		return;
	struct limit_state *state = cause_add(c, CAUSE_MEMCG_HIGH, sum, 0, "memory.high of its group");
	if (state)
		state->refuses = state->refuses && cause_moved(c, CGROUP_MEMORY_EVENTS_HIGH) == MOVED_YES;
}

/*
 * mem_cgroup_oom(), mm/memcontrol.c: with oom_kill_disable (v1) whoever faults sleeps until somebody makes room; with
 * nobody in the group that may be killed he tries again and again, and the group counts OOMs but no kills.
 */
static bool waits_for_room(const struct cause_case *c)
{
	const uint64_t *v = c->s->cgroup.value;

	if (v[CGROUP_MEMORY_OOM_CONTROL] == 1 && v[CGROUP_MEMORY_UNDER_OOM] == 1)
		return true;
	return cause_moved(c, CGROUP_MEMORY_EVENTS_OOM) == MOVED_YES &&
	       cause_moved(c, CGROUP_MEMORY_EVENTS_OOM_KILL) == MOVED_NO;
}

static void full(struct cause_case *c)
{
	const uint64_t *v = c->s->cgroup.value;
	struct cause_sum sum = {v[CGROUP_MEMORY_CURRENT], PAGE_BYTES, v[CGROUP_MEMORY_MAX]};

	if (sum.bound == ENOMEM_UNLIMITED)
		return;
	struct limit_state *state = cause_add(c, CAUSE_MEMCG_MAX, sum, 0, "memory.max of its group");
	if (state)
		state->refuses =
			waits_for_room(c) && limit_add(sum.in_use, PAGE_BYTES + CHARGE_BATCH_BYTES) > sum.bound;
}

/*
 * __sk_mem_raise_allocated(), net/core/sock.c, where TCP's own limit of v1 is reached: what was charged is given back,
 * and who sends sleeps in sk_stream_wait_memory(). Near the limit only the counter of refusals tells; 6.18 counts them
 * no more, and there the last page is gone.
 */
static void full_of_sockets(struct cause_case *c)
{
	const uint64_t *v = c->s->cgroup.value;
	struct cause_sum sum = {v[CGROUP_MEMORY_KMEM_TCP_CURRENT], PAGE_BYTES, v[CGROUP_MEMORY_KMEM_TCP_MAX]};

	if (sum.bound == ENOMEM_UNLIMITED)
		return;
	struct limit_state *state =
		cause_add(c, CAUSE_MEMCG_MAX, sum, 0, "memory.kmem.tcp.limit_in_bytes of its group");
	const bool counted = cause_moved(c, CGROUP_MEMORY_KMEM_TCP_EVENTS_MAX) == MOVED_YES;
	/* Of a small limit a batch would be all. */
	const uint64_t batch = sum.bound / 4 < CHARGE_BATCH_BYTES ? sum.bound / 4 : CHARGE_BATCH_BYTES;
	if (state)
		state->refuses =
			c->s->sleeps_sending && limit_add(sum.in_use, PAGE_BYTES + (counted ? batch : 0)) > sum.bound;
}

void cause_of_stall(const struct snapshot *before, const struct snapshot *failure, struct cause_report *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!failure->taken || !failure->process_seen || !failure->in_cgroup)
		return;
	struct cause_case c = {.before = before, .s = failure, .report = ret};
	above_high(&c);
	full(&c);
	full_of_sockets(&c);
}
