// SPDX-License-Identifier: MIT
/*
 * What was met, in groups that do not grow with how often it was, and what became of whom. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "clock.h"
#include "json-memory.h"
#include "launch.h"
#include "number.h"
#include "procfs.h"
#include "why.h"

/* What is known of a process beyond the follower's: made when there is something to know. */
struct known {
	char comm[WHY_COMM];
	struct why_refusals *last; /* its last refusal, NULL when it has none since its exec */
	uint64_t last_ns;
	struct refusal last_refusal;    /* and what it was, */
	struct grant_fallback fallback; /* and what was granted since */
	siginfo_t signal;               /* the last one delivered; si_signo 0: none */
	struct why_sender sender;
	struct why_moment *fault; /* at its last SIGSEGV or SIGBUS */
	struct why_moment *death; /* at its SIGKILL */
	bool dying;
};

static void read_comm(pid_t pid, char ret[WHY_COMM])
{
	char name[64], text[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0) {
		(void)snprintf(ret, WHY_COMM, "?");
		return;
	}
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(ret, WHY_COMM, "%.*s", WHY_COMM - 1, text);
}

static struct known *known_of(struct follow_process *p)
{
	struct known *k = p->data;
	if (k)
		return k;
	k = json_memory_noted(calloc(1, sizeof(*k)));
	if (k)
		read_comm(p->pid, k->comm);
	p->data = k;
	return k;
}

static void forget(struct follow_process *p)
{
	struct known *k = p->data;
	if (!k)
		return;
	why_moment_free(k->fault);
	why_moment_free(k->death);
	free(k);
	p->data = NULL;
}

/* --- execs ------------------------------------------------------------------------------------------------------- */

static void on_executed(struct follow_process *p, void *data)
{
	struct why *w = data;
	struct known *k = p->data;
	w->started = true;
	if (p->pid == w->root)
		why_limits_note_start(&w->limits, p->pid, false);
	if (k) {
		read_comm(p->pid, k->comm);
		k->last = NULL;
	}
	(void)why_scene_enter(&w->scene, p->pid);
	why_scene_note_marks(&w->scene);
	why_note_lost_privileges(w, p->pid);
}

/* --- limits ------------------------------------------------------------------------------------------------------ */

static void on_limits(struct follow_process *p, unsigned resource, uint64_t soft, void *data)
{
	struct why *w = data;
	const struct known *k = known_of(p);
	why_limits_note_setter(&w->limits, p->pid, k ? k->comm : "?", resource, soft);
}

/* --- filters of its own ------------------------------------------------------------------------------------------ */

static void on_filters(struct follow_process *p, void *data)
{
	struct why *w = data;
	const struct known *k = known_of(p);
	if (w->filters.processes++ == 0) {
		w->filters.first = p->pid;
		memcpy(w->filters.comm, k ? k->comm : "?", k ? sizeof(k->comm) : 2);
	} else if (w->filters.last == p->pid) { /* one more of the same */
		w->filters.processes--;
	}
	w->filters.last = p->pid;
}

/* --- refusals ---------------------------------------------------------------------------------------------------- */

static struct why_refusals *find_group(struct why *w, const struct known *k, const struct refusal *r,
				       const enum cause_id *cause)
{
	for (unsigned i = w->refusals_count; i-- > 0;) {
		struct why_refusals *g = &w->refusals[i];
		if (g->call == r->call && g->error == r->error && (!cause || g->cause == *cause) &&
		    strcmp(g->comm, k->comm) == 0)
			return g;
	}
	return NULL;
}

static struct why_refusals *new_group(struct why *w, const struct known *k, const struct refusal *r,
				      const struct why_moment *m)
{
	if (w->refusals_count == WHY_GROUPS)
		return NULL;
	struct why_refusals *g = &w->refusals[w->refusals_count++];
	*g = (struct why_refusals){.call = r->call, .error = r->error, .cause = m->cause, .wrongly = m->wrongly};
	g->asked_least = UINT64_MAX;
	memcpy(g->comm, k->comm, sizeof(g->comm));
	return g;
}

/* The group it belongs to, by a look at the process where that may be; else it is like the last one of its kind. */
static struct why_refusals *group_of(struct why *w, const struct known *k, const struct follow_call *call)
{
	struct why_refusals *like = find_group(w, k, call->refusal, NULL);
	if (like && !why_may_look(&w->budget))
		return like;
	struct why_moment *m = why_moment_of_refusal(w, call);
	if (!m)
		return like;
	struct why_refusals *g = find_group(w, k, call->refusal, &m->cause);
	if (!g)
		g = new_group(w, k, call->refusal, m);
	if (!g) {
		why_moment_free(m);
	} else if (!g->first) {
		g->first = m;
	} else {
		why_moment_free(g->last);
		g->last = m;
	}
	return g;
}

static void on_refused(const struct follow_call *call, void *data)
{
	struct why *w = data;
	struct known *k = known_of(call->process);
	uint64_t asked = call->refusal->asked_bytes;
	struct why_refusals *g = k ? group_of(w, k, call) : NULL;
	if (!g) {
		w->unlisted++;
		return;
	}
	g->count++;
	g->processes += g->last_pid != call->process->pid;
	g->last_pid = call->process->pid;
	g->asked_least = asked < g->asked_least ? asked : g->asked_least;
	g->asked_most = asked > g->asked_most ? asked : g->asked_most;
	if (g->wrongly)
		return;
	k->last = g;
	k->last_refusal = *call->refusal;
	k->fallback = (struct grant_fallback){0};
	k->last_ns = clock_now_ns(); /* the look at it took a while */
}

static bool on_granted(struct follow_process *p, const struct refusal *granted, void *data)
{
	struct known *k = p->data;
	(void)data;
	if (!k || !k->last)
		return false;
	enum grant grant = grant_for(&k->last_refusal, granted);
	if (grant == GRANT_AS_MUCH) {
		k->last->made_up_for++;
		k->last = NULL;
	} else if (grant == GRANT_LESS && granted->asked_bytes > k->fallback.bytes) {
		k->fallback = (struct grant_fallback){granted->call, granted->asked_bytes};
	}
	return k->last != NULL;
}

bool why_counts(const struct why_refusals *r)
{
	return !r->wrongly;
}

enum why_grade why_grade_failure(uint64_t after_ns, bool granted_less)
{
	if (after_ns > WHY_LIKELY_NS)
		return granted_less ? WHY_SURVIVED : WHY_POSSIBLE;
	return granted_less ? WHY_POSSIBLE : WHY_LIKELY;
}

enum why_grade why_grade_of(const struct why_refusals *r)
{
	return r->likely ? WHY_LIKELY : r->possible ? WHY_POSSIBLE : WHY_SURVIVED;
}

bool why_has_reason(const struct why *w)
{
	for (unsigned i = 0; i < w->refusals_count; i++)
		if (why_grade_of(&w->refusals[i]) != WHY_SURVIVED)
			return true;
	return false;
}

/* --- signals ----------------------------------------------------------------------------------------------------- */

static bool has_sender(const siginfo_t *info)
{
	return info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE;
}

/* What we were sent and handed on is not ours. */
static bool is_handed_on(const siginfo_t *info)
{
	const struct launch_sender *from = launch_sender();
	return info->si_pid == getpid() && from->pid != 0 && from->signal == info->si_signo;
}

static void on_exits(struct follow_process *p, void *data)
{
	struct why *w = data;
	unsigned i = w->exited_next++ % ARRAY_SIZE(w->exited);
	w->exited[i].pid = p->pid;
	read_comm(p->pid, w->exited[i].comm);
}

/* One that is gone has a name if it was watched. */
static void name_sender(const struct why *w, struct why_sender *s)
{
	read_comm(s->pid, s->comm);
	for (unsigned n = 1; strcmp(s->comm, "?") == 0 && n <= ARRAY_SIZE(w->exited) && n <= w->exited_next; n++) {
		unsigned i = (w->exited_next - n) % ARRAY_SIZE(w->exited);
		if (w->exited[i].pid == s->pid)
			memcpy(s->comm, w->exited[i].comm, sizeof(s->comm));
	}
}

/* Servers and runtimes take a signal, tidy up, and raise it again: who sent it is who sent it first. */
static void note_sender(const struct why *w, struct known *k, pid_t pid, const siginfo_t *info)
{
	struct why_sender *s = &k->sender;
	bool met = s->signal == info->si_signo;
	if (met && info->si_pid == pid && s->pid != pid) {
		s->raised_again = true;
		return;
	}
	if (is_handed_on(info)) {
		const struct launch_sender *from = launch_sender();
		*s = (struct why_sender){.known = true, .pid = from->pid, .uid = from->uid, .signal = from->signal};
		if (from->comm[0])
			(void)snprintf(s->comm, sizeof(s->comm), "%.*s", WHY_COMM - 1, from->comm);
		else
			name_sender(w, s);
		return;
	}
	if (met && s->pid == info->si_pid && !s->raised_again)
		return;
	*s = (struct why_sender){.pid = info->si_pid, .uid = info->si_uid, .signal = info->si_signo};
	s->known = s->pid != 0;
	if (s->known)
		name_sender(w, s);
}

static bool is_fault(const siginfo_t *info)
{
	return (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) && info->si_code > 0;
}

/* Runtimes catch faults by the thousand, for their own ends. */
static bool is_caught(pid_t tid, int signal)
{
	char name[64], text[4096];
	(void)snprintf(name, sizeof(name), "/proc/%d/status", tid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return false;
	const char *caught = strstr(text, "\nSigCgt:");
	return caught && strtoull(caught + strlen("\nSigCgt:"), NULL, 16) >> (signal - 1) & 1;
}

static void on_signalled(struct follow_process *p, pid_t tid, const siginfo_t *info, void *data)
{
	struct why *w = data;
	int signal = info->si_signo;
	if (signal == SIGCHLD || signal == SIGCONT || signal == SIGWINCH || signal == SIGURG)
		return;
	struct known *k = known_of(p);
	if (!k)
		return;
	k->signal = *info;
	if (has_sender(info)) {
		k->signal.si_pid = why_sender_pid(p->pid, info);
		note_sender(w, k, p->pid, &k->signal);
	}
	/* A fault for which there is no room on the stack is followed by one of the kernel's own, without address. */
	bool last_word = signal == SIGSEGV && info->si_code == SI_KERNEL && k->fault;
	if (!is_fault(info) || last_word || !why_may_look(&w->budget))
		return;
	const struct fatal_signal fault = {.signal = signal,
					   .code = info->si_code,
					   .address = (uint64_t)(uintptr_t)info->si_addr,
					   .tgid = p->pid,
					   .log_names_pid = -1,
					   .swap_free_least = ENOMEM_ABSENT};
	why_moment_free(k->fault);
	k->fault = why_moment_of_signal(w, p->pid, tid, &fault, NULL, !is_caught(tid, signal));
}

static void on_kills(struct follow_process *p, pid_t target, void *data)
{
	struct why *w = data;
	const struct known *k = known_of(p);
	unsigned i = w->kills_next++ % ARRAY_SIZE(w->kills);
	w->kills[i].target = target;
	w->kills[i].sender = (struct why_sender){.known = true, .pid = p->pid, .uid = UINT32_MAX};
	if (k)
		memcpy(w->kills[i].sender.comm, k->comm, sizeof(k->comm));
}

/* Who of ours asked for it, the latest first. 0 and -1 are whole groups of processes. */
static void find_killer(const struct why *w, pid_t pid, struct known *k)
{
	k->sender.known = false;
	for (unsigned n = 1; n <= ARRAY_SIZE(w->kills) && n <= w->kills_next; n++) {
		unsigned i = (w->kills_next - n) % ARRAY_SIZE(w->kills);
		pid_t target = w->kills[i].target;
		if (target == pid || target == -1 || (target < -1 && getpgid(pid) == -target) ||
		    (target == 0 && getpgid(pid) == getpgid(w->kills[i].sender.pid))) {
			k->sender = w->kills[i].sender;
			return;
		}
	}
}

static void on_dying(struct follow_process *p, pid_t tid, int signal, void *data)
{
	struct why *w = data;
	struct known *k = known_of(p);
	if (!k || k->dying)
		return;
	k->dying = true;
	if (signal != SIGKILL)
		return;
	const struct kmsg_oom *kill = why_scene_kill_of(&w->scene, p->pid, k->comm);
	const struct fatal_signal killed = {.signal = signal,
					    .code = INT_MIN,
					    .tgid = p->pid,
					    .oom_counter_moved = kill && kill->memcg,
					    .log_names_pid = w->scene.log_fd < 0 ? -1 : kill != NULL,
					    .log_says_memcg = kill && kill->memcg,
					    .swap_free_least = ENOMEM_ABSENT};
	k->death = why_moment_of_signal(w, p->pid, tid, &killed, kill, false);
	find_killer(w, p->pid, k);
	if (!k->sender.known)
		why_oomd(k->death, &w->scene.marks, w->scene.cgroup.path[CGROUP_MEMORY],
			 w->scene.cgroup.system.at[CGROUP_MEMORY].mount);
}

/* --- ends -------------------------------------------------------------------------------------------------------- */

static const struct why_deaths *note_death(struct why *w, struct known *k, pid_t pid, int signal)
{
	struct why_moment **m = signal == SIGKILL ? &k->death : &k->fault;
	bool seen = signal != SIGKILL && k->signal.si_signo == signal;
	bool of_fault = *m && (signal == SIGKILL || (seen && k->signal.si_code > 0));
	bool sent = signal != SIGKILL && seen && has_sender(&k->signal) && k->sender.known;
	enum cause_id cause = of_fault                       ? (*m)->cause
			      : sent && k->sender.pid != pid ? CAUSE_KILLED_BY_OTHER
							     : CAUSE_UNKNOWN;
	struct why_deaths *d = w->deaths, *end = w->deaths + w->deaths_count;
	while (d < end && !(d->signal == signal && d->cause == cause && strcmp(d->comm, k->comm) == 0))
		d++;
	if (d == end) {
		if (w->deaths_count == WHY_GROUPS)
			return NULL;
		w->deaths_count++;
		*d = (struct why_deaths){
			.signal = signal, .code = seen ? k->signal.si_code : INT_MIN, .cause = cause, .pid = pid};
		memcpy(d->comm, k->comm, sizeof(d->comm));
		if (k->sender.known && (signal == SIGKILL ? cause == CAUSE_KILLED_BY_OTHER : sent))
			d->sender = k->sender;
		if (of_fault)
			d->moment = steal(*m);
	}
	d->count++;
	return d;
}

/*
 * Its last refusal may be the reason when it was not made up for, and the end was the process's own: an exit status, or
 * a signal that it raised itself or was given because the new image could not be mapped.
 */
static bool refusal_may_be_reason(const struct why_deaths *death, const struct known *k, pid_t pid, int status)
{
	if (!k->last || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
		return false;
	if (WIFEXITED(status))
		return true;
	if (death && death->cause != CAUSE_UNKNOWN)
		return false;
	return !has_sender(&k->signal) || k->sender.pid == pid || k->signal.si_signo != WTERMSIG(status);
}

static void note_reason(struct known *k, struct why_end end)
{
	struct why_refusals *r = k->last;
	enum why_grade before = why_grade_of(r), grade = why_grade_failure(end.after_ns, k->fallback.call);
	r->likely += grade == WHY_LIKELY;
	r->possible += grade == WHY_POSSIBLE;
	if (grade <= before)
		return;
	r->end = end;
	r->fallback = k->fallback;
}

static void note_end(struct why *w, struct known *k, pid_t pid, int status)
{
	const struct why_deaths *death = NULL;
	uint64_t after_ns = clock_now_ns() - k->last_ns;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGPIPE)
		death = note_death(w, k, pid, WTERMSIG(status));
	if (refusal_may_be_reason(death, k, pid, status))
		note_reason(k, (struct why_end){pid, status, after_ns});
}

static void on_ended(struct follow_process *p, bool let_go, int status, void *data)
{
	struct why *w = data;
	if (p->pid == w->root) {
		w->root_ended = !let_go;
		w->root_status = status;
	}
	if (!let_go && WIFSIGNALED(status))
		(void)known_of(p);
	if (!let_go && p->data)
		note_end(w, p->data, p->pid, status);
	forget(p);
}

const struct follow_handlers why_handlers = {
	.executed = on_executed,
	.refused = on_refused,
	.granted = on_granted,
	.signalled = on_signalled,
	.kills = on_kills,
	.limits = on_limits,
	.filters = on_filters,
	.exits = on_exits,
	.dying = on_dying,
	.ended = on_ended,
};

void why_free(struct why *w)
{
	follow_free(w->follow);
	for (unsigned i = 0; i < w->refusals_count; i++) {
		why_moment_free(w->refusals[i].first);
		why_moment_free(w->refusals[i].last);
	}
	for (unsigned i = 0; i < w->deaths_count; i++)
		why_moment_free(w->deaths[i].moment);
	for (unsigned i = 0; i < w->note_count; i++)
		free(w->note[i]);
	why_limits_free(&w->limits);
	why_scene_close(&w->scene);
}
