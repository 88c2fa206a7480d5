// SPDX-License-Identifier: MIT
/*
 * A run's record as JSON: everything it produced, in the words of the design. Whatever looks at a run after this sees
 * only this.
 */
#include <limits.h>
#include <linux/oom.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "evidence-internal.h"
#include "evidence-snapshot.h"
#include "number.h"
#include "run-command.h"
#include "run-look.h"
#include "run.h"

json_t *json_number(uint64_t value)
{
	/* jansson's integers are signed: what does not fit is no number the kernel means. */
	return value == ENOMEM_UNLIMITED || value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

json_t *evidence_errno(int error)
{
	const char *name = strerrorname_np(error);
	return name ? json_string(name) : json_integer(error);
}

json_t *evidence_signal(int signal)
{
	char name[32];
	const char *abbreviation = sigabbrev_np(signal);
	if (!abbreviation)
		return json_sprintf("SIG%d", signal);
	(void)snprintf(name, sizeof(name), "SIG%s", abbreviation);
	return json_string(name);
}

const char *evidence_code_name(int signal, int code)
{
	switch (code) {
	case SI_USER:
		return "SI_USER";
	case SI_KERNEL:
		return "SI_KERNEL";
	case SI_TKILL:
		return "SI_TKILL";
	case SI_QUEUE:
		return "SI_QUEUE";
	}
	if (signal == SIGSEGV && code == SEGV_MAPERR)
		return "SEGV_MAPERR";
	if (signal == SIGSEGV && code == SEGV_ACCERR)
		return "SEGV_ACCERR";
	if (signal == SIGBUS && code == BUS_ADRERR)
		return "BUS_ADRERR";
	if (signal == SIGBUS && code == BUS_ADRALN)
		return "BUS_ADRALN";
	return NULL;
}

/* Bytes as text: a program may print anything, JSON holds only UTF-8, and most of its readers no NUL. */
static json_t *text(const char *bytes, size_t length)
{
	auto_free char *clean = calloc(length + 1, 1);
	if (!clean)
		return NULL;
	for (size_t i = 0; i < length; i++)
		if ((clean[i] = bytes[i]) == '\0')
			clean[i] = '?';
	json_t *whole = json_stringn(clean, length);
	if (whole)
		return whole;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)clean[i] >= 0x80)
			clean[i] = '?';
	return json_stringn(clean, length);
}

static json_t *arguments_json(const struct plan_run *run)
{
	json_t *o = json_object();
	for (unsigned i = 1; run->argv[i]; i++) {
		const char *option = run->argv[i - 1];
		char position[16];
		uint64_t number;
		if (number_parse_count(run->argv[i], &number) < 0)
			continue;
		(void)snprintf(position, sizeof(position), "%u", i);
		json_object_set_new(o, i > 1 && strncmp(option, "--", 2) == 0 ? option + 2 : position,
				    json_number(number));
	}
	return o;
}

static json_t *refusal_json(const struct refusal *r)
{
	json_t *o = json_object(), *args = json_array();
	for (unsigned i = 0; i < 6; i++)
		json_array_append_new(args, json_integer((json_int_t)r->args[i]));
	json_object_set_new(o, "call", json_string(r->call->name));
	json_object_set_new(o, "errno", evidence_errno(r->error));
	json_object_set_new(o, "args", args);
	if (r->asked_bytes)
		json_object_set_new(o, "asked", json_number(r->asked_bytes));
	if (r->injected)
		json_object_set_new(o, "injected", json_true());
	json_object_set_new(o, "pid", json_integer(r->tgid));
	json_object_set_new(o, "tid", json_integer(r->tid));
	json_object_set_new(o, "time_ns", json_number(r->time_ns));
	return o;
}

static json_t *signal_json(const struct witness_signal *s)
{
	json_t *o = json_object();
	json_object_set_new(o, "signal", evidence_signal(s->signal));
	if (s->code != INT_MIN) {
		const char *name = evidence_code_name(s->signal, s->code);
		json_object_set_new(o, "si_code", name ? json_string(name) : json_integer(s->code));
	}
	if (s->address)
		json_object_set_new(o, "address", json_integer((json_int_t)s->address));
	json_object_set_new(o, "pid", json_integer(s->tgid));
	json_object_set_new(o, "time_ns", json_number(s->time_ns));
	json_object_set_new(o, "fatal", json_boolean(s->fatal));
	return o;
}

static json_t *witness_json(const struct witness *w)
{
	json_t *o = json_object(), *calls = json_object(), *records = json_array(), *signals = json_array();
	json_t *granted = json_object();
	for (unsigned i = 0; watched_calls[i].name && i < WITNESS_CALLS; i++) {
		const char *name = watched_calls[i].name;
		if (w->call_count[i])
			json_object_set_new(calls, name, json_number(w->call_count[i]));
		if (w->granted_calls[i])
			json_object_set_new(granted, name,
					    json_pack("{s:o, s:o}", "calls", json_number(w->granted_calls[i]),
						      "largest", json_number(w->granted_bytes[i])));
	}
	for (unsigned i = 0; i < w->record_count; i++)
		json_array_append_new(records, refusal_json(&w->record[i]));
	for (unsigned i = 0; i < w->signal_count; i++)
		json_array_append_new(signals, signal_json(&w->signal[i]));
	json_object_set_new(o, "calls", calls);
	json_object_set_new(o, "granted", granted);
	json_object_set_new(o, "refused", json_number(w->refused));
	json_object_set_new(o, "granted_later", json_number(w->granted_later));
	json_object_set_new(o, "records", records);
	json_object_set_new(o, "signals", signals);
	json_object_set_new(o, "tasks", json_integer(w->tasks_seen));
	json_object_set_new(o, "tasks_left", json_integer(w->tasks_left));
	if (w->own_filter)
		json_object_set_new(o, "own_filter", json_integer(w->own_filter));
	if (w->untraced_asked)
		json_object_set_new(o, "untraced", json_number(w->untraced_asked));
	return o;
}

/* The signal the program died of, as the witness saw it; NULL when it did not die of one. */
const struct witness_signal *evidence_fatal_signal(const struct witness *w)
{
	for (unsigned i = w->signal_count; i-- > 0;)
		if (w->signal[i].fatal || (w->ended && WIFSIGNALED(w->exit_status) && w->signal[i].tgid == w->program &&
					   w->signal[i].signal == WTERMSIG(w->exit_status)))
			return &w->signal[i];
	return NULL;
}

static bool own_oom_counter(const struct run_record *record, uint64_t *ret_delta)
{
	uint64_t before = record->witness.before.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL];
	uint64_t after = record->after.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_KILL];
	if (!record->witness.before.taken || before == ENOMEM_ABSENT || after == ENOMEM_ABSENT || after < before)
		return false;
	*ret_delta = after - before;
	return true;
}

/* With memory.oom.group every process goes that is not exempt; from 5.17 on that is counted. */
static bool whole_group_went(const struct run_record *record)
{
	const struct snapshot *before = &record->witness.before;
	uint64_t was = before->cgroup.value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL];
	uint64_t is = record->after.cgroup.value[CGROUP_MEMORY_EVENTS_OOM_GROUP_KILL];
	return before->cgroup.value[CGROUP_MEMORY_OOM_GROUP] == 1 && was != ENOMEM_ABSENT && is != ENOMEM_ABSENT &&
	       is > was && before->oom_score_adj_seen && before->oom_score_adj != OOM_SCORE_ADJ_MIN;
}

/*
 * The group's counter and a log line that names the group do not say which process the kernel chose: where others of
 * the run died of SIGKILL too, or were about to when the program was gone, they may account for all of it.
 */
bool evidence_program_oom_killed(const struct run_record *record)
{
	uint64_t kills;
	if (!own_oom_counter(record, &kills) || kills == 0 || record->own_kill_logged == 0)
		return false;
	return record->own_kill_is_program || whole_group_went(record) ||
	       kills > (uint64_t)record->witness.killed + record->witness.tasks_left;
}

bool evidence_oom_kill_is_unclear(const struct run_record *record)
{
	uint64_t kills;
	return own_oom_counter(record, &kills) && kills > 0 && !evidence_program_oom_killed(record);
}

bool evidence_died_of_signal(const struct run_record *record)
{
	return record->witness.ended && WIFSIGNALED(record->witness.exit_status);
}

static json_t *outcome_json(const struct run_record *record)
{
	const struct witness *w = &record->witness;
	json_t *o = json_object();
	if (record->sampler.stopped_by == SAMPLER_STOP_DEADLINE) {
		json_object_set_new(o, "kind", json_string("stall"));
	} else if (evidence_died_of_signal(record)) {
		const struct witness_signal *s = evidence_fatal_signal(w);
		json_object_set_new(o, "kind", json_string("signal"));
		json_object_set_new(o, "signal", evidence_signal(WTERMSIG(w->exit_status)));
		if (s && s->code != INT_MIN && evidence_code_name(s->signal, s->code))
			json_object_set_new(o, "si_code", json_string(evidence_code_name(s->signal, s->code)));
		if (s && s->address)
			json_object_set_new(o, "address", json_integer((json_int_t)s->address));
		if (WTERMSIG(w->exit_status) == SIGKILL)
			json_object_set_new(o, "oom", json_boolean(evidence_program_oom_killed(record)));
	} else if (WEXITSTATUS(w->exit_status) != 0 && w->record_count) {
		json_object_set_new(o, "kind", json_string("errno"));
		json_object_set_new(o, "call", json_string(w->record[0].call->name));
		json_object_set_new(o, "errno", evidence_errno(w->record[0].error));
		if (w->record[0].asked_bytes)
			json_object_set_new(o, "asked", json_number(w->record[0].asked_bytes));
	} else if (WEXITSTATUS(w->exit_status) == 0) {
		json_object_set_new(o, "kind", json_string("success"));
	} else {
		json_object_set_new(o, "kind", json_string("exit"));
		json_object_set_new(o, "code", json_integer(WEXITSTATUS(w->exit_status)));
	}
	return o;
}

static json_t *bystanders_json(const struct run_record *record)
{
	json_t *o = json_object();
	uint64_t kills;
	const struct snapshot *failure =
		record->witness.at_signal.process_seen ? &record->witness.at_signal : &record->witness.at_refusal;
	if (own_oom_counter(record, &kills))
		json_object_set_new(o, "oom_kills_own", json_number(kills));
	if (record->log_readable)
		json_object_set_new(o, "oom_kills_others", json_integer(record->others_killed));
	bool outside = (record->witness.before.process_seen && !record->witness.before.in_cgroup) ||
		       (failure->taken && failure->process_seen && !failure->in_cgroup);
	json_object_set_new(o, "outside_group", json_boolean(outside));
	if (outside)
		json_object_set_new(
			o, "elsewhere",
			json_string(failure->elsewhere[0] ? failure->elsewhere : record->witness.before.elsewhere));
	return o;
}

static void set_what_happened(const struct run_record *record, json_t *o)
{
	const struct witness *w = &record->witness;
	json_t *snapshots = json_object(), *log = json_array();
	if (!w->started) {
		json_decref(snapshots);
		json_decref(log);
		return;
	}
	if (w->ended) {
		json_object_set_new(o, "outcome", outcome_json(record));
		json_object_set_new(o, "exit",
				    WIFSIGNALED(w->exit_status)
					    ? json_pack("{s:o}", "signal", evidence_signal(WTERMSIG(w->exit_status)))
					    : json_pack("{s:i}", "code", WEXITSTATUS(w->exit_status)));
	}
	json_object_set_new(snapshots, "before", evidence_snapshot(&w->before));
	evidence_failing_moment(record, o, snapshots);
	json_object_set_new(snapshots, "after", evidence_snapshot(&record->after));
	json_object_set_new(o, "snapshots", snapshots);
	json_object_set_new(o, "witness", witness_json(w));
	json_object_set_new(o, "bystanders", bystanders_json(record));
	json_object_set_new(o, "samples", evidence_samples(&record->sampler));
	for (unsigned i = 0; i < record->log_lines; i++)
		json_array_append_new(log, text(record->log[i], strlen(record->log[i])));
	json_object_set_new(o, "kernel_log", log);
	json_t *look = run_look_json(&record->look);
	if (look)
		json_object_set_new(o, "triage", look);
	json_object_set_new(o, "program_ns", json_number(w->end_ns - w->start_ns));
}

static json_t *head(const struct plan_run *run)
{
	json_t *o = json_object();
	json_object_set_new(o, "name", json_string(run->name));
	if (run->case_text)
		json_object_set_new(o, "case", json_string(run->case_text->name));
	json_object_set_new(o, "role", json_string(role_names[run->role]));
	json_object_set_new(o, "scope", json_string(scope_names[run->scope]));
	if (run->role == ROLE_REMEDY && !run->run->helps)
		json_object_set_new(o, "helps", json_false());
	if (run->run->described)
		json_object_set_new(o, "described", json_true());
	if (run->run->note)
		json_object_set_new(o, "note", json_string(run->run->note));
	return o;
}

json_t *evidence_at_moment(const struct run_record *record)
{
	json_t *o = head(record->run), *snapshots = json_object(), *log = json_array();
	json_object_set_new(o, "environment", evidence_environment(record->run));
	if (record->cgroup)
		json_object_set_new(o, "group", json_string(record->cgroup->name));
	json_object_set_new(snapshots, "before", evidence_snapshot(&record->witness.before));
	evidence_failing_moment(record, o, snapshots);
	json_object_set_new(snapshots, "after", evidence_snapshot(&record->after));
	json_object_set_new(o, "snapshots", snapshots);
	json_object_set_new(o, "witness", witness_json(&record->witness));
	json_object_set_new(o, "bystanders", bystanders_json(record));
	for (unsigned i = 0; i < record->log_lines; i++)
		json_array_append_new(log, text(record->log[i], strlen(record->log[i])));
	json_object_set_new(o, "kernel_log", log);
	return o;
}

json_t *evidence_skipped(const struct plan_run *run, const char *why)
{
	json_t *o = head(run);
	json_object_set_new(o, "skipped", json_string(why));
	return o;
}

static bool grew(const struct run_record *record, enum cgroup_value counter)
{
	uint64_t before = record->witness.before.cgroup.value[counter], after = record->after.cgroup.value[counter];
	return record->witness.before.taken && before != ENOMEM_ABSENT && after != ENOMEM_ABSENT && after > before;
}

/* Where there is no ceiling, a limit that nobody set beforehand is one that the program set meanwhile. */
static bool is_ours(uint64_t limit, uint64_t ceiling)
{
	return ceiling != ENOMEM_UNLIMITED && (limit == ENVIRONMENT_NOT_SET || limit == ENOMEM_UNLIMITED);
}

/* A ceiling that the group holds shows in its counters, one that we hold in who ended the run. NULL: none was hit. */
static const char *ceiling_hit(const struct run_record *record)
{
	const struct environment *env = &record->run->environment;
	const uint64_t *limit = env->cgroup, *above = env->cgroup_above;
	/* Where pids.events counts in the group of who was refused, it does so whichever group above refused it. */
	if (record->witness.tasks_ceiling_hit ||
	    (is_ours(limit[CGROUP_PIDS_MAX], env->tasks_ceiling) &&
	     is_ours(above[CGROUP_PIDS_MAX], env->tasks_ceiling) && grew(record, CGROUP_PIDS_EVENTS_MAX)))
		return "tasks";
	if (record->sampler.stopped_by == SAMPLER_STOP_MEMORY ||
	    (is_ours(limit[CGROUP_MEMORY_MAX], env->memory_ceiling_bytes) && grew(record, CGROUP_MEMORY_EVENTS_MAX) &&
	     grew(record, CGROUP_MEMORY_EVENTS_OOM_KILL)))
		return "memory";
	return NULL;
}

json_t *evidence_build(const struct run_record *record)
{
	const struct plan_run *run = record->run;
	json_t *o = head(run), *argv = json_array();
	const char *slash = strrchr(record->plan->program, '/');
	char *const *words = run->command ? run->command->argv : run->argv;
	for (unsigned i = 0; words[i]; i++)
		json_array_append_new(argv, text(words[i], strlen(words[i])));
	json_object_set_new(o, "program",
			    run->command ? json_incref(json_array_get(argv, 0))
					 : json_string(slash ? slash + 1 : record->plan->program));
	json_object_set_new(o, "argv", argv);
	json_object_set_new(o, "arguments", run->command ? json_object() : arguments_json(run));
	json_object_set_new(o, "environment", evidence_environment(run));
	if (run->environment.injection_count)
		json_object_set_new(o, "injected", json_true());
	if (record->cgroup)
		json_object_set_new(o, "group", json_string(record->cgroup->name));
	set_what_happened(record, o);
	if (record->refusals)
		json_object_set_new(o, "refusals", run_refusals_json(record));
	json_object_set_new(o, "output",
			    json_pack("{s:o*, s:o*, s:b}", "stdout",
				      text(record->sampler.out.text, record->sampler.out.length), "stderr",
				      text(record->sampler.err.text, record->sampler.err.length), "truncated",
				      record->sampler.out.bytes > record->sampler.out.length ||
					      record->sampler.err.bytes > record->sampler.err.length));
	if (record->problem.step[0]) {
		json_t *p = json_pack("{s:s, s:s}", "step", record->problem.step, "message", record->problem.message);
		if (record->problem.error)
			json_object_set_new(p, "errno", evidence_errno(record->problem.error));
		if (record->problem.hint)
			json_object_set_new(p, "hint", json_string(record->problem.hint));
		json_object_set_new(o, "problem", p);
	}
	const char *ceiling = ceiling_hit(record);
	if (ceiling)
		json_object_set_new(o, "ceiling", json_string(ceiling));
	json_object_set_new(o, "deadline_exceeded", json_boolean(record->sampler.stopped_by == SAMPLER_STOP_DEADLINE));
	json_object_set_new(o, "duration_ns", json_number(record->duration_ns));
	return o;
}
