// SPDX-License-Identifier: MIT
/*
 * What `enomem hold` is told.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "guests.h"
#include "hold-run.h"
#include "options.h"
#include "select.h"

struct hold_options {
	const char *tree, *case_name, *run_name, *key;
	bool all, grade, as_json, has_phase, in_guest;
	struct guests_options guests;
	struct guest_bring bring;
	enum hold_phase phase;
	uint64_t count, rate;
	uint64_t ready_after_ns;           /* 0: not given */
	uint64_t ttl_ns, within, at_least; /* the latter two in basis points */
	struct select_filter filter;
	char *const *names; /* of scenarios */
	size_t name_count;
	char *const *tool;
	char *decoy[HOLD_DECOYS_MAX]; /* names, without their roles; and what was found of them */
	enum role decoy_role[HOLD_DECOYS_MAX];
	size_t decoy_count;
	struct selection decoy_scenarios; /* one for each */
	struct hold_decoys *decoys;       /* NULL until planned, and where there are none */
	bool with_input;
	char *input; /* what our standard input had for the tool in a guest; NULL: nothing */
};

extern const struct option_row hold_option_rows[];
/* 0; -1 when help was shown; else the exit status after telling what is wrong. */
int hold_options_parse(const struct command *self, int argc, char **argv, struct hold_options *ret);

void hold_options_free(struct hold_options *o);

/* The phase that was asked for, or the one that shows most of such a run. */
enum hold_phase hold_phase_of(const struct hold_options *o, const struct plan_run *run);

/* What the options say of a hold, in that phase. */
struct hold hold_of(const struct hold_options *o, enum hold_phase phase);

/* Read the manifests of what is to stand beside the failure, and add them to what a guest is to have: *ret_all is
 * selection and they, each once, with items of its own and scenarios of theirs. 0, or the exit status after telling. */
int hold_decoys_select(struct hold_options *o, const struct selection *selection, struct selection *ret_all);
/* Plan and choose them, for this machine or for a guest; site NULL: this machine. 0, or the exit status after telling.
 */
int hold_decoys_plan(struct hold_options *o, const struct machine *machine, struct guest_site *site);

/* `--all --grade`: every trigger that can be held here; guests have all. The exit status. */
int hold_all(struct hold_options *o, const struct selection *selection, const struct selection *all);
