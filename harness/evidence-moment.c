// SPDX-License-Identifier: MIT
/*
 * The failing moment: a refused call, a fatal signal, or a program that was not done in time; and what every limit had
 * to say at it.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "evidence-internal.h"
#include "evidence-snapshot.h"
#include "number.h"

json_t *evidence_limits(const struct cause_report *report)
{
	json_t *a = json_array();
	for (unsigned i = 0; i < report->count; i++) {
		const struct limit_state *s = &report->state[i];
		json_t *o = json_object();
		json_object_set_new(o, "id", json_string(cause_infos[s->id].name));
		if (s->in_use != ENOMEM_ABSENT) {
			json_object_set_new(o, "in_use", json_number(s->in_use));
			json_object_set_new(o, "asked", json_number(s->asked));
			json_object_set_new(o, "bound", json_number(s->bound));
		}
		json_object_set_new(o, "unit", json_string(s->unit ? s->unit : cause_infos[s->id].unit));
		json_object_set_new(o, "refuses", json_boolean(s->refuses));
		json_object_set_new(o, "errno_fits", json_boolean(s->errno_fits));
		if (s->where)
			json_object_set_new(o, "where", json_string(s->where));
		json_array_append_new(a, o);
	}
	return a;
}

/*
 * An exec refused after the point of no return has no program to return to: the kernel kills with SIGSEGV
 * (bprm_execve(), fs/exec.c). The refusal is what failed, the signal only its messenger.
 */
static bool died_of_exec(const struct witness *w)
{
	const struct refusal *last = &w->record[0];
	const struct witness_signal *s = evidence_fatal_signal(w);
	return w->record_count == 1 && last->call->family == CALL_EXEC && s && s->signal == SIGSEGV &&
	       s->tgid == last->tgid && (s->code == SI_KERNEL || s->code == INT_MIN);
}

/* The least free swap that the samples or the kernel's own report saw: what the victim had there is free again when it
 * is looked at. */
static uint64_t least_free_swap(const struct run_record *record)
{
	static const char row[] = "Free swap  = ";
	uint64_t least = record->sampler.swap_free_least;
	for (unsigned i = 0; i < record->log_lines; i++) {
		const char *found = strstr(record->log[i], row);
		char *end;
		if (!found)
			continue;
		uint64_t kilobytes = strtoull(found + sizeof(row) - 1, &end, 10);
		if (end != found + sizeof(row) - 1 && strncmp(end, "kB", 2) == 0 && kilobytes < least / 1024)
			least = kilobytes * 1024;
	}
	return least;
}

static const struct snapshot *of_signal(const struct run_record *record, const struct witness_signal *s, json_t *moment,
					struct cause_report *ret)
{
	const struct witness *w = &record->witness;
	bool at_stop = w->at_signal.taken && w->at_signal_index == s - w->signal;
	struct fatal_signal fatal = {.signal = s->signal,
				     .code = s->code,
				     .address = s->address,
				     .tgid = s->tgid,
				     .log_names_pid = record->own_kill_logged,
				     .log_says_memcg = record->own_kill_is_memcg,
				     .in_swapoff = s->in_call && s->in_call->family == CALL_SWAP,
				     .swap_free_least = least_free_swap(record)};
	fatal.oom_counter_moved = evidence_program_oom_killed(record);
	fatal.oom_kill_unclear = evidence_oom_kill_is_unclear(record);
	/* A SIGKILL may leave no stop to look at the process; the group's counters are as good right after it. */
	const struct snapshot *failure = at_stop ? &w->at_signal : &record->after;
	cause_of_signal(&fatal, &w->before, failure, ret);
	json_object_set_new(moment, "at", json_string("signal"));
	json_object_set_new(moment, "signal", evidence_signal(s->signal));
	json_object_set_new(moment, "pid", json_integer(s->tgid));
	json_object_set_new(moment, "time_ns", json_number(s->time_ns));
	return failure;
}

static const struct snapshot *of_refusal(const struct run_record *record, json_t *moment, struct cause_report *ret)
{
	const struct witness *w = &record->witness;
	const struct refusal *first = &w->record[0];
	cause_of_refusal(first, &w->before, &w->at_refusal, ret);
	json_object_set_new(moment, "at", json_string("call"));
	json_object_set_new(moment, "call", json_string(first->call->name));
	json_object_set_new(moment, "errno", evidence_errno(first->error));
	if (first->asked_bytes)
		json_object_set_new(moment, "asked", json_number(first->asked_bytes));
	json_object_set_new(moment, "pid", json_integer(first->tgid));
	json_object_set_new(moment, "time_ns", json_number(first->time_ns));
	return &w->at_refusal;
}

static const struct snapshot *of_stall(const struct run_record *record, json_t *moment, struct cause_report *ret)
{
	const struct snapshot *failure = &record->sampler.at_deadline;
	char state[2] = {failure->status.state};
	cause_of_stall(&record->witness.before, failure, ret);
	json_object_set_new(moment, "at", json_string("stall"));
	json_object_set_new(moment, "pid", json_integer(failure->pid));
	json_object_set_new(moment, "time_ns", json_number(failure->time_ns));
	if (state[0])
		json_object_set_new(moment, "state", json_string(state));
	if (failure->wchan[0])
		json_object_set_new(moment, "wchan", json_string(failure->wchan));
	return failure;
}

/*
 * A program that was ended for its deadline, or helped at it, stalled, whatever it had been refused before. Else it is
 * the fatal signal when its snapshot was taken, or the first refused call.
 */
void evidence_failing_moment(const struct run_record *record, json_t *evidence, json_t *snapshots)
{
	static struct cause_report report;
	const struct witness *w = &record->witness;
	const struct witness_signal *s =
		evidence_died_of_signal(record) && !died_of_exec(w) ? evidence_fatal_signal(w) : NULL;
	const struct snapshot *failure = NULL;
	json_t *moment = json_object();
	memset(&report, 0, sizeof(report));
	bool late = record->sampler.stopped_by == SAMPLER_STOP_DEADLINE || record->sampler.helped;
	if (late && record->sampler.at_deadline.process_seen)
		failure = of_stall(record, moment, &report);
	else if (s && record->sampler.stopped_by == SAMPLER_STOP_NONE &&
		 ((w->at_signal.taken && w->at_signal_index == s - w->signal) || !w->record_count))
		failure = of_signal(record, s, moment, &report);
	else if (w->record_count && w->at_refusal.taken)
		failure = of_refusal(record, moment, &report);
	if (failure) {
		json_object_set_new(snapshots, "failure", evidence_snapshot(failure));
		json_object_set(evidence, "failing_moment", moment);
	}
	json_decref(moment);
	json_object_set_new(evidence, "limits", evidence_limits(&report));
}
