// SPDX-License-Identifier: MIT
/*
 * enomem: makes Linux refuse memory on purpose, proves which limit refused it, and shows what makes the refusal go
 * away.
 */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "completion.h"
#include "guest-init.h"
#include "json-memory.h"
#include "manifest-internal.h"
#include "options.h"
#include "say.h"
#include "version.h"

static const struct command *const commands[] = {
	&cmd_list,    &cmd_run,    &cmd_compare, &cmd_report,  &cmd_claims, &cmd_triage,
	&cmd_why,     &cmd_inject, &cmd_sweep,   &cmd_hold,    &cmd_grade,  &cmd_capture,
	&cmd_explain, &cmd_teach,  &cmd_doctor,  &cmd_recover, &cmd_stage,
};

enum { OPT_VERSION = 256, OPT_JSON, OPT_COMPLETION };

static const struct option_row global_rows[] = {
	{"version", OPT_VERSION, NULL, "tell which version this is"},
	{"json", OPT_JSON, NULL, "with --version: commit, compiler, libraries and what is built in, as JSON"},
	{"completion", OPT_COMPLETION, "SHELL", "print a completion script: bash, zsh or fish"},
	{NULL, 0, NULL, NULL},
};

/* The options before any command. */
static const struct command global = {
	.name = "",
	.arguments = "COMMAND [OPTION...] [OPERAND...]",
	.blurb = "",
	.options = global_rows,
	.takes_command = true,
};

static void brief(FILE *out)
{
	fputs("Usage: enomem COMMAND [OPTION...] [OPERAND...]\n"
	      "Makes Linux refuse memory on purpose and proves which limit refused it.\n"
	      "  enomem run pids-max        one scenario: control, trigger, remedies\n"
	      "  enomem run -j 2 -o r.json  all that is safe here, and keep the result\n"
	      "`enomem --help` shows the commands.\n",
	      out);
}

static void write_help(FILE *out, const void *all)
{
	(void)all;
	(void)fputs("Examples:\n"
		    "  enomem run                          everything that is safe on this machine\n"
		    "  enomem run --format tap13 pids-max  for prove and other TAP readers\n"
		    "  enomem run ./my-failure/            a scenario of your own\n"
		    "  enomem compare before.json after.json\n"
		    "  enomem why -- ./server --port 80    which limit refuses a program of yours\n"
		    "  enomem inject mmap:when=3 -- ./server  its third mmap is refused\n"
		    "  enomem hold pids-max -- ./my-tool   a failure held still while a tool looks\n"
		    "\nCommands:\n",
		    out);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!commands[i]->hidden)
			(void)fprintf(out, "  %-9s %.*s\n", commands[i]->name, (int)strcspn(commands[i]->blurb, "\n"),
				      commands[i]->blurb);
	(void)fputs("\nOptions:\n", out);
	options_help_rows(&global, out);
	(void)fputs(
		"\nExit status: 0 as predicted, 1 a prediction failed, 2 usage, 3 broken, 4 nothing selected, 77 all "
		"skipped, 130 interrupted.\n"
		"`enomem COMMAND --help` shows a command's options; the manual is enomem(1).\n",
		out);
}

/* typed: the words of the command line that is completed */
static int complete(const char *shell, char *const *typed)
{
	struct completion all = {.global = &global, .commands = commands, .count = ARRAY_SIZE(commands)};
	int r = completion_write(shell, &all, typed, stdout);
	if (r == -EINVAL) {
		(void)say_error(0, "--completion: %s is none of bash, zsh, fish", shell);
		return EXIT_USAGE;
	}
	return r < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

static int show_version(bool json)
{
	if (!json)
		puts("enomem " ENOMEM_VERSION);
	else if (version_write_json(enomem_commit, stdout) == -ENOMEM)
		return EXIT_BROKEN; /* what was not written is told at the end */
	return EXIT_AS_PREDICTED;
}

/* What is asked for without a command. */
static int without_command(int argc, char **argv)
{
	const char *value, *shell = NULL;
	bool version = false, json = false;
	for (int letter; (letter = options_next(&global, argc, argv, &value)) != -1;)
		switch (letter) {
		case 'h':
			options_print(write_help, NULL);
			return EXIT_AS_PREDICTED;
		case OPT_VERSION:
			version = true;
			break;
		case OPT_JSON:
			json = true;
			break;
		case OPT_COMPLETION:
			shell = value;
			break;
		default:
			return EXIT_USAGE;
		}
	bool typed = options_operands() < argc && shell && strcmp(argv[options_operands() - 1], "--") == 0;
	if ((options_operands() < argc && !typed) || version == !!shell || (json && !version)) {
		(void)say_error(0,
				"these options stand for themselves: --version, --version --json, --completion SHELL");
		say_hint("enomem --help");
		return EXIT_USAGE;
	}
	return shell ? complete(shell, argv + options_operands()) : show_version(json);
}

/* What is not for people to type stands for none. */
static const char *command_at(unsigned i)
{
	return i < ARRAY_SIZE(commands) ? commands[i]->hidden ? "" : commands[i]->name : NULL;
}

static void hint_command(const char *word)
{
	const struct words words = {.what = "command", .at = command_at};
	char near[96];
	if (strlen(word) <= 20 && words_hint(&words, word, near, sizeof(near)))
		say_hint("%s `enomem --help` shows all", near);
	else
		say_hint("enomem --help");
}

int main(int argc, char **argv)
{
	json_memory_watch();
	if (guest_is_init(argc, argv))
		guest_init();
	(void)signal(SIGCHLD, SIG_DFL); /* who had it ignored would hear of no child's end */
	/* A harness started with a standard stream closed must not open its journal or a pipe in that place. */
	bool stdout_closed = options_open_streams() >> STDOUT_FILENO & 1;
	(void)setlocale(LC_ALL, "");
	if (argc < 2) {
		brief(stderr);
		return EXIT_USAGE;
	}
	if (argv[1][0] == '-')
		return say_end(json_memory_judge(say_finish(without_command(argc, argv))));
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i]->name) != 0)
			continue;
		if (stdout_closed && !commands[i]->hidden && !commands[i]->takes_command) {
			(void)say_error(EBADF, "standard output: it is closed, nothing could be reported");
			return EXIT_BROKEN;
		}
		return say_end(json_memory_judge(commands[i]->run(commands[i], argc - 1, argv + 1)));
	}
	(void)say_error(0, "%s: no such command", argv[1]);
	hint_command(argv[1]);
	return EXIT_USAGE;
}
