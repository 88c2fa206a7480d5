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
		case COMPLETE_ASK:
			fputs(") echo @ask ", out);
			(void)completion_print_words(command, row, " ", out);
			fputs(" ;;\n", out);
			break;
		case COMPLETE_ASK_LIST:
			fputs(") echo @ask-list ", out);
			(void)completion_print_words(command, row, " ", out);
			fputs(" ;;\n", out);
			break;
		case COMPLETE_ASK_FILES:
			fputs(") echo @ask-files ", out);
			(void)completion_print_words(command, row, " ", out);
			fputs(" ;;\n", out);
			break;
		case COMPLETE_LIST:
			fputs(") echo @list ", out);
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
					    [OPERAND_CLAIMS] = "@ask-files claims",
					    [OPERAND_LESSONS] = "@lessons",
					    [OPERAND_SCENARIOS] = "@scenarios",
					    [OPERAND_SCENARIOS_COMMAND] = "@scenarios",
					    [OPERAND_EXPLAIN] = "@explain",
					    [OPERAND_COMMAND] = "@command",
					    [OPERAND_CALLS_COMMAND] = "@calls"};
	fprintf(out, "\t'%s') echo %s ;;\n", command->name, words[completion_operand(command)]);
}

/* Is there somebody else's command line behind "--"? */
static void behind_of(const struct command *command, FILE *out)
{
	if (completion_has_command(command))
		fprintf(out, "\t'%s') true ;;\n", command->name);
}

static void table(const char *name, const struct completion *c, FILE *out,
		  void (*rows)(const struct command *command, FILE *out))
{
	fprintf(out, "\n%s()\n{\n\tcase $1 in\n", name);
	rows(c->global, out);
	for (size_t i = 0; i < c->count; i++)
		if (!c->commands[i]->hidden)
			rows(c->commands[i], out);
	fputs("\t*) false ;;\n\tesac\n}\n", out);
}

/* What is the same for every version of the tables. */
static const char script[] =
	"\n"
	"# An optional argument follows '=' only: such an option takes no next word.\n"
	"_enomem_takes_next() { [[ $(_enomem_values \"$1\") && \" $(_enomem_options \"${1% *}\" | tr '\\n' ' ')\" != "
	"*\" ${1#* }= \"* ]]; }\n"
	"\n"
	"# Names as they come, one a line: blanks in them are escaped. What was typed so far may say of what.\n"
	"_enomem_names() # for what, the word so far, what stands before each\n"
	"{\n"
	"\tlocal name word=${2//\\\\/}\n"
	"\twhile IFS= read -r name; do\n"
	"\t\t[[ $name != \"$word\"* ]] || COMPREPLY+=(\"$3$(printf %q \"$name\")\")\n"
	"\tdone < <(\"${COMP_WORDS[0]}\" --completion \"$1\" -- \"${COMP_WORDS[@]:2}\" 2>/dev/null)\n"
	"}\n"
	"\n"
	"_enomem_offer() # what, the word so far\n"
	"{\n"
	"\tlocal before= directories\n"
	"\tcase $1 in\n"
	"\t@nothing) ;;\n"
	"\t@files) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
	"\t@directories) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
	"\t@command) mapfile -t COMPREPLY < <(compgen -c -- \"$2\") ;;\n"
	"\t@scenarios | @explain)\n"
	"\t\tif [[ $2 == */* || $2 == .* ]]; then\n"
	"\t\t\t_enomem_names \"${2%%/*}/\" \"$2\"\n"
	"\t\t\tmapfile -t directories < <(compgen -d -S / -- \"$2\")\n"
	"\t\t\t((${#directories[@]} == 0)) || compopt -o nospace 2>/dev/null\n"
	"\t\t\tCOMPREPLY+=(\"${directories[@]}\")\n"
	"\t\telse\n"
	"\t\t\t_enomem_names \"${1#@}\" \"$2\"\n"
	"\t\tfi ;;\n"
	"\t@lessons)\n"
	"\t\t[[ $2 != */* ]] || _enomem_names \"${2%%/*}/\" \"$2\"\n"
	"\t\t((${#COMPREPLY[@]} > 0)) || _enomem_offer '@ask-files scenarios' \"$2\" ;;\n"
	"\t'@ask '*)\n"
	"\t\t_enomem_names \"${1#@ask }\" \"$2\"\n"
	"\t\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null ;;\n"
	"\t'@ask-list '*)\n"
	"\t\t[[ $2 != *,* ]] || before=${2%,*},\n"
	"\t\t_enomem_names \"${1#@ask-list }\" \"${2##*,}\" \"$before\" ;;\n"
	"\t'@ask-files '*)\n"
	"\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$2\")\n"
	"\t\t[[ $2 == */* ]] || _enomem_names \"${1#@ask-files }\" \"$2\" ;;\n"
	"\t'@list '*)\n"
	"\t\t[[ $2 != *,* ]] || before=${2%,*},\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -P \"$before\" -W \"${1#@list }\" -- \"${2##*,}\") ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\") ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# Somebody else's command line, from that word on: as bash-completion completes it, where that is there.\n"
	"_enomem_command_line() # which word\n"
	"{\n"
	"\tif declare -F _comp_command_offset >/dev/null; then\n"
	"\t\t_comp_command_offset \"$1\"\n"
	"\telif declare -F _command_offset >/dev/null; then\n"
	"\t\t_command_offset \"$1\"\n"
	"\telif (($1 == COMP_CWORD)); then\n"
	"\t\t_enomem_offer @command \"${COMP_WORDS[COMP_CWORD]}\"\n"
	"\telse\n"
	"\t\t_enomem_offer @files \"${COMP_WORDS[COMP_CWORD]}\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"_enomem()\n"
	"{\n"
	"\tlocal current=${COMP_WORDS[COMP_CWORD]} option= command= kind= word i calls= behind=0 last=\n"
	"\tCOMPREPLY=()\n"
	"\t# \"--format=tap\" is three words here unless COMP_WORDBREAKS was changed, and so is \"mmap:ENOMEM\".\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ ! $command ]]; then\n"
	"\t\t\t[[ $word == -* ]] || { command=$word; kind=$(_enomem_operands \"$command\"); }\n"
	"\t\telif [[ $word == -- ]]; then\n"
	"\t\t\tbehind=$((i + 1))\n"
	"\t\t\tbreak\n"
	"\t\telif [[ $calls && ($word == [:=]* || $last == *[:=]) ]]; then\n"
	"\t\t\t:\n"
	"\t\telif [[ $kind == @c* && $word != -* && $word != = && $last != = ]] && ! _enomem_takes_next \"$command "
	"$last\"; then\n"
	"\t\t\tif [[ $kind == @calls && ! $calls ]]; then\n"
	"\t\t\t\tcalls=$word\n"
	"\t\t\telse\n"
	"\t\t\t\tbehind=$i\n"
	"\t\t\t\tbreak\n"
	"\t\t\tfi\n"
	"\t\tfi\n"
	"\t\tlast=$word\n"
	"\tdone\n"
	"\tif ((behind)); then\n"
	"\t\tif _enomem_behind \"$command\"; then _enomem_command_line \"$behind\"; else _enomem_offer \"$kind\" "
	"\"$current\"; fi\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tif [[ $calls ]]; then\n"
	"\t\tif [[ $current == : ]]; then\n"
	"\t\t\t_enomem_offer \"$(_enomem_call_parts)\" ''\n"
	"\t\telif [[ $last == : ]]; then\n"
	"\t\t\t_enomem_offer \"$(_enomem_call_parts)\" \"$current\"\n"
	"\t\telif [[ $last != *[:=] && $current != [:=]* ]]; then\n"
	"\t\t\t_enomem_command_line \"$COMP_CWORD\"\n"
	"\t\tfi\n"
	"\t\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
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
	"\telif [[ $kind == @calls ]]; then\n"
	"\t\t_enomem_offer \"@list $(_enomem_calls)\" \"$current\"\n"
	"\telif [[ $kind == @command ]]; then\n"
	"\t\t_enomem_command_line \"$COMP_CWORD\"\n"
	"\telse\n"
	"\t\t_enomem_offer \"$kind\" \"$current\"\n"
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
	fputs("; }\n_enomem_calls() { echo ", out);
	completion_print_calls(out);
	fputs("; }\n_enomem_call_parts() { echo ", out);
	completion_print_call_parts(out);
	fputs("; }\n", out);
	table("_enomem_options", c, out, options_of);
	table("_enomem_values", c, out, values_of);
	table("_enomem_operands", c, out, operands_of);
	table("_enomem_behind", c, out, behind_of);
	fputs(script, out);
}
