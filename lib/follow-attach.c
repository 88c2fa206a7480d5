// SPDX-License-Identifier: MIT
/*
 * Coming to a process and leaving it again: seizing, holding still, letting go. See follow.h.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "follow-internal.h"
#include "procfs.h"

#define FOLLOWED                                                                                                       \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXIT)

/* How long a running thread may take to stop before it is left out. */
#define HOLD_TRIES    200
#define PAUSE_NS      100000

/* New threads may appear while the list is read: it is read until nothing new is in it, but not for ever. */
#define ATTACH_ROUNDS 100

static void pause_a_little(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	(void)nanosleep(&pause, NULL);
}

int follow_child(struct follow *f, pid_t child)
{
	long options = FOLLOWED | PTRACE_O_EXITKILL | (f->filtered ? PTRACE_O_TRACESECCOMP : 0);
	if (ptrace(PTRACE_SEIZE, child, NULL, options) < 0)
		return -errno;
	return follow_get(f, child, child) ? 0 : -ENOMEM;
}

/* 1: a thread was new and is followed; 0: none was; -errno. */
static int attach_new(struct follow *f, pid_t pid)
{
	char name[64];
	int some = 0, error = -ESRCH;
	(void)snprintf(name, sizeof(name), "/proc/%d/task", pid);
	auto_closedir DIR *tasks = opendir(name);
	const struct dirent *d;
	while (tasks && (d = readdir(tasks))) {
		pid_t tid = (pid_t)strtol(d->d_name, NULL, 10);
		if (tid <= 0 || follow_find(f, tid))
			continue;
		if (ptrace(PTRACE_SEIZE, tid, NULL, (long)FOLLOWED) < 0) {
			error = errno == ESRCH ? error : -errno;
			continue;
		}
		/* Only once it has stopped can it be told to stop at each call. */
		(void)ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
		if (follow_get(f, tid, pid))
			some = 1;
	}
	return some || f->numbers.tasks_now ? some : error;
}

int follow_attach(struct follow *f, pid_t pid)
{
	int r;
	f->started = true;
	for (unsigned round = 0; (r = attach_new(f, pid)) > 0 && round < ATTACH_ROUNDS;)
		round++;
	return r < 0 ? r : 0;
}

/* A thread that sleeps changes no number. */
static bool runs(pid_t tid)
{
	char name[64], text[512];
	(void)snprintf(name, sizeof(name), "/proc/%d/stat", tid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return false;
	const char *end = NULL;
	for (const char *at = text; *at; at++)
		end = *at == ')' ? at : end;
	return end && end[1] == ' ' && end[2] == 'R';
}

void follow_hold(struct follow *f, const struct follow_process *p, pid_t tid)
{
	if (p->tasks < 2)
		return;
	for (unsigned i = 0; i < FOLLOW_BUCKETS; i++)
		for (struct follow_task *t = f->task[i]; t; t = t->next) {
			if (t->process != p || t->tid == tid || t->has_pending || !runs(t->tid) ||
			    ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) < 0)
				continue;
			for (unsigned n = 0; n < HOLD_TRIES && !t->has_pending; n++) {
				pid_t got = waitpid(t->tid, &t->pending_status, __WALL | WNOHANG);
				if (got < 0)
					break;
				t->has_pending = got == t->tid;
				if (!got)
					pause_a_little();
			}
			f->pending += t->has_pending;
		}
}

/* What it stopped with goes on with it: a signal that was about to be delivered is. */
static void let_go(struct follow *f, struct follow_task *t, int status)
{
	int signal = WSTOPSIG(status);
	untraced_put_back(&t->untraced, t->tid);
	bool delivers = status >> 16 == 0 && signal != (SIGTRAP | 0x80);
	(void)ptrace(PTRACE_DETACH, t->tid, NULL, (long)(delivers ? signal : 0));
	follow_drop(f, t);
}

/* One that was made meanwhile is ours as well, and stopped. */
static void let_go_by_id(struct follow *f, pid_t tid, int status)
{
	struct follow_task *t = follow_find(f, tid);
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		if (t && t->process->pid == tid)
			follow_end_process(f, t->process, false, status);
		if (t)
			follow_drop(f, t);
	} else if (t) {
		let_go(f, t, status);
	} else {
		(void)ptrace(PTRACE_DETACH, tid, NULL, NULL);
	}
}

void follow_detach(struct follow *f, uint64_t timeout_ns)
{
	uint64_t deadline = clock_now_ns() + timeout_ns;
	for (unsigned i = 0; i < FOLLOW_BUCKETS; i++)
		for (struct follow_task *t = f->task[i], *next; t; t = next) {
			next = t->next;
			if (t->has_pending)
				let_go_by_id(f, t->tid, t->pending_status);
			else
				(void)ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL);
		}
	while (f->numbers.tasks_now && clock_now_ns() < deadline) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL | WNOHANG);
		if (tid > 0)
			let_go_by_id(f, tid, status);
		else if (tid == 0)
			pause_a_little();
		else if (errno != EINTR)
			break;
	}
}
