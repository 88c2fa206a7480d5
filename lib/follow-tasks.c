// SPDX-License-Identifier: MIT
/*
 * Tasks and processes in two hash tables of lists. See follow-internal.h.
 */
#include <stdlib.h>

#include "follow-internal.h"

static unsigned bucket_of(pid_t id)
{
	return (unsigned)id & (FOLLOW_BUCKETS - 1);
}

struct follow_task *follow_find(const struct follow *f, pid_t tid)
{
	struct follow_task *t = f->task[bucket_of(tid)];
	while (t && t->tid != tid)
		t = t->next;
	return t;
}

struct follow_process *follow_find_process(const struct follow *f, pid_t pid)
{
	struct follow_process *p = f->process[bucket_of(pid)];
	while (p && p->pid != pid)
		p = p->next;
	return p;
}

static struct follow_process *get_process(struct follow *f, pid_t pid)
{
	struct follow_process *p = follow_find_process(f, pid);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->pid = pid;
	p->next = f->process[bucket_of(pid)];
	f->process[bucket_of(pid)] = p;
	f->numbers.processes++;
	return p;
}

static void drop_process(struct follow *f, struct follow_process *p)
{
	struct follow_process **at = &f->process[bucket_of(p->pid)];
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	free(p);
}

struct follow_task *follow_get(struct follow *f, pid_t tid, pid_t pid)
{
	struct follow_task *t = follow_find(f, tid);
	if (t)
		return t;
	struct follow_process *p = get_process(f, pid);
	t = p ? calloc(1, sizeof(*t)) : NULL;
	if (!t) {
		if (p && p->tasks == 0)
			drop_process(f, p);
		f->numbers.lost = true;
		return NULL;
	}
	t->tid = tid;
	t->process = p;
	p->tasks++;
	t->next = f->task[bucket_of(tid)];
	f->task[bucket_of(tid)] = t;
	f->numbers.tasks++;
	f->numbers.tasks_now++;
	return t;
}

void follow_end_process(struct follow *f, struct follow_process *p, bool let_go, int status)
{
	if (!p->over && f->started && f->handlers.ended)
		f->handlers.ended(p, let_go, status, f->data);
	p->over = true;
}

void follow_drop(struct follow *f, struct follow_task *t)
{
	struct follow_task **at = &f->task[bucket_of(t->tid)];
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->has_pending)
		f->pending--;
	f->numbers.tasks_now--;
	if (--t->process->tasks == 0) {
		follow_end_process(f, t->process, true, 0);
		drop_process(f, t->process);
	}
	free(t);
}
