// SPDX-License-Identifier: MIT
/*
 * The summary for programs: schema enomem-why/1, in the words of a result. See why.h.
 */
#include <limits.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "argv-json.h"
#include "cleanup.h"
#include "evidence-internal.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"
#include "why.h"

/* Names are any bytes, but JSON wants UTF-8: what is not becomes '?'. */
static json_t *text(const char *bytes)
{
	static char clean[4096];
	json_t *string = json_string(bytes);
	return string ? string : json_string(text_clean(bytes, true, clean, sizeof(clean)));
}

static json_t *end_json(int status)
{
	if (WIFEXITED(status))
		return json_pack("{s:s, s:i}", "kind", "exit", "status", WEXITSTATUS(status));
	return json_pack("{s:s, s:o}", "kind", "signal", "signal", evidence_signal(WTERMSIG(status)));
}

/* A limit that is not what it was at the start: null is unlimited, and nobody who is known. */
static json_t *change_json(const struct why_change *c)
{
	json_t *by = json_null();
	if (c->pid)
		by = json_pack("{s:i, s:o}", "pid", (int)c->pid, "comm", text(c->comm));
	if (c->pid && c->command)
		(void)json_object_set_new(by, "command", text(c->command));
	return json_pack("{s:s, s:o, s:o, s:o}", "limit", c->limit->name, "at_start", json_number(c->start_soft), "to",
			 json_number(c->soft), "by", by);
}

static json_t *cause_json(const struct why_moment *m, enum cause_id cause)
{
	json_t *o = json_pack("{s:s}", "id", cause_infos[cause].name), *also = json_array();
	for (unsigned i = 0; m && i < m->report.count; i++)
		if (m->also >> i & 1)
			(void)json_array_append_new(also, json_string(cause_infos[m->report.state[i].id].name));
	(void)json_object_set_new(o, "also_refusing", also);
	if (!m || m->named >= m->report.count)
		return o;
	const struct limit_state *s = &m->report.state[m->named];
	uint64_t sum = limit_add(s->in_use, s->asked);
	(void)json_object_set_new(o, "in_use", json_number(s->in_use));
	(void)json_object_set_new(o, "asked", json_number(s->asked));
	(void)json_object_set_new(o, "bound", json_number(s->bound));
	(void)json_object_set_new(o, "over", json_number(sum > s->bound ? sum - s->bound : 0));
	(void)json_object_set_new(o, "unit", json_string(s->unit ? s->unit : cause_infos[s->id].unit));
	if (s->where)
		(void)json_object_set_new(o, "where", json_string(s->where));
	if (m->place)
		(void)json_object_set_new(o, "place", text(m->place));
	if (m->change)
		(void)json_object_set_new(o, "changed", change_json(m->change));
	return o;
}

static json_t *backtrace_json(const struct backtrace *b)
{
	json_t *frames = json_array();
	for (unsigned i = 0; b && i < b->count; i++) {
		const struct backtrace_frame *f = &b->frame[i];
		json_t *o = json_pack("{s:I}", "address", (json_int_t)f->address);
		if (f->module[0])
			(void)json_object_set_new(o, "module", text(f->module));
		if (f->module[0])
			(void)json_object_set_new(o, "module_offset", json_integer((json_int_t)f->module_offset));
		if (f->symbol[0])
			(void)json_object_set_new(o, "symbol", text(f->symbol));
		if (f->symbol[0])
			(void)json_object_set_new(o, "symbol_offset", json_integer((json_int_t)f->symbol_offset));
		if (f->source[0])
			(void)json_object_set_new(o, "source", text(f->source));
		if (f->source[0])
			(void)json_object_set_new(o, "line", json_integer(f->line));
		(void)json_array_append_new(frames, o);
	}
	return frames;
}

/* What a moment has to tell, into the object of a refusal or a death. */
static void add_moment(json_t *o, const struct why_moment *m)
{
	if (!m)
		return;
	(void)json_object_set_new(o, "tid", json_integer(m->tid));
	(void)json_object_set_new(o, "time_ns", json_number(m->time_ns));
	(void)json_object_set_new(o, "limits", evidence_limits(&m->report));
	if (m->show)
		(void)json_object_set_new(o, "show", text(m->show));
	if (m->fix)
		(void)json_object_set_new(o, "fix", text(m->fix));
	if (m->file)
		(void)json_object_set_new(o, "file", text(m->file));
	(void)json_object_set_new(o, "backtrace", backtrace_json(m->backtrace));
	if (m->backtrace)
		(void)json_object_set_new(o, "unwound", json_boolean(m->backtrace->unwound));
}

const char *why_outcome(enum why_grade grade)
{
	return grade == WHY_LIKELY ? "likely-fatal" : grade == WHY_POSSIBLE ? "possibly-fatal" : "survived";
}

static json_t *refusals_json(const struct why_refusals *r)
{
	enum why_grade grade = why_grade_of(r);
	const struct why_moment *m = grade != WHY_SURVIVED && r->last ? r->last : r->first;
	json_t *args = json_array(), *o = json_object();
	(void)json_object_set_new(o, "call", json_string(r->call->name));
	(void)json_object_set_new(o, "errno", evidence_errno(r->error));
	(void)json_object_set_new(o, "outcome", json_string(why_outcome(grade)));
	(void)json_object_set_new(o, "count", json_number(r->count));
	(void)json_object_set_new(o, "processes", json_number(r->processes));
	(void)json_object_set_new(o, "granted_later", json_number(r->made_up_for));
	(void)json_object_set_new(o, "comm", text(r->comm));
	(void)json_object_set_new(o, "pid", json_integer(m ? m->pid : r->last_pid));
	if (r->asked_most)
		(void)json_object_set_new(o, "asked",
					  json_pack("{s:o, s:o}", "least", json_number(r->asked_least), "most",
						    json_number(r->asked_most)));
	(void)json_object_set_new(o, "cause", cause_json(m, r->cause));
	if (grade != WHY_SURVIVED)
		(void)json_object_set_new(o, "then",
					  json_pack("{s:i, s:o, s:o, s:o}", "pid", (int)r->end.pid, "end",
						    end_json(r->end.status), "after_ns", json_number(r->end.after_ns),
						    "processes",
						    json_number(grade == WHY_LIKELY ? r->likely : r->possible)));
	if (grade == WHY_POSSIBLE && r->fallback.call)
		(void)json_object_set_new(o, "granted_since",
					  json_pack("{s:s, s:o}", "call", r->fallback.call->name, "bytes",
						    json_number(r->fallback.bytes)));
	for (unsigned i = 0; m && i < 6; i++)
		(void)json_array_append_new(args, json_integer((json_int_t)m->refusal.args[i]));
	(void)json_object_set_new(o, "args", args);
	/* A clone3() has them in memory, and fork() in its name. */
	if (m && r->call->family == CALL_TASK)
		(void)json_object_set_new(o, "clone_flags", json_number(m->refusal.clone_flags));
	add_moment(o, m);
	return o;
}

static json_t *death_json(const struct why_deaths *d)
{
	json_t *o = json_object();
	(void)json_object_set_new(o, "signal", evidence_signal(d->signal));
	if (d->code != INT_MIN) {
		const char *name = evidence_code_name(d->signal, d->code);
		(void)json_object_set_new(o, "si_code", name ? json_string(name) : json_integer(d->code));
	}
	(void)json_object_set_new(o, "count", json_number(d->count));
	(void)json_object_set_new(o, "comm", text(d->comm));
	(void)json_object_set_new(o, "pid", json_integer(d->pid));
	if (d->sender.known) {
		json_t *sender = json_pack("{s:i, s:o}", "pid", (int)d->sender.pid, "comm", text(d->sender.comm));
		if (d->sender.uid != UINT32_MAX)
			(void)json_object_set_new(sender, "uid", json_integer(d->sender.uid));
		if (d->sender.raised_again)
			(void)json_object_set_new(sender, "raised_again", json_true());
		(void)json_object_set_new(o, "sender", sender);
	}
	if (d->moment && d->moment->oomd_kills) {
		json_t *marks = json_pack("{s:o, s:o}", "group", text(d->moment->place), "kills",
					  json_number(d->moment->oomd_kills));
		(void)json_object_set_new(o, "systemd_oomd", marks);
	}
	(void)json_object_set_new(o, "cause", cause_json(d->moment, d->cause));
	add_moment(o, d->moment);
	return o;
}

static json_t *program_json(const struct why *w)
{
	json_t *o = json_pack("{s:i, s:b}", "pid", (int)w->root, "attached", w->argv == NULL);
	if (w->argv)
		(void)argv_to_json(o, w->argv);
	(void)json_object_set_new(o, "end",
				  w->root_ended ? end_json(w->root_status)
						: json_pack("{s:s}", "kind", w->interrupted ? "goes-on" : "ended"));
	return o;
}

json_t *why_json(const struct why *w)
{
	const struct follow_numbers *n = follow_numbers(w->follow);
	struct utsname name;
	json_t *refusals = json_array(), *deaths = json_array(), *notes = json_array();
	for (unsigned i = 0; i < w->refusals_count; i++)
		if (why_counts(&w->refusals[i]))
			(void)json_array_append_new(refusals, refusals_json(&w->refusals[i]));
	for (unsigned i = 0; i < w->deaths_count; i++)
		(void)json_array_append_new(deaths, death_json(&w->deaths[i]));
	for (unsigned i = 0; i < w->note_count; i++)
		(void)json_array_append_new(notes, text(w->note[i]));
	if (n->untraced)
		(void)json_array_append_new(notes, json_string(text_untraced));
	if (n->unwatched)
		(void)json_array_append_new(notes, json_string(text_unwatched));
	json_t *watched = json_pack("{s:o, s:o, s:o, s:b, s:b, s:b}", "calls", json_number(n->calls), "processes",
				    json_number(n->processes), "tasks", json_number(n->tasks), "filter", w->filtered,
				    "all", !n->lost && !n->unwatched, "unwinds", backtrace_unwinds());
	if (w->filters.processes)
		(void)json_object_set_new(watched, "own_filters",
					  json_pack("{s:o, s:i, s:o}", "processes", json_number(w->filters.processes),
						    "pid", (int)w->filters.first, "comm", text(w->filters.comm)));
	return json_pack("{s:s, s:{s:s}, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "enomem-why/1", "host",
			 "kernel", uname(&name) == 0 ? name.release : "", "program", program_json(w), "duration_ns",
			 json_number(w->duration_ns), "watched", watched, "refusals", refusals, "unlisted",
			 json_number(w->unlisted), "deaths", deaths, "notes", notes);
}
