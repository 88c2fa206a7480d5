// SPDX-License-Identifier: MIT
/*
 * The script for bash. It needs no bash-completion, and so looks itself where bash has split a word at '='.
 */
#include <string.h>

#include "completion-internal.h"

/* One table per thing asked for: the cases of a function whose "$1" is "COMMAND" or "COMMAND OPTION". */
static void options_of(const struct command *command, FILE *out)
{
	fprintf(out, "\t'%s') printf '%%s\\n'", command->name);
	for (const struct option_row *row = command->options; row->name; row++)
		fprintf(out, " --%s%s%s%s", row->name, completion_optional(row) ? " --" : "",
			completion_optional(row) ? row->name : "", completion_optional(row) ? "=" : "");
	fputs(" --help ;;\n", out);
}

static void no_word(void *arg, const char *word)
{
	(void)arg;
	(void)word;
}

static void values_of(const struct command *command, FILE *out)
{
	for (const struct option_row *row = command->options; row->name; row++) {
		if (!row->argument)
			continue;
		fprintf(out, "\t'%s --%s'", command->name, row->name);
		if (completion_short(row))
			fprintf(out, "|'%s -%c'", command->name, row->letter);
		switch (completion_values(command, row, no_word, NULL)) {
		case COMPLETE_FILES:
			fputs(") echo @files ;;\n", out);
			break;
		case COMPLETE_DIRECTORIES:
			fputs(") echo @directories ;;\n", out);
			break;
		case COMPLETE_NOTHING:
			fputs(") echo @nothing ;;\n", out);
			break;
		case COMPLETE_LIST:
			fputs(") echo @list", out);
			fputs(" ", out);
			(void)completion_print_words(command, row, " ", out);
			fputs(" ;;\n", out);
			break;
		case COMPLETE_WORDS:
			fputs(") echo ", out);
			(void)completion_print_words(command, row, " ", out);
			fputs(" ;;\n", out);
		}
	}
}

static void operands_of(const struct command *command, FILE *out)
{
	static const char *const words[] = {[OPERAND_NONE] = "@nothing",
					    [OPERAND_FILES] = "@files",
					    [OPERAND_SCENARIOS] = "@scenarios",
					    [OPERAND_COMMAND] = "@command"};
	fprintf(out, "\t'%s') echo %s ;;\n", command->name, words[completion_operand(command)]);
}

static void table(const char *name, const struct completion *c, FILE *out,
		  void (*rows)(const struct command *command, FILE *out))
{
	fprintf(out, "\n%s()\n{\n\tcase $1 in\n", name);
	rows(c->global, out);
	for (size_t i = 0; i < c->count; i++)
		if (!c->commands[i]->hidden)
			rows(c->commands[i], out);
	fputs("\tesac\n}\n", out);
}

/* What is the same for every version of the tables. */
static const char script[] =
	"\n"
	"# An optional argument follows '=' only: such an option takes no next word.\n"
	"_enomem_takes_next() { [[ $(_enomem_values \"$1\") && \" $(_enomem_options \"${1% *}\" | tr '\\n' ' ')\" != "
	"*\" ${1#* }= \"* ]]; "
	"}\n"
	"\n"
	"_enomem_offer() # what, the word so far\n"
	"{\n"
	"\tlocal before=\n"
	"\tcase $1 in\n"
	"\t@nothing) ;;\n"
	"\t@files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
	"\t@directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
	"\t@command) mapfile -t COMPREPLY < <(compgen -c -- \"$2\") ;;\n"
	"\t@scenarios)\n"
	"\t\tif [[ $2 == */* || $2 == .* ]]; then\n"
	"\t\t\t_enomem_offer @directories \"$2\"\n"
	"\t\telse\n"
	"\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$(\"${COMP_WORDS[0]}\" --completion scenarios 2>/dev/null)\" -- "
	"\"$2\")\n"
	"\t\tfi ;;\n"
	"\t'@list '*)\n"
	"\t\t[[ $2 != *,* ]] || before=${2%,*},\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"${1#@list }\" -- \"${2##*,}\") ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_enomem()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} option= command= words=() word i operands=0 last=\n"
	"\tCOMPREPLY=()\n"
	"\t# \"--format=tap\" is three words here unless COMP_WORDBREAKS was changed.\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ ! $command ]]; then\n"
	"\t\t\t[[ $word == -* ]] || command=$word\n"
	"\t\telif [[ $word == -- ]] || { [[ $(_enomem_operands \"$command\") == @command && $word != -* && $word != = "
	"&& $last != = ]] &&\n"
	"\t\t\t! _enomem_takes_next \"$command $last\"; }; then\n"
	"\t\t\toperands=1\n"
	"\t\t\t[[ $word == -- ]] || operands=2\n"
	"\t\t\tbreak\n"
	"\t\tfi\n"
	"\t\tlast=$word\n"
	"\tdone\n"
	"\tif ((operands)); then\n"
	"\t\t[[ $(_enomem_operands \"$command\") != @command ]] && { _enomem_offer \"$(_enomem_operands "
	"\"$command\")\" \"$current\"; return; }\n"
	"\t\tif ((operands == 1 && i + 1 == COMP_CWORD)); then _enomem_offer @command \"$current\"; else _enomem_offer "
	"@files \"$current\"; fi\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ $current == = ]]; then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 1]} current=\n"
	"\telif [[ $last == = ]] && ((COMP_CWORD > 1)); then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\telif [[ $last == -* ]] && _enomem_takes_next \"$command $last\"; then\n"
	"\t\toption=$last\n"
	"\tfi\n"
	"\tif [[ $option ]]; then\n"
	"\t\t_enomem_offer \"$(_enomem_values \"$command $option\")\" \"$current\"\n"
	"\telif [[ $current == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_enomem_options \"$command\")\" -- \"$current\")\n"
	"\t\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
	"\telif [[ ! $command ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(_enomem_commands)\" -- \"$current\")\n"
	"\telse\n"
	"\t\t_enomem_offer \"$(_enomem_operands \"$command\")\" \"$current\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _enomem enomem\n";

void completion_bash(const struct completion *c, FILE *out)
{
	fputs("# Completion of enomem for bash, made by `enomem --completion bash`.\n\n_enomem_commands() { echo", out);
	for (size_t i = 0; i < c->count; i++)
		if (!c->commands[i]->hidden)
			fprintf(out, " %s", c->commands[i]->name);
	fputs("; }\n", out);
	table("_enomem_options", c, out, options_of);
	table("_enomem_values", c, out, values_of);
	table("_enomem_operands", c, out, operands_of);
	fputs(script, out);
}
