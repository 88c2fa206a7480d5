// SPDX-License-Identifier: MIT
/*
 * What can be completed with what. See completion.h; the shells' own syntax is in completion-SHELL.c.
 */
#include <ctype.h>
#include <string.h>

#include "cleanup.h"
#include "completion-internal.h"
#include "follow.h"
#include "hold.h"
#include "inject-spec.h"
#include "launch.h"
#include "manifest-internal.h"
#include "select.h"

static const char *phase_at(unsigned index)
{
	return index < HOLD_PHASES ? hold_phase_names[index] : NULL;
}

static const char *start_at(unsigned index)
{
	return index < FOLLOW_STARTS ? launch_start_names[index] : NULL;
}

static const char *class_at(unsigned index)
{
	return words_class.at(index);
}

static const char *scope_at(unsigned index)
{
	return words_scope.at(index);
}

static const char *cause_at(unsigned index)
{
	return words_cause.at(index);
}

/* What an argument is called in the tables says what it is, or of which option it is one. */
static const struct argument {
	const char *name;
	enum completion_kind kind;
	const char *words[4];
	const char *(*at)(unsigned index); /* ended by NULL, with "" for what has no name */
	const char *option, *ask;          /* ask: what the shell asks this program for */
} arguments[] = {
	{"NAME", COMPLETE_ASK, .option = "case", .ask = "case"},
	{"NAME", COMPLETE_ASK, .option = "run", .ask = "run"},
	{"NAME,...", COMPLETE_ASK_LIST, .option = "decoys", .ask = "scenarios"},
	{"KEY=VALUE", COMPLETE_ASK, .option = "parameter", .ask = "parameters"},
	{"N", COMPLETE_ASK, .option = "guide", .ask = "guides"},
	{"[KERNEL]", COMPLETE_ASK_FILES, .ask = "kernels"},
	{"FILE", COMPLETE_FILES, .words = {NULL}},
	{"PATH", COMPLETE_FILES, .words = {NULL}},
	{"DIR", COMPLETE_DIRECTORIES, .words = {NULL}},
	{"[RESULT]", COMPLETE_FILES, .words = {NULL}},
	{"WHEN", COMPLETE_WORDS, .words = {"auto", "always", "never"}},
	{"VERSION", COMPLETE_WORDS, .words = {"v2", "v1"}},
	{"MODE", COMPLETE_WORDS, .words = {"bisect"}},
	{"SHELL", COMPLETE_WORDS, .words = {"bash", "zsh", "fish"}},
	{"PHASE", COMPLETE_WORDS, .at = phase_at},
	{"exec|entry|main", COMPLETE_WORDS, .at = start_at},
	{"CALLS", COMPLETE_LIST, .at = inject_target_at},
	{"ERRNO", COMPLETE_WORDS, .at = inject_errno_at},
	{"CLASS,...", COMPLETE_LIST, .at = class_at},
	{"SCOPE,...", COMPLETE_LIST, .at = scope_at},
	{"CAUSE,...", COMPLETE_LIST, .at = cause_at},
	{"ERRNO,...", COMPLETE_LIST, .at = select_outcome_at},
};

enum completion_kind completion_values(const struct command *command, const struct option_row *row,
				       completion_word each, void *arg)
{
	const char *word;
	if (!row->argument)
		return COMPLETE_NOTHING;
	for (unsigned i = 0; strcmp(row->name, "format") == 0 && i < command->format_count; i++)
		each(arg, command->formats[i]);
	if (strcmp(row->name, "format") == 0)
		return COMPLETE_WORDS;
	for (const struct argument *a = arguments; a < arguments + ARRAY_SIZE(arguments); a++) {
		if (strcmp(a->name, row->argument) != 0 || (a->option && strcmp(a->option, row->name) != 0))
			continue;
		if (a->ask)
			each(arg, a->ask);
		for (unsigned i = 0; i < ARRAY_SIZE(a->words) && a->words[i]; i++)
			each(arg, a->words[i]);
		for (unsigned i = 0; a->at && (word = a->at(i)); i++)
			if (*word)
				each(arg, word);
		return a->kind;
	}
	return COMPLETE_NOTHING;
}

struct printing {
	const char *separator;
	bool any;
	FILE *out;
};

static void print_word(void *arg, const char *word)
{
	struct printing *p = arg;
	fprintf(p->out, "%s%s", p->any ? p->separator : "", word);
	p->any = true;
}

enum completion_kind completion_print_words(const struct command *command, const struct option_row *row,
					    const char *separator, FILE *out)
{
	struct printing p = {.separator = separator, .out = out};
	return completion_values(command, row, print_word, &p);
}

enum completion_operand completion_operand(const struct command *command)
{
	if (command->takes_command && *command->name)
		return strstr(command->arguments, "CALLS[") ? OPERAND_CALLS_COMMAND : OPERAND_COMMAND;
	if (strstr(command->arguments, "ERRNO|SIGNAL"))
		return OPERAND_EXPLAIN;
	if (strstr(command->arguments, "SCENARIO") && strstr(command->arguments, "FILE..."))
		return OPERAND_LESSONS;
	if (strstr(command->arguments, "SCENARIO"))
		return strstr(command->arguments, " -- ") ? OPERAND_SCENARIOS_COMMAND : OPERAND_SCENARIOS;
	if (strstr(command->arguments, "[ID...]"))
		return OPERAND_CLAIMS;
	static const char *const files[] = {"RESULT", "PATH", "KEY ANSWER"};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (strstr(command->arguments, files[i]))
			return OPERAND_FILES;
	return OPERAND_NONE;
}

bool completion_has_command(const struct command *command)
{
	enum completion_operand operand = completion_operand(command);
	return operand == OPERAND_COMMAND || operand == OPERAND_CALLS_COMMAND || operand == OPERAND_SCENARIOS_COMMAND;
}

static void print_all(const char *(*at)(unsigned index), struct printing *p)
{
	const char *word;
	for (unsigned i = 0; (word = at(i)); i++)
		if (*word)
			print_word(p, word);
}

void completion_print_calls(FILE *out)
{
	struct printing p = {.separator = " ", .out = out};
	print_all(inject_target_at, &p);
}

void completion_print_call_parts(FILE *out)
{
	struct printing p = {.separator = " ", .out = out};
	print_all(inject_errno_at, &p);
	print_word(&p, "when=");
}

bool completion_short(const struct option_row *row)
{
	return row->letter < 256 && isprint(row->letter);
}

bool completion_optional(const struct option_row *row)
{
	return row->argument && row->argument[0] == '[';
}

int completion_write(const char *shell, const struct completion *c, char *const *typed, FILE *out)
{
	if (strcmp(shell, "bash") == 0)
		completion_bash(c, out);
	else if (strcmp(shell, "zsh") == 0)
		completion_zsh(c, out);
	else if (strcmp(shell, "fish") == 0)
		completion_fish(c, out);
	else
		return completion_ask(shell, typed, out);
	return 0;
}
