// SPDX-License-Identifier: MIT
/*
 * The script for zsh: one _arguments per command.
 */
#include <string.h>

#include "completion-internal.h"

/* A text between single quotes, of which _arguments takes ':' and brackets for its own. */
static void quoted(const char *text, FILE *out)
{
	for (; *text && *text != '\n'; text++) {
		if (*text == '\'')
			fputs("'\\'", out);
		else if (strchr("[]:\\", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void no_word(void *arg, const char *word)
{
	(void)arg;
	(void)word;
}

static void action(const struct command *command, const struct option_row *row, FILE *out)
{
	enum completion_kind kind = completion_values(command, row, no_word, NULL);
	fputs(completion_optional(row) ? "::" : ":", out);
	quoted(row->argument, out);
	fputc(':', out);
	switch (kind) {
	case COMPLETE_FILES:
		fputs("_files", out);
		break;
	case COMPLETE_DIRECTORIES:
		fputs("_files -/", out);
		break;
	case COMPLETE_LIST:
		fputs("_sequence compadd - ", out);
		(void)completion_print_words(command, row, " ", out);
		break;
	case COMPLETE_WORDS:
		fputc('(', out);
		(void)completion_print_words(command, row, " ", out);
		fputc(')', out);
		break;
	case COMPLETE_NOTHING:
		fputc(' ', out); /* the message, and nothing to offer */
	}
}

static void option(const struct command *command, const struct option_row *row, FILE *out)
{
	const char *equals = completion_optional(row) ? "=-" : row->argument ? "=" : "";
	bool repeatable =
		strstr(row->help, "repeatable") || completion_values(command, row, no_word, NULL) == COMPLETE_LIST;
	fputs("\t\t", out);
	if (completion_short(row))
		fprintf(out, "'(-%c --%s)'{-%c%s,--%s%s}'", row->letter, row->name, row->letter,
			row->argument ? "+" : "", row->name, equals);
	else
		fprintf(out, "'%s--%s%s", repeatable ? "*" : "", row->name, equals);
	fputc('[', out);
	quoted(row->help, out);
	fputc(']', out);
	if (row->argument)
		action(command, row, out);
	fputs("' \\\n", out);
}

static void arguments(const struct command *command, FILE *out)
{
	static const char *const operands[] = {
		[OPERAND_NONE] = "",
		[OPERAND_FILES] = " \\\n\t\t'*:file:_files'",
		[OPERAND_SCENARIOS] = " \\\n\t\t'*:scenario:_enomem_scenarios'",
		[OPERAND_COMMAND] = " \\\n\t\t'(-):command:_command_names -e' '*::argument:_normal'"};
	fprintf(out, "\t%s)\n\t\t_arguments -s -S %s\\\n", command->name,
		completion_operand(command) == OPERAND_COMMAND ? "-A '-*' " : "");
	for (const struct option_row *row = command->options; row->name; row++)
		option(command, row, out);
	fprintf(out, "\t\t'(-)'{-h,--help}'[this text]'%s ;;\n", operands[completion_operand(command)]);
}

void completion_zsh(const struct completion *c, FILE *out)
{
	fputs("#compdef enomem\n# Completion of enomem for zsh, made by `enomem --completion zsh`.\n\n"
	      "_enomem_scenarios() {\n"
	      "\tlocal -a names\n"
	      "\tnames=(${(f)\"$(_call_program scenarios $_enomem_program --completion scenarios 2>/dev/null)\"})\n"
	      "\t_alternative 'scenarios:scenario:compadd -a names' 'directories:directory:_files -/'\n"
	      "}\n\n"
	      "local curcontext=$curcontext state line _enomem_program=$words[1]\n"
	      "typeset -A opt_args\n"
	      "local -a subcommands\n" /* "commands" is zsh's own */
	      "subcommands=(\n",
	      out);
	for (size_t i = 0; i < c->count; i++) {
		if (c->commands[i]->hidden)
			continue;
		fprintf(out, "\t'%s:", c->commands[i]->name);
		quoted(c->commands[i]->blurb, out);
		fputs("'\n", out);
	}
	fputs(")\n_arguments -C \\\n", out);
	for (const struct option_row *row = c->global->options; row->name; row++)
		option(c->global, row, out);
	fputs("\t\t'(-)'{-h,--help}'[this text]' '1:command:->command' '*::argument:->argument'\n"
	      "case $state in\n"
	      "command) _describe -t commands command subcommands ;;\n"
	      "argument)\n"
	      "\tcurcontext=${curcontext%:*:*}:enomem-$words[1]:\n"
	      "\tcase $words[1] in\n",
	      out);
	for (size_t i = 0; i < c->count; i++)
		if (!c->commands[i]->hidden)
			arguments(c->commands[i], out);
	fputs("\tesac ;;\nesac\n", out);
}
