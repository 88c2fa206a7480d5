// SPDX-License-Identifier: MIT
/*
 * enomem explain: a scenario's lesson, a cause or a symptom, with the numbers of this machine. Everything is JSON
 * first; Markdown is made of that, and what a terminal shows is that Markdown.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "plan.h"
#include "select.h"
#include "triage.h"

/* What there is to explain from. */
struct explain_world {
	struct selection all; /* the scenarios of the tree */
	json_t *symptoms;     /* explain_symptoms() of them */
	json_t *table;        /* errno_table_make() of the references; NULL where there are none */
	struct machine machine;
	struct triage triage; /* what could refuse something to this process: */
	int32_t pid;          /* the one that called this program, as a rule a shell */
	char name[64];
	/* Its soft limits and those of this program, ENOMEM_ABSENT where they cannot be read. */
	uint64_t soft[PROCFS_RLIMITS], own[PROCFS_RLIMITS];
	bool exempt_nproc, exempt_memlock, swap; /* is it exempt? is there any? */
};

/* 0; -errno after telling what could not be read */
int explain_open(struct explain_world *w, const char *tree, FILE *errors);
/* What the references say, for symptoms: they are large. */
void explain_add_references(struct explain_world *w);
void explain_close(struct explain_world *w);

/*
 * What the manifests' triggers show: [{"cause", "outcome": errno, signal, "stall" or "panic", "calls": [], "scenarios":
 * []}], in the order of lib/cause.h. NULL without memory.
 */
json_t *explain_symptoms(const struct selection *all);

/* How to find out that it was a cause, from the cheapest check to the dearest. */
enum explain_tell {
	TELL_COUNTER, /* that this limit moves: read it afterwards */
	TELL_PROCESS, /* a limit of the process, against what it has */
	TELL_MACHINE, /* one of the machine */
	TELL_TRACE,   /* no number shows it afterwards */
	TELLS
};
extern const char *const explain_tell_names[TELLS];
/* outcome: how it ended, NULL for any */
enum explain_tell explain_tell_of(const char *cause, const char *outcome);

/*
 * {"cause", "unit", "tell", "show", "note": what there is to say besides, "set": is there such a limit here?, "limits":
 * [{"what", "in_use", "bound", "unit", "basis_points", "refused", "fails", "show", "fix"}], "shown_by": [scenario]}.
 * "set" is left out where enomem reads no number of it.
 */
json_t *explain_cause_here(const struct explain_world *w, const char *cause, const char *outcome);

/* The rest of the world: what of the caller's limits triage has no row for. */
void explain_read_limits(struct explain_world *w);
/* row: the first of the cause, NULL for none. */
bool explain_is_set(const struct explain_world *w, int cause, const struct triage_row *row);
/* One paragraph, or "". reads: some file has a number of it. Returns buf. */
char *explain_note(const struct explain_world *w, int cause, const struct triage_row *row, bool reads, char *buf,
		   size_t size);

/* NULL without memory, or for the first after telling why its lesson or its amounts cannot be read. */
json_t *explain_scenario(struct explain_world *w, const struct scenario *s, FILE *errors);
json_t *explain_cause(const struct explain_world *w, const char *cause);
/* An errno, a signal, "stall" or "panic" that some trigger shows or some program said; JSON null for any other. */
json_t *explain_symptom(const struct explain_world *w, const char *outcome);

/* Markdown of one of the three, by its members. */
void explain_write(const json_t *explained, FILE *out);
