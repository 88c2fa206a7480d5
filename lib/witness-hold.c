// SPDX-License-Identifier: MIT
/*
 * Handing a process over at its failing moment. See witness-hold.h.
 */
#include "witness-hold.h"

#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "tracees.h"

#define ZOMBIE_TRIES    400
#define ZOMBIE_PAUSE_NS 5000000

void witness_kill_all(struct witness *w)
{
	if (w->shared->stage)
		(void)kill(w->shared->stage, SIGKILL);
	if (w->shared->root)
		(void)kill(w->shared->root, SIGKILL);
}

/* Of a process; NULL when none is left. */
static const struct tracee *first_of(const struct tracees *all, pid_t tgid)
{
	for (unsigned i = 0; i < all->count; i++)
		if (all->item[i].tgid == tgid)
			return &all->item[i];
	return NULL;
}

int witness_let_go(struct witness *w, pid_t tgid)
{
	const struct tracees *all = w->tracees;
	const struct tracee *t = first_of(all, tgid);
	unsigned long message;
	if (tgid <= 1 || !t)
		return -ESRCH;
	for (unsigned i = 0; i < all->count; i++)
		if (all->item[i].tgid == tgid && ptrace(PTRACE_GETEVENTMSG, all->item[i].tid, NULL, &message) < 0)
			return -EBUSY;
	/* Pending while they are detached: none of them gets to run. */
	if (kill(tgid, SIGSTOP) < 0)
		return -errno;
	for (; t; t = first_of(all, tgid)) {
		pid_t tid = t->tid;
		(void)ptrace(PTRACE_DETACH, tid, NULL, NULL);
		tracees_remove(w->tracees, tid);
	}
	return 0;
}

int witness_make_zombie(struct witness *w, pid_t tgid)
{
	const struct timespec pause = {.tv_nsec = ZOMBIE_PAUSE_NS};
	const struct tracees *all = w->tracees;
	unsigned threads = 0;
	for (unsigned i = 0; i < all->count; i++)
		threads += all->item[i].tgid == tgid;
	if (threads != 1 || ptrace(PTRACE_CONT, tgid, NULL, NULL) < 0)
		return -EBUSY;
	for (unsigned n = 0; n < ZOMBIE_TRIES; n++) {
		siginfo_t info = {0};
		if (waitid(P_PID, (id_t)tgid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
			return -errno;
		if (info.si_pid == tgid)
			return 0;
		(void)nanosleep(&pause, NULL);
	}
	return -EBUSY;
}
