// SPDX-License-Identifier: MIT
/*
 * enomem teach: predict, run, observe, explain, fix. Questions are made of the manifest, and decoys of what other
 * scenarios show; the runs are those of `enomem run`; what was predicted is kept before anything runs.
 */
#pragma once

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/param.h>

#include "explain.h"
#include "markdown.h"

struct book;
struct guests;
struct teach_guests; /* teach-guest.h */

#define OPTIONS_MAX 8
#define TEACH_TOLD  1024 /* room for a sentence about a run */

enum question_kind { QUESTION_OUTCOME, QUESTION_CAUSE, QUESTION_FIX, QUESTIONS };
extern const char *const question_names[QUESTIONS]; /* "outcome", "cause", "fix" */

struct question {
	char option[OPTIONS_MAX][200];
	unsigned count, right; /* right: a bit for each option */
	bool several;
};

/* One lesson: a trigger that can run here, what is asked about it, and its lesson. */
struct quiz {
	const char *name; /* "SCENARIO", or "SCENARIO/CASE" where a case was named: what is kept of it is kept so */
	const struct scenario *scenario;
	struct guests *guests;   /* where it runs; NULL: on this machine */
	const char *guest_named; /* its kernel, as --guest takes it */
	struct plan *plan;
	const struct plan_run *trigger;
	const char *fix_run[OPTIONS_MAX]; /* names of the runs that the options of the last question are */
	struct question question[QUESTIONS];
	json_t *lesson; /* book_lesson() */
	char *why_not;  /* nothing of it can be taught here; the rest is then empty */
};

/*
 * On this machine, or where it cannot run here, or that is asked for, in a guest: about the first trigger that ends in
 * a shell, or the first; but what was predicted is about the same one as before. `name` is kept, and lives as long;
 * kept: what the progress file has of it, NULL for nothing. 0, -EINVAL after telling, -ENOMEM. why_not is set, and 0
 * returned, where it cannot run.
 */
int quiz_make(const struct explain_world *w, const struct teach_guests *o, const struct scenario *s, const char *name,
	      const json_t *kept, FILE *errors, struct quiz *ret);
void quiz_free(struct quiz *q);
/* "b", "a c" */
char *quiz_letters(unsigned options, char *buf, size_t size);
/* Letters of options, blanks and commas between them: a bit for each. 0 for anything else, or several where one is
 * asked for. */
unsigned quiz_parse(const struct question *q, const char *answer);

/* --- progress ---------------------------------------------------------------------------------------------------- */

/* The file of whoever runs this: below XDG_STATE_HOME. -ENOENT without a home */
int progress_path(char *ret, size_t size);
/* {"schema": "enomem-progress/1", "learner", "lessons": {NAME: {QUESTION: {"predicted": [option], "right": bool},
 * "trigger": what it is about, "hints": N, "done": bool}}}, without "trigger" in older ones about the first; of the
 * last question "done" as well where it was done by hand; new where there is no file. -EINVAL after telling that it is
 * none of ours. */
int progress_load(const char *path, FILE *errors, json_t **ret);
/*
 * Keep what was said in one lesson (NULL: forget it), under a lock: another teach may keep others meanwhile. Of this
 * one an answer that is kept already stands, and is put into the lesson, if it is about the same trigger. -errno
 */
int progress_keep(const char *path, const char *name, json_t *lesson, FILE *errors);

/* The scenario of this name, with or without a case, or NULL; the place of a lesson in the course from 1, 0 for one
 * that is not in it. */
const struct scenario *teach_scenario(const struct explain_world *w, const char *name);
size_t teach_place(const struct book *b, const char *name);
/* The course, and how far somebody has come. 0 or an exit status. */
int teach_list(const struct explain_world *w, const struct book *b, const json_t *progress, bool as_json);
/* What is right in a lesson (NULL: in all that can be taught here). 0 or an exit status. */
int teach_key(const struct explain_world *w, const struct teach_guests *guests, const struct book *b, const char *name,
	      bool as_json);
/* What is kept of the lesson before, for it to go on with. What was predicted of a trigger that cannot be taught this
 * time is none of that, which is told. NULL: no memory */
json_t *teach_take_up(const struct quiz *q, const json_t *before, const struct markdown_style *style);
/* A lesson's name, quoted where a shell needs it. */
const char *teach_typed(const char *name, char *buf, size_t size);

/* What classes predicted, of the progress files of their learners. 0 or an exit status. */
int teach_class(char *const *files, size_t count, bool as_json);

/* --- running and showing ----------------------------------------------------------------------------------------- */

/* All runs of the case that is taught by `enomem run`, as its JSON has them: {"name", "runs", ...}. -errno after
 * telling; -EINTR */
int teach_run(const struct quiz *q, FILE *errors, json_t **ret);
/* The run of this name, or NULL. */
const json_t *teach_run_of(const json_t *scenario, const char *name);
/* A line that is as wide as the terminal, and what does not fit below it, so many columns further in than it began. */
void teach_put_to(FILE *out, const struct markdown_style *style, unsigned deeper, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
#define teach_put(...) teach_put_to(stdout, __VA_ARGS__)
void teach_show_setting(const struct machine *m, const struct quiz *q, const struct markdown_style *style);
void teach_show_outcome(const json_t *run, const struct markdown_style *style, FILE *out);
/* A section of the lesson. */
void teach_show_section(const struct quiz *q, unsigned section, const struct markdown_style *style, FILE *out);
/* The answers to its last section; false where there are none. */
bool teach_show_answers(const struct quiz *q, const struct markdown_style *style, FILE *out);

/* --- one lesson -------------------------------------------------------------------------------------------------- */

/* A lesson under way. */
struct teaching {
	struct explain_world *world;
	struct quiz quiz;
	struct markdown_style style;
	json_t *kept;   /* what the progress file has of it */
	json_t *result; /* of all runs of its case */
	char path[PATH_MAX];
	uint64_t shell_ns; /* how long a shell may live */
	unsigned rows;     /* of the terminal, 0 where that is not known */
	unsigned shown;    /* lines since it was last waited for */
};

/* From now on a Ctrl-C ends a prompt, and what runs. */
void teach_heed_interrupts(void);
/* 0 when it is done; -EINTR when it was left; -ENOTRECOVERABLE after telling that the kernel did something else; -errno
 * after telling
 */
int teach_lesson(struct teaching *t);
