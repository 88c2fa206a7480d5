// SPDX-License-Identifier: MIT
/*
 * What somebody types to have it explained: names, numbers, and what programs, shells and the kernel print.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define EXPLAIN_WORD_MAX 4096

/* Without the blanks around it. -EMSGSIZE where it is longer than any message that is read, else 0. */
int explain_word_trim(const char *typed, char ret[EXPLAIN_WORD_MAX]);
/*
 * A number or the text of an errno or a signal, alone: "12", "Cannot allocate memory", "137", "enomem". Where it is
 * ambiguous what it was taken for is told.
 */
bool explain_word_translate(const char *word, char *ret, size_t size);
/* "-12": the errno that the kernel returns so, and the signal that Python tells so; "" for what there is none of. */
bool explain_word_negative(const char *word, char *ret_errno, char *ret_signal, size_t size);
/* "exit status 1", of what no signal ended: the status, which is no errno. false for any other. */
bool explain_word_status(const char *word, unsigned *ret);
/*
 * A whole message that has one in it: "bash: fork: Cannot allocate memory", "[Errno 12]", "exit code 137", "signal 9",
 * "OOMKilled", "Out of memory: Killed process 4711".
 */
bool explain_word_message(const char *word, char *ret, size_t size);
/* For a message: short, and on one line. Returns buf. */
char *explain_word_show(const char *word, char *buf, size_t size);
