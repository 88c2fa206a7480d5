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
	case COMPLETE_ASK:
		fputs("_enomem_asked ", out);
		(void)completion_print_words(command, row, " ", out);
		break;
	case COMPLETE_ASK_LIST:
		fputs("_sequence _enomem_asked - ", out);
		(void)completion_print_words(command, row, " ", out);
		break;
	case COMPLETE_ASK_FILES:
		fputs("_enomem_asked_files ", out);
		(void)completion_print_words(command, row, " ", out);
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

static void operands(const struct command *command, FILE *out)
{
	static const char *const said[] = {
		[OPERAND_NONE] = "",
		[OPERAND_FILES] = " \\\n\t\t'*:file:_files'",
		[OPERAND_CLAIMS] = " \\\n\t\t'*:claim or result:_enomem_asked_files claims'",
		[OPERAND_LESSONS] = " \\\n\t\t'*:scenario:_enomem_lessons'",
		[OPERAND_SCENARIOS] = " \\\n\t\t'*:scenario:_enomem_scenarios'",
		[OPERAND_SCENARIOS_COMMAND] = " \\\n\t\t'*:scenario:_enomem_scenarios'",
		[OPERAND_EXPLAIN] = " \\\n\t\t'*:what to explain:_enomem_explained'",
		[OPERAND_COMMAND] = " \\\n\t\t'(-):command:_command_names -e' '*::argument:_normal'",
		[OPERAND_CALLS_COMMAND] = " \\\n\t\t'(-)1:calls:_enomem_calls' '*::command:_enomem_behind'"};
	fprintf(out, "%s ;;\n", said[completion_operand(command)]);
}

static void arguments(const struct command *command, FILE *out)
{
	bool first_ends =
		completion_operand(command) == OPERAND_COMMAND || completion_operand(command) == OPERAND_CALLS_COMMAND;
	fprintf(out, "\t%s)\n", command->name);
	if (completion_has_command(command))
		fputs("\t\t_enomem_separated && return\n", out);
	fprintf(out, "\t\t_arguments -s -S %s\\\n", first_ends ? "-A '-*' " : "");
	for (const struct option_row *row = command->options; row->name; row++)
		option(command, row, out);
	fputs("\t\t'(-)'{-h,--help}'[this text]'", out);
	operands(command, out);
}

/* What is the same for every version of the tables. */
static const char functions[] =
	"# The words that enomem itself offers, and directories.\n"
	"_enomem_offered() {\n"
	"\tlocal -a names\n"
	"\tnames=(${(f)\"$(_call_program $1 ${(q)_enomem_program} --completion ${(q)1} 2>/dev/null)\"})\n"
	"\t_alternative \"names:${2}:compadd -a names\" 'directories:directory:_files -/'\n"
	"}\n"
	"# The same of what was typed so far: what is asked for comes last, what compadd takes before it.\n"
	"_enomem_asked() {\n"
	"\tlocal -a names end\n"
	"\tlocal what=${@[-1]}\n"
	"\targv[-1]=()\n"
	"\t[[ ${@[-1]} != - ]] || argv[-1]=()\n"
	"\tnames=(${(f)\"$(_call_program $what ${(q)_enomem_program} --completion ${(q)what} -- ${(q)words[2,-1]} "
	"2>/dev/null)\"})\n"
	"\t[[ $names[1] != *= ]] || end=(-S '')\n"
	"\tcompadd \"$@\" \"$end[@]\" -a names\n"
	"}\n"
	"_enomem_asked_files() {\n"
	"\t_alternative \"names:${@[-1]}:_enomem_asked ${@[-1]}\" 'files:file:_files'\n"
	"}\n"
	"_enomem_scenarios() {\n"
	"\tif [[ $PREFIX == */* ]]; then _enomem_offered ${(Q)PREFIX%%/*}/ case; else _enomem_offered scenarios "
	"scenario; fi\n"
	"}\n"
	"_enomem_lessons() {\n"
	"\tif [[ $PREFIX == */* ]] && _enomem_offered ${(Q)PREFIX%%/*}/ case; then return 0; fi\n"
	"\t_enomem_asked_files scenarios\n"
	"}\n"
	"_enomem_explained() {\n"
	"\tif [[ $PREFIX == */* ]]; then _enomem_scenarios; else _enomem_offered explain name; fi\n"
	"}\n"
	"# \"--\", and behind it the command line of somebody else.\n"
	"_enomem_separated() {\n"
	"\tlocal -i own=${words[(i)--]}\n"
	"\t(( own < CURRENT )) || return 1\n"
	"\tshift own words\n"
	"\t(( CURRENT -= own ))\n"
	"\t_normal\n"
	"\treturn 0\n"
	"}\n"
	"# Behind the first operand.\n"
	"_enomem_behind() {\n"
	"\tshift words\n"
	"\t(( CURRENT-- ))\n"
	"\t_normal\n"
	"}\n";

static void calls(FILE *out)
{
	fputs("_enomem_calls() {\n\tif compset -P '*:'; then\n\t\tcompadd -S '' - ", out);
	completion_print_call_parts(out);
	fputs("\n\telse\n\t\t_sequence compadd -S '' - ", out);
	completion_print_calls(out);
	fputs("\n\tfi\n}\n\n", out);
}

void completion_zsh(const struct completion *c, FILE *out)
{
	fputs("#compdef enomem\n# Completion of enomem for zsh, made by `enomem --completion zsh`.\n\n", out);
	fputs(functions, out);
	calls(out);
	fputs("_enomem() {\n"
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
	/* Loaded by the first call, or sourced. */
	fputs("\tesac ;;\nesac\n}\n\n"
	      "if [[ $funcstack[1] == _enomem ]]; then _enomem \"$@\"; else compdef _enomem enomem; fi\n",
	      out);
}
