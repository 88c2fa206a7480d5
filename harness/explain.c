// SPDX-License-Identifier: MIT
/*
 * What is explained from: the manifests' symptoms, the references, and what this machine has. See explain.h.
 */
#include "explain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cause.h"
#include "cleanup.h"
#include "errno-table.h"
#include "machine.h"
#include "plan-internal.h"
#include "references.h"
#include "report-text.h"

/* Append a text unless it is there. */
static int add_word(json_t *list, const char *word)
{
	const json_t *known = NULL;
	size_t i;
	json_array_foreach (list, i, known)
		if (!strcmp(json_string_value(known), word))
			return 0;
	return json_array_append_new(list, json_string(word));
}

/* The row of a cause and an outcome, made if there is none; borrowed. NULL without memory. */
static json_t *row_of(json_t *rows, const char *cause, const char *outcome)
{
	json_t *row;
	size_t i;
	json_array_foreach (rows, i, row)
		if (!strcmp(text_of(row, "cause"), cause) && !strcmp(text_of(row, "outcome"), outcome))
			return row;
	row = json_pack("{s:s, s:s, s:[], s:[]}", "cause", cause, "outcome", outcome, "calls", "scenarios");
	return row && json_array_append_new(rows, row) == 0 ? row : NULL;
}

static int add_outcome(json_t *rows, const struct scenario *s, const struct expect *e, const char *outcome, bool called)
{
	json_t *row = outcome && e->cause ? row_of(rows, e->cause, outcome) : NULL;
	if (!outcome || !e->cause)
		return 0;
	int r = row ? add_word(json_object_get(row, "scenarios"), s->name) : -ENOMEM;
	for (size_t i = 0; r == 0 && called && i < e->call.count; i++)
		r = add_word(json_object_get(row, "calls"), e->call.item[i]);
	return r < 0 ? -ENOMEM : 0;
}

/* One that is refused and then dies of it shows both. */
static int add_trigger(json_t *rows, const struct scenario *s, const struct case_text *c, const struct run_text *run)
{
	struct expect e = {0};
	expect_merge(s, c, run, &e);
	int r = add_outcome(rows, s, &e, e.error, true);
	if (r == 0)
		r = add_outcome(rows, s, &e, e.signal, e.error != NULL);
	if (r == 0 && e.stall)
		r = add_outcome(rows, s, &e, "stall", false);
	return r == 0 && e.panic ? add_outcome(rows, s, &e, "panic", false) : r;
}

static int add_scenario(json_t *rows, const struct scenario *s)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->run_count; i++) {
		const struct run_text *run = &s->runs[i];
		if (run->role != ROLE_TRIGGER || run->described)
			continue;
		if (s->case_count == 0)
			r = add_trigger(rows, s, NULL, run);
		for (size_t c = 0; r == 0 && c < s->case_count; c++)
			if (run_has_case(run, &s->cases[c]))
				r = add_trigger(rows, s, &s->cases[c], run);
	}
	return r;
}

json_t *explain_symptoms(const struct selection *all)
{
	json_auto_t *rows = json_array();
	json_t *sorted = json_array(), *row;
	int r = rows && sorted ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < all->count; i++)
		r = add_scenario(rows, all->item[i]);
	for (int id = 0; r == 0 && id < CAUSE_COUNT; id++) {
		size_t i;
		json_array_foreach (rows, i, row)
			if (cause_by_name(text_of(row, "cause")) == id && json_array_append(sorted, row) < 0)
				r = -ENOMEM;
	}
	if (r == 0)
		return sorted;
	json_decref(sorted);
	return NULL;
}

/* The caller, as a rule a shell: what is started from it has its limits. In a pid namespace of its own: this process.
 */
static int look_around(struct explain_world *w)
{
	w->pid = getppid() > 0 ? getppid() : getpid();
	w->triage.huge_pool = true;
	int r = triage_one_process(&w->triage, w->pid, NULL, w->name, sizeof(w->name));
	if (r < 0 && r != -ENOMEM && w->pid != getpid()) {
		triage_free(&w->triage);
		w->triage.huge_pool = true;
		w->pid = getpid();
		r = triage_one_process(&w->triage, w->pid, NULL, w->name, sizeof(w->name));
	}
	if (r == 0)
		triage_rank(&w->triage);
	if (r == 0)
		explain_read_limits(w);
	return r;
}

/* Without references, or with bad ones, what they would say is left out. */
void explain_add_references(struct explain_world *w)
{
	json_auto_t *results = json_array();
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	if (results && nowhere && references_load(nowhere, results) == 0)
		w->table = errno_table_make(results);
}

int explain_open(struct explain_world *w, const char *tree, FILE *errors)
{
	memset(w, 0, sizeof(*w));
	int r = select_scenarios(tree, NULL, 0, &w->all);
	if (r < 0)
		return r; /* told */
	w->symptoms = explain_symptoms(&w->all);
	r = w->symptoms ? machine_probe(false, &w->machine) : -ENOMEM;
	if (r == 0)
		r = look_around(w);
	if (r < 0)
		(void)fprintf(errors, "enomem: this machine could not be looked at (%s)\n", strerrorname_np(-r));
	if (r < 0)
		explain_close(w);
	return r;
}

void explain_close(struct explain_world *w)
{
	selection_free(&w->all);
	triage_free(&w->triage);
	json_decref(w->symptoms);
	json_decref(w->table);
	w->symptoms = w->table = NULL;
}
