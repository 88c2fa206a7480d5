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

/* What an argument is called in the tables says what it is. */
static const struct argument {
	const char *name;
	enum completion_kind kind;
	const char *words[4];
	const char *(*at)(unsigned index); /* ended by NULL, with "" for what has no name */
} arguments[] = {
	{"FILE", COMPLETE_FILES, {NULL}, NULL},
	{"PATH", COMPLETE_FILES, {NULL}, NULL},
	{"DIR", COMPLETE_DIRECTORIES, {NULL}, NULL},
	{"[KERNEL]", COMPLETE_FILES, {NULL}, NULL},
	{"[RESULT]", COMPLETE_FILES, {NULL}, NULL},
	{"WHEN", COMPLETE_WORDS, {"auto", "always", "never"}, NULL},
	{"VERSION", COMPLETE_WORDS, {"v2", "v1"}, NULL},
	{"MODE", COMPLETE_WORDS, {"bisect"}, NULL},
	{"SHELL", COMPLETE_WORDS, {"bash", "zsh", "fish"}, NULL},
	{"PHASE", COMPLETE_WORDS, {NULL}, phase_at},
	{"exec|entry|main", COMPLETE_WORDS, {NULL}, start_at},
	{"CALLS", COMPLETE_LIST, {NULL}, inject_target_at},
	{"ERRNO", COMPLETE_WORDS, {NULL}, inject_errno_at},
	{"CLASS,...", COMPLETE_LIST, {NULL}, class_at},
	{"SCOPE,...", COMPLETE_LIST, {NULL}, scope_at},
	{"CAUSE,...", COMPLETE_LIST, {NULL}, cause_at},
	{"ERRNO,...", COMPLETE_LIST, {NULL}, select_outcome_at},
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
	if (strstr(command->arguments, "SCENARIO"))
		return strstr(command->arguments, " -- ") ? OPERAND_SCENARIOS_COMMAND : OPERAND_SCENARIOS;
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

/* "pids-max/": its cases, as SCENARIO/CASE. */
static int cases(const char *word, FILE *out)
{
	char tree[PATH_MAX], directory[PATH_MAX + 300];
	auto_fclose FILE *nowhere = fopen("/dev/null", "we");
	struct scenario *s;
	int r = nowhere ? select_tree(NULL, tree, sizeof(tree)) : -errno;
	(void)snprintf(directory, sizeof(directory), "%s/%.*s", tree, (int)strcspn(word, "/"), word);
	if (r < 0 || word[0] == '.' || word[0] == '/' || manifest_read(directory, nowhere, &s) < 0)
		return -ENOENT;
	for (size_t i = 0; i < s->case_count; i++)
		fprintf(out, "%s/%s\n", s->name, s->cases[i].name);
	scenario_free(s);
	return 0;
}

/* All that `enomem explain` takes by name. */
static int explained(FILE *out)
{
	struct printing p = {.separator = "\n", .out = out};
	int r = scenarios(out);
	print_all(cause_at, &p);
	fputc('\n', out);
	p.any = false;
	print_all(select_outcome_at, &p);
	fputc('\n', out);
	return r;
}

int completion_write(const char *shell, const struct completion *c, FILE *out)
{
	if (strcmp(shell, "scenarios") == 0)
		return scenarios(out);
	if (strcmp(shell, "explain") == 0)
		return explained(out);
	if (strchr(shell, '/'))
		return cases(shell, out);
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
