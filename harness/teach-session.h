// SPDX-License-Identifier: MIT
/*
 * A shell under way, between the two files that serve it: teach-shell.c lets through what is typed and written, and
 * teach-ask.c answers what the shell's functions ask.
 */
#pragma once

#include "teach-fix.h"
#include "teach-owed.h"

struct session {
	struct teaching *teaching;
	struct fix_desk desk;
	int master, ask_fd, place_fd, check_fd; /* pidfds of the two children; -1 */
	pid_t place, check;
	int place_status;         /* of its end */
	struct fix_frozen frozen; /* for the time of a check */
	bool again;               /* the check is made once more, as somebody was seen on a CPU */
	struct asked asked;       /* what is served, or was last */
	struct asked_lines lines; /* what was asked and is not served yet: a check is under way */
	struct owed owed;         /* who asked waits */
	bool gone;                /* the terminal */
	bool solved;
	char typed[4096]; /* not yet taken by the shell */
	size_t typed_length, typed_at;
};

/* With the terminal raw, and signals heeded, until the relay returns; then all is taken down. */
void session_run(struct session *s, void (*relay)(struct session *s));
/* For relays: is the terminal gone, or this process asked to end? Has the terminal another size (told once)? */
bool session_is_over(const struct session *s);
bool session_was_resized(void);
/* What was typed becomes what is not yet taken. */
void session_take_typed(struct session *s);

/* To the learner's terminal, which is raw. */
void session_put(struct session *s, const char *text, size_t length);
void session_put_lines(struct session *s, const char *text, size_t length);
void session_say(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Something may have been asked: all of it is served up to a check, and what comes after one when that has ended. */
void session_hear(struct session *s);
void session_end_check(struct session *s);
/* Whoever asked is to go on. status: of what was asked, 0 where it was done */
void session_owe_answer(struct session *s, int status);
/* "WORD PID SERIAL": a hint and the answer are shown. true: a check is to be made */
bool session_take_question(struct session *s, const char *line);
/* What the check came to, which is kept. alone: nothing else went on meanwhile */
void session_tell_check(struct session *s, bool alone);
