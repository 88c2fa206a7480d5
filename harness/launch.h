// SPDX-License-Identifier: MIT
/*
 * Any program, run as it is and followed: its streams, environment and signals are its own.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include <jansson.h>

#include "follow.h"

/* As env(1) has them. */
#define EXIT_NOT_WATCHED    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

struct launch {
	/* Given by the caller. */
	char **argv;             /* argv[0] is looked for in PATH */
	unsigned closed_streams; /* a bit each: closed for the program as well */
	bool apart;              /* a session of its own, nothing to read, and what it says is not heard */
	enum follow_start from;  /* see follow_from() */
	const struct follow_handlers *handlers;
	void *data;
	void (*begin)(struct launch *l); /* the program waits for its exec; may be NULL, may come twice */
	/* Found; follow_free() is the caller's. */
	struct follow *follow;
	pid_t root;
	bool filtered; /* only calls that may be refused stop it */
	bool interrupted;
};

/* Until the program and what it started is over. 0; or the exit status that its failure to start asks for, which was
 * told why.
 */
int launch_run(struct launch *l);

/* Signals that are sent to us are handed on to the program until this is called; then they end the watching. */
void launch_program_ended(void);

/* Who sent us the signal that was handed on last; pid 0: nobody that the kernel names. */
struct launch_sender {
	int signal;
	pid_t pid;
	uid_t uid;
	char comm[20]; /* "" where it was gone already */
};
const struct launch_sender *launch_sender(void);

/* Set when a signal says so; what follow_run() looks at. */
extern volatile sig_atomic_t launch_stop;
/* Of a launch apart: the last signal that was no alarm, 0 for none. */
extern volatile sig_atomic_t launch_signal;
void launch_stop_on(const int *signals, size_t count);

/* What bounds the program shall not bound who looks at it more than need be. */
void launch_raise_own_limits(void);

/* --- around it --------------------------------------------------------------------------------------------------- */

/* Where the summary goes. */
struct launch_output {
	const char *name; /* given by the caller; NULL for standard error */
	FILE *file;
	bool created; /* taken away again when there is nothing to tell */
};

/* Before anything is started: what cannot be written shall not cost a run. 0; -errno after it was told what is wrong.
 */
int launch_output_open(struct launch_output *o);
/* 0, or it was told that `json`, NULL for want of memory, could not be written. */
int launch_output_json(struct launch_output *o, const json_t *json);
/* After the last word, or with `launched` false without any. `told` if that is an error already; else 0, or it was told
 * that what was written did not arrive. */
int launch_output_end(struct launch_output *o, bool launched, int told);

/* The program's end, as whoever started us would have seen it; a core of ours would be nobody's. */
int launch_end_likewise(int status);

/* Would it gain privileges that a watched program does not? Then that was told, -EPERM. */
int launch_check_privileges(const char *name);

/* -EACCES, told, where the memory of what is executed is closed to who watches it (would_dump(), fs/exec.c): where its
 * main() begins cannot be found there, nor stopped at. */
int launch_check_readable(const char *name);

/* --from=exec|entry; 0, or it was told what is wrong. */
extern const char *const launch_start_names[];
int launch_parse_from(const char *value, enum follow_start *ret);
