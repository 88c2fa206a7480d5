// SPDX-License-Identifier: MIT
/*
 * System V objects are bounded by their IPC namespace, before any memory is asked for: newseg(), ipc/shm.c, newque(),
 * ipc/msg.c, newary(), ipc/sem.c, and ipc_addid(), ipc/util.c. Each limit has its own unit.
 */
#include <string.h>

#include "cause-internal.h"

static void limit(struct cause_case *c, enum cause_id id, struct cause_sum sum, int error, const char *unit,
		  const char *where)
{
	struct limit_state *state = cause_add(c, id, sum, error, where);
	if (state)
		state->unit = unit;
}

void cause_shm_namespace(struct cause_case *c, uint64_t size)
{
	const struct shm_numbers *shm = &c->s->shm;
	uint64_t pages = limit_round_up_to_page(size, PAGE_BYTES) / PAGE_BYTES;

	if (!c->s->shm_seen)
		return;
	limit(c, CAUSE_SHM_LIMIT, (struct cause_sum){0, size, shm->shmmax}, EINVAL, "bytes", "/proc/sys/kernel/shmmax");
	limit(c, CAUSE_SHM_LIMIT, (struct cause_sum){shm->pages, pages, shm->shmall}, ENOSPC, "pages",
	      "/proc/sys/kernel/shmall");
	limit(c, CAUSE_SHM_LIMIT, (struct cause_sum){shm->segments, 1, shm->shmmni}, ENOSPC, "segments",
	      "/proc/sys/kernel/shmmni");
}

/* ksys_semget() compares the size of the set first, newary() the sum of all, and ipc_addid() their number last. */
static void sets(struct cause_case *c, const struct sysv_numbers *sysv, uint64_t semaphores)
{
	const char *where = "/proc/sys/kernel/sem";
	limit(c, CAUSE_IPC_LIMIT, (struct cause_sum){0, semaphores, sysv->semmsl}, EINVAL, "semaphores", where);
	limit(c, CAUSE_IPC_LIMIT, (struct cause_sum){sysv->semaphores, semaphores, sysv->semmns}, ENOSPC, "semaphores",
	      where);
	limit(c, CAUSE_IPC_LIMIT, (struct cause_sum){sysv->sets, 1, sysv->semmni}, ENOSPC, "sets", where);
}

void cause_sysv_namespace(struct cause_case *c)
{
	const struct sysv_numbers *sysv = &c->s->sysv;
	if (!c->s->sysv_seen)
		return;
	if (strcmp(c->refusal->call->name, "semget") == 0)
		sets(c, sysv, (uint32_t)c->refusal->args[1]);
	else
		limit(c, CAUSE_IPC_LIMIT, (struct cause_sum){sysv->queues, 1, sysv->msgmni}, ENOSPC, "queues",
		      "/proc/sys/kernel/msgmni");
}
