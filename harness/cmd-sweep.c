// SPDX-License-Identifier: MIT
/*
 * enomem sweep: refuse a program each of its calls in turn, and tell what it does not survive.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "launch.h"
#include "number.h"
#include "options.h"
#include "report-text.h"
#include "say.h"
#include "sweep.h"
#include "why.h"
#include "witness-inject.h"

enum { OPT_FROM = 256, OPT_CALLS, OPT_ERRNO, OPT_MAX_RUNS, OPT_TIMEOUT };

static const struct option_row options[] = {
	{"calls", OPT_CALLS, "CALLS", "which calls to refuse (else memory,process)"},
	{"errno", OPT_ERRNO, "ERRNO", "with which errno (else ENOMEM)"},
	{"from", OPT_FROM, "exec|entry|main", "count calls from there (else: main)"},
	{"timeout", OPT_TIMEOUT, "TIME", "a run that takes longer hangs (else 10s)"},
	{"max-runs", OPT_MAX_RUNS, "N", "stop after so many runs (else 2000)"},
	{"json", 'j', NULL, "tell it as JSON"},
	{"verbose", 'v', NULL, "clean failures and silent successes one by one as well"},
	{NULL, 0, NULL, NULL},
};

struct request {
	struct sweep sweep;
	const char *calls;
	bool json, verbose, help;
};

static int say_complaint(const char *option, const struct inject_complaint *complaint)
{
	(void)say_error(-EINVAL, "%s: %s", option, complaint->what);
	if (complaint->hint[0])
		say_hint("%s", complaint->hint);
	return -EINVAL;
}

static int parse_value(int letter, const char *value, struct request *q)
{
	struct inject_complaint complaint;
	struct sweep *s = &q->sweep;
	switch (letter) {
	case OPT_CALLS:
		q->calls = value;
		return 0;
	case OPT_ERRNO:
		return inject_errno_parse(value, &s->spec.error, &complaint) < 0 ? say_complaint("--errno", &complaint)
										 : 0;
	case OPT_FROM:
		return launch_parse_from(value, &s->from);
	case OPT_TIMEOUT:
		if (number_parse_duration(value, &s->timeout_ns) == 0 && s->timeout_ns >= 1000000)
			return 0;
		(void)say_error(-EINVAL, "--timeout: %s is no time such as 10s", value);
		options_hint_time("timeout", value, 1000000, UINT64_MAX);
		return -EINVAL;
	case OPT_MAX_RUNS:
		if (number_parse_count(value, &s->max_runs) < 0 || s->max_runs == 0)
			return say_error(-EINVAL, "--max-runs: %s is no number of runs", value);
		return 0;
	default:
		return -EINVAL;
	}
}

static int parse_options(const struct command *self, int argc, char **argv, struct request *q)
{
	const char *value;
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		if (letter == 'j')
			q->json = true;
		else if (letter == 'v')
			q->verbose = true;
		else if (letter == 'h')
			q->help = true;
		else if (parse_value(letter, value, q) < 0)
			return -EINVAL;
		if (q->help)
			return 0;
	}
	return 0;
}

static int say_not_working(const struct sweep *s)
{
	char end[64];
	if (!s->bare.ended)
		(void)say_error(0, "%s: without a fault it does not end in time", s->argv[0]);
	else if (s->bare.status == 0)
		(void)say_error(0, "%s: without a fault a process of it dies of a signal", s->argv[0]);
	else
		(void)say_error(0, "%s: without a fault it ends with %s", s->argv[0],
				why_end_text(s->bare.status, end, sizeof(end)));
	if (s->untraced)
		say_note("%s", text_untraced);
	say_hint("a sweep begins with what works; the program has no terminal, and /dev/null to read from");
	return EXIT_USAGE;
}

static int tell(const struct request *q)
{
	const struct sweep *s = &q->sweep;
	if (q->json) {
		json_auto_t *json = sweep_json(s);
		if (!json || json_dumpf(json, stdout, JSON_INDENT(1)) < 0 || fputc('\n', stdout) == EOF) {
			(void)say_error(errno ? -errno : -ENOMEM, "the summary could not be written");
			return EXIT_BROKEN;
		}
	} else {
		sweep_print(s, q->verbose, stdout);
	}
	bool bad = s->count[SWEEP_CRASH] || s->count[SWEEP_KILL] || s->count[SWEEP_HANG] || s->count[SWEEP_LEAK];
	return say_finish(bad ? EXIT_PREDICTION_FAILED : EXIT_AS_PREDICTED);
}

static int sweep(struct request *q)
{
	int r = sweep_run(&q->sweep);
	if (r == 1)
		r = say_not_working(&q->sweep);
	else if (r == -EINTR)
		r = EXIT_INTERRUPTED;
	else if (r == EXIT_NOT_FOUND || r == EXIT_NOT_EXECUTABLE)
		r = EXIT_USAGE;
	else if (r == EXIT_NOT_WATCHED)
		r = EXIT_BROKEN;
	else if (r == 0)
		r = tell(q);
	sweep_free(&q->sweep);
	return r;
}

static int cmd_sweep_main(const struct command *self, int argc, char **argv)
{
	struct inject_complaint complaint;
	struct request q = {.calls = "memory,process",
			    .sweep = {.from = FOLLOW_FROM_MAIN,
				      .timeout_ns = 10000000000ULL,
				      .max_runs = 2000,
				      .spec = {.error = ENOMEM, .first = 1, .last = UINT64_MAX, .step = 1}}};
	if (parse_options(self, argc, argv, &q) < 0)
		return EXIT_USAGE;
	if (q.help) {
		options_help(self);
		return say_finish(EXIT_AS_PREDICTED);
	}
	if (inject_calls_parse(q.calls, q.sweep.spec.error, &q.sweep.spec.calls, &complaint) < 0)
		return say_complaint("--calls", &complaint), EXIT_USAGE;
	q.sweep.argv = argv + options_operands();
	if (!q.sweep.argv[0]) {
		(void)say_error(-EINVAL, "no program");
		say_hint("enomem sweep -- COMMAND [ARGUMENT...]");
		return EXIT_USAGE;
	}
	if (!witness_can_inject()) {
		(void)say_error(ENOSYS, "calls cannot be taken away on this architecture");
		return EXIT_BROKEN;
	}
	return launch_check_privileges(q.sweep.argv[0]) < 0 || launch_check_readable(q.sweep.argv[0]) < 0 ? EXIT_USAGE
													  : sweep(&q);
}

const struct command cmd_sweep = {
	.name = "sweep",
	.arguments = "[OPTION...] [--] COMMAND [ARGUMENT...]",
	.examples = "  enomem sweep -- ./my-program               each of its calls refused once, and for good\n"
		    "  enomem sweep --calls=mmap -- ./my-program  only these\n",
	.blurb = "Refuse a program each of its calls in turn, and tell what it does not survive.",
	.options = options,
	.run = cmd_sweep_main,
	.takes_command = true,
};
