// SPDX-License-Identifier: MIT
/*
 * See run-look.h.
 */
#include "run-look.h"

#include <string.h>

#include "triage.h"

static void keep_first(struct triage *t, struct run_look_row *ret)
{
	triage_rank(t);
	*ret = (struct run_look_row){0};
	if (t->count == 0)
		return;
	ret->cause = triage_limit_infos[t->row[0].limit].cause;
	ret->unit = triage_limit_infos[t->row[0].limit].unit;
	ret->in_use = t->row[0].in_use;
	ret->bound = t->row[0].bound;
}

/* What somebody who sees no more than the program's end would tell triage, and the snapshot that belongs to it. */
static const struct snapshot *symptom_of(const struct run_record *record, struct triage_symptom *ret)
{
	const struct witness *w = &record->witness;
	*ret = (struct triage_symptom){0};
	if (record->run->expect.stall)
		return &record->sampler.at_deadline;
	if (record->run->expect.signal || w->record_count == 0) {
		ret->signal = w->at_signal_index >= 0 ? w->signal[w->at_signal_index].signal : 0;
		return &w->at_signal;
	}
	ret->call = w->record[0].call;
	ret->error = w->record[0].error;
	return &w->at_refusal;
}

void run_look(pid_t pid, void *data)
{
	struct run_record *record = data;
	struct run_look *look = &record->look;
	struct triage t = {0};
	struct triage_symptom symptom;
	char name[64];
	/* A refused call is the failing moment, whatever signals follow; a fatal signal is, whatever was refused
	 * before. */
	if (look->taken && !record->run->expect.signal)
		return;
	const struct snapshot *moment = symptom_of(record, &symptom);
	if (triage_one_process(&t, pid, NULL, name, sizeof(name)) == 0) {
		look->taken = true;
		keep_first(&t, &look->ranked);
		triage_apply_symptom(&t, &symptom, moment);
		keep_first(&t, &look->told);
	}
	triage_free(&t);
}

static json_t *row_json(const struct run_look_row *row)
{
	return row->cause ? json_pack("{s:s, s:o, s:o, s:s}", "cause", row->cause, "in_use", json_number(row->in_use),
				      "bound", json_number(row->bound), "unit", row->unit)
			  : json_null();
}

json_t *run_look_json(const struct run_look *look)
{
	if (!look->taken)
		return NULL;
	return json_pack("{s:o, s:o}", "ranked", row_json(&look->ranked), "told", row_json(&look->told));
}
