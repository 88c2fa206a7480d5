// SPDX-License-Identifier: MIT
/*
 * A program that is refused calls it would have been granted: what was refused, and what became of the program. One run
 * of `enomem inject`, and each of `enomem sweep`.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "follow.h"
#include "inject-spec.h"

#define INJECT_LISTED 16
#define INJECT_COMM   16

/* One call that was taken away. */
struct inject_fault {
	const struct call_info *call;
	uint64_t number; /* of the calls that match */
	uint64_t asked;
	pid_t pid;
	char comm[INJECT_COMM];
};

/* A process that ended of a signal. */
struct inject_death {
	pid_t pid;
	int signal;
	bool ours; /* killed by whoever watches */
	char comm[INJECT_COMM];
};

struct inject_run {
	/* Given. */
	struct inject_spec spec;
	bool nothing; /* only count */
	/* Found. */
	struct follow *follow;
	pid_t root;
	bool root_ended, killed; /* killed: by us, from then on */
	int root_status;
	const char
		*earlier; /* it ended before calls are counted from where it was asked: the start to ask for; or NULL */
	uint64_t matched, fired;
	uint64_t tasks_by; /* calls that make tasks, and were made, but were not asked for: bits as of the spec's calls
			    */
	uint64_t tasks_made; /* so often */
	unsigned fault_count, death_count;
	struct inject_fault fault[INJECT_LISTED]; /* the first ones */
	struct inject_death death[INJECT_LISTED];
	uint64_t deaths;
	uint64_t kills_kept_from, untraced, unwatched; /* as the follower counts them: inject_end() */
	void (*program_ended)(struct inject_run *r);   /* the program did, others may go on; may be NULL */
};

struct launch;

extern const struct follow_handlers inject_handlers; /* their data is a struct inject_run */
void inject_begin(struct launch *l);                 /* for launch_run() */
void inject_end(struct inject_run *r, const struct follow *f);

/* Did a process crash, by itself? */
const struct inject_death *inject_crash(const struct inject_run *r);

/* The summary; every line says that it was injected. */
void inject_print(const struct inject_run *r, char *const *argv, enum follow_start from, FILE *out);
json_t *inject_json(const struct inject_run *r, char *const *argv, enum follow_start from);
/* Lines about tasks that nobody was to trace, where there were any. */
void inject_print_untraced(uint64_t untraced, uint64_t unwatched, FILE *out);
/* A line about a program that never began, unless NULL. */
void inject_print_earlier(const char *earlier, FILE *out);
/* "mmap refused with ENOMEM, 8.0 KiB asked, in sh (pid 7)" */
char *inject_fault_text(const struct inject_run *r, const struct inject_fault *fault, char *buf, size_t size);
/* Anything as JSON, which wants UTF-8. */
json_t *inject_json_text(const char *bytes);
json_t *inject_json_end(int status);
