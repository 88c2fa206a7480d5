// SPDX-License-Identifier: MIT
/*
 * enomem why: run a program as it is, or watch one that runs, and say which limit refused it what.
 */
#include <errno.h>
#include <signal.h>

#include "cleanup.h"
#include "launch.h"
#include "number.h"
#include "options.h"
#include "say.h"
#include "why.h"

enum { OPT_FOR = 256 };

static const struct option_row options[] = {
	{"json", 'j', NULL, "tell it as JSON"},
	{"output", 'o', "FILE", "tell it there instead of on standard error"},
	{"pid", 'p', "PID", "watch a process that runs already, until it ends or Ctrl-C"},
	{"for", OPT_FOR, "TIME", "with --pid: for so long (10s, 1min)"},
	{"quiet", 'q', NULL, "say nothing when nothing was refused, or all of it was survived"},
	{"verbose", 'v', NULL, "numbers and places of what was survived as well"},
	{NULL, 0, NULL, NULL},
};

struct request {
	bool json, quiet, verbose, help;
	struct launch_output output;
	pid_t pid;
	uint64_t for_ns;
};

static int parse_pid(const char *value, pid_t *ret)
{
	uint64_t n;
	if (number_parse_count(value, &n) < 0 || n == 0 || n > INT32_MAX)
		return say_error(-EINVAL, "--pid: %s is no id of a process", value);
	*ret = (pid_t)n;
	return 0;
}

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
		case 'v':
			q->verbose = true;
			break;
		case 'o':
			q->output.name = value;
			break;
		case 'p':
			if (parse_pid(value, &q->pid) < 0)
				return -EINVAL;
			break;
		case OPT_FOR:
			if (number_parse_duration(value, &q->for_ns) < 0 || q->for_ns < 1000)
				return say_error(-EINVAL, "--for: %s is no time", value);
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

static int check_request(const struct request *q, char **command)
{
	int r = 0;
	if (q->pid && command[0])
		r = say_error(-EINVAL, "%s: either a program or --pid", command[0]);
	else if (!q->pid && !command[0])
		r = say_error(-EINVAL, "no program");
	else if (q->for_ns && !q->pid)
		r = say_error(-EINVAL, "--for: only with --pid; for a program there is timeout(1)");
	if (r < 0)
		say_hint("enomem why -- COMMAND [ARGUMENT...], or enomem why --pid=PID");
	return r;
}

static int tell(struct why *w, struct request *q)
{
	if (q->quiet && w->deaths_count == 0 && !why_has_reason(w))
		return 0;
	why_name_places(w);
	if (q->json) {
		json_auto_t *json = why_json(w);
		return launch_output_json(&q->output, json);
	}
	why_print(w, q->verbose, q->output.file);
	return 0;
}

static int why(struct request *q, char **command)
{
	static struct why w;
	if (why_scene_open(&w.scene) < 0) {
		(void)say_error(0, "/proc cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_BROKEN;
	}
	if (launch_output_open(&q->output) < 0)
		return EXIT_USAGE;
	w.argv = q->pid ? NULL : command;
	int r = q->pid ? why_attach(&w, q->pid, q->for_ns) : why_launch(&w, options_closed_streams());
	(void)signal(SIGPIPE, SIG_IGN);
	int told = launch_output_end(&q->output, r == 0, r == 0 ? tell(&w, q) : 0);
	bool program_ended = w.argv && w.root_ended;
	int status = w.root_status;
	why_free(&w);
	if (r != 0)
		return r;
	if (program_ended && status != 0)
		return launch_end_likewise(status);
	return told < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

static int cmd_why_main(const struct command *self, int argc, char **argv)
{
	struct request q = {0};
	if (parse_options(self, argc, argv, &q) < 0)
		return EXIT_USAGE;
	if (q.help) {
		options_help(self);
		return say_finish(EXIT_AS_PREDICTED);
	}
	char **command = argv + options_operands();
	return check_request(&q, command) < 0 ? EXIT_USAGE : why(&q, command);
}

const struct command cmd_why = {
	.name = "why",
	.arguments = "[OPTION...] [--] COMMAND [ARGUMENT...] | --pid=PID",
	.examples = "  enomem why -- ./server --port 80  which limit refuses it what, and by how much\n"
		    "  enomem why -p 4711 --for=10s      a running one\n",
	.blurb = "Run any program as it is, and say which limit refused it what, and by how much.",
	.options = options,
	.run = cmd_why_main,
	.takes_command = true,
};
