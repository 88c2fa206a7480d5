// SPDX-License-Identifier: MIT
/*
 * Somebody's own program in a scenario's place: how it is started, and what it was refused. A scenario's own program is
 * refused once, where it was predicted; this one may be refused anything, any number of times, and live on.
 */
#pragma once

#include <jansson.h>

#include "grant.h"
#include "run.h"
#include "stage.h"

struct run_command {
	char **argv;             /* looked for in PATH; not the scenario's clean environment, nor its directory */
	const char *root;        /* its root directory, absolute; NULL for ours */
	int stream[3];           /* what it reads and writes; -1 each: nothing to read, and heard as any program is */
	unsigned closed_streams; /* a bit each: closed for it */
	bool terminal;           /* the streams are its controlling terminal, and files are read-only but for */
	const char (*writable)[256]; /* these, STAGE_WRITABLE of them; NULL */
	bool files_free;             /* they are not: in a guest that is thrown away */
	/* For who hands signals on to it; NULL while it does not run. */
	const struct witness_shared *volatile shared;
};

/* How many words it has; 0 for NULL. */
size_t run_command_length(const struct run_command *c);
/* Its part of what the stage is told. */
void run_command_spec(const struct run_command *c, struct stage_spec *spec);
/* The signal of which the stage, or the program in its own exec, died; 0: of none. */
int run_command_signal_starting(int root_status);

/* One kind of refusals: program, call, errno and cause. */
struct run_refusal_kind {
	char comm[16];
	const struct call_info *call;
	int error;
	enum cause_id cause;
	bool wrongly; /* what no limit could have given: no refusal */
	uint64_t count, processes, asked_least, asked_most, last_ns;
	unsigned looked;
	pid_t last_pid;
	struct refusal last;            /* of that process */
	bool made_up_for;               /* it was granted as much since; */
	struct grant_fallback fallback; /* or less */
	struct cause_report report;     /* of the last one that was looked at */
	unsigned named;
	uint32_t also;
};

#define RUN_REFUSAL_KINDS 48
struct run_refusals {
	unsigned count;
	struct run_refusal_kind kind[RUN_REFUSAL_KINDS];
	uint64_t unlisted;
};

/* For the witness: `data` is the run's record. */
void run_refusals_note(const struct refusal *refusal, void *data);
void run_refusals_note_granted(const struct refusal *granted, void *data);
/* [{call, errno, program, count, cause, ...}] in the order they were met. */
json_t *run_refusals_json(const struct run_record *record);
