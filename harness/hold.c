// SPDX-License-Identifier: MIT
/*
 * The moment at which a run is held. Called by the witness, or for a stall by the sampler, while the victim stands
 * still. See hold.h.
 */
#include "hold.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "evidence-internal.h"
#include "judge-check.h"
#include "report-text.h"
#include "run-log.h"
#include "witness-hold.h"

/* The kernel counts and logs a kill right after it: so long, and so often, is looked again. */
#define SETTLE_TRIES 20
#define PAUSE_NS     5000000
#define POLL_MS      100

const char *const hold_phase_names[HOLD_PHASES] = {"post", "at", "aftermath", "gate", "loop"};
const char *const hold_state_names[HOLD_STATES] = {"stopped", "traced",    "zombie",   "at-start",
						   "at-exit", "in-kernel", "throttled"};

static bool is_refusal(const struct expect *e)
{
	return e->error || e->call.count;
}

const char *hold_why_not(const struct plan *plan, const struct plan_run *run, enum hold_phase phase)
{
	const struct expect *e = &run->expect;
	if (plan->skip || run->skip)
		return plan->skip ? plan->skip : run->skip;
	if (run->role != ROLE_TRIGGER || run->run->described || e->panic || !e->cause)
		return "it has no failing moment with one predicted cause";
	if (!is_refusal(e) && !e->signal && !e->stall)
		return "nothing is refused and nobody is killed";
	if (e->stall && phase != HOLD_AT)
		return "who stalls gets no answer, and its clock runs from the start: only phase `at` shows it";
	if (phase == HOLD_AT && !e->stall && !is_refusal(e))
		return "a signal has no phase `at`: it is delivered or it is not";
	return NULL;
}

/* --- what happened ----------------------------------------------------------------------------------------------- */

static bool is_any(const struct strings *calls, const char *call)
{
	for (size_t i = 0; i < calls->count; i++)
		if (!strcmp(calls->item[i], call))
			return true;
	return calls->count == 0;
}

/* The predicted failure for the predicted reason, and no other one. */
static bool is_predicted(const struct expect *e, const json_t *evidence)
{
	const json_t *moment = json_object_get(evidence, "failing_moment"), *cause = json_object_get(evidence, "cause");
	const char *at = text_of(moment, "at");
	if (!e->cause || strcmp(text_of(cause, "id"), e->cause) != 0 ||
	    json_array_size(json_object_get(cause, "also_refusing")) > 0)
		return false;
	if (e->stall)
		return !strcmp(at, "stall");
	if (is_refusal(e))
		return !strcmp(at, "call") && is_any(&e->call, text_of(moment, "call")) &&
		       (!e->error || !strcmp(text_of(moment, "errno"), e->error));
	return !strcmp(at, "signal") && !strcmp(text_of(moment, "signal"), e->signal);
}

/*
 * Evidence as if the run had ended here in the predicted way, which is what evidence is made of. The log is read in
 * pieces: what an earlier one told stays.
 */
static json_t *look(struct run_record *record)
{
	struct witness *w = &record->witness;
	const struct expect *e = &record->run->expect;
	const bool ended = w->ended;
	const int status = w->exit_status, logged = record->own_kill_logged;
	bool by_signal = e->signal && !is_refusal(e);
	run_read_log(record, record->log_fd);
	if (logged == 1)
		record->own_kill_logged = 1;
	if (by_signal && w->at_signal_index >= 0) {
		w->ended = true;
		w->exit_status = w->signal[w->at_signal_index].signal;
		w->signal_count++; /* the witness is about to */
	}
	if (e->stall)
		record->sampler.stopped_by = SAMPLER_STOP_DEADLINE;
	json_t *evidence = evidence_at_moment(record);
	json_t *cause = judge_cause(evidence);
	if (cause)
		(void)json_object_set_new(evidence, "cause", cause);
	if (e->stall)
		record->sampler.stopped_by = SAMPLER_STOP_NONE;
	if (by_signal && w->ended && !ended)
		w->signal_count--;
	w->ended = ended;
	w->exit_status = status;
	return evidence;
}

static void look_until_settled(struct hold *h, struct run_record *record)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	for (unsigned n = 0; n < SETTLE_TRIES && !h->as_predicted; n++) {
		struct snapshot_request nothing = {0};
		if (n > 0)
			(void)nanosleep(&pause, NULL);
		snapshot_take(record->witness.source, &nothing, &record->after);
		json_decref(h->evidence);
		h->evidence = look(record);
		h->as_predicted = is_predicted(&record->run->expect, h->evidence);
	}
	h->reached = true;
}

bool hold_is_moment(const struct run_record *record)
{
	const struct witness *w = &record->witness;
	const struct expect *e = &record->run->expect;
	/* Only now: faults that a runtime takes for its own ends (a JVM does at its start) are in nobody's way. */
	const bool at_signal = w->at_signal_index >= 0 && w->at_signal_index == (int)w->signal_count;
	if (e->stall)
		return true;
	if (is_refusal(e))
		return w->record_count == 1 && !at_signal;
	if (!at_signal)
		return false;
	const char *name = sigabbrev_np(w->signal[w->at_signal_index].signal);
	return name && !strcmp(e->signal + 3, name);
}

/* --- holding ----------------------------------------------------------------------------------------------------- */

/*
 * What we know is in our memory, and a tool of the same user could read that in /proc. What executes something else is
 * readable again.
 */
static void close_memory(bool closed)
{
	(void)prctl(PR_SET_DUMPABLE, closed ? 0 : 1);
}

static void stand_still(struct hold *h, struct run_record *record, pid_t pid)
{
	const struct expect *e = &record->run->expect;
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	if (e->stall) {
		h->state = strcmp(e->cause, cause_infos[CAUSE_MEMCG_HIGH].name) == 0 ? HOLD_THROTTLED : HOLD_IN_KERNEL;
	} else if (e->signal && !is_refusal(e) && !strcmp(e->signal, "SIGKILL")) {
		h->state = HOLD_AT_EXIT;
	} else if (h->phase == HOLD_AT || (e->signal && is_refusal(e)) || witness_let_go(&record->witness, pid) < 0) {
		/* An exec past the point of no return goes nowhere but to its end. */
		h->state = HOLD_TRACED;
	} else {
		h->state = HOLD_STOPPED;
		char state = 0;
		for (unsigned n = 0; n < SETTLE_TRIES && state != 'T'; n++) {
			state = hold_scene_state(pid, NULL);
			if (state != 'T')
				(void)nanosleep(&pause, NULL);
		}
	}
}

bool hold_starts_before(enum hold_phase phase)
{
	return phase == HOLD_GATE || phase == HOLD_LOOP;
}

/* until_ns: CLOCK_BOOTTIME, where the deadline is too. */
static void wait_for_tool(struct hold *h, bool until_ready, uint64_t until_ns)
{
	struct hold_tool *t = &h->tool;
	/* Where it is meant to end, nobody wonders. */
	const bool over = hold_starts_before(h->phase) || h->state == HOLD_ZOMBIE;
	while (!t->ended && !t->lost && !h->released && !*h->interrupted && !(until_ready && h->ready)) {
		uint64_t now = clock_ns(CLOCK_BOOTTIME);
		if (now >= h->deadline_ns) {
			h->expired = true;
			break;
		}
		if (now >= until_ns)
			break;
		struct pollfd fds[] = {{.fd = t->result_fd, .events = POLLIN},
				       {.fd = t->out_fd, .events = POLLIN},
				       {.fd = h->control_fd, .events = POLLIN},
				       {.fd = h->victim_ended || over ? -1 : h->victim_fd, .events = POLLIN}};
		uint64_t left_ms = ((until_ns < h->deadline_ns ? until_ns : h->deadline_ns) - now) / 1000000 + 1;
		(void)poll(fds, ARRAY_SIZE(fds), left_ms < POLL_MS ? (int)left_ms : POLL_MS);
		h->victim_ended |= fds[3].revents != 0;
		if (fds[2].revents)
			hold_scene_hear(h);
		hold_tool_look(t);
	}
}

static int start_tool(struct hold *h, const struct run_record *record, pid_t pid)
{
	h->running = true;
	close_memory(true);
	h->deadline_ns = clock_ns(CLOCK_BOOTTIME) + h->ttl_ns;
	h->victim_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	h->problem = hold_scene_make(h, record, pid);
	if (h->problem < 0)
		return h->problem;
	char **envp = hold_environment(h, record, pid);
	h->tool = (struct hold_tool){.argv = h->argv,
				     .envp = envp,
				     .cpus = h->cpus,
				     .kept_fd = h->victim_fd,
				     .capture = h->capture,
				     .deadline_ns = h->deadline_ns,
				     .unprotected = h->machine->guest,
				     .directory = h->directory,
				     .directory_fd = h->directory_fd};
	hold_reserve_release(&h->reserve);
	h->problem = envp ? hold_tool_start(&h->tool) : -ENOMEM;
	if (h->problem < 0)
		(void)snprintf(h->problem_with, sizeof(h->problem_with), "%s", h->argv[0]);
	hold_environment_free(envp);
	return h->problem;
}

/* Who was given time before it failed is given it again to see that it has; some is left for its end. */
static void let_it_see(struct hold *h)
{
	const uint64_t now = clock_ns(CLOCK_BOOTTIME), left = now < h->deadline_ns ? (h->deadline_ns - now) / 2 : 0;
	wait_for_tool(h, false, now + (h->ready_after_ns < left ? h->ready_after_ns : left));
}

void hold_finish(struct hold *h)
{
	if (!h->running)
		return;
	h->running = false;
	if (h->problem == 0) {
		if (h->by_clock && h->phase == HOLD_GATE)
			let_it_see(h);
		if (h->by_clock || h->phase == HOLD_LOOP)
			hold_tool_terminate(&h->tool);
		wait_for_tool(h, false, UINT64_MAX);
		hold_tool_end(&h->tool);
		hold_thaw(h->beside);
		h->started = h->tool.error == 0;
		hold_scene_take_answer(h);
	}
	close_memory(false);
	hold_scene_remove(h);
	closep(&h->victim_fd);
	h->victim_fd = -1;
}

static void show(struct hold *h, struct run_record *record, pid_t pid)
{
	if (h->is_decoy) {
		hold_decoy_stand(h->ready_fd, h->life_fd, pid, h->interrupted);
		return;
	}
	(void)start_tool(h, record, pid);
	hold_finish(h);
}

static void hold_look(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct hold *h = record->observed_by;
	if (h->reached || !hold_is_moment(record))
		return;
	look_until_settled(h, record);
	if (h->as_predicted && h->phase == HOLD_AFTERMATH)
		return; /* until it ends of it */
	if (h->as_predicted) {
		stand_still(h, record, pid);
		show(h, record, pid);
	}
	witness_kill_all(&record->witness);
}

/* Somebody in the run's group who outlives the victim, and does nothing: in a full group a page of its own would be its
 * end, so that it joins when it has touched all it will. */
static pid_t survive(const struct run_record *record)
{
	int ready[2];
	char c = 0;
	if (!record->cgroup || pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, "enomem-survivor");
		close_memory(true);
		(void)!write(ready[1], &c, 1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) == 1)
		(void)cgroup_attach(record->cgroup, pid);
	(void)close(ready[0]);
	return pid;
}

/* It was refused or killed before, and ends of it now. */
static void hold_aftermath(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct hold *h = record->observed_by;
	const json_t *victim = json_object_get(json_object_get(h->evidence, "failing_moment"), "pid");
	if (!h->as_predicted || h->aftermath || json_integer_value(victim) != pid)
		return;
	h->aftermath = true;
	hold_reserve_release(&h->reserve); /* the survivor would have its ends, too */
	h->state = witness_make_zombie(&record->witness, pid) == 0 ? HOLD_ZOMBIE : HOLD_AT_EXIT;
	pid_t survivor = survive(record);
	show(h, record, pid);
	if (survivor > 1)
		(void)kill(survivor, SIGKILL); /* reaped by the witness */
	witness_kill_all(&record->witness);
}

/* A decoy that failed at nothing, with all that it has still there. It is not ending yet: who is takes no signal. */
static void hold_innocent(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct hold *h = record->observed_by;
	h->reached = h->as_predicted = true;
	show(h, record, pid);
	witness_kill_all(&record->witness);
}

/* It says so, or has had its time; a tool that nobody wrote for this says nothing. */
static void wait_until_ready(struct hold *h)
{
	const struct hold_tool *t = &h->tool;
	const uint64_t begin_ns = h->deadline_ns - h->ttl_ns;
	wait_for_tool(h, true, h->ready_after_ns ? begin_ns + h->ready_after_ns : UINT64_MAX);
	h->by_clock = h->ready_after_ns && !h->ready && !t->ended && !t->lost && !h->released && !h->expired &&
		      !*h->interrupted;
}

/* The tool starts first; of a loop only once. */
static void hold_at_start(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct hold *h = record->observed_by;
	if (h->running) {
		close_memory(true);
		return;
	}
	h->state = HOLD_AT_START;
	if (start_tool(h, record, pid) == 0)
		wait_until_ready(h);
	if (h->problem < 0 || h->expired || h->tool.error || h->tool.lost)
		witness_kill_all(&record->witness);
}

/* The run's group stays until the tool has seen enough of it. */
void hold_ended(struct run_record *record, void *data)
{
	struct hold *h = data;
	(void)record;
	if (hold_starts_before(h->phase) && h->made + 1 == h->count)
		hold_finish(h);
}

void hold_attach(struct run_record *record, void *data)
{
	struct hold *h = data;
	record->witness.look = record->sampler.look = NULL;
	if (record->run->role != ROLE_TRIGGER) {
		record->witness.leaving = hold_innocent;
		record->sampler.deadline_ns += h->ttl_ns;
		return;
	}
	if (hold_starts_before(h->phase)) {
		/* A child that still shares our memory cannot be traced while it is closed. */
		close_memory(false);
		record->witness.at_start = hold_at_start;
		record->sampler.deadline_ns += h->running ? 0 : h->ttl_ns;
		return;
	}
	/* The machine itself is at its end then, and what it is set to is in force now. */
	if (h->machine->guest && record->run->scope == SCOPE_MACHINE && !h->is_decoy)
		hold_reserve_begin(&h->reserve);
	record->witness.at_failing_moment = NULL;
	record->sampler.at_stall = NULL;
	if (h->phase == HOLD_AFTERMATH)
		record->witness.at_end = hold_aftermath;
	if (record->run->expect.stall) {
		record->sampler.look = hold_look;
	} else {
		record->witness.look = hold_look;
		/* The sampler's clock goes on while the tool is at work. */
		record->sampler.deadline_ns += h->ttl_ns + SETTLE_TRIES * 2ULL * PAUSE_NS;
	}
}

void hold_free(struct hold *h)
{
	json_decref(h->evidence);
	json_decref(h->failures);
	json_decref(h->decoys);
	h->evidence = h->failures = h->decoys = NULL;
	free(h->answer);
	h->answer = NULL;
	hold_tool_free(&h->tool);
}
