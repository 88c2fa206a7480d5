// SPDX-License-Identifier: MIT
/*
 * The summary for people: what ended the program first, what was survived after it. See why.h.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "evidence-internal.h"
#include "limits.h"
#include "number.h"
#include "report-text.h"
#include "why.h"

#define LINE_ROOM 3200

static const char *clean(const char *text)
{
	static char buf[LINE_ROOM];
	return text_clean(text, strcmp(nl_langinfo(CODESET), "UTF-8") != 0, buf, sizeof(buf));
}

char *why_end_text(int status, char *buf, size_t size)
{
	if (WIFEXITED(status)) {
		(void)snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
	} else {
		const char *name = sigabbrev_np(WTERMSIG(status));
		(void)snprintf(buf, size, name ? "killed by SIG%s" : "killed by signal %.0s%d", name ? name : "",
			       WTERMSIG(status));
	}
	return buf;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static void times(uint64_t n, FILE *out)
{
	char count[40];
	if (n != 1)
		(void)fprintf(out, ", %s times", number_format_count(count, sizeof(count), n));
}

/* Groups are charged so much at a time: MEMCG_CHARGE_BATCH, include/linux/memcontrol.h. */
enum { GROUP_BATCH_BYTES = 64 * 4096 };

/* "in use + asked > bound", and by how much. */
static void put_numbers(const struct limit_state *s, FILE *out)
{
	char in_use[64], asked[64], bound[64], over[64];
	const char *unit = s->unit ? s->unit : cause_infos[s->id].unit;
	uint64_t sum = limit_add(s->in_use, s->asked);
	if (!unit[0])
		return;
	(void)fprintf(out, "   numbers: %s in use + %s asked > %s",
		      number_format_amount(in_use, sizeof(in_use), s->in_use, unit),
		      number_format_amount(asked, sizeof(asked), s->asked, unit),
		      number_format_amount(bound, sizeof(bound), s->bound, unit));
	if (sum > s->bound)
		(void)fprintf(out, ": %s too much\n", number_format_amount(over, sizeof(over), sum - s->bound, unit));
	else if (s->bound - sum < GROUP_BATCH_BYTES)
		(void)fputs(": no room for another batch\n", out);
	else
		(void)fputs(", as the kernel log tells: less is in use by now\n", out);
}

static void put_also(const struct why_moment *m, FILE *out)
{
	bool first = true;
	for (unsigned i = 0; i < m->report.count; i++)
		if (m->also >> i & 1) {
			(void)fprintf(out, "%s%s", first ? "   besides: " : ", ",
				      cause_infos[m->report.state[i].id].name);
			first = false;
		}
	if (!first)
		(void)fputs(m->cause == CAUSE_UNKNOWN ? " would refuse as well, but say so otherwise\n"
						      : " would have refused as well\n",
			    out);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash[1] ? slash + 1 : path;
}

static void put_backtrace(const struct backtrace *b, FILE *out)
{
	unsigned alike = 0;
	for (unsigned i = 0; b && i < b->count; i++) {
		const struct backtrace_frame *f = &b->frame[i];
		if (i && f->address == f[-1].address) { /* it calls itself */
			alike++;
			continue;
		}
		if (alike)
			(void)fprintf(out, "            (%u more like it)\n", alike);
		alike = 0;
		(void)fputs(i ? "            " : "   where:   ", out);
		if (f->symbol[0])
			(void)fprintf(out, "%s+0x%" PRIx64, clean(f->symbol), f->symbol_offset);
		else
			(void)fprintf(out, "0x%" PRIx64, f->module[0] ? f->module_offset : f->address);
		if (f->module[0])
			(void)fprintf(out, " (%s)", clean(base_name(f->module)));
		if (f->source[0])
			(void)fprintf(out, " at %s:%d", clean(base_name(f->source)), f->line);
		(void)fputc('\n', out);
	}
	if (alike)
		(void)fprintf(out, "            (%u more like it)\n", alike);
}

static const char *amount_or_unlimited(uint64_t number, const char *unit, char *buf, size_t size)
{
	return number == ENOMEM_UNLIMITED ? "unlimited" : number_format_amount(buf, size, number, unit);
}

/* Raising it around the program is no use where it is set inside. */
static void put_change(const struct why_change *c, pid_t refused, FILE *out)
{
	char amount[64];
	if (c->pid == 0)
		(void)fputs("   set by:  somebody, since the start: none of the watched processes, as far as is known",
			    out);
	else
		(void)fprintf(out, "   set by:  the program itself: process %d (%s)", c->pid, clean(c->comm));
	if (c->pid && c->pid != refused)
		(void)fprintf(out, ", not process %d", refused);
	if (c->pid && c->command)
		(void)fprintf(out, ": %s", clean(c->command));
	(void)fprintf(out, "\n            to %s", amount_or_unlimited(c->soft, c->limit->unit, amount, sizeof(amount)));
	(void)fprintf(out, "; %s it was %s\n", c->attached ? "when watching began" : "at the start",
		      amount_or_unlimited(c->start_soft, c->limit->unit, amount, sizeof(amount)));
}

/* A command to type is whole, however long. */
static void put_command(const char *label, const char *command, FILE *out)
{
	size_t size = strlen(command) + 8;
	char *whole = malloc(size);
	if (!whole)
		return;
	(void)fprintf(out, "   %s %s\n", label,
		      text_clean(command, strcmp(nl_langinfo(CODESET), "UTF-8") != 0, whole, size));
	free(whole);
}

/* What there is to say of the limit that was named. */
static void put_moment(const struct why_moment *m, bool certain, FILE *out)
{
	if (m->named < m->report.count) {
		const struct limit_state *s = &m->report.state[m->named];
		put_numbers(s, out);
		if (s->where && cause_infos[s->id].unit[0])
			(void)fprintf(out, "   limit:   %s", s->where);
		if (s->where && cause_infos[s->id].unit[0] && m->place)
			(void)fprintf(out, ": %s", clean(m->place));
		if (s->where && cause_infos[s->id].unit[0])
			(void)fputc('\n', out);
	}
	if (m->change)
		put_change(m->change, m->pid, out);
	put_also(m, out);
	if (m->file)
		(void)fprintf(out, "   file:    %s\n", clean(m->file));
	put_backtrace(m->backtrace, out);
	if (m->show)
		put_command("show:   ", m->show, out);
	if (m->fix)
		put_command(certain ? "fix:    " : "if so:  ", m->fix, out);
}

static const char *cause_text(enum cause_id cause)
{
	return cause == CAUSE_UNKNOWN ? "no limit that enomem knows" : cause_infos[cause].name;
}

static void put_refusals_head(const struct why_refusals *r, FILE *out)
{
	const char *error = strerrorname_np(r->error);
	(void)fprintf(out, "%s refused %s (%s)", cause_text(r->cause), r->call->name, error ? error : "?");
	times(r->count, out);
	if (r->processes == 1)
		(void)fprintf(out, ", in process %d (%s)", r->last_pid, clean(r->comm));
	else
		(void)fprintf(out, ", in several processes (%s)", clean(r->comm));
}

static void put_asked(const struct why_refusals *r, FILE *out)
{
	char least[64], most[64];
	if (r->asked_most == 0)
		return;
	(void)number_format_bytes(least, sizeof(least), r->asked_least);
	(void)number_format_bytes(most, sizeof(most), r->asked_most);
	/* Two sizes that read the same are one to a reader. */
	if (strcmp(least, most) == 0)
		(void)fprintf(out, "   asked:   %s\n", most);
	else
		(void)fprintf(out, "   asked:   %s to %s\n", least, most);
}

/* Why it is no more than a possible reason. */
static void put_doubt(const struct why_refusals *r, FILE *out)
{
	char bytes[64];
	if (r->fallback.call)
		(void)fprintf(out, "   granted: %s by %s since: it may have been a fallback\n",
			      number_format_bytes(bytes, sizeof(bytes), r->fallback.bytes), r->fallback.call->name);
	else
		(void)fputs("   granted: nothing of that kind since, but more than 2 s passed\n", out);
}

static void put_reason(const struct why_refusals *r, FILE *out)
{
	char end[64], after[64];
	bool likely = why_grade_of(r) == WHY_LIKELY;
	uint64_t processes = likely ? r->likely : r->possible;
	put_refusals_head(r, out);
	(void)fputc('\n', out);
	put_asked(r, out);
	if (!likely)
		put_doubt(r, out);
	(void)fprintf(out, "   then:    process %d: %s, %s after it", r->end.pid,
		      why_end_text(r->end.status, end, sizeof(end)),
		      number_format_duration(after, sizeof(after), r->end.after_ns));
	if (processes > 1)
		(void)fprintf(out, "; so ended %" PRIu64 " processes", processes);
	(void)fputc('\n', out);
	if (r->last || r->first)
		put_moment(r->last ? r->last : r->first, likely, out);
}

/* Those of a grade, numbered. */
static unsigned put_reasons(const struct why *w, enum why_grade grade, const char *head, unsigned number, FILE *out)
{
	for (unsigned i = 0; i < w->refusals_count; i++)
		if (why_grade_of(&w->refusals[i]) == grade) {
			(void)fprintf(out, "%u. %s: ", ++number, head);
			put_reason(&w->refusals[i], out);
		}
	return number;
}

static void put_survived(const struct why_refusals *r, bool everything, FILE *out)
{
	(void)fputs("survived: ", out);
	put_refusals_head(r, out);
	if (r->made_up_for)
		(void)fprintf(out, "; as much was granted later%s",
			      r->made_up_for == r->count ? "" : " some of the times");
	(void)fputc('\n', out);
	if (!everything)
		return;
	put_asked(r, out);
	if (r->first)
		put_moment(r->first, true, out);
}

static void put_sender(const struct why_deaths *d, FILE *out)
{
	if (d->sender.known && d->sender.pid == d->pid) {
		(void)fputs("   sender:  the process itself\n", out);
	} else if (d->sender.known) {
		(void)fprintf(out, "   sender:  process %d (%s)", d->sender.pid, clean(d->sender.comm));
		if (d->sender.uid != UINT32_MAX)
			(void)fprintf(out, " of user %" PRIu32, d->sender.uid);
		if (d->sender.raised_again)
			(void)fputs("; the process took the signal and ended itself by it", out);
		(void)fputc('\n', out);
	} else if (d->moment && d->moment->oomd_kills) {
		(void)fprintf(out,
			      "   sender:  systemd-oomd: it has marked the group %s for a kill (user.oomd_ooms %" PRIu64
			      "); the kernel counts and logs no OOM kill of it\n",
			      clean(d->moment->place), d->moment->oomd_kills);
	} else if (d->signal == SIGKILL && d->cause == CAUSE_KILLED_BY_OTHER) {
		(void)fputs("   sender:  none of the watched processes; the kernel counts and logs no OOM kill of it\n",
			    out);
	} else if (d->signal == SIGKILL && d->cause == CAUSE_UNKNOWN) {
		(void)fputs("   sender:  not known: the kernel log cannot be read, or is about others\n", out);
	} else if (d->code == SI_USER || d->code == SI_TKILL || d->code == SI_QUEUE) {
		(void)fputs("   sender:  not known: it was sent within another pid namespace, or from one\n", out);
	}
}

static void put_death(const struct why_deaths *d, FILE *out)
{
	const char *name = sigabbrev_np(d->signal);
	const char *code = d->code == INT_MIN ? NULL : evidence_code_name(d->signal, d->code);
	if (d->cause != CAUSE_UNKNOWN)
		(void)fprintf(out, "%s: ", cause_infos[d->cause].name);
	(void)fprintf(out, "process %d (%s) was killed by SIG%s", d->pid, clean(d->comm), name ? name : "?");
	if (code)
		(void)fprintf(out, " (%s)", code);
	times(d->count, out);
	(void)fputc('\n', out);
	put_sender(d, out);
	if (d->moment)
		put_moment(d->moment, true, out);
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

static void put_head(const struct why *w, FILE *out)
{
	char end[64];
	if (w->argv)
		(void)fprintf(out, "enomem why: %s: ", clean(w->argv[0]));
	else
		(void)fprintf(out, "enomem why: process %d: ", w->root);
	(void)fprintf(out, "%s",
		      w->root_ended    ? why_end_text(w->root_status, end, sizeof(end))
		      : w->interrupted ? "it goes on"
				       : "it has ended");
}

static void put_watched(const struct why *w, FILE *out)
{
	const struct follow_numbers *n = follow_numbers(w->follow);
	char calls[40], processes[40];
	(void)fprintf(out, "%s call%s of %s process%s looked at", number_format_count(calls, sizeof(calls), n->calls),
		      plural(n->calls), number_format_count(processes, sizeof(processes), n->processes),
		      n->processes == 1 ? "" : "es");
}

/* Where every call stops, it stops before any filter is asked. A task that nobody could trace was not seen at all. */
static bool is_blind(const struct why *w)
{
	return (w->filters.processes && w->filtered) || follow_numbers(w->follow)->unwatched;
}

static void put_filters(const struct why *w, FILE *out)
{
	const struct why_filters *f = &w->filters;
	(void)fprintf(out, "note: process %d (%s) ", f->first, clean(f->comm));
	if (f->processes > 1)
		(void)fprintf(out, "and %" PRIu64 " more ", f->processes - 1);
	(void)fputs(f->processes > 1 ? "set seccomp filters of their own: " : "set a seccomp filter of its own: ", out);
	if (w->filtered)
		(void)fputs(f->processes > 1 ? "what those refuse is not seen here\n"
					     : "what that refuses is not seen here\n",
			    out);
	else
		(void)fprintf(out, "what no limit explains may be refused by %s\n",
			      f->processes > 1 ? "those" : "that");
}

static void put_notes(const struct why *w, FILE *out)
{
	const struct follow_numbers *n = follow_numbers(w->follow);
	if (w->filters.processes)
		put_filters(w, out);
	for (unsigned i = 0; i < w->note_count; i++)
		(void)fprintf(out, "note: %s\n", clean(w->note[i]));
	if (w->unlisted)
		(void)fprintf(out, "note: %" PRIu64 " more refusals, of other kinds, are not listed\n", w->unlisted);
	if (n->untraced)
		(void)fprintf(out, "note: %s\n", text_untraced);
	if (n->unwatched)
		(void)fprintf(out, "note: %s\n", text_unwatched);
	if (n->lost)
		(void)fputs("note: memory for all tasks was short: some went on unwatched\n", out);
}

void why_print(const struct why *w, bool everything, FILE *out)
{
	unsigned refused = 0, number = 0;
	for (unsigned i = 0; i < w->refusals_count; i++)
		refused += why_counts(&w->refusals[i]);
	put_head(w, out);
	(void)fputs(refused + w->deaths_count ? "; "
		    : is_blind(w)             ? "; no refusal was seen; "
					      : "; nothing was refused; ",
		    out);
	put_watched(w, out);
	(void)fputc('\n', out);
	for (unsigned i = 0; i < w->deaths_count; i++) {
		(void)fprintf(out, "%u. ", ++number);
		put_death(&w->deaths[i], out);
	}
	number = put_reasons(w, WHY_LIKELY, "likely reason", number, out);
	(void)put_reasons(w, WHY_POSSIBLE, "possible reason", number, out);
	for (unsigned i = 0; i < w->refusals_count; i++)
		if (why_grade_of(&w->refusals[i]) == WHY_SURVIVED && why_counts(&w->refusals[i]))
			put_survived(&w->refusals[i], everything, out);
	put_notes(w, out);
}
