// SPDX-License-Identifier: MIT
/*
 * What is counted rather than measured, by user, by machine or by socket: timers, asynchronous requests, the room in
 * pipes, filters of sockets. The memory behind it is hardly worth the name, and the errnos are those of its lack.
 */
#include <linux/capability.h>
#include <sys/resource.h>

#include "cause-internal.h"

/* alloc_pipe_info(), fs/pipe.c: slots of a new pipe, and of one beyond the soft limit of its user. */
#define PIPE_SLOTS       16
#define PIPE_SLOTS_LEAST 2
/* Instructions that one of a filter becomes at most: a load from the packet, with its checks and the call beside it. */
#define FILTER_EXPANDS   16

/* __sigqueue_alloc(), kernel/signal.c: a timer's signal is made with it, and counts as one that is queued. */
void cause_timer(struct cause_case *c)
{
	uint64_t queued = c->s->process_seen ? c->s->signals_queued : ENOMEM_ABSENT;
	(void)cause_add(c, CAUSE_RLIMIT_SIGPENDING, (struct cause_sum){queued, 1, cause_rlimit(c, RLIMIT_SIGPENDING)},
			EAGAIN, "/proc/PID/limits: Max pending signals");
	if (c->refusal->error == ENOMEM || c->refusal->error == EAGAIN)
		cause_charge(c, PAGE_BYTES, c->refusal->error);
}

/*
 * ioctx_alloc(), fs/aio.c: as many as a context asks for count from the start, on the whole machine. The ring is mapped
 * into the program, and whatever do_mmap() says is ENOMEM.
 */
void cause_aio(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	(void)cause_add(c, CAUSE_AIO_MAX, (struct cause_sum){n->aio, (uint32_t)c->refusal->args[0], n->aio_max}, EAGAIN,
			"/proc/sys/fs/aio-max-nr");
	if (c->refusal->error != ENOMEM)
		return;
	cause_address_space_limit(c, cause_status(c, STATUS_VM_SIZE),
				  limit_aio_ring_bytes((uint32_t)c->refusal->args[0], PAGE_BYTES));
	cause_charge(c, PAGE_BYTES, ENOMEM);
}

/*
 * sk_filter_charge(), net/core/filter.c: what the socket has of options and filters must stay below the limit. What is
 * asked for is the least that the filter can take. How far bpf_convert_filter() expands it depends on the kernel: what
 * only the most would exceed counts only where nothing else explains the refusal.
 */
void cause_option(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	if (n->optmem_max != 0 && n->optmem_max < ENOMEM_ABSENT && n->optmem < ENOMEM_ABSENT) {
		struct cause_sum sum = {n->optmem, c->refusal->asked_bytes, n->optmem_max - 1};
		bool at_most = limit_add(sum.in_use, sum.asked) <= sum.bound &&
			       limit_add(sum.in_use, sum.asked * FILTER_EXPANDS) > sum.bound;
		if (at_most)
			sum.asked *= FILTER_EXPANDS;
		const struct limit_state *state =
			cause_add(c, CAUSE_OPTMEM_MAX, sum, ENOMEM, "/proc/sys/net/core/optmem_max");
		if (at_most)
			cause_doubt(c, state);
	}
	if (c->refusal->error == ENOMEM)
		cause_charge(c, PAGE_BYTES, ENOMEM);
}

void cause_unless_capable(struct cause_case *c, unsigned capability, const struct limit_state *state)
{
	if (state && state->refuses && cause_capable(c, capability))
		cause_doubt(c, state);
}

/* pipe_set_size(), fs/pipe.c: the size is rounded up to a power of two first. */
void cause_pipe_size(struct cause_case *c)
{
	uint64_t size = limit_block_bytes((uint32_t)c->refusal->args[2], PAGE_BYTES);
	const struct limit_state *state =
		cause_add(c, CAUSE_PIPE_MAX_SIZE, (struct cause_sum){0, size, c->s->counted.pipe_max_size}, EPERM,
			  "/proc/sys/fs/pipe-max-size");
	cause_unless_capable(c, CAP_SYS_RESOURCE, state);
}

static void pages(struct cause_case *c, struct cause_sum sum, int error, const char *where)
{
	if (sum.bound == 0) /* no limit */
		return;
	const struct limit_state *state = cause_add(c, CAUSE_PIPE_USER_PAGES, sum, error, where);
	cause_unless_capable(c, CAP_SYS_RESOURCE, state);
	cause_unless_capable(c, CAP_SYS_ADMIN, state);
}

/* too_many_pipe_buffers_soft() and _hard(), fs/pipe.c: pages that the pipes of the user may hold, full or empty. */
void cause_pipe_pages(struct cause_case *c)
{
	const struct counted_numbers *n = &c->s->counted;
	if (n->pipe_pages == ENOMEM_ABSENT)
		return;
	if (c->refusal->error == ENFILE) { /* pipe(): above the soft limit it makes a smaller one */
		uint64_t slots = PIPE_SLOTS;
		if (n->pipe_max_size < slots * PAGE_BYTES && !cause_capable(c, CAP_SYS_RESOURCE))
			slots = n->pipe_max_size / PAGE_BYTES;
		if (n->pipe_soft && limit_add(n->pipe_pages, slots) > n->pipe_soft)
			slots = PIPE_SLOTS_LEAST;
		pages(c, (struct cause_sum){n->pipe_pages, slots, n->pipe_hard}, ENFILE,
		      "/proc/sys/fs/pipe-user-pages-hard");
		return;
	}
	uint64_t own = n->pipe_own <= n->pipe_pages ? n->pipe_own : 0;
	uint64_t slots = limit_block_bytes((uint32_t)c->refusal->args[2], PAGE_BYTES) / PAGE_BYTES;
	pages(c, (struct cause_sum){n->pipe_pages - own, slots, n->pipe_soft}, EPERM,
	      "/proc/sys/fs/pipe-user-pages-soft");
	pages(c, (struct cause_sum){n->pipe_pages - own, slots, n->pipe_hard}, EPERM,
	      "/proc/sys/fs/pipe-user-pages-hard");
}
