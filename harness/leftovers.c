// SPDX-License-Identifier: MIT
/*
 * Telling what journal_recover() finds. See leftovers.h.
 */
#include "leftovers.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "say.h"
#include "sysctl.h"

struct telling {
	FILE *out;
	bool dry_run;
	int errors;
};

static void tell(const struct recovered *r, void *data)
{
	struct telling *t = data;
	const char *name = r->error ? strerrorname_np(-r->error) : NULL;
	if (r->error)
		t->errors++;
	switch (r->kind) {
	case RECOVERED_SYSCTL:
		if (r->needed || r->error)
			fprintf(t->out, "%s: %s %s to %s%s%s%s\n", r->what,
				t->dry_run ? "would go from" : "restored from", r->from, r->to,
				r->error ? " (failed: " : "", name ? name : "", r->error ? ")" : "");
		break;
	case RECOVERED_CGROUP:
		if (r->needed || r->error)
			fprintf(t->out, "%s: %s%s%s%s\n", r->what, t->dry_run ? "would be removed" : "removed",
				r->error ? " (failed: " : "", name ? name : "", r->error ? ")" : "");
		break;
	case RECOVERED_CONTROLLERS:
		if (r->needed || r->error)
			fprintf(t->out, "%s: %s %s%s%s%s\n", r->what,
				t->dry_run ? "would no longer pass on" : "no longer passes on", r->from,
				r->error ? " (failed: " : "", name ? name : "", r->error ? ")" : "");
		break;
	case RECOVERED_BAD_LINE:
		fprintf(t->out, "%s:%u: not a line of a journal: %s\n", r->journal, r->line, r->what);
		break;
	case RECOVERED_JOURNAL:
		if (r->error)
			fprintf(t->out, "%s: cannot be read (%s)\n", r->journal, name ? name : "?");
		break;
	}
}

int leftovers_report(bool dry_run, FILE *out)
{
	struct telling t = {.out = out, .dry_run = dry_run};
	int r = journal_recover(dry_run, tell, &t);
	return r >= 0 && t.errors ? -EIO : r;
}

void leftovers_undo(void)
{
	int r = leftovers_report(false, stderr);
	if (r > 0) {
		say_note("undid what a killed run had left behind (%d)", r);
	} else if (r < 0) {
		(void)say_error(r, "what a killed run left behind could not all be undone");
		say_hint("enomem recover");
	}
}

void leftovers_tell(void)
{
	auto_free char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int r = out ? leftovers_report(true, out) : -ENOMEM;
	if (out && fclose(out) == EOF)
		r = -ENOMEM;
	if (r == 0) {
		say_note("interrupted; everything was taken down");
		return;
	}
	if (r < 0 && length == 0)
		(void)say_error(r, "interrupted; the journals do not tell whether anything is left");
	else
		say_note("interrupted; this is left:");
	if (text)
		(void)fputs(text, stderr);
	say_hint("enomem recover");
}
