// SPDX-License-Identifier: MIT
/*
 * Looking at a process that is held at a refused call or a signal: the numbers, the cause, where it stands. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "clock.h"
#include "json-memory.h"
#include "number.h"
#include "refusal-wrong.h"
#include "say.h"
#include "why.h"
#include "witness-asked.h"

/* What looking may cost: so much at once, and this part of the time that passes. */
#define LOOK_AT_ONCE_NS 250000000ULL
#define LOOK_PART       20

bool why_may_look(const struct why_budget *b)
{
	return b->spent_ns <= LOOK_AT_ONCE_NS + (clock_now_ns() - b->begin_ns) / LOOK_PART;
}

void why_moment_free(struct why_moment *m)
{
	if (!m)
		return;
	free(m->show);
	free(m->fix);
	free(m->place);
	free(m->file);
	why_change_free(m->change);
	free(m->backtrace);
	free(m);
}

static void take_backtrace(struct why_moment *m)
{
	m->backtrace = json_memory_noted(malloc(sizeof(*m->backtrace)));
	if (m->backtrace)
		backtrace_take(m->pid, m->tid, m->backtrace);
}

struct why_moment *why_moment_of_refusal(struct why *w, const struct follow_call *call)
{
	static struct snapshot s; /* large */
	struct why_moment *m = json_memory_noted(calloc(1, sizeof(*m)));
	struct snapshot_request request;
	uint64_t begin = clock_now_ns();
	if (!m)
		return NULL;
	m->refusal = *call->refusal;
	m->pid = call->process->pid;
	m->tid = call->tid;
	m->time_ns = call->refusal->time_ns;
	follow_hold(w->follow, call->process, call->tid);
	const struct snapshot *before = why_scene_enter(&w->scene, m->pid);
	why_scene_note_marks(&w->scene);
	witness_request(&m->refusal, &request);
	snapshot_take(&w->scene.source, &request, &s);
	cause_of_refusal(&m->refusal, before, &s, &m->report);
	m->cause = cause_name(&m->report, &m->named, &m->also);
	m->wrongly = refusal_asked_wrongly(&m->refusal, m->cause, m->also, &s);
	if (!m->wrongly) {
		why_fix(w, m, &s);
		take_backtrace(m);
	}
	w->budget.spent_ns += clock_now_ns() - begin;
	return m;
}

struct why_moment *why_moment_of_signal(struct why *w, pid_t pid, pid_t tid, const struct fatal_signal *sig,
					const struct kmsg_oom *kill, bool backtrace)
{
	static struct snapshot s;
	struct why_moment *m = json_memory_noted(calloc(1, sizeof(*m)));
	uint64_t begin = clock_now_ns();
	if (!m)
		return NULL;
	bool fault = sig->signal != SIGKILL;
	struct snapshot_request request = {.pid = pid,
					   .maps = fault,
					   .address = sig->address,
					   .length = fault,
					   .area = sig->signal == SIGBUS,
					   .dying = sig->signal == SIGKILL};
	m->pid = pid;
	m->tid = tid;
	m->time_ns = begin;
	const struct snapshot *before = why_scene_enter(&w->scene, pid);
	snapshot_take(&w->scene.source, &request, &s);
	struct fatal_signal told = *sig;
	told.log_group = kill ? why_scene_group_of(&w->scene, kill) : 0;
	const enum cgroup_value counter = CGROUP_MEMORY_EVENTS_OOM_KILL;
	/* Whose kill the group counted, the log says; without it, that this one died is as good as there is. */
	if (!told.oom_counter_moved && told.log_names_pid < 0 && before && before->taken &&
	    s.cgroup.value[counter] < ENOMEM_ABSENT && before->cgroup.value[counter] < ENOMEM_ABSENT)
		told.oom_counter_moved = s.cgroup.value[counter] > before->cgroup.value[counter];
	cause_of_signal(&told, before, &s, &m->report);
	m->cause = cause_name(&m->report, &m->named, &m->also);
	if (s.area_seen && s.area.path[0])
		m->file = json_memory_noted(strdup(s.area.path));
	why_fix(w, m, &s);
	if (backtrace)
		take_backtrace(m);
	w->budget.spent_ns += clock_now_ns() - begin;
	return m;
}

/* One after the other, as `each` is called for them; nothing may move in between. */
static int each_backtrace(const struct why *w, int (*each)(struct backtrace *b, int fd), int fd)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < w->refusals_count; i++) {
		const struct why_moment *moment[] = {w->refusals[i].first, w->refusals[i].last};
		for (unsigned k = 0; r == 0 && k < ARRAY_SIZE(moment); k++)
			r = moment[k] && moment[k]->backtrace ? each(moment[k]->backtrace, fd) : 0;
	}
	for (unsigned i = 0; r == 0 && i < w->deaths_count; i++)
		r = w->deaths[i].moment && w->deaths[i].moment->backtrace ? each(w->deaths[i].moment->backtrace, fd)
									  : 0;
	return r;
}

static int is_one(struct backtrace *b, int fd)
{
	(void)fd;
	return b->count > 0;
}

static int name_and_tell(struct backtrace *b, int fd)
{
	backtrace_name(b);
	return write(fd, b, sizeof(*b)) == (ssize_t)sizeof(*b) ? 0 : -EIO;
}

static int take_named(struct backtrace *b, int fd)
{
	struct backtrace named;
	if (read(fd, &named, sizeof(named)) != (ssize_t)sizeof(named))
		return -EIO;
	*b = named;
	return 0;
}

/*
 * libdw ends its process where an allocation of its own fails: it must not be the one that knows what to report. What
 * was named until then is taken.
 */
void why_name_places(struct why *w)
{
	int status = 0;
	if (each_backtrace(w, is_one, -1) == 0)
		return;
	auto_close int fd = memfd_create("enomem-names", MFD_CLOEXEC);
	pid_t pid = fd < 0 ? -1 : fork();
	if (pid == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		(void)dup2(nowhere, STDERR_FILENO);
		_exit(each_backtrace(w, name_and_tell, fd) < 0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid < 0 || lseek(fd, 0, SEEK_SET) < 0 || each_backtrace(w, take_named, fd) < 0 || status != 0)
		say_note("no memory to look up the names of functions, or the program that did so ended: they are "
			 "missing in "
			 "backtraces");
}
