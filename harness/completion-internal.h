// SPDX-License-Identifier: MIT
#pragma once

#include "completion.h"

enum completion_kind {
	COMPLETE_NOTHING, /* a number, a text: nothing to offer */
	COMPLETE_WORDS,   /* one of a closed set */
	COMPLETE_LIST,    /* several of a closed set, separated by commas */
	COMPLETE_FILES,
	COMPLETE_DIRECTORIES,
};

/* What may follow an option; the words of the first two kinds go to the callback, in order. */
typedef void (*completion_word)(void *arg, const char *word);
enum completion_kind completion_values(const struct command *command, const struct option_row *row,
				       completion_word each, void *arg);

/* What may be an operand of the command, as its usage line has it. */
enum completion_operand {
	OPERAND_NONE,
	OPERAND_FILES,
	OPERAND_SCENARIOS, /* or files */
	OPERAND_COMMAND,   /* and whatever that takes */
};
enum completion_operand completion_operand(const struct command *command);

/* Has the row a short letter? */
bool completion_short(const struct option_row *row);
/* May its argument be left out, and is it given with '=' only? */
bool completion_optional(const struct option_row *row);
/* The words of an option, each after a separator but for the first. */
enum completion_kind completion_print_words(const struct command *command, const struct option_row *row,
					    const char *separator, FILE *out);

void completion_bash(const struct completion *c, FILE *out);
void completion_zsh(const struct completion *c, FILE *out);
void completion_fish(const struct completion *c, FILE *out);
