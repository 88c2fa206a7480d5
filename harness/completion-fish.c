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
	if (kind == COMPLETE_ASK || kind == COMPLETE_ASK_LIST || kind == COMPLETE_ASK_FILES) {
		fputs(kind == COMPLETE_ASK_LIST ? " -a '(__fish_append , (__enomem_asked " : " -a '(__enomem_asked ",
		      out);
		(void)completion_print_words(command, row, " ", out);
		fputs(kind == COMPLETE_ASK_LIST ? "))'" : ")'", out);
	}
	if (kind == COMPLETE_WORDS || kind == COMPLETE_LIST) {
		fputs(kind == COMPLETE_LIST ? " -a '(__fish_append , " : " -a '", out);
		(void)completion_print_words(command, row, " ", out);
		fputs(kind == COMPLETE_LIST ? ")'" : "'", out);
	}
}

static void options(const struct command *command, FILE *out)
{
	for (const struct option_row *row = command->options; row->name; row++) {
		if (*command->name)
			fprintf(out, "complete -c enomem -n '__enomem_at %s' -l %s", command->name, row->name);
		else
			fprintf(out, "complete -c enomem -n __enomem_at_start -l %s", row->name);
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
	static const char *const offered[] = {[OPERAND_NONE] = NULL,
					      [OPERAND_FILES] = "-F",
					      [OPERAND_CLAIMS] = "-F -a '(__enomem_asked claims)'",
					      [OPERAND_LESSONS] = "-F -a '(__enomem_offered scenarios)'",
					      [OPERAND_SCENARIOS] = "-F -a '(__enomem_offered scenarios)'",
					      [OPERAND_SCENARIOS_COMMAND] = "-F -a '(__enomem_offered scenarios)'",
					      [OPERAND_EXPLAIN] = "-F -a '(__enomem_offered explain)'",
					      [OPERAND_COMMAND] = "-a '(__enomem_command)'",
					      [OPERAND_CALLS_COMMAND] = "-a '(__enomem_calls)'"};
	const char *what = offered[completion_operand(command)];
	if (what)
		fprintf(out, "complete -c enomem -n '__enomem_at %s' %s\n", command->name, what);
	if (completion_has_command(command))
		fprintf(out, "complete -c enomem -n '__enomem_behind %s' -a '(__enomem_command_line %s)'\n",
			command->name, command->name);
}

/* What is the same for every version of the tables. */
static const char functions[] =
	"# Where the command line of somebody else begins: behind \"--\", or where the first operands are all.\n"
	"function __enomem_begin # command\n"
	"\tset -l words (commandline -opc)\n"
	"\tif set -l at (contains -i -- -- $words)\n"
	"\t\tmath $at + 1\n"
	"\t\treturn 0\n"
	"\tend\n"
	"\tset -l own (__enomem_operands_before $argv[1])\n"
	"\ttest -n \"$own\"; or return 1\n"
	"\tset -l valued (__enomem_valued $argv[1])\n"
	"\tset -l i 3\n"
	"\twhile test $i -le (count $words)\n"
	"\t\tif contains -- $words[$i] $valued\n"
	"\t\t\tset i (math $i + 1)\n"
	"\t\telse if not string match -q -- '-*' $words[$i]\n"
	"\t\t\tif test $own -eq 0\n"
	"\t\t\t\techo $i\n"
	"\t\t\t\treturn 0\n"
	"\t\t\tend\n"
	"\t\t\tset own (math $own - 1)\n"
	"\t\tend\n"
	"\t\tset i (math $i + 1)\n"
	"\tend\n"
	"\ttest $own -eq 0 -a (__enomem_operands_before $argv[1]) -gt 0; or return 1\n"
	"\techo $i\n"
	"end\n"
	"function __enomem_is # command\n"
	"\tset -l words (commandline -opc)\n"
	"\ttest (count $words) -ge 2 -a \"$words[2]\" = \"$argv[1]\"\n"
	"end\n"
	"function __enomem_at_start\n"
	"\ttest (count (commandline -opc)) -eq 1\n"
	"end\n"
	"function __enomem_at\n"
	"\t__enomem_is $argv[1]; and not __enomem_begin $argv[1] >/dev/null\n"
	"end\n"
	"function __enomem_behind\n"
	"\t__enomem_is $argv[1]; and __enomem_begin $argv[1] >/dev/null\n"
	"end\n"
	"function __enomem_command_line\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tset -l begin (__enomem_begin $argv[1])\n"
	"\tset -l line $words[-1]\n"
	"\ttest $begin -ge (count $words); or set line (string escape -- $words[$begin..-2]) $line\n"
	"\tcomplete -C \"$line\"\n"
	"end\n"
	"function __enomem_command\n"
	"\tset -l word (commandline -ct)\n"
	"\tstring match -q -- '-*' $word; or complete -C \"$word\"\n"
	"end\n"
	"# What the words so far say more of.\n"
	"function __enomem_asked # for what\n"
	"\tcommand enomem --completion $argv[1] -- (commandline -opc)[2..-1] 2>/dev/null\n"
	"end\n"
	"function __enomem_offered\n"
	"\tset -l word (commandline -ct | string unescape)\n"
	"\tif string match -q '*/*' -- $word\n"
	"\t\tcommand enomem --completion (string split -m 1 / -- $word)[1]/ 2>/dev/null\n"
	"\telse\n"
	"\t\tcommand enomem --completion $argv[1] 2>/dev/null\n"
	"\tend\n"
	"end\n";

/* How many operands stand before somebody else's command line, and which options take a word of their own. */
static void positions(const struct completion *c, FILE *out)
{
	fputs("function __enomem_operands_before\n\tswitch $argv[1]\n", out);
	for (size_t i = 0; i < c->count; i++) {
		enum completion_operand operand = completion_operand(c->commands[i]);
		if (operand == OPERAND_COMMAND || operand == OPERAND_CALLS_COMMAND)
			fprintf(out, "\t\tcase %s\n\t\t\techo %d\n", c->commands[i]->name,
				operand == OPERAND_CALLS_COMMAND);
	}
	fputs("\tend\nend\nfunction __enomem_valued\n\tswitch $argv[1]\n", out);
	for (size_t i = 0; i < c->count; i++) {
		const struct command *command = c->commands[i];
		if (!completion_has_command(command))
			continue;
		fprintf(out, "\t\tcase %s\n\t\t\tstring split ' ' -- '", command->name);
		for (const struct option_row *row = command->options; row->name; row++) {
			if (!row->argument || completion_optional(row))
				continue;
			fprintf(out, "--%s ", row->name);
			if (completion_short(row))
				fprintf(out, "-%c ", row->letter);
		}
		fputs("'\n", out);
	}
	fputs("\tend\nend\nfunction __enomem_calls\n"
	      "\tset -l word (commandline -ct)\n"
	      "\tif string match -q '*:*' -- $word\n"
	      "\t\tprintf '%s\\n' (string replace -r '[^:]*$' '' -- $word)(string split ' ' -- '",
	      out);
	completion_print_call_parts(out);
	fputs("')\n\telse\n\t\t__fish_append , ", out);
	completion_print_calls(out);
	fputs("\n\tend\nend\n", out);
}

void completion_fish(const struct completion *c, FILE *out)
{
	fputs("# Completion of enomem for fish, made by `enomem --completion fish`.\n\n", out);
	fputs(functions, out);
	positions(c, out);
	fputs("\ncomplete -c enomem -f\n"
	      "complete -c enomem -n 'not contains -- -- (commandline -opc)' -s h -l help -d 'this text'\n",
	      out);
	options(c->global, out);
	for (size_t i = 0; i < c->count; i++) {
		const struct command *command = c->commands[i];
		if (command->hidden)
			continue;
		fprintf(out, "\ncomplete -c enomem -n __enomem_at_start -a %s -d ", command->name);
		quoted(command->blurb, out);
		fputc('\n', out);
		options(command, out);
		operands(command, out);
	}
}
