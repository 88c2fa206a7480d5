// SPDX-License-Identifier: MIT
/*
 * What a sweep found, for people and for programs (schema enomem-sweep/1). See sweep.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "argv-json.h"
#include "evidence-internal.h"
#include "launch.h"
#include "report-text.h"
#include "sweep.h"
#include "triage.h"
#include "why.h"

static const char *const names[SWEEP_OUTCOMES] = {
	[SWEEP_NOT_FIRED] = "not-fired", [SWEEP_CLEAN] = "clean", [SWEEP_SILENT] = "silent", [SWEEP_KILL] = "kill-all",
	[SWEEP_LEAK] = "leak",           [SWEEP_HANG] = "hang",   [SWEEP_CRASH] = "crash",
};

const char *sweep_outcome_name(enum sweep_outcome outcome)
{
	return names[outcome];
}

/* The command that refuses the same again. */
static char *replay(const struct sweep *s, const struct sweep_finding *f)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	char spec[INJECT_SPEC_TEXT + 8];
	const char *from = s->from == FOLLOW_FROM_MAIN ? "" : launch_start_names[s->from];
	(void)fprintf(out, "enomem inject %s%s%s%s --", *from ? "--from=" : "", from, *from ? " " : "",
		      triage_quote(f->spec, spec, sizeof(spec)));
	for (char **word = s->argv; *word; word++) {
		size_t room = 4 * strlen(*word) + 16;
		char *quoted = malloc(room);
		if (quoted)
			(void)fprintf(out, " %s", triage_quote(*word, quoted, room));
		free(quoted);
	}
	(void)fclose(out);
	return text;
}

static void print_what(const struct sweep_finding *f, FILE *out)
{
	char text[INJECT_SPEC_TEXT];
	const struct inject_run run = {.spec = {.error = f->error}};
	if (f->outcome == SWEEP_CRASH)
		(void)fprintf(out, "%s in %s (pid %d)", why_end_text(f->crash.signal, text, sizeof(text)),
			      f->crash.comm, f->crash.pid);
	else if (f->outcome == SWEEP_HANG)
		(void)fputs("it does not end in time", out);
	else if (f->outcome == SWEEP_KILL)
		(void)fputs("kill(-1), which signals every process; it was answered with EPERM", out);
	else if (f->outcome == SWEEP_LEAK)
		(void)fprintf(out, f->left == 1 ? "%u task is left" : "%u tasks are left", f->left);
	else
		(void)fputs(why_end_text(f->status, text, sizeof(text)), out);
	if (f->fault.call)
		(void)fprintf(out, "; injected: %s", inject_fault_text(&run, &f->fault, text, sizeof(text)));
	(void)fputc('\n', out);
}

static void print_finding(const struct sweep *s, const struct sweep_finding *f, FILE *out)
{
	char *command = replay(s, f);
	(void)fprintf(out, "  %s: ", names[f->outcome]);
	print_what(f, out);
	if (command)
		(void)fprintf(out, "    %s\n", command);
	free(command);
}

void sweep_print(const struct sweep *s, bool everything, FILE *out)
{
	char name[TEXT_MAX], spec[INJECT_SPEC_TEXT];
	(void)fprintf(
		out,
		"enomem sweep: %s: injected %s in %" PRIu64 " run%s, each of %" PRIu64
		" call%s once and ever after%s: %" PRIu64 " crashed, %" PRIu64 " hung, %" PRIu64
		" left processes, %" PRIu64 " would kill all, %" PRIu64 " failed cleanly, %" PRIu64 " said nothing\n",
		text_clean(s->argv[0], false, name, sizeof(name)), inject_spec_format(&s->spec, spec, sizeof(spec)),
		s->runs, s->runs == 1 ? "" : "s", s->calls_tried, s->calls_tried == 1 ? "" : "s",
		s->complete ? "" : ", and stopped at --max-runs", s->count[SWEEP_CRASH], s->count[SWEEP_HANG],
		s->count[SWEEP_LEAK], s->count[SWEEP_KILL], s->count[SWEEP_CLEAN], s->count[SWEEP_SILENT]);
	inject_print_earlier(s->earlier, out);
	inject_print_untraced(s->untraced, s->unwatched, out);
	if (s->bare.left)
		(void)fputs("  it leaves processes without a fault as well: those are no finding\n", out);
	for (size_t i = 0; i < s->finding_count; i++)
		if (everything || sweep_is_bad(s->finding[i].outcome))
			print_finding(s, &s->finding[i], out);
}

static json_t *finding_json(const struct sweep *s, const struct sweep_finding *f)
{
	char *command = replay(s, f);
	json_t *o = json_pack("{s:s, s:s, s:o, s:b}", "outcome", names[f->outcome], "spec", f->spec, "replay",
			      inject_json_text(command ? command : ""), "injected", f->fault.call != NULL);
	free(command);
	if (f->ended)
		(void)json_object_set_new(o, "end", inject_json_end(f->status));
	if (f->fault.call)
		(void)json_object_set_new(o, "fault",
					  json_pack("{s:s, s:o, s:I, s:I, s:o}", "call", f->fault.call->name, "errno",
						    evidence_errno(f->error), "number", (json_int_t)f->fault.number,
						    "asked", (json_int_t)f->fault.asked, "comm",
						    inject_json_text(f->fault.comm)));
	if (f->crashed)
		(void)json_object_set_new(o, "crash",
					  json_pack("{s:o, s:o}", "comm", inject_json_text(f->crash.comm), "signal",
						    evidence_signal(f->crash.signal)));
	if (f->left)
		(void)json_object_set_new(o, "left", json_integer(f->left));
	return o;
}

json_t *sweep_json(const struct sweep *s)
{
	char spec[INJECT_SPEC_TEXT];
	json_t *counts = json_object(), *findings = json_array();
	for (unsigned i = 0; i < SWEEP_OUTCOMES; i++)
		(void)json_object_set_new(counts, names[i], json_integer((json_int_t)s->count[i]));
	for (size_t i = 0; i < s->finding_count; i++)
		(void)json_array_append_new(findings, finding_json(s, &s->finding[i]));
	json_t *o = json_pack("{s:s, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "schema",
			      "enomem-sweep/1", "spec", inject_spec_format(&s->spec, spec, sizeof(spec)), "from",
			      launch_start_names[s->from], "began", s->earlier == NULL, "complete", s->complete, "runs",
			      (json_int_t)s->runs, "calls", (json_int_t)s->calls_tried, "matched",
			      (json_int_t)s->matched, "untraced", (json_int_t)s->untraced, "unwatched",
			      (json_int_t)s->unwatched, "outcomes", counts, "findings", findings);
	(void)argv_to_json(o, s->argv);
	return o;
}
