// SPDX-License-Identifier: MIT
/*
 * See run-command.h.
 */
#include "run-command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "evidence-internal.h"
#include "number.h"
#include "procfs.h"
#include "refusal-wrong.h"
#include "witness-asked.h"

/* Of each kind so many are looked at; later ones are taken for one like the last of them. */
#define LOOKS_PER_KIND   4

/* A process that a signal ended, as the shell and our stage tell it. */
#define STATUS_OF_SIGNAL 128

size_t run_command_length(const struct run_command *c)
{
	size_t n = 0;
	while (c && c->argv[n])
		n++;
	return n;
}

void run_command_spec(const struct run_command *c, struct stage_spec *spec)
{
	spec->clean_environment = false;
	if (c->root)
		(void)snprintf(spec->root, sizeof(spec->root), "%s", c->root);
	spec->closed_streams = c->closed_streams;
	spec->terminal = c->terminal;
	spec->files_fixed = c->terminal && !c->files_free;
	if (c->writable)
		memcpy(spec->writable, c->writable, sizeof(spec->writable));
	if (c->stream[STDIN_FILENO] >= 0)
		spec->stdin_fd = c->stream[STDIN_FILENO];
	if (c->stream[STDOUT_FILENO] >= 0)
		spec->stdout_fd = c->stream[STDOUT_FILENO];
	if (c->stream[STDERR_FILENO] >= 0)
		spec->stderr_fd = c->stream[STDERR_FILENO];
}

/* Past its point of no return an exec that fails can only kill (bprm_execve(), fs/exec.c). */
int run_command_signal_starting(int root_status)
{
	if (WIFSIGNALED(root_status))
		return WTERMSIG(root_status);
	return WIFEXITED(root_status) && WEXITSTATUS(root_status) > STATUS_OF_SIGNAL
		       ? WEXITSTATUS(root_status) - STATUS_OF_SIGNAL
		       : 0;
}

static void read_comm(pid_t pid, char *ret, size_t size)
{
	char name[64], text[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/comm", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		(void)strcpy(text, "?");
	text[strcspn(text, "\n")] = '\0';
	(void)snprintf(ret, size, "%.15s", text);
}

static struct run_refusal_kind *find(struct run_refusals *all, const struct refusal *r, const char *comm,
				     const enum cause_id *cause)
{
	for (unsigned i = all->count; i-- > 0;) {
		struct run_refusal_kind *k = &all->kind[i];
		if (k->call == r->call && k->error == r->error && (!cause || k->cause == *cause) &&
		    strcmp(k->comm, comm) == 0)
			return k;
	}
	return NULL;
}

static struct run_refusal_kind *add(struct run_refusals *all, const struct refusal *r, const char *comm,
				    enum cause_id cause)
{
	if (all->count == RUN_REFUSAL_KINDS)
		return NULL;
	struct run_refusal_kind *k = &all->kind[all->count++];
	*k = (struct run_refusal_kind){.call = r->call, .error = r->error, .cause = cause, .asked_least = UINT64_MAX};
	(void)snprintf(k->comm, sizeof(k->comm), "%s", comm);
	return k;
}

/* Its process is held: ask every limit. */
static struct run_refusal_kind *look(struct run_record *record, const struct refusal *r, const char *comm)
{
	static struct snapshot later; /* large */
	static struct cause_report report;
	const struct witness *w = &record->witness;
	const struct snapshot *moment = &w->at_refusal;
	unsigned named;
	uint32_t also;
	if (r != &w->record[0] || !w->at_refusal.taken) {
		struct snapshot_request request;
		witness_request(r, &request);
		snapshot_take(w->source, &request, &later);
		moment = &later;
	}
	cause_of_refusal(r, &w->before, moment, &report);
	enum cause_id cause = cause_name(&report, &named, &also);
	struct run_refusal_kind *k = find(record->refusals, r, comm, &cause);
	if (!k)
		k = add(record->refusals, r, comm, cause);
	if (!k)
		return NULL;
	k->report = report;
	k->named = named;
	k->also = also;
	k->wrongly = refusal_asked_wrongly(r, cause, also, moment);
	k->looked++;
	return k;
}

void run_refusals_note(const struct refusal *r, void *data)
{
	struct run_record *record = data;
	char comm[16];
	read_comm(r->tgid, comm, sizeof(comm));
	struct run_refusal_kind *k = find(record->refusals, r, comm, NULL);
	if (!k || k->looked < LOOKS_PER_KIND)
		k = look(record, r, comm);
	if (!k) {
		record->refusals->unlisted++;
		return;
	}
	k->count++;
	k->processes += k->last_pid != r->tgid;
	k->last_pid = r->tgid;
	k->last_ns = r->time_ns;
	k->last = *r;
	k->made_up_for = false;
	k->fallback = (struct grant_fallback){0};
	if (r->asked_bytes < k->asked_least)
		k->asked_least = r->asked_bytes;
	if (r->asked_bytes > k->asked_most)
		k->asked_most = r->asked_bytes;
}

void run_refusals_note_granted(const struct refusal *granted, void *data)
{
	const struct run_record *record = data;
	for (unsigned i = 0; i < record->refusals->count; i++) {
		struct run_refusal_kind *k = &record->refusals->kind[i];
		if (k->last_pid != granted->tgid || k->made_up_for)
			continue;
		enum grant grant = grant_for(&k->last, granted);
		k->made_up_for = grant == GRANT_AS_MUCH;
		if (grant == GRANT_LESS && granted->asked_bytes > k->fallback.bytes)
			k->fallback = (struct grant_fallback){granted->call, granted->asked_bytes};
	}
}

static json_t *kind_json(const struct run_refusal_kind *k, const struct witness *w)
{
	json_t *also = json_array();
	json_t *o = json_pack("{s:s, s:o, s:s, s:I, s:I, s:i, s:s, s:b}", "call", k->call->name, "errno",
			      evidence_errno(k->error), "program", k->comm, "count", (json_int_t)k->count, "processes",
			      (json_int_t)k->processes, "pid", (int)k->last_pid, "cause", cause_infos[k->cause].name,
			      "wrongly", k->wrongly);
	if (k->asked_most) {
		(void)json_object_set_new(o, "asked_least", json_number(k->asked_least));
		(void)json_object_set_new(o, "asked_most", json_number(k->asked_most));
	}
	json_t *limits = evidence_limits(&k->report);
	if (k->named < k->report.count)
		(void)json_object_set(o, "limit", json_array_get(limits, k->named));
	json_decref(limits);
	for (unsigned i = 0; i < k->report.count; i++)
		if (k->also >> i & 1)
			(void)json_array_append_new(also, json_string(cause_infos[k->report.state[i].id].name));
	(void)json_object_set_new(o, "also_refusing", also);
	(void)json_object_set_new(o, "own", json_boolean(k->last_pid == w->program));
	(void)json_object_set_new(o, "made_up_for", json_boolean(k->made_up_for));
	if (k->fallback.call && !k->made_up_for)
		(void)json_object_set_new(o, "granted_since",
					  json_pack("{s:s, s:o}", "call", k->fallback.call->name, "bytes",
						    json_number(k->fallback.bytes)));
	if (w->ended && w->end_ns >= k->last_ns)
		(void)json_object_set_new(o, "before_end_ns", json_number(w->end_ns - k->last_ns));
	return o;
}

json_t *run_refusals_json(const struct run_record *record)
{
	json_t *all = json_array();
	for (unsigned i = 0; i < record->refusals->count; i++)
		(void)json_array_append_new(all, kind_json(&record->refusals->kind[i], &record->witness));
	return all;
}
