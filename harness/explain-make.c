// SPDX-License-Identifier: MIT
/*
 * The three things that are explained, as JSON. See explain.h.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "book.h"
#include "cause.h"
#include "cleanup.h"
#include "explain.h"
#include "guest-kernel.h"
#include "machine.h"
#include "plan-internal.h"
#include "report-text.h"

#define ERRNO_MAX 200

/* What is the same on every page: the machine, and whose limits the numbers are. */
static int add_place(const struct explain_world *w, json_t *page)
{
	char name[256];
	return page && json_object_set_new(page, "host", machine_host(&w->machine)) == 0 &&
			       json_object_set_new(page, "process",
						   json_pack("{s:i, s:s}", "pid", (int)w->pid, "name",
							     text_clean(w->name, false, name, sizeof(name)))) == 0
		       ? 0
		       : -ENOMEM;
}

/* The page with its place, or NULL. */
static json_t *placed(const struct explain_world *w, json_t *page)
{
	if (add_place(w, page) == 0)
		return page;
	json_decref(page);
	return NULL;
}

static bool has_word(const json_t *list, const char *word)
{
	const json_t *known = NULL;
	size_t i;
	json_array_foreach (list, i, known)
		if (!strcmp(json_string_value(known), word))
			return true;
	return false;
}

/* --- a scenario -------------------------------------------------------------------------------------------------- */

/* Other causes that end so, by any of these calls; those of the scenario itself are no neighbours. */
static json_t *neighbours(const struct explain_world *w, const json_t *symptom, const char *scenario)
{
	const json_t *row = NULL, *call = NULL;
	json_t *names = json_array();
	size_t i, k;
	json_array_foreach (w->symptoms, i, row) {
		const json_t *calls = json_object_get(symptom, "calls");
		bool same = json_array_size(calls) == 0;
		json_array_foreach (calls, k, call)
			same |= has_word(json_object_get(row, "calls"), json_string_value(call));
		if (same && !strcmp(text_of(row, "outcome"), text_of(symptom, "outcome")) &&
		    strcmp(text_of(row, "cause"), text_of(symptom, "cause")) != 0 &&
		    !has_word(json_object_get(row, "scenarios"), scenario))
			(void)json_array_append(names, json_object_get(row, "cause"));
	}
	return names;
}

/* How the scenario's triggers end, and which causes those are. */
static int add_symptoms(const struct explain_world *w, const struct scenario *s, json_t *page)
{
	json_auto_t *symptoms = json_array(), *causes = json_array(), *own = NULL;
	const struct selection one = {.item = (struct scenario *[]){(struct scenario *)(uintptr_t)s}, .count = 1};
	json_t *row;
	const json_t *cause = NULL;
	size_t i, k;
	own = explain_symptoms(&one);
	json_array_foreach (own, i, row) {
		bool known = false;
		json_array_foreach (causes, k, cause)
			known |= !strcmp(text_of(cause, "cause"), text_of(row, "cause"));
		if (!known && json_array_append_new(causes, explain_cause_here(w, text_of(row, "cause"),
									       text_of(row, "outcome"))) < 0)
			return -ENOMEM;
		if (json_object_del(row, "scenarios") < 0 ||
		    json_object_set_new(row, "also", neighbours(w, row, s->name)) < 0 ||
		    json_array_append(symptoms, row) < 0)
			return -ENOMEM;
	}
	return own && json_object_set(page, "symptoms", symptoms) == 0 && json_object_set(page, "causes", causes) == 0
		       ? 0
		       : -ENOMEM;
}

/* How many runs can happen here, why others cannot, and the command that runs it. */
static int add_runs(const struct explain_world *w, const struct scenario *s, FILE *errors, json_t *page)
{
	struct plan *plan = NULL;
	struct guest_kernel kernel;
	size_t here = 0;
	int r = plan_make(s, &w->machine, errors, &plan);
	if (r < 0)
		return r;
	const char *why = plan->skip;
	for (size_t i = 0; !plan->skip && i < plan->run_count; i++) {
		here += plan->runs[i].skip == NULL;
		if (plan->runs[i].skip && !why)
			why = plan->runs[i].skip;
	}
	bool guest = here < plan->run_count && guest_kernel_default(&kernel) == 0;
	char name[300];
	bool elsewhere = strchr(s->directory, '/') && !strstr(s->directory, "/scenarios/");
	(void)snprintf(name, sizeof(name), "%s", elsewhere ? s->directory : s->name);
	json_t *runs = json_pack("{s:I, s:I, s:s*, s:s*}", "all", (json_int_t)plan->run_count, "here", (json_int_t)here,
				 "why_not", why, "guest", guest ? kernel.name : NULL);
	plan_free(plan);
	if (!runs || json_object_set_new(runs, "command", json_sprintf("enomem run %s", name)) < 0 ||
	    json_object_set_new(page, "runs", runs) < 0)
		return -ENOMEM;
	return 0;
}

json_t *explain_scenario(struct explain_world *w, const struct scenario *s, FILE *errors)
{
	json_t *page = NULL;
	if (book_lesson(s->directory, s->name, errors, &page) < 0)
		return NULL;
	int r = json_object_set_new(page, "kind", json_string("scenario")) < 0 ||
				json_object_set_new(page, "class", json_string(s->class_name)) < 0 ||
				json_object_set_new(page, "scope", json_string(scope_names[s->scope])) < 0 ||
				(s->note && json_object_set_new(page, "note", json_string(s->note)) < 0)
			? -ENOMEM
			: 0;
	if (r == 0)
		r = add_symptoms(w, s, page);
	if (r == 0)
		r = add_runs(w, s, errors, page);
	if (r == 0)
		return placed(w, page);
	json_decref(page);
	return NULL;
}

/* --- a cause ----------------------------------------------------------------------------------------------------- */

static const struct scenario *scenario_of(const struct explain_world *w, const char *name)
{
	for (size_t i = 0; i < w->all.count; i++)
		if (!strcmp(w->all.item[i]->name, name))
			return w->all.item[i];
	return NULL;
}

/* Both say where they exist, and of other kernels. */
static bool other_kernel(const struct run_text *a, const struct run_text *b)
{
	return a->has_when && b->has_when && a->when.kernel && b->when.kernel &&
	       strcmp(a->when.kernel, b->when.kernel) != 0;
}

/*
 * In this case, is it the cause that the remedy is tried against? Where the case's triggers are refused by several,
 * that is the one of them that the remedy names itself, else its first trigger's.
 */
static bool is_against(const struct scenario *s, const struct case_text *c, const struct run_text *remedy,
		       const char *cause)
{
	const char *first = NULL;
	for (size_t i = 0; run_has_case(remedy, c) && i < s->run_count; i++) {
		const struct run_text *trigger = &s->runs[i];
		struct expect e = {0};
		if (trigger->role != ROLE_TRIGGER || trigger->described || !run_has_case(trigger, c) ||
		    other_kernel(trigger, remedy))
			continue;
		expect_merge(s, c, trigger, &e);
		if (e.cause && remedy->expect.cause && !strcmp(e.cause, remedy->expect.cause))
			return !strcmp(e.cause, cause);
		if (!first)
			first = e.cause;
	}
	return first && !strcmp(first, cause);
}

/* The names of a scenario's remedies against the cause: those that were proved to help, and the folklore. */
static json_t *remedies_of(const struct scenario *s, const char *cause)
{
	json_t *helps = json_array(), *folklore = json_array();
	for (size_t i = 0; i < s->run_count; i++) {
		const struct run_text *run = &s->runs[i];
		bool against = run->role == ROLE_REMEDY && s->case_count == 0 && is_against(s, NULL, run, cause);
		for (size_t c = 0; run->role == ROLE_REMEDY && !against && c < s->case_count; c++)
			against = is_against(s, &s->cases[c], run, cause);
		if (against)
			(void)json_array_append_new(run->helps ? helps : folklore, json_string(run->name));
	}
	return json_pack("{s:s, s:s, s:o, s:o}", "scenario", s->name, "title", s->title, "helps", helps, "folklore",
			 folklore);
}

json_t *explain_cause(const struct explain_world *w, const char *cause)
{
	json_t *page = explain_cause_here(w, cause, NULL);
	json_auto_t *symptoms = json_array(), *scenarios = json_array();
	const json_t *row = NULL, *name = NULL;
	size_t i;
	json_array_foreach (w->symptoms, i, row)
		if (!strcmp(text_of(row, "cause"), cause))
			(void)json_array_append(symptoms, (json_t *)(uintptr_t)row);
	json_array_foreach (json_object_get(page, "shown_by"), i, name) {
		const struct scenario *s = scenario_of(w, json_string_value(name));
		if (s)
			(void)json_array_append_new(scenarios, remedies_of(s, cause));
	}
	if (page && json_object_set_new(page, "kind", json_string("cause")) == 0 &&
	    json_object_set(page, "symptoms", symptoms) == 0 && json_object_set(page, "scenarios", scenarios) == 0)
		return placed(w, page);
	json_decref(page);
	return NULL;
}

/* --- a symptom --------------------------------------------------------------------------------------------------- */

static const char *meaning(const char *outcome)
{
	for (int i = 1; i < ERRNO_MAX; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), outcome))
			return strerrordesc_np(i);
	for (int i = 1; strncmp(outcome, "SIG", 3) == 0 && i < NSIG; i++)
		if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), outcome + 3))
			return sigdescr_np(i);
	if (!strcmp(outcome, "stall"))
		return "no error: the program neither ends nor goes on";
	return !strcmp(outcome, "panic") ? "the machine ends, and the program with it" : "";
}

/* Which kernels of the references show the cause ending so. */
static json_t *kernels_of(const struct explain_world *w, const char *cause, const char *outcome)
{
	const json_t *row = NULL, *label = NULL;
	json_t *kernels = json_array();
	size_t i, k;
	json_array_foreach (json_object_get(w->table, "rows"), i, row) {
		const char *end = text_of(row, "outcome");
		bool so = !strcmp(text_of(row, "errno"), outcome) ||
			  (strncmp(end, outcome, strlen(outcome)) == 0 && strchr(" ", end[strlen(outcome)]));
		if (!so || strcmp(text_of(row, "cause"), cause) != 0)
			continue;
		json_array_foreach (json_object_get(row, "kernels"), k, label)
			if (!has_word(kernels, json_string_value(label)))
				(void)json_array_append(kernels, (json_t *)(uintptr_t)label);
	}
	return kernels;
}

/* What programs said although the kernel said something else. */
static json_t *said_of(const struct explain_world *w, const char *outcome)
{
	static const char *const keys[] = {"called", "call", "errno", "cause"};
	json_t *list = json_array(), *other;
	const json_t *row = NULL;
	size_t i, k;
	json_array_foreach (json_object_get(w->table, "rows"), i, row) {
		const char *kernel = text_of(row, "errno");
		if (!*kernel || strcmp(text_of2(row, "reported", "errno"), outcome) != 0 || !strcmp(kernel, outcome))
			continue;
		json_auto_t *said =
			json_pack("{s:s, s:s, s:s, s:s}", keys[0], text_of2(row, "reported", "called"), keys[1],
				  text_of(row, "call"), keys[2], kernel, keys[3], text_of(row, "cause"));
		bool known = !said;
		json_array_foreach (list, k, other)
			known |= json_equal(other, said);
		if (!known)
			(void)json_array_append(list, said);
	}
	return list;
}

/* How full the fullest of its limits is here; a cause without any comes last of its kind. */
static json_int_t fullness(const json_t *cause)
{
	const json_t *first = json_array_get(json_object_get(cause, "limits"), 0);
	return first ? text_integer(first, "basis_points", 0) + 1 : 0;
}

static unsigned tell_index(const json_t *cause)
{
	unsigned i = 0;
	while (i + 1 < TELLS && strcmp(explain_tell_names[i], text_of(cause, "tell")) != 0)
		i++;
	return i;
}

/* Before which of the list does it go: cheaper checks first, then the fuller limit. */
static size_t place_in(const json_t *list, const json_t *cause)
{
	size_t i;
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);
		if (tell_index(cause) != tell_index(other) ? tell_index(cause) < tell_index(other)
							   : fullness(cause) > fullness(other))
			break;
	}
	return i;
}

json_t *explain_symptom(const struct explain_world *w, const char *outcome)
{
	json_auto_t *given_by = json_array(), *said = said_of(w, outcome);
	const json_t *row = NULL;
	size_t i;
	json_array_foreach (w->symptoms, i, row) {
		if (strcmp(text_of(row, "outcome"), outcome) != 0)
			continue;
		json_t *cause = explain_cause_here(w, text_of(row, "cause"), outcome);
		if (!cause || json_object_set(cause, "calls", json_object_get(row, "calls")) < 0 ||
		    json_object_set(cause, "shown_by", json_object_get(row, "scenarios")) < 0 ||
		    json_object_set_new(cause, "kernels", kernels_of(w, text_of(row, "cause"), outcome)) < 0 ||
		    json_array_insert_new(given_by, place_in(given_by, cause), cause) < 0)
			return NULL;
	}
	if (json_array_size(given_by) == 0 && json_array_size(said) == 0)
		return json_null();
	return placed(w, json_pack("{s:s, s:s, s:s, s:O, s:O}", "kind", "symptom", "outcome", outcome, "meaning",
				   meaning(outcome), "given_by", given_by, "said_of", said));
}
