// SPDX-License-Identifier: MIT
/*
 * The ptrace loop. Most stops are of calls that are granted, and cost two system calls each here: what a call asked for
 * is read only once it was refused. See follow.h.
 */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "calls-ia32.h"
#include "clock.h"
#include "follow-internal.h"
#include "procfs.h"
#include "witness-asked.h"

#define SYSCALL_STOP (SIGTRAP | 0x80)

int follow_new(const struct follow_handlers *handlers, void *data, bool filtered, struct follow **ret)
{
	struct follow *f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->handlers = *handlers;
	f->data = data;
	f->filtered = filtered;
	*ret = f;
	return 0;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	for (unsigned i = 0; i < FOLLOW_BUCKETS; i++)
		while (f->task[i])
			follow_drop(f, f->task[i]);
	free(f);
}

const struct follow_numbers *follow_numbers(const struct follow *f)
{
	return &f->numbers;
}

void follow_from(struct follow *f, enum follow_start start)
{
	f->from = start;
}

bool follow_has_started(const struct follow *f)
{
	return f->started;
}

void follow_kill(struct follow *f)
{
	f->killing = true;
	for (unsigned i = 0; i < FOLLOW_BUCKETS; i++)
		for (const struct follow_process *p = f->process[i]; p; p = p->next)
			(void)kill(p->pid, SIGKILL);
}

/* ESRCH only says that the task died meanwhile; waitpid() will tell how. */
static void resume(const struct follow *f, const struct follow_task *t, int signal)
{
	bool every_call = !f->filtered || t->in_call || t->sets_filter;
	(void)ptrace(every_call ? PTRACE_SYSCALL : PTRACE_CONT, t->tid, NULL, (long)signal);
}

/* The process of a thread that nobody told us of before it stopped. */
static pid_t process_of(pid_t tid)
{
	char name[64], text[4096];
	struct process_status status;
	(void)snprintf(name, sizeof(name), "/proc/%d/status", tid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0 || procfs_parse_status(text, &status) < 0 ||
	    status.tgid <= 0)
		return tid;
	return (pid_t)status.tgid;
}

/* kill(2) by whatever name. The pidfd's process stays unknown. */
static void on_kill(struct follow *f, struct follow_task *t, uint64_t nr, const uint64_t args[6])
{
	pid_t target = nr == SYS_tgkill || nr == SYS_kill || nr == SYS_tkill ? (pid_t)args[0] : 0;
	bool is_kill = args[nr == SYS_tgkill ? 2 : 1] == SIGKILL;
	if (f->handlers.calling && nr == SYS_kill && target == -1)
		follow_keep_from_killing(f, t);
	else if (f->filtered && is_kill && target && f->handlers.kills)
		f->handlers.kills(t->process, target, f->data);
}

/* setrlimit(2) and prlimit64(2): what it asks for, as long as the call stands at its beginning. */
static void on_limit(struct follow *f, const struct follow_task *t, uint64_t nr, const uint64_t args[6])
{
	bool is_prlimit = nr == SYS_prlimit64;
	uint64_t soft;
	struct iovec local = {&soft, sizeof(soft)};
	struct iovec remote = {(void *)(uintptr_t)args[is_prlimit ? 2 : 1], sizeof(soft)};
	if (remote.iov_base && process_vm_readv(t->tid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(soft))
		f->handlers.limits(t->process, (unsigned)args[is_prlimit ? 1 : 0], soft, f->data);
}

static bool is_limit(uint64_t nr)
{
#ifdef SYS_setrlimit
	if (nr == SYS_setrlimit)
		return true;
#endif
	return nr == SYS_prlimit64;
}

/* What the filter looks at, where there is none: the errnos of the other commands mean something else. */
static bool is_watched(const struct call_info *call, const uint64_t args[6])
{
	if (call->on_demand)
		return false;
	if (call->nr == SYS_fcntl)
		return (uint32_t)args[1] == F_SETPIPE_SZ;
	return call->nr != SYS_shmctl || (uint32_t)args[1] == SHM_LOCK;
}

static void on_call(struct follow *f, struct follow_task *t, uint64_t nr, const uint64_t args[6])
{
	t->call = call_by_number(nr);
	if (t->call && !f->filtered && !is_watched(t->call, args))
		t->call = NULL;
	t->in_call = t->call != NULL;
	t->sets_filter = !t->call && f->started && f->handlers.filters && call_sets_filter(nr, args);
	memcpy(t->args, args, sizeof(t->args));
	if (!t->call) {
		if (is_limit(nr) && f->started && f->handlers.limits)
			on_limit(f, t, nr, args);
		else
			on_kill(f, t, nr, args);
		return;
	}
	f->numbers.calls++;
	t->injected = 0;
	t->made_task = false;
	if (f->started && f->handlers.calling)
		follow_begin_call(f, t);
	if (t->call->family == CALL_TASK && !t->injected)
		(void)untraced_take_out(t->tid, t->call, t->args, false, &t->untraced);
}

static uint64_t asked_bytes(const struct follow_task *t, int64_t result)
{
	struct tracee asks = {.tid = t->tid, .tgid = t->process->pid, .call = t->call};
	memcpy(asks.args, t->args, sizeof(asks.args));
	return witness_asked(&asks, result);
}

static void on_refused(struct follow *f, struct follow_task *t, int64_t result, int error)
{
	struct refusal *r = &t->process->last_refused;
	*r = (struct refusal){.call = t->call, .error = error, .tid = t->tid, .tgid = t->process->pid};
	memcpy(r->args, t->args, sizeof(r->args));
	r->injected = t->injected != 0;
	r->clone_flags = t->call->family == CALL_TASK ? call_clone_flags(t->call, t->tid, t->args) : 0;
	r->instruction = t->instruction;
	r->stack = t->stack;
	r->time_ns = clock_now_ns();
	r->asked_bytes = asked_bytes(t, result);
	t->process->was_refused = true;
	f->numbers.refused++;
	const struct follow_call call = {t->process, t->tid, r};
	if (f->handlers.refused)
		f->handlers.refused(&call, f->data);
}

/* The break is known from the first call on: brk(2) returns it. */
static void on_granted(struct follow *f, struct follow_task *t, int64_t result)
{
	const struct follow_process *p = t->process;
	struct refusal granted = {.call = t->call, .tid = t->tid, .tgid = p->pid};
	granted.instruction = t->instruction;
	granted.stack = t->stack;
	memcpy(granted.args, t->args, sizeof(granted.args));
	if (t->call->family != CALL_BREAK)
		granted.asked_bytes = asked_bytes(t, result);
	else if (p->last_break && (uint64_t)result > p->last_break)
		granted.asked_bytes = (uint64_t)result - p->last_break;
	t->process->was_refused = f->handlers.granted(t->process, &granted, f->data);
}

static void on_call_end(struct follow *f, struct follow_task *t, int64_t result, bool is_error)
{
	int error;
	bool known = t->in_call;
	t->in_call = false;
	untraced_put_back(&t->untraced, t->tid);
	t->untraced.flags = 0;
	if (known && t->call->family == CALL_TASK && !is_error && result > 0 && !t->made_task)
		f->numbers.unwatched++;
	if (t->sets_filter && call_did_set_filter(t->args, result, is_error))
		f->handlers.filters(t->process, f->data);
	t->sets_filter = false;
	if (!known || !f->started)
		return;
	if (f->handlers.calling)
		follow_end_call(t, result, is_error);
	if (t->injected) {
		on_refused(f, t, result, t->injected);
	} else if (call_refused(t->tid, t->call, t->args, result, is_error, &error)) {
		on_refused(f, t, result, error);
	} else if (t->process->was_refused && !is_error && f->handlers.granted) {
		on_granted(f, t, result);
	}
	if (t->call->family == CALL_BREAK && !is_error && !f->handlers.calling)
		t->process->last_break = (uint64_t)result;
}

/* A stop at a call, of the filter's or of PTRACE_SYSCALL. */
static void on_call_stop(struct follow *f, struct follow_task *t)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
		on_call(f, t, info.seccomp.nr, (const uint64_t *)info.seccomp.args);
	/* Numbers of the 32-bit entry mean other calls; the filter does not stop for them. */
	else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && !f->filtered && !call_is_ia32(info.arch))
		on_call(f, t, info.entry.nr, (const uint64_t *)info.entry.args);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		t->instruction = info.instruction_pointer;
		t->stack = info.stack_pointer;
		on_call_end(f, t, info.exit.rval, info.exit.is_error);
	}
}

/* A new task whose maker is stopped where it was made: it has yet to stop for the first time, or has done so. */
static void on_asked_untraced(struct follow *f, const struct follow_task *maker, struct follow_task *t, bool stood)
{
	f->numbers.untraced++;
	untraced_hand_on(&maker->untraced, maker->tid, t->tid, stood, &t->untraced);
}

/* It stands for the first time, perhaps before we hear who made it: its registers tell. */
static void put_back_in_new(const struct follow *f, struct follow_task *t)
{
	untraced_put_back(&t->untraced, t->tid);
	t->untraced.flags = 0;
	for (unsigned i = 0; i < FOLLOW_BUCKETS; i++)
		for (const struct follow_task *maker = f->task[i]; maker; maker = maker->next)
			untraced_put_back_inherited(&maker->untraced, t->tid);
}

static void on_new_task(struct follow *f, struct follow_task *parent, int event)
{
	bool may_be_thread = event == PTRACE_EVENT_CLONE;
	bool is_clone = may_be_thread && parent->call && parent->call->family == CALL_TASK;
	unsigned long tid = 0;
	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, NULL, &tid) < 0 || tid == 0)
		return;
	parent->made_task = true;
	struct follow_task *t = follow_find(f, (pid_t)tid);
	bool stood = t != NULL;
	if (!t)
		t = follow_get(f, (pid_t)tid, may_be_thread ? process_of((pid_t)tid) : (pid_t)tid);
	if (!t)
		return;
	if (parent->untraced.flags)
		on_asked_untraced(f, parent, t, stood);
	if (!t->process->last_break) /* the same memory, or a copy of it */
		t->process->last_break = parent->process->last_break;
	follow_begin_child(
		f, parent, t->process->pid,
		event == PTRACE_EVENT_VFORK ||
			(is_clone && call_clone_flags(parent->call, parent->tid, parent->args) & 0x100 /* CLONE_VM */));
}

static void on_exec(struct follow *f, struct follow_task *t)
{
	unsigned long former = 0;
	/* A thread that execs takes over its leader's id; its own entry is gone without an exit event. */
	if (ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &former) == 0 && former && (pid_t)former != t->tid) {
		struct follow_task *old = follow_find(f, (pid_t)former);
		if (old) {
			t->in_call = old->in_call;
			t->call = old->call;
			t->injected = old->injected;
			memcpy(t->args, old->args, sizeof(t->args));
			follow_drop(f, old);
		}
	}
	f->started = true;
	t->process->was_refused = false;
	t->process->last_break = 0;
	if (f->handlers.calling)
		follow_renew(f, t);
	if (f->handlers.executed)
		f->handlers.executed(t->process, f->data);
}

static void on_exit_event(struct follow *f, struct follow_task *t)
{
	unsigned long status = 0;
	t->in_call = false;
	if (f->started && f->handlers.exits && t->tid == t->process->pid)
		f->handlers.exits(t->process, f->data);
	if (f->started && ptrace(PTRACE_GETEVENTMSG, t->tid, NULL, &status) == 0 && WIFSIGNALED((int)status) &&
	    f->handlers.dying)
		f->handlers.dying(t->process, t->tid, WTERMSIG((int)status), f->data);
}

static void on_signal(struct follow *f, struct follow_task *t)
{
	siginfo_t info;
	if (f->started && f->handlers.signalled && ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &info) == 0)
		f->handlers.signalled(t->process, t->tid, &info, f->data);
}

static bool is_group_stop(int event, int signal)
{
	return event == PTRACE_EVENT_STOP &&
	       (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU);
}

static void on_gone(struct follow *f, pid_t tid, int status)
{
	struct follow_task *t = follow_find(f, tid);
	if (!t)
		return;
	if (t->process->pid == tid)
		follow_end_process(f, t->process, false, status);
	follow_drop(f, t);
}

/* One stop or end. */
static void handle(struct follow *f, pid_t tid, int status)
{
	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		on_gone(f, tid, status);
		return;
	}
	struct follow_task *t = follow_find(f, tid);
	bool is_new = !t;
	if (!t && !(t = follow_get(f, tid, process_of(tid)))) {
		(void)ptrace(PTRACE_CONT, tid, NULL, NULL);
		return;
	}
	if (is_new || (!t->in_call && t->untraced.flags))
		put_back_in_new(f, t);
	int event = status >> 16, signal = WSTOPSIG(status), deliver = 0;
	if (f->killing)
		(void)kill(t->process->pid, SIGKILL);
	f->numbers.stops++;
	if (event != 0 || signal != SIGTRAP)
		follow_shed_copy(t);
	switch (event) {
	case PTRACE_EVENT_SECCOMP:
		on_call_stop(f, t);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		on_new_task(f, t, event);
		break;
	case PTRACE_EVENT_EXEC:
		on_exec(f, t);
		break;
	case PTRACE_EVENT_EXIT:
		on_exit_event(f, t);
		break;
	case PTRACE_EVENT_STOP:
		/* A stopped program stays stopped, as it would without us. */
		if (is_group_stop(event, signal)) {
			(void)ptrace(PTRACE_LISTEN, tid, NULL, NULL);
			return;
		}
		break;
	default:
		if (signal == SYSCALL_STOP) {
			on_call_stop(f, t);
		} else if (event == 0 && !(signal == SIGTRAP && follow_at_entry(f, t))) {
			on_signal(f, t);
			deliver = signal;
		}
	}
	resume(f, t, deliver);
}

static void handle_pending(struct follow *f)
{
	for (unsigned i = 0; i < FOLLOW_BUCKETS && f->pending; i++)
		for (struct follow_task *t = f->task[i], *next; t && f->pending; t = next) {
			next = t->next;
			if (!t->has_pending)
				continue;
			t->has_pending = false;
			f->pending--;
			handle(f, t->tid, t->pending_status);
			next = f->task[i]; /* the list may have changed */
		}
}

int follow_run(struct follow *f, const volatile sig_atomic_t *stop)
{
	while (f->numbers.tasks_now) {
		int status;
		if (*stop)
			return -EINTR;
		if (f->pending) {
			handle_pending(f);
			continue;
		}
		pid_t tid = waitpid(-1, &status, __WALL);
		if (tid > 0)
			handle(f, tid, status);
		else if (errno != EINTR)
			return errno == ECHILD ? 0 : -errno;
	}
	return 0;
}
