// SPDX-License-Identifier: MIT
/*
 * enomem inject: run a program as it is, but refuse it some calls.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cleanup.h"
#include "inject.h"
#include "launch.h"
#include "options.h"
#include "say.h"
#include "witness-inject.h"

enum { OPT_FROM = 256 };

static const struct option_row options[] = {
	{"from", OPT_FROM, "exec|entry|main", "count calls from there (else: main)"},
	{"json", 'j', NULL, "tell it as JSON"},
	{"output", 'o', "FILE", "tell it there instead of on standard error"},
	{"quiet", 'q', NULL, "say nothing"},
	{NULL, 0, NULL, NULL},
};

struct request {
	bool json, quiet, help;
	enum follow_start from;
	struct launch_output output;
};

static int parse_options(const struct command *self, int argc, char **argv, struct request *q)
{
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		switch (letter) {
		case 'j':
			q->json = true;
			break;
		case 'q':
			q->quiet = true;
			break;
		case 'o':
			q->output.name = value;
			break;
		case OPT_FROM:
			if (launch_parse_from(value, &q->from) < 0)
				return -EINVAL;
			break;
		case 'h':
			q->help = true;
			return 0;
		default:
			return -EINVAL;
		}
	}
	return 0;
}

static int tell(const struct inject_run *r, char *const *argv, struct request *q)
{
	if (q->json) {
		json_auto_t *json = inject_json(r, argv, q->from);
		return launch_output_json(&q->output, json);
	}
	inject_print(r, argv, q->from, q->output.file);
	return 0;
}

static int inject(struct request *q, const struct inject_spec *spec, char **argv)
{
	struct inject_run run = {.spec = *spec};
	struct launch l = {.argv = argv,
			   .closed_streams = options_closed_streams(),
			   .from = q->from,
			   .handlers = &inject_handlers,
			   .data = &run,
			   .begin = inject_begin};
	if (launch_output_open(&q->output) < 0)
		return EXIT_USAGE;
	int r = launch_run(&l);
	(void)signal(SIGPIPE, SIG_IGN);
	if (l.follow)
		inject_end(&run, l.follow);
	int told = launch_output_end(&q->output, r == 0, r == 0 && !q->quiet ? tell(&run, argv, q) : 0);
	follow_free(l.follow);
	if (r != 0)
		return r;
	if (run.root_ended && run.root_status != 0)
		return launch_end_likewise(run.root_status);
	return told < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

static int check_operands(char **operands)
{
	if (operands[0] && operands[1])
		return 0;
	(void)say_error(-EINVAL, operands[0] ? "no program" : "nothing to inject, and no program");
	say_hint("enomem inject mmap:ENOMEM:when=3 -- COMMAND [ARGUMENT...]");
	return -EINVAL;
}

static int cmd_inject_main(const struct command *self, int argc, char **argv)
{
	struct request q = {.from = FOLLOW_FROM_MAIN};
	struct inject_spec spec;
	struct inject_complaint complaint;
	if (parse_options(self, argc, argv, &q) < 0)
		return EXIT_USAGE;
	if (q.help) {
		options_help(self);
		return say_finish(EXIT_AS_PREDICTED);
	}
	char **operands = argv + options_operands();
	if (check_operands(operands) < 0)
		return EXIT_USAGE;
	if (inject_spec_parse(operands[0], &spec, &complaint) < 0) {
		(void)say_error(0, "%s: %s", operands[0], complaint.what);
		if (complaint.hint[0])
			say_hint("%s", complaint.hint);
		return EXIT_USAGE;
	}
	char **program = operands + 1 + (strcmp(operands[1], "--") == 0);
	if (!program[0])
		return check_operands((char *[]){operands[0], NULL}), EXIT_USAGE;
	if (!witness_can_inject()) {
		(void)say_error(ENOSYS, "calls cannot be taken away on this architecture");
		return EXIT_BROKEN;
	}
	return launch_check_privileges(program[0]) < 0 || launch_check_readable(program[0]) < 0
		       ? EXIT_USAGE
		       : inject(&q, &spec, program);
}

const struct command cmd_inject = {
	.name = "inject",
	.arguments = "[OPTION...] CALLS[:ERRNO][:when=FIRST[..LAST][+[STEP]]][:size>=BYTES] [--] COMMAND [ARGUMENT...]",
	.examples = "  enomem inject mmap -- ./my-program         every mmap is refused\n"
		    "  enomem inject mmap:when=3 -- ./my-program  only the third\n"
		    "  enomem inject process:EAGAIN -- make       as at a task limit\n",
	.blurb = "Run any program, and refuse it some calls as the kernel would.",
	.options = options,
	.run = cmd_inject_main,
	.takes_command = true,
};
