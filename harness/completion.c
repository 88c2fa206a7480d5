// SPDX-License-Identifier: MIT
/*
 * What can be completed with what. See completion.h; the shells' own syntax is in completion-SHELL.c.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "cleanup.h"
#include "completion-internal.h"
#include "manifest-internal.h"
#include "select.h"

/* What an argument is called in the tables says what it is. */
static const struct argument {
	const char *name;
	enum completion_kind kind;
	const char *words[4];
	const struct words *set;
} arguments[] = {
	{"FILE", COMPLETE_FILES, {NULL}, NULL},
	{"PATH", COMPLETE_FILES, {NULL}, NULL},
	{"DIR", COMPLETE_DIRECTORIES, {NULL}, NULL},
	{"[KERNEL]", COMPLETE_FILES, {NULL}, NULL},
	{"WHEN", COMPLETE_WORDS, {"auto", "always", "never"}, NULL},
	{"VERSION", COMPLETE_WORDS, {"v2", "v1"}, NULL},
	{"MODE", COMPLETE_WORDS, {"bisect"}, NULL},
	{"SHELL", COMPLETE_WORDS, {"bash", "zsh", "fish"}, NULL},
	{"CLASS,...", COMPLETE_LIST, {NULL}, &words_class},
	{"SCOPE,...", COMPLETE_LIST, {NULL}, &words_scope},
	{"CAUSE,...", COMPLETE_LIST, {NULL}, &words_cause},
	{"ERRNO,...",
	 COMPLETE_LIST,
	 {"ENOMEM", "EAGAIN", "SIGKILL", "stall"}, /* any errno and signal; these are the ones people look for */
	 NULL},
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
		if (strcmp(a->name, row->argument) != 0)
			continue;
		for (unsigned i = 0; i < ARRAY_SIZE(a->words) && a->words[i]; i++)
			each(arg, a->words[i]);
		for (unsigned i = 0; a->set && (word = a->set->at(i)); i++)
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
		return OPERAND_COMMAND;
	if (strstr(command->arguments, "SCENARIO"))
		return OPERAND_SCENARIOS;
	return strstr(command->arguments, "RESULT") || strstr(command->arguments, "PATH") ? OPERAND_FILES
											  : OPERAND_NONE;
}

bool completion_short(const struct option_row *row)
{
	return row->letter < 256 && isprint(row->letter);
}

bool completion_optional(const struct option_row *row)
{
	return row->argument && row->argument[0] == '[';
}

/* By name only: a manifest that is wrong is told about when it is run. */
static int scenarios(FILE *out)
{
	char tree[PATH_MAX], manifest[PATH_MAX + 300];
	struct dirent **entries = NULL;
	int r = select_tree(NULL, tree, sizeof(tree));
	int n = r < 0 ? r : scandir(tree, &entries, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		(void)snprintf(manifest, sizeof(manifest), "%s/%s/scenario.yaml", tree, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.' && access(manifest, F_OK) == 0)
			fprintf(out, "%s\n", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return n < 0 ? -ENOENT : 0;
}

int completion_write(const char *shell, const struct completion *c, FILE *out)
{
	if (strcmp(shell, "scenarios") == 0)
		return scenarios(out);
	if (strcmp(shell, "bash") == 0)
		completion_bash(c, out);
	else if (strcmp(shell, "zsh") == 0)
		completion_zsh(c, out);
	else if (strcmp(shell, "fish") == 0)
		completion_fish(c, out);
	else
		return -EINVAL;
	return 0;
}
