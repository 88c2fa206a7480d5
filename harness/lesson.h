// SPDX-License-Identifier: MIT
/*
 * lesson.md as data: a title, and the six sections that every lesson has, in their order. The answers to its last
 * section stand in answers.md beside it, so that they are seen when they are asked for.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#define LESSON_WORDS_MAX 399 /* "under 400" */

enum lesson_section {
	LESSON_SEE,
	LESSON_TRY,
	LESSON_WHY,
	LESSON_NEIGHBOURS,
	LESSON_FIX,
	LESSON_CHECK,
	LESSON_SECTIONS
};
extern const char *const lesson_headings[LESSON_SECTIONS];

struct lesson {
	char *text; /* the whole file */
	size_t length;
	char *title;
	char *section[LESSON_SECTIONS]; /* without its heading */
	size_t words;
	char *answers; /* of answers.md; NULL where there is none */
};

/*
 * 0; -EINVAL after telling (file, line) all that is wrong: no title, a section that is missing, empty, unknown or in
 * another place, too many words, no UTF-8; -ENOMEM
 */
int lesson_parse(const char *text, size_t length, const char *file, FILE *errors, struct lesson **ret);
/*
 * Answers to the questions of its last section: a numbered list that begins at 1, with as many entries. 0; -EINVAL
 * after telling what else it is; -ENOMEM
 */
int lesson_answer(struct lesson *l, const char *text, size_t length, const char *file, FILE *errors);
/* The lesson.md of a directory, and answers.md if it is there; -ENOENT and the like told as well. */
int lesson_read(const char *directory, FILE *errors, struct lesson **ret);
void lesson_free(struct lesson *l);
