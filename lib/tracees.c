// SPDX-License-Identifier: MIT
/*
 * Entries lie side by side, so that a run with few tasks touches few pages and looking at all of them is short; a hash
 * table of their places, linear probing with backward-shift deletion, finds one by thread id. See tracees.h.
 */
#include "tracees.h"

#include <string.h>

static unsigned home(pid_t tid)
{
	/* Fibonacci hashing: consecutive ids spread over the table. */
	return ((uint32_t)tid * 2654435769U) >> 19 & (TRACEES_PLACES - 1);
}

static unsigned after(unsigned place)
{
	return (place + 1) & (TRACEES_PLACES - 1);
}

void tracees_reset(struct tracees *t)
{
	/* An empty table is all zero, and a worker need not touch its pages for every run. */
	if (t->count)
		memset(t, 0, sizeof(*t));
}

/* Where the id stands, or the free place where it would. There is one: places outnumber entries. */
static unsigned place_of(const struct tracees *t, pid_t tid)
{
	unsigned i = home(tid);
	while (t->place[i] && t->item[t->place[i] - 1].tid != tid)
		i = after(i);
	return i;
}

struct tracee *tracees_find(struct tracees *t, pid_t tid)
{
	unsigned i = place_of(t, tid);
	return t->place[i] ? &t->item[t->place[i] - 1] : NULL;
}

struct tracee *tracees_get(struct tracees *t, pid_t tid)
{
	unsigned i = place_of(t, tid);
	if (t->place[i])
		return &t->item[t->place[i] - 1];
	if (t->count == TRACEES_MAX)
		return NULL;
	struct tracee *added = &t->item[t->count++];
	memset(added, 0, sizeof(*added));
	added->tid = added->tgid = tid;
	t->place[i] = (uint16_t)t->count;
	return added;
}

void tracees_remove(struct tracees *t, pid_t tid)
{
	unsigned hole = place_of(t, tid);
	if (!t->place[hole])
		return;
	/* The last entry fills the gap among the entries ... */
	unsigned gone = t->place[hole] - 1U, last = --t->count;
	if (gone != last) {
		t->place[place_of(t, t->item[last].tid)] = (uint16_t)(gone + 1);
		t->item[gone] = t->item[last];
	}
	memset(&t->item[last], 0, sizeof(t->item[last]));
	/* ... and those that were pushed past the freed place move up. */
	t->place[hole] = 0;
	for (unsigned i = after(hole); t->place[i]; i = after(i)) {
		unsigned distance_to_home = (i - home(t->item[t->place[i] - 1].tid)) & (TRACEES_PLACES - 1);
		unsigned distance_to_hole = (i - hole) & (TRACEES_PLACES - 1);
		if (distance_to_home >= distance_to_hole) {
			t->place[hole] = t->place[i];
			t->place[i] = 0;
			hole = i;
		}
	}
}
