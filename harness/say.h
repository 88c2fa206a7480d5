// SPDX-License-Identifier: MIT
/*
 * What the program says to people on stderr: one line per error, naming the object, what happened, the errno, and a
 * hint with the command to type.
 */
#pragma once

#include <stdio.h>

enum exit_code {
	EXIT_AS_PREDICTED = 0,
	EXIT_PREDICTION_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_BROKEN = 3,
	EXIT_NOTHING_SELECTED = 4,
	EXIT_ALL_SKIPPED = 77,
	EXIT_BISECT_SKIP = 125,
	EXIT_BISECT_END = 128,
	EXIT_INTERRUPTED = 130,
	EXIT_READER_GONE = 256, /* of no process: main() ends by SIGPIPE then */
};

/* "enomem: <message> (ENOENT)"; error is a negative or positive errno, 0 for none. Returns the error as given. */
int say_error(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same of memory that there is none of; returns the exit status that is given. */
int say_no_memory(int code);
void say_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "Hint: ..." under the last message. */
void say_hint(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Flush stdout; EXIT_BROKEN with a message when what was written did not arrive (full disk, closed stream), else code.
 * EXIT_READER_GONE, and nothing is told, where it is a pipe whose reader has read enough: `| head`.
 */
int say_finish(int code);
/* The same of a write to stdout that failed: "standard output: the table could not be written (ENOSPC)". */
int say_unwritten(int error, const char *what);
/* At the very end: the exit status, or death by SIGPIPE for EXIT_READER_GONE, whoever had that signal ignored. */
int say_end(int code);
