// SPDX-License-Identifier: MIT
#pragma once

#include "completion.h"

enum completion_kind {
	COMPLETE_NOTHING, /* a number, a text: nothing to offer */
	COMPLETE_WORDS,   /* one of a closed set */
	COMPLETE_LIST,    /* several of a closed set, separated by commas */
	COMPLETE_FILES,
	COMPLETE_DIRECTORIES,
	COMPLETE_ASK, /* what completion_ask() writes for the one word there is */
	COMPLETE_ASK_LIST,
	COMPLETE_ASK_FILES, /* or files */
};

/* What may follow an option; the words of a closed set, or the one that is asked with, go to the callback, in order. */
typedef void (*completion_word)(void *arg, const char *word);
enum completion_kind completion_values(const struct command *command, const struct option_row *row,
				       completion_word each, void *arg);

/* What may be an operand of the command, as its usage line has it. */
enum completion_operand {
	OPERAND_NONE,
	OPERAND_FILES,
	OPERAND_CLAIMS,            /* or files */
	OPERAND_LESSONS,           /* scenarios or their cases; or files */
	OPERAND_SCENARIOS,         /* or their cases, or directories */
	OPERAND_SCENARIOS_COMMAND, /* and behind "--" a command, and whatever that takes */
	OPERAND_EXPLAIN,           /* scenarios, causes, errnos, signals */
	OPERAND_COMMAND,           /* and whatever that takes */
	OPERAND_CALLS_COMMAND,     /* CALLS[:ERRNO]..., then the same */
};
enum completion_operand completion_operand(const struct command *command);
/* Is there a command line of somebody else behind its own? */
bool completion_has_command(const struct command *command);
/* What CALLS[:ERRNO]... begins with, and what may follow a colon of it; each after a blank but for the first. */
void completion_print_calls(FILE *out);
void completion_print_call_parts(FILE *out);

/* Has the row a short letter? */
bool completion_short(const struct option_row *row);
/* May its argument be left out, and is it given with '=' only? */
bool completion_optional(const struct option_row *row);
/* The words of an option, each after a separator but for the first. */
enum completion_kind completion_print_words(const struct command *command, const struct option_row *row,
					    const char *separator, FILE *out);

/* What a shell asks for, see completion_write(). */
int completion_ask(const char *what, char *const *typed, FILE *out);

void completion_bash(const struct completion *c, FILE *out);
void completion_zsh(const struct completion *c, FILE *out);
void completion_fish(const struct completion *c, FILE *out);
