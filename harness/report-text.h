// SPDX-License-Identifier: MIT
/*
 * Judged runs in words, as the judge's reasons and every report say them. Input may be any JSON: what is missing or of
 * the wrong type reads as "-" or is left out. Every function fills buf (cut to size) and returns it.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TEXT_MAX 512

/* What there is to note where a program asks for a task that nobody traces, and got one, or did not. */
extern const char text_untraced[], text_unwatched[];

/* Append to a string that is already in buf. */
__attribute__((format(printf, 3, 4))) void text_add(char *buf, size_t size, const char *format, ...);

/* A member as text, "" when it is missing or no string; a path as far as objects go: "cause", "id". */
const char *text_of(const json_t *object, const char *key);
const char *text_of2(const json_t *object, const char *key, const char *key2);

/* The number of a member, fallback when it is missing or no integer. */
json_int_t text_integer(const json_t *object, const char *key, json_int_t fallback);

/* Any value of a check, unformatted: text without quotes, exact numbers, null is "-", lists joined. */
char *text_value(const json_t *value, char *buf, size_t size);

/* "mmap ENOMEM", "SIGKILL (OOM)", "SIGSEGV SEGV_MAPERR", "stall", "exit 3", "success" */
char *text_outcome(const json_t *run, char *buf, size_t size);
/* The same of what the manifest predicted: "fork/clone EAGAIN". */
char *text_predicted(const json_t *run, char *buf, size_t size);

/* "65,531 + 1 > 65,531 areas" of a cause or a limit; "" when it has no numbers. */
char *text_arithmetic(const json_t *limit, char *buf, size_t size);
/* "max-map-count (65,531 + 1 > 65,531 areas)", "" without a cause */
char *text_cause(const json_t *run, char *buf, size_t size);

/* "what: value, expected that (difference n)" of one check */
char *text_check(const json_t *check, char *buf, size_t size);

/* "Linux 6.1.0, cgroup v2, 8.0 GiB RAM, no swap" */
char *text_host(const json_t *result, char *buf, size_t size);

/* Make text safe to show on one line: control characters and, where ascii is set, all beyond ASCII become '?'. */
char *text_clean(const char *text, bool ascii, char *buf, size_t size);

/*
 * Break text into lines of at most width at blanks, else after '-', '/', ':' or '_', else anywhere: smartcols 2.38 cuts
 * words where the column ends.
 */
char *text_wrap(const char *text, size_t width, char *buf, size_t size);
/* Columns of the longest piece that text_wrap() leaves whole. */
size_t text_longest_word(const char *text);
/* Columns that UTF-8 takes; of escape sequences that set colours none. */
size_t text_columns(const char *text, size_t length);
/* How many bytes of a text of so many stand on a line of at most width columns; at least one of them. */
size_t text_first_line(const char *text, size_t length, size_t width);
/*
 * Write lines so that none takes more than width columns: broken as by text_wrap(), and what comes after a break stands
 * a little deeper than the line began.
 */
void text_fold(const char *text, size_t width, FILE *out);
/*
 * As text_fold(), of rows of two columns (two blanks or more between them): what comes after a break stands in the
 * right one, where that begins in the left half of the line.
 */
void text_fold_rows(const char *text, size_t width, FILE *out);
/* Write such rows to standard output: folded where it is a terminal, as they are elsewhere. */
void text_print_rows(const char *text);
/*
 * Write one line of code, so deep. Where it is broken it may still be copied to a shell: a backslash ends the line, and
 * never between quotes; what cannot be broken so is left to the terminal.
 */
void text_fold_code(const char *line, size_t length, size_t indent, size_t width, FILE *out);

/* Write such a line to standard output: folded where it is a terminal, as it is elsewhere. */
void text_print_code(const char *line, size_t indent);

/* Write one line of Markdown in which nothing is markup. */
void text_put_markdown(FILE *out, const char *text);
