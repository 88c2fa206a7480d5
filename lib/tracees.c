// SPDX-License-Identifier: MIT
/*
 * A small hash table by thread id, linear probing, with backward-shift deletion. See tracees.h.
 */
#include "tracees.h"

#include <string.h>

static unsigned home(pid_t tid)
{
	/* Fibonacci hashing: consecutive ids spread over the table. */
	return ((uint32_t)tid * 2654435769U) >> 20 & (TRACEES_MAX - 1);
}

void tracees_reset(struct tracees *t)
{
	/* An empty table has only free slots, and is large: a worker need not touch its pages for every run. */
	if (t->count)
		memset(t, 0, sizeof(*t));
}

struct tracee *tracees_find(struct tracees *t, pid_t tid)
{
	for (unsigned i = home(tid), n = 0; n < TRACEES_MAX; i = (i + 1) & (TRACEES_MAX - 1), n++) {
		if (t->slot[i].tid == tid)
			return &t->slot[i];
		if (t->slot[i].tid == 0)
			return NULL;
	}
	return NULL;
}

struct tracee *tracees_get(struct tracees *t, pid_t tid)
{
	struct tracee *found = tracees_find(t, tid);
	if (found)
		return found;
	/* One slot stays free, so that a search always ends. */
	if (t->count + 1 >= TRACEES_MAX)
		return NULL;
	unsigned i = home(tid);
	while (t->slot[i].tid != 0)
		i = (i + 1) & (TRACEES_MAX - 1);
	memset(&t->slot[i], 0, sizeof(t->slot[i]));
	t->slot[i].tid = tid;
	t->slot[i].tgid = tid;
	t->count++;
	return &t->slot[i];
}

void tracees_remove(struct tracees *t, pid_t tid)
{
	struct tracee *found = tracees_find(t, tid);
	if (!found)
		return;
	unsigned hole = (unsigned)(found - t->slot);
	t->count--;
	for (unsigned i = (hole + 1) & (TRACEES_MAX - 1); t->slot[i].tid != 0; i = (i + 1) & (TRACEES_MAX - 1)) {
		unsigned distance_to_home = (i - home(t->slot[i].tid)) & (TRACEES_MAX - 1);
		unsigned distance_to_hole = (i - hole) & (TRACEES_MAX - 1);
		if (distance_to_home >= distance_to_hole) {
			t->slot[hole] = t->slot[i];
			hole = i;
		}
	}
	memset(&t->slot[hole], 0, sizeof(t->slot[hole]));
}
