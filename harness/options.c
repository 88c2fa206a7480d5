// SPDX-License-Identifier: MIT
/*
 * getopt_long(3) driven by a table. See options.h.
 */
#include "options.h"
#include "manifest-internal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "number.h"
#include "report-text.h"
#include "say.h"
#include "store.h"

#define OPTIONS_MAX 48

static bool abbreviated(const struct command *command, const char *word)
{
	if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
		return false;
	size_t length = strcspn(word + 2, "=");
	for (const struct option_row *o = command->options; o->name; o++)
		if (strlen(o->name) == length && strncmp(o->name, word + 2, length) == 0)
			return false;
	return length != 4 || strncmp(word + 2, "help", 4) != 0;
}

static void hint(const struct command *command)
{
	say_hint("enomem %s%s--help", command->name, *command->name ? " " : "");
}

static const struct command *asked_of;

static const char *option_at(unsigned i)
{
	static char text[64];
	if (!asked_of->options[i].name)
		return NULL;
	(void)snprintf(text, sizeof(text), "--%s", asked_of->options[i].name);
	return text;
}

/* "--WORD", perhaps "=VALUE" behind it */
static void hint_option(const struct command *command, const char *word)
{
	const struct words words = {.what = "option", .at = option_at};
	char name[64], near[96];
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	asked_of = command;
	if (words_hint(&words, name, near, sizeof(near)))
		say_hint("%s `enomem %s%s--help` shows all", near, command->name, *command->name ? " " : "");
	else
		hint(command);
}

int options_next(const struct command *command, int argc, char **argv, const char **ret_argument)
{
	struct option rows[OPTIONS_MAX + 2] = {{NULL, 0, NULL, 0}};
	char letters[2 * OPTIONS_MAX + 3] = "+h";
	unsigned n = 0;
	for (const struct option_row *o = command->options; o->name && n < OPTIONS_MAX; o++) {
		rows[n].name = o->name;
		/* "[KERNEL]": may be left out, and is given with '=' only */
		rows[n].has_arg = !o->argument            ? no_argument
				  : o->argument[0] == '[' ? optional_argument
							  : required_argument;
		rows[n++].val = o->letter;
		if (o->letter < 256) {
			char letter[2] = {(char)o->letter, '\0'};
			(void)strcat(letters, letter);
			if (o->argument)
				(void)strcat(letters, ":");
		}
	}
	rows[n].name = "help";
	rows[n].val = 'h';
	const char *order = command->takes_command ? letters : letters + 1; /* '+': no option after an operand */
	/*
	 * getopt_long() would take an abbreviation for the whole word: look at all words before the first is parsed, or
	 * where others follow that are not ours, at the next one.
	 */
	int from = command->takes_command ? optind : 1, to = command->takes_command ? optind + 1 : argc;
	bool look = command->takes_command || optind <= 1;
	for (int i = from; look && i < to && i < argc && strcmp(argv[i], "--") != 0; i++)
		if (abbreviated(command, argv[i])) {
			(void)say_error(0, "%s: no such option of enomem%s%s", argv[i], *command->name ? " " : "",
					command->name);
			hint_option(command, argv[i]);
			return '?';
		}
	int letter = getopt_long(argc, argv, order, rows, NULL);
	*ret_argument = optarg;
	if (letter == '?')
		hint(command);
	return letter;
}

/* Which of these words it is; -1 after telling that it is none, and what there is. */
static int choice(const struct command *command, const char *option, const char *value, const char *const *words,
		  unsigned count)
{
	char all[256];
	size_t used = 0;
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(value, words[i]) == 0)
			return (int)i;
		int n = snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", words[i]);
		used += (size_t)n < sizeof(all) - used ? (size_t)n : 0;
	}
	(void)say_error(0, "--%s: %s is none of %s", option, value, all);
	hint(command);
	return -1;
}

int options_format(const struct command *command, const char *value, unsigned *ret)
{
	int i = choice(command, "format", value, command->formats, command->format_count);
	if (i >= 0)
		*ret = (unsigned)i;
	return i < 0 ? EXIT_USAGE : 0;
}

int options_colour(const struct command *command, const char *value)
{
	static const char *const when[] = {"auto", "always", "never"};
	return choice(command, "color", value, when, ARRAY_SIZE(when)) < 0 ? EXIT_USAGE : 0;
}

void options_hint_time(const char *option, const char *value, uint64_t least_ns, uint64_t most_ns)
{
	char with_unit[32];
	uint64_t time_ns;
	if (!*value || value[strspn(value, "0123456789")] != '\0')
		return;
	int n = snprintf(with_unit, sizeof(with_unit), "%ss", value);
	if (n > 0 && (size_t)n < sizeof(with_unit) && number_parse_duration(with_unit, &time_ns) == 0 &&
	    time_ns >= least_ns && time_ns <= most_ns)
		say_hint("did you mean --%s=%ss? A time has a unit: ms, s, min", option, value);
}

int options_apart(const char *output, const char *read)
{
	if (!store_replaces(output, read))
		return 0;
	bool same_name = strcmp(output, read) == 0;
	(void)say_error(0, "%s: is read, and --output would replace it%s%s", read, same_name ? "" : " by way of ",
			same_name ? "" : output);
	return EXIT_USAGE;
}

static unsigned closed_streams;

unsigned options_open_streams(void)
{
	int fd;
	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			closed_streams |= 1U << fd;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	return closed_streams;
}

unsigned options_closed_streams(void)
{
	return closed_streams;
}

int options_operands(void)
{
	return optind;
}

void options_help_rows(const struct command *command, FILE *out)
{
	for (const struct option_row *o = command->options; o->name; o++) {
		char left[64];
		if (o->argument && o->argument[0] == '[')
			(void)snprintf(left, sizeof(left), "%s[=%s", o->name, o->argument + 1);
		else
			(void)snprintf(left, sizeof(left), "%s%s%s", o->name, o->argument ? "=" : "",
				       o->argument ? o->argument : "");
		if (o->letter < 256 && isprint(o->letter))
			(void)fprintf(out, "  -%c, --%-24s %s\n", o->letter, left, o->help);
		else
			(void)fprintf(out, "      --%-24s %s\n", left, o->help);
	}
	(void)fprintf(out, "  -h, --%-24s %s\n", "help", "this text");
}

void options_print(void (*write)(FILE *out, const void *subject), const void *subject)
{
	auto_free char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (!out) {
		(void)say_error(ENOMEM, "the help: no memory for its text");
		return;
	}
	write(out, subject);
	if (fclose(out) == 0)
		text_print_rows(text);
}

static void write_help(FILE *out, const void *subject)
{
	const struct command *command = subject;
	(void)fprintf(out, "Usage: enomem %s %s\n\n", command->name, command->arguments);
	if (command->examples)
		(void)fprintf(out, "Examples:\n%s\n", command->examples);
	(void)fprintf(out, "%s\n\n", command->blurb);
	options_help_rows(command, out);
}

void options_help(const struct command *command)
{
	options_print(write_help, command);
}

bool options_want_colour(const char *when)
{
	const char *no = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE"), *term = getenv("TERM");
	if (strcmp(when, "auto") != 0)
		return strcmp(when, "always") == 0;
	if (no && no[0])
		return false;
	if (force && strcmp(force, "0") != 0)
		return true;
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}
