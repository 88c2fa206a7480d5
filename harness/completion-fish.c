// SPDX-License-Identifier: MIT
/*
 * The script for fish: one `complete` per option.
 */
#include <string.h>

#include "completion-internal.h"

/* The first line of a text between single quotes. */
static void quoted(const char *text, FILE *out)
{
	fputc('\'', out);
	for (; *text && *text != '\n'; text++) {
		if (*text == '\'' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('\'', out);
}

static void no_word(void *arg, const char *word)
{
	(void)arg;
	(void)word;
}

static void value(const struct command *command, const struct option_row *row, FILE *out)
{
	enum completion_kind kind = completion_values(command, row, no_word, NULL);
	if (completion_optional(row))
		fputs(" -F", out);
	else
		fputs(kind == COMPLETE_FILES || kind == COMPLETE_DIRECTORIES ? " -r -F" : " -x", out);
	if (kind == COMPLETE_WORDS || kind == COMPLETE_LIST) {
		fputs(kind == COMPLETE_LIST ? " -a '(__fish_append , " : " -a '", out);
		(void)completion_print_words(command, row, " ", out);
		fputs(kind == COMPLETE_LIST ? ")'" : "'", out);
	}
}

static void options(const struct command *command, const char *condition, FILE *out)
{
	for (const struct option_row *row = command->options; row->name; row++) {
		fprintf(out, "complete -c enomem -n '%s%s' -l %s", condition, command->name, row->name);
		if (completion_short(row))
			fprintf(out, " -s %c", row->letter);
		if (row->argument)
			value(command, row, out);
		fputs(" -d ", out);
		quoted(row->help, out);
		fputc('\n', out);
	}
}

static void operands(const struct command *command, FILE *out)
{
	static const char seen[] = "complete -c enomem -n '__fish_seen_subcommand_from ";
	switch (completion_operand(command)) {
	case OPERAND_NONE:
		return;
	case OPERAND_FILES:
		fprintf(out, "%s%s' -F\n", seen, command->name);
		return;
	case OPERAND_SCENARIOS:
		fprintf(out, "%s%s' -F -a '(command enomem --completion scenarios 2>/dev/null)' -d scenario\n", seen,
			command->name);
		return;
	case OPERAND_COMMAND:
		fprintf(out, "%s%s' -F -a '(__fish_complete_subcommand --fcs-skip=2)'\n", seen, command->name);
	}
}

void completion_fish(const struct completion *c, FILE *out)
{
	fputs("# Completion of enomem for fish, made by `enomem --completion fish`.\n\n"
	      "complete -c enomem -f\n"
	      "complete -c enomem -s h -l help -d 'this text'\n",
	      out);
	options(c->global, "__fish_use_subcommand", out);
	for (size_t i = 0; i < c->count; i++) {
		const struct command *command = c->commands[i];
		if (command->hidden)
			continue;
		fprintf(out, "\ncomplete -c enomem -n __fish_use_subcommand -a %s -d ", command->name);
		quoted(command->blurb, out);
		fputc('\n', out);
		options(command, "__fish_seen_subcommand_from ", out);
		operands(command, out);
	}
}
