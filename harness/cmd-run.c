// SPDX-License-Identifier: MIT
/*
 * enomem run: plan, run, judge and report scenarios.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cleanup.h"
#include "filter.h"
#include "jobs.h"
#include "judge.h"
#include "leftovers.h"
#include "machine.h"
#include "number.h"
#include "options.h"
#include "report.h"
#include "say.h"
#include "select.h"

enum { OPT_ALLOW_MACHINE = 256, OPT_SCENARIOS, OPT_COLOR, OPT_EXIT, OPT_NO_SKIP };

static const struct option_row options[] = {
	{"format", 'f', "FMT",
	 "pretty, tap (version 14), tap13 (for prove) or json; default pretty on a terminal, else tap13"},
	{"output", 'o', "FILE", "store the whole result as JSON as well"},
	{"jobs", 'j', "N", "run up to N scenarios at once where their scopes allow (default 1)"},
	{"verbose", 'v', NULL, "pretty: every run and every check"},
	{"allow-machine", OPT_ALLOW_MACHINE, NULL,
	 "run machine-scope scenarios here if they are survivable: under a lock, journalled, restored"},
	{"no-skip", OPT_NO_SKIP, NULL, "treat whatever was skipped as failed"},
	{"exit", OPT_EXIT, "MODE", "bisect: skipped and broken become 125, for git bisect run"},
	{"color", OPT_COLOR, "WHEN", "auto, always or never"},
	{"scenarios", OPT_SCENARIOS, "DIR", "directory of the scenarios"},
	{NULL, 0, NULL, NULL},
};

struct run_options {
	const char *tree, *output;
	enum report_format format;
	struct report_options report;
	unsigned jobs;
	bool allow_machine, bisect, no_skip;
};

static bool want_colour(const char *when)
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

static int wrong(const char *option, const char *value, const char *allowed)
{
	(void)say_error(0, "--%s: %s is none of %s", option, value, allowed);
	say_hint("enomem run --help");
	return EXIT_USAGE;
}

static int parse(const struct command *self, int argc, char **argv, struct run_options *o)
{
	const char *value, *colour = "auto";
	struct winsize window;
	uint64_t number;
	bool format_given = false;
	*o = (struct run_options){.jobs = 1};
	for (int letter; (letter = options_next(self, argc, argv, &value)) != -1;) {
		switch (letter) {
		case 'f':
			o->format = FORMAT_COUNT;
			for (unsigned i = 0; i < FORMAT_COUNT; i++)
				if (strcmp(value, report_format_names[i]) == 0)
					o->format = (enum report_format)i;
			if (o->format == FORMAT_COUNT)
				return wrong("format", value, "pretty, tap, tap13, json");
			format_given = true;
			break;
		case 'o':
			o->output = value;
			break;
		case 'j':
			if (number_parse_count(value, &number) < 0 || number == 0 || number > 64)
				return wrong("jobs", value, "1 to 64");
			o->jobs = (unsigned)number;
			break;
		case 'v':
			o->report.verbose = true;
			break;
		case OPT_ALLOW_MACHINE:
			o->allow_machine = true;
			break;
		case OPT_NO_SKIP:
			o->no_skip = true;
			break;
		case OPT_EXIT:
			if (strcmp(value, "bisect") != 0)
				return wrong("exit", value, "bisect");
			o->bisect = true;
			break;
		case OPT_COLOR:
			colour = value;
			if (strcmp(value, "auto") != 0 && strcmp(value, "always") != 0 && strcmp(value, "never") != 0)
				return wrong("color", value, "auto, always, never");
			break;
		case OPT_SCENARIOS:
			o->tree = value;
			break;
		case 'h':
			options_help(self);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	if (!format_given)
		o->format = isatty(STDOUT_FILENO) ? FORMAT_PRETTY : FORMAT_TAP13;
	o->report.colour = want_colour(colour);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0)
		o->report.width = window.ws_col;
	return 0;
}

/* One redrawn line on a terminal, nothing elsewhere. */
static void progress(const struct plan *plan, const json_t *runs)
{
	const char *term = getenv("TERM");
	const json_t *last = json_array_get(runs, json_array_size(runs) - 1);
	const char *name = json_string_value(json_object_get(last, "case"));
	if (isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0)
		fprintf(stderr, "\r\033[K%s%s%s: done\r", plan->scenario->name, name ? ": " : "", name ? name : "");
}

static int make_plans(const struct selection *selection, const struct machine *machine, struct plan **plans)
{
	int first_error = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int r = plan_make(selection->item[i], machine, stderr, &plans[i]);
		if (r < 0 && first_error == 0)
			first_error = r;
	}
	return first_error;
}

/* Everything between a plan and a result. NULL after telling why there is none. */
static json_t *produce(const struct run_options *o, const struct machine *machine, struct plan **plans, size_t count)
{
	struct journal journal;
	struct timespec begin, end;
	auto_close int filter_fd = -1;
	int r = filter_build(machine->guest, &filter_fd);
	if (r < 0 && !machine->why_no_witness[0]) {
		(void)say_error(r, "seccomp filter: cannot be built");
		return NULL;
	}
	journal_init(&journal);
	r = journal_open(&journal);
	if (r < 0) {
		(void)say_error(r, "journal: cannot be opened");
		say_hint("set ENOMEM_STATE_DIR to a directory that can be written");
		return NULL;
	}
	struct run_context context = {.machine = machine,
				      .self = select_self(),
				      .filter_fd = filter_fd,
				      .journal = &journal,
				      .owner = (unsigned long)getpid(),
				      .interrupted = &jobs_interrupted};
	(void)sched_getaffinity(0, sizeof(context.cpus), &context.cpus);
	struct jobs jobs = {&context, plans, count, o->jobs, progress};
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	jobs_catch_signals();
	json_t *scenarios = jobs_run(&jobs);
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	if (jobs_worker_lost) {
		journal_abandon(&journal);
		leftovers_undo();
	} else {
		journal_close(&journal);
	}
	if (!scenarios) {
		(void)say_error(-ENOMEM, "result: no memory for it");
		return NULL;
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:I}", "schema", "enomem-result/1", "enomem", ENOMEM_VERSION,
			 "host", machine_host(machine), "scenarios", scenarios, "summary", judge_summary(scenarios),
			 "duration_ns",
			 (json_int_t)((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec - begin.tv_nsec));
}

static json_int_t verdicts(const json_t *result, const char *verdict)
{
	return json_integer_value(json_object_get(json_object_get(result, "summary"), verdict));
}

static bool any_run_skipped(const json_t *result)
{
	size_t i;
	json_t *scenario;
	json_array_foreach (json_object_get(result, "scenarios"), i, scenario)
		if (json_integer_value(json_object_get(scenario, "runs_skipped")) > 0)
			return true;
	return verdicts(result, "skip") > 0;
}

static int exit_code(const struct run_options *o, const json_t *result)
{
	if (jobs_interrupted)
		return EXIT_INTERRUPTED;
	if (verdicts(result, "fail") > 0)
		return EXIT_PREDICTION_FAILED;
	if (verdicts(result, "broken") > 0)
		return o->bisect ? EXIT_BISECT_SKIP : EXIT_BROKEN;
	if (o->no_skip && any_run_skipped(result))
		return EXIT_PREDICTION_FAILED;
	if (verdicts(result, "pass") == 0)
		return o->bisect ? EXIT_BISECT_SKIP : EXIT_ALL_SKIPPED;
	return EXIT_AS_PREDICTED;
}

static int report(const struct run_options *o, const json_t *result)
{
	int code = exit_code(o, result);
	int r = o->output ? result_store(o->output, result) : 0;
	if (r < 0)
		(void)say_error(r, "%s: the result could not be stored; what was there before is untouched", o->output);
	int w = report_write(o->format, result, &o->report, stdout);
	if (w < 0)
		(void)say_error(w, "standard output: the report could not be written");
	if (jobs_interrupted)
		say_note("interrupted; everything was taken down");
	return r < 0 || w < 0 ? EXIT_BROKEN : code;
}

static int run_selected(const struct run_options *o, const struct selection *selection)
{
	static struct machine machine;
	int r = machine_probe(o->allow_machine, &machine);
	if (r < 0) {
		(void)say_error(r, "/proc: cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_BROKEN;
	}
	auto_free struct plan **plans = calloc(selection->count + 1, sizeof(struct plan *));
	if (!plans)
		return EXIT_BROKEN;
	int code = EXIT_USAGE;
	if (make_plans(selection, &machine, plans) == 0) {
		json_t *result = produce(o, &machine, plans, selection->count);
		code = result ? report(o, result) : EXIT_BROKEN;
		json_decref(result);
	}
	for (size_t i = 0; i < selection->count; i++)
		plan_free(plans[i]);
	return code;
}

static int cmd_run_main(const struct command *self, int argc, char **argv)
{
	struct run_options o;
	struct selection selection;
	int r = parse(self, argc, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	int first = options_operands();
	r = select_scenarios(o.tree, argv + first, (size_t)(argc - first), &selection);
	if (r < 0)
		return EXIT_USAGE;
	if (selection.count == 0) {
		(void)say_error(0, "no scenario there");
		selection_free(&selection);
		return EXIT_NOTHING_SELECTED;
	}
	leftovers_undo();
	int code = run_selected(&o, &selection);
	selection_free(&selection);
	return code;
}

const struct command cmd_run = {
	.name = "run",
	.arguments = "[OPTION...] [SCENARIO|DIRECTORY...]",
	.blurb = "Run scenarios (all of them when none is named), prove which limit refused, and report.",
	.options = options,
	.run = cmd_run_main,
};
