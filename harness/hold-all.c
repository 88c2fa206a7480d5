// SPDX-License-Identifier: MIT
/*
 * Every trigger that can be held here, each shown to the tool: its accuracy is one number.
 */
#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "grade.h"
#include "hold-guest.h"
#include "hold-options.h"
#include "jobs.h"
#include "report-text.h"
#include "say.h"

struct tally {
	json_t *holds, *not_held;
	int code; /* an exit status that ends it all: the tool cannot be started */
};

static int add_not_held(struct tally *t, const struct plan *plan, const struct plan_run *run, const char *why)
{
	return json_array_append_new(t->not_held, json_pack("{s:s, s:s, s:s}", "scenario", plan->scenario->name, "run",
							    run->name, "why", why));
}

/* What was given as a cause; in parentheses what there was instead. */
static const char *said(const struct hold *h, int code, const json_t *answer)
{
	if (h->expired)
		return "(deadline)";
	if (h->tool.lost)
		return "(killed its keeper)";
	if (code != 0)
		return "(spoilt the run)";
	if (h->answer_too_long)
		return "(too long)";
	if (!answer)
		return h->answer_length ? "(not an answer)" : "(nothing)";
	return *text_of(answer, "cause") ? text_of(answer, "cause") : "(no cause)";
}

/* code: of a hold that went wrong once the tool had been started. Its cause is that of the run that was proven: who
 * ends what he cannot answer is as wrong as who answers wrong. */
static int add_hold(const struct hold_options *o, struct tally *t, const struct plan *plan, const struct plan_run *run,
		    const struct hold *h, int code)
{
	char why[2 * TEXT_MAX];
	json_auto_t *key = code == 0 ? hold_key(h, plan, run) : NULL;
	const char *cause = code == 0 ? text_of2(key, "cause", "id") : run->expect.cause;
	json_auto_t *answer = code != 0 || h->expired || h->answer_too_long || !h->answer
				      ? NULL
				      : grade_parse(h->answer, h->answer_length, why, sizeof(why));
	json_auto_t *grade = key && answer ? grade_make(key, answer, o->within) : NULL;
	return json_array_append_new(t->holds, json_pack("{s:s, s:s, s:s, s:s, s:O?}", "scenario", plan->scenario->name,
							 "run", run->name, "cause", cause, "answer",
							 said(h, code, answer), "grade", grade));
}

/* The machine itself is at its end: this tool could be started elsewhere. */
static bool is_start_refused(const struct hold *h)
{
	const int error = h->problem < 0 ? -h->problem : h->tool.error;
	return error == ENOMEM || error == EAGAIN;
}

/* site: NULL for runs that are held in guests. */
static void hold_each(const struct hold_options *o, struct hold_site *site, const struct plan *plan, struct tally *t)
{
	for (size_t i = 0; i < plan->run_count && t->code == 0; i++) {
		const struct plan_run *run = &plan->runs[i];
		enum hold_phase phase = hold_phase_of(o, run);
		char why[4 * TEXT_MAX] = "";
		if (run->role != ROLE_TRIGGER)
			continue;
		const char *not_this = hold_why_not(plan, run, phase);
		struct hold h = hold_of(o, phase);
		int code = not_this ? EXIT_ALL_SKIPPED
			   : site   ? hold_run(site, plan, run, &h, why, sizeof(why))
				    : hold_guest_run(run, &h, why, sizeof(why));
		bool counts = code == 0 || (h.started && code != EXIT_INTERRUPTED);
		int r = counts ? add_hold(o, t, plan, run, &h, code)
			       : add_not_held(t, plan, run, not_this ? not_this : why);
		if (code == EXIT_INTERRUPTED || r < 0 ||
		    ((code == 126 || code == 127 || h.problem < 0) && !is_start_refused(&h))) {
			(void)say_error(0, "%s", *why ? why : "no memory");
			t->code = code ? code : EXIT_BROKEN;
		} else if (code != 0 && counts) {
			say_note("%s: %s: counted as wrong: %s", plan->scenario->name, run->name, why);
		} else if (code != 0 && code != EXIT_ALL_SKIPPED) {
			say_note("%s: %s: left out: %s", plan->scenario->name, run->name, why);
		}
		hold_free(&h);
	}
}

static int report(const struct hold_options *o, const struct tally *t)
{
	json_auto_t *grades = grades_make(t->holds, t->not_held);
	if (!grades) {
		(void)say_error(-ENOMEM, "the grades could not be told");
		return EXIT_BROKEN;
	}
	json_int_t held = text_integer(grades, "held", 0), named = text_integer(grades, "named", 0);
	int r = o->as_json ? (json_dumpf(grades, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6)) < 0 || puts("") < 0
				      ? -EIO
				      : 0)
			   : grades_print(grades, stdout);
	if (r < 0)
		return say_unwritten(r, "the grades could not be written");
	if (held == 0)
		return EXIT_ALL_SKIPPED;
	return (uint64_t)named * 10000 < (uint64_t)held * o->at_least ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED;
}

static int hold_all_here(struct hold_options *o, const struct selection *selection, struct tally *t)
{
	static struct hold_site site;
	int code = hold_site_open(&site);
	if (code != 0)
		return code;
	t->code = hold_decoys_plan(o, &site.machine, NULL);
	for (size_t i = 0; i < selection->count && t->code == 0; i++) {
		struct plan *plan = NULL;
		int r = plan_make(selection->item[i], &site.machine, stderr, &plan);
		if (r < 0)
			t->code = hold_no_plan(r);
		else
			hold_each(o, &site, plan, t);
		plan_free(plan);
	}
	hold_site_close(&site);
	return t->code;
}

static int hold_all_in_guests(struct hold_options *o, const struct selection *selection, const struct selection *all,
			      struct tally *t)
{
	struct hold_guests guests;
	jobs_catch_signals();
	int code = hold_guests_open(o, all, &guests);
	if (code != 0)
		return code;
	o->tool = guests.tool;
	t->code = hold_decoys_plan(o, NULL, &guests.guests.site[0]);
	for (size_t i = 0; i < selection->count && t->code == 0; i++) {
		struct plan *plan = NULL;
		int r = guests_plan(&guests.guests.site[0], selection->item[i], stderr, &plan);
		if (r < 0)
			t->code = hold_no_plan(r);
		else
			hold_each(o, NULL, plan, t);
		plan_free(plan);
	}
	hold_guests_close(&guests);
	return t->code;
}

int hold_all(struct hold_options *o, const struct selection *selection, const struct selection *all)
{
	json_auto_t *holds = json_array(), *not_held = json_array();
	struct tally t = {.holds = holds, .not_held = not_held};
	int code = o->in_guest ? hold_all_in_guests(o, selection, all, &t) : hold_all_here(o, selection, &t);
	return code ? code : report(o, &t);
}
