// SPDX-License-Identifier: MIT
/*
 * System V memory is bounded by its IPC namespace, before any memory is asked for: newseg(), ipc/shm.c, and
 * ipc_addid(), ipc/util.c. Each of the three limits has its own unit.
 */
#include "cause-internal.h"

static void limit(struct cause_case *c, struct cause_sum sum, int error, const char *unit, const char *where)
{
	struct limit_state *state = cause_add(c, CAUSE_SHM_LIMIT, sum, error, where);
	if (state)
		state->unit = unit;
}

void cause_shm_namespace(struct cause_case *c, uint64_t size)
{
	const struct shm_numbers *shm = &c->s->shm;
	uint64_t pages = limit_round_up_to_page(size, PAGE_BYTES) / PAGE_BYTES;

	if (!c->s->shm_seen)
		return;
	limit(c, (struct cause_sum){0, size, shm->shmmax}, EINVAL, "bytes", "/proc/sys/kernel/shmmax");
	limit(c, (struct cause_sum){shm->pages, pages, shm->shmall}, ENOSPC, "pages", "/proc/sys/kernel/shmall");
	limit(c, (struct cause_sum){shm->segments, 1, shm->shmmni}, ENOSPC, "segments", "/proc/sys/kernel/shmmni");
}
