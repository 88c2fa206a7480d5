// SPDX-License-Identifier: MIT
/*
 * The ptrace loop. A stop costs two context switches, so the filter decides what stops at all, and everything here is
 * static: from the failing moment to the end of the snapshot nothing is allocated. See witness.h.
 */
#include "witness.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "calls-ia32.h"
#include "clock.h"
#include "number.h"
#include "tracees.h"
#include "witness-asked.h"
#include "witness-hold.h"
#include "witness-inject.h"
#include "witness-record.h"

#define SYSCALL_STOP    (SIGTRAP | 0x80)

/* How long the other threads of a refused process may take to stop before the snapshot is taken without them. */
#define FREEZE_TRIES    200
#define FREEZE_PAUSE_NS 100000

static struct tracees tracees;

int witness_seize(pid_t child)
{
	long options = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL;
	return ptrace(PTRACE_SEIZE, child, NULL, options) < 0 ? -errno : 0;
}

/* ESRCH only says that the task died meanwhile; waitpid() will tell how. */
static void resume(const struct tracee *t, int signal)
{
	(void)ptrace(t->in_call || t->sets_filter ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL, (long)signal);
}

/* Stop the other threads of a process. What they report instead of stopping is kept for later. */
static void freeze_siblings(const struct tracee *of)
{
	for (unsigned i = 0; i < tracees.count; i++) {
		struct tracee *t = &tracees.item[i];
		if (t->tid == of->tid || t->tgid != of->tgid || t->has_pending)
			continue;
		if (ptrace(PTRACE_INTERRUPT, t->tid, NULL, NULL) < 0)
			continue;
		for (unsigned n = 0; n < FREEZE_TRIES; n++) {
			const struct timespec pause = {.tv_nsec = FREEZE_PAUSE_NS};
			pid_t got = waitpid(t->tid, &t->pending_status, __WALL | WNOHANG);
			if (got == t->tid) {
				t->has_pending = true;
				break;
			}
			if (got < 0)
				break;
			(void)nanosleep(&pause, NULL);
		}
	}
}

/* A task nobody traces: it may be killed, or kill, in place of what is watched. */
static void on_untraced(struct witness *w)
{
	w->untraced = true;
	witness_kill_all(w);
}

static void on_call(struct witness *w, struct tracee *t)
{
	struct __ptrace_syscall_info info;
	if (!w->started || t->tid == w->shared->stage || t->tid == w->shared->root ||
	    ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0 || info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return;
	memcpy(t->args, info.seccomp.args, sizeof(t->args));
	/* By call, not by program: a 64-bit one may use either entry. */
	t->ia32 = call_is_ia32(info.arch);
	t->call = t->ia32 ? call_of_ia32(t->tid, info.seccomp.nr, t->args) : call_by_number(info.seccomp.nr);
	if (!t->call) {
		t->sets_filter = t->ia32 ? call_of_ia32_sets_filter(info.seccomp.nr, t->args)
					 : call_sets_filter(info.seccomp.nr, t->args);
		if (w->leaving && t->tgid == w->program &&
		    info.seccomp.nr == (t->ia32 ? IA32_EXIT_GROUP : SYS_exit_group))
			w->leaving(t->tgid, w->data);
		w->queued_fault |=
			t->ia32 ? call_of_ia32_queues_signal(info.seccomp.nr) : call_queues_signal(info.seccomp.nr);
		return;
	}
	t->in_call = true;
	t->made_task = false;
	t->clone_flags = t->call->family == CALL_TASK ? call_clone_flags(t->call, t->tid, t->args) : 0;
	w->call_count[t->call - watched_calls]++;
	witness_inject(w, t);
	if (t->call->family == CALL_TASK && !t->injected &&
	    untraced_take_out(t->tid, t->call, t->args, t->ia32, &t->untraced) < 0)
		on_untraced(w);
}

/* The first refused call is the failing moment: its process stands still while it is looked at. So it does at others
 * where somebody looks. */
static void note_refused(struct witness *w, const struct tracee *t, int64_t result, int error)
{
	if (w->record_count == 0 || w->refused_call)
		freeze_siblings(t);
	witness_note_refused(w, t, result, error);
}

/* What a brk(2) grew by is known of the program's own process. */
static void tell_granted(const struct witness *w, const struct tracee *t, int64_t result, uint64_t break_before)
{
	struct refusal granted = {.call = t->call, .clone_flags = t->clone_flags, .tid = t->tid, .tgid = t->tgid};
	granted.instruction = t->instruction;
	granted.stack = t->stack;
	memcpy(granted.args, t->args, sizeof(granted.args));
	if (t->call->family != CALL_BREAK)
		granted.asked_bytes = witness_asked(t, result);
	else if (t->tgid == w->program && break_before && (uint64_t)result > break_before)
		granted.asked_bytes = (uint64_t)result - break_before;
	w->granted_call(&granted, w->data);
}

static void on_call_exit(struct witness *w, struct tracee *t)
{
	struct __ptrace_syscall_info info;
	int error;
	bool known = t->in_call, asked_filter = t->sets_filter;
	t->in_call = t->sets_filter = false;
	untraced_put_back(&t->untraced, t->tid);
	t->untraced.flags = 0;
	if ((!known && !asked_filter) || ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_EXIT)
		return;
	if (asked_filter) {
		if (!w->own_filter && call_did_set_filter(t->args, info.exit.rval, info.exit.is_error))
			w->own_filter = t->tgid;
		return;
	}
	t->instruction = info.instruction_pointer;
	t->stack = info.stack_pointer;
	uint64_t break_before = w->last_break;
	if (t->call->family == CALL_BREAK && !info.exit.is_error && t->tgid == w->program)
		w->last_break = (uint64_t)info.exit.rval;
	if (t->injected) {
		witness_inject_done(t);
		note_refused(w, t, info.exit.rval, t->injected);
		return;
	}
	if (call_refused(t->tid, t->call, t->args, info.exit.rval, info.exit.is_error, &error)) {
		note_refused(w, t, info.exit.rval, error);
		return;
	}
	if (!info.exit.is_error)
		witness_note_granted(w, t, info.exit.rval);
	if (!info.exit.is_error && w->granted_call && w->refused)
		tell_granted(w, t, info.exit.rval, break_before);
	/* The flags of clone3() lie in memory that another thread may have changed after we looked. */
	if (t->call->family == CALL_TASK && !info.exit.is_error && info.exit.rval > 0 && !t->made_task)
		on_untraced(w);
}

static void on_started(struct witness *w, const struct tracee *t)
{
	struct snapshot_request request = {.pid = t->tid, .maps = true};
	w->started = true;
	w->program = t->tid;
	w->tasks_seen = 1;
	snapshot_take(w->source, &request, &w->before);
	if (w->at_start)
		w->at_start(t->tid, w->data);
	w->start_ns = clock_now_ns();
	w->shared->program = t->tid;
}

/* A new task whose maker is stopped where it was made: it has yet to stop for the first time, or has done so. */
static void on_asked_untraced(struct witness *w, const struct tracee *maker, struct tracee *t, bool stood)
{
	w->untraced_asked++;
	untraced_hand_on(&maker->untraced, maker->tid, t->tid, stood, &t->untraced);
}

/* It stands for the first time, perhaps before we hear who made it: its registers tell. */
static void put_back_in_new(struct tracee *t)
{
	untraced_put_back(&t->untraced, t->tid);
	t->untraced.flags = 0;
	for (unsigned i = 0; i < tracees.count; i++)
		untraced_put_back_inherited(&tracees.item[i].untraced, t->tid);
}

/* The root's fork is the stage, which goes on once that was heard of (stage_namespaces_start()); the stage's fork
 * becomes the program. */
static bool on_new_task(struct witness *w, struct tracee *parent)
{
	unsigned long tid = 0;
	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &tid) < 0)
		return true;
	parent->made_task = true;
	struct tracee child_of = *parent; /* the table may move entries when it grows */
	bool stood = tracees_find(&tracees, (pid_t)tid) != NULL;
	struct tracee *t = tracees_get(&tracees, (pid_t)tid);
	if (!t)
		return false;
	if (child_of.untraced.flags)
		on_asked_untraced(w, &child_of, t, stood);
	if (child_of.in_call && child_of.clone_flags & 0x10000 /* CLONE_THREAD */)
		t->tgid = child_of.tgid;
	if (child_of.tid == w->shared->root && !w->shared->stage)
		w->shared->stage = t->tid;
	if (!w->started || t->tid == w->program)
		return true;
	w->tasks_seen++;
	if (++w->shared->tasks > w->tasks_ceiling && w->tasks_ceiling) {
		w->tasks_ceiling_hit = true;
		witness_kill_all(w);
	}
	return true;
}

static void on_exec(struct witness *w, struct tracee *t)
{
	const pid_t tid = t->tid;
	unsigned long former = 0;
	/* A thread that execs takes over its leader's id; its own entry is gone without an exit event. */
	if (ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &former) == 0 && former && (pid_t)former != t->tid) {
		struct tracee *old = tracees_find(&tracees, (pid_t)former);
		if (old) {
			t->in_call = old->in_call;
			t->call = old->call;
			t->ia32 = old->ia32;
			memcpy(t->args, old->args, sizeof(t->args));
			tracees_remove(&tracees, (pid_t)former);
			t = tracees_find(&tracees, tid);
			if (w->shared->tasks)
				w->shared->tasks--;
		}
	}
	if (!w->started && t->tid != w->shared->root && t->tid != w->shared->stage) {
		w->shared->tasks = 1;
		on_started(w, t);
	}
}

static void note_signal(struct witness *w, const struct tracee *t, int signal, const siginfo_t *info, bool snapshot)
{
	if (snapshot)
		freeze_siblings(t);
	witness_note_signal(w, t, signal, info, snapshot);
}

static void on_signal(struct witness *w, const struct tracee *t, int signal)
{
	siginfo_t info;
	if (!w->started || t->tid == w->shared->stage || t->tid == w->shared->root ||
	    ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) < 0)
		return;
	/* rt_sigqueueinfo(2) lets a program send itself any siginfo, a fault's as well. */
	if (w->queued_fault && (signal == SIGSEGV || signal == SIGBUS) && info.si_code > 0)
		info.si_code = SI_QUEUE;
	bool fault = (signal == SIGSEGV || signal == SIGBUS) && info.si_code > 0;
	/* Ordinary signals (a shell's SIGCHLD) would only fill the record. */
	if (signal != SIGCHLD && signal != SIGCONT && signal != SIGWINCH && signal != SIGURG)
		note_signal(w, t, signal, &info, fault && t->tgid == w->program);
}

/* SIGKILL shows no siginfo, and no stop of its own: the exit stop is the last moment at which the process can be looked
 * at. */
static void on_exit_event(struct witness *w, const struct tracee *t)
{
	unsigned long status = 0;
	if (!w->started || t->tgid != w->program || ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &status) < 0 ||
	    !WIFSIGNALED((int)status))
		return;
	int signal = WTERMSIG((int)status);
	if (w->signal_count && w->signal[w->signal_count - 1].signal == signal)
		return; /* its delivery was seen, with siginfo */
	note_signal(w, t, signal, NULL, signal == SIGKILL);
}

static void on_gone(struct witness *w, pid_t tid, int status)
{
	struct tracee *t = tracees_find(&tracees, tid);
	if (tid == w->shared->root) {
		w->root_status = status;
		w->shared->root = 0;
	} else if (tid == w->shared->stage) {
		w->shared->stage = 0;
	} else if (w->started && t && w->shared->tasks) {
		w->shared->tasks--;
	}
	if (w->started && !w->ended && tid != w->program && t && t->tgid == tid && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGKILL)
		w->killed++;
	if (w->started && tid == w->program && !w->ended) {
		w->ended = true;
		w->exit_status = status;
		w->end_ns = clock_now_ns();
		w->tasks_left = w->shared->tasks;
		w->shared->program = 0;
		if (WIFSIGNALED(status) && w->signal_count && w->signal[w->signal_count - 1].signal == WTERMSIG(status))
			w->signal[w->signal_count - 1].fatal = true;
		else if (WIFSIGNALED(status) && t)
			note_signal(w, t, WTERMSIG(status), NULL, false);
	}
	tracees_remove(&tracees, tid);
}

/* One stop or end. false when the table is full. */
static bool handle(struct witness *w, pid_t tid, int status)
{
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		on_gone(w, tid, status);
		return true;
	}
	bool is_new = !tracees_find(&tracees, tid);
	struct tracee *t = tracees_get(&tracees, tid);
	if (!t)
		return false;
	if (is_new || (!t->in_call && t->untraced.flags))
		put_back_in_new(t);
	int event = status >> 16, signal = WSTOPSIG(status), deliver = 0;
	w->stops++;
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		on_call(w, t);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (!on_new_task(w, t))
			return false;
		break;
	case PTRACE_EVENT_EXEC:
		on_exec(w, t);
		break;
	case PTRACE_EVENT_EXIT:
		on_exit_event(w, t);
		if (w->at_end && t->tid == t->tgid)
			w->at_end(t->tid, w->data);
		t->in_call = false;
		break;
	case PTRACE_EVENT_STOP:
		if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
			/* A stopped program stays stopped, as it would without a tracer; the deadline ends it. */
			(void)ptrace(PTRACE_LISTEN, tid, NULL, NULL);
			return true;
		}
		break;
	default:
		if (signal == SYSCALL_STOP) {
			on_call_exit(w, t);
		} else if (event == 0) {
			on_signal(w, t, signal);
			deliver = signal;
		}
	}
	/* Entries have moved, and who was let go has none. */
	t = tracees_find(&tracees, tid);
	if (t)
		resume(t, deliver);
	return true;
}

/* Those that change places while entries leave are found by the next call: there is one until none is left. */
static bool handle_pending(struct witness *w, bool *ret_some)
{
	*ret_some = false;
	for (unsigned i = 0; i < tracees.count; i++) {
		struct tracee *t = &tracees.item[i];
		if (!t->has_pending)
			continue;
		t->has_pending = false;
		*ret_some = true;
		if (!handle(w, t->tid, t->pending_status))
			return false;
	}
	return true;
}

static int watch(struct witness *w, pid_t root)
{
	bool frozen = false;
	int r = 0;
	tracees_reset(&tracees);
	w->at_signal_index = -1;
	w->tracees = &tracees;
	w->shared->root = root;
	w->shared->stage = w->shared->program = 0;
	w->shared->tasks = 0;
	w->shared->source = w->source;
	for (;;) {
		int status;
		/* Only a snapshot leaves pending stops behind. */
		if (frozen && r == 0) {
			if (!handle_pending(w, &frozen))
				r = -ENOMEM;
			continue;
		}
		/* Not until ECHILD: the caller may have a child that is none of ours, the keeper of a changed sysctl.
		 */
		if (w->shared->root == 0 && tracees.count == 0)
			return r;
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return errno == ECHILD ? r : -errno;
		uint64_t before = w->refused + w->signal_count;
		if (!handle(w, tid, status)) {
			r = -ENOMEM;
			witness_kill_all(w);
			(void)ptrace(PTRACE_CONT, tid, NULL, NULL);
		}
		frozen = w->refused + w->signal_count != before;
	}
}

int witness_watch(struct witness *w, pid_t root)
{
	int r = watch(w, root);
	w->shared->source = NULL;
	return r;
}
