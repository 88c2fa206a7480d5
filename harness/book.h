// SPDX-License-Identifier: MIT
/*
 * The lessons in the order of a book: handbook/book.yaml beside the scenarios. Every scenario of the tree is in one
 * chapter, once.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "manifest.h"

struct chapter {
	char *title, *about, *text; /* a paragraph; the file of a page; NULL for none */
	struct strings lessons;
};

struct book {
	char *title;
	struct chapter *chapters;
	size_t chapter_count;
	struct strings course; /* what is taught, in this order */
};

/* 0; -EINVAL after errors with file, line and caret; -ENOMEM. Whether the lessons exist is not asked. */
int book_parse(const char *text, size_t length, const char *file, FILE *errors, struct book **ret);
/* That of a tree of scenarios, which must have just these; -ENOENT told where the tree has no book. */
int book_read(const char *tree, FILE *errors, struct book **ret);
void book_free(struct book *b);

/*
 * All of it: {"title", "chapters": [{"title", "text": Markdown or "", "lessons": [book_lesson()]}]}. NULL after telling
 * what could not be read.
 */
json_t *book_json(const struct book *b, const char *tree, FILE *errors);
/* {"name", "title", "sections": [{"heading", "text": Markdown}], "answers": Markdown or none} of a directory. -errno
 * after telling */
int book_lesson(const char *directory, const char *name, FILE *errors, json_t **ret);

/* One book from its JSON, as Markdown or as scdoc(5) of enomem-lessons(7). 0 or -errno */
int book_write_markdown(const json_t *book, FILE *out);
int book_write_scdoc(const json_t *book, FILE *out);
/* One lesson as Markdown, its title a heading of this level; and the answers to its questions, if it has any. */
void book_write_lesson(const json_t *lesson, unsigned level, FILE *out);
void book_write_answers(const json_t *lesson, unsigned level, FILE *out);
