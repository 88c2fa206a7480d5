// SPDX-License-Identifier: MIT
/*
 * Counting the calls that match, saying which are refused, and noting what became of it. See inject.h.
 */
#include "inject.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "launch.h"
#include "procfs.h"

static void read_comm(pid_t pid, char comm[INJECT_COMM])
{
	char name[64], text[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		(void)snprintf(text, sizeof(text), "?");
	(void)snprintf(comm, INJECT_COMM, "%.*s", (int)MIN(strcspn(text, "\n"), (size_t)INJECT_COMM - 1), text);
}

static int on_calling(const struct follow_process *p, const struct call_info *call, uint64_t asked, void *data)
{
	struct inject_run *r = data;
	(void)p;
	if (!inject_spec_matches(&r->spec, call, asked)) {
		if (call->family == CALL_TASK && inject_spec_makes_tasks(&r->spec)) {
			r->tasks_by |= 1ULL << (call - watched_calls);
			r->tasks_made++;
		}
		return 0;
	}
	r->matched++;
	return !r->nothing && inject_spec_is_due(&r->spec, r->matched) ? r->spec.error : 0;
}

static void on_refused(const struct follow_call *call, void *data)
{
	struct inject_run *r = data;
	if (!call->refusal->injected)
		return;
	if (r->fault_count < INJECT_LISTED) {
		struct inject_fault *fault = &r->fault[r->fault_count++];
		*fault = (struct inject_fault){.call = call->refusal->call,
					       .number = r->spec.first + r->fired * r->spec.step,
					       .asked = call->refusal->asked_bytes,
					       .pid = call->process->pid};
		if (fault->call->family == CALL_EXEC) /* the image that asks is not the one asked for */
			fault->asked = 0;
		read_comm(fault->pid, fault->comm);
	}
	r->fired++;
}

/* It is still there to be asked for its name. */
static void on_dying(struct follow_process *p, pid_t tid, int signal, void *data)
{
	struct inject_run *r = data;
	(void)tid;
	if (p->data)
		return;
	p->data = r; /* told once, by whichever thread dies first */
	r->deaths++;
	if (r->death_count == INJECT_LISTED)
		return;
	struct inject_death *death = &r->death[r->death_count++];
	*death = (struct inject_death){.pid = p->pid, .signal = signal, .ours = r->killed};
	read_comm(p->pid, death->comm);
}

static void on_ended(struct follow_process *p, bool let_go, int status, void *data)
{
	struct inject_run *r = data;
	if (p->pid != r->root || r->root_ended || let_go)
		return;
	r->root_ended = true;
	r->root_status = status;
	if (p->entry && !p->entry_is_copy)
		r->earlier = launch_start_names[p->entry_is_main ? FOLLOW_FROM_ENTRY : FOLLOW_FROM_EXEC];
	launch_program_ended();
	if (r->program_ended)
		r->program_ended(r);
}

const struct follow_handlers inject_handlers = {
	.calling = on_calling,
	.refused = on_refused,
	.dying = on_dying,
	.ended = on_ended,
};

void inject_begin(struct launch *l)
{
	struct inject_run *r = l->data;
	r->follow = l->follow;
	r->root = l->root;
}

void inject_end(struct inject_run *r, const struct follow *f)
{
	const struct follow_numbers *n = follow_numbers(f);
	r->kills_kept_from = n->kills_kept_from;
	r->untraced = n->untraced;
	r->unwatched = n->unwatched;
}

const struct inject_death *inject_crash(const struct inject_run *r)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	for (unsigned i = 0; i < r->death_count; i++) {
		const struct inject_death *death = &r->death[i];
		if (death->ours)
			continue;
		if (death->pid == r->root)
			return death;
		for (size_t n = 0; n < ARRAY_SIZE(crashes); n++)
			if (death->signal == crashes[n])
				return death;
	}
	return NULL;
}
