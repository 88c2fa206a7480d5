// SPDX-License-Identifier: MIT
/*
 * enomem run: plan, run, judge and report scenarios, here and in guests.
 */
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "cmd-run-command.h"
#include "cmd-run-options.h"
#include "failed.h"
#include "inject.h"
#include "jobs.h"
#include "judge.h"
#include "leftovers.h"
#include "machine.h"
#include "own-group.h"
#include "report-text.h"
#include "run-open.h"
#include "say.h"

/* One result to be: a machine, or a guest's kernel, and a plan for each scenario. */
struct venue {
	const struct machine *machine;
	struct guest_site *site; /* NULL: this machine */
	struct plan **plans;
};

static int plan_one(const struct venue *venue, const struct scenario *scenario, struct plan **ret)
{
	if (venue->site)
		return guests_plan(venue->site, scenario, stderr, ret);
	return plan_make(scenario, venue->machine, stderr, ret);
}

static int make_plans(const struct selection *selection, struct venue *venue)
{
	int first_error = 0;
	for (size_t i = 0; i < selection->count; i++) {
		int r = plan_one(venue, selection->item[i], &venue->plans[i]);
		if (r < 0 && first_error == 0)
			first_error = r;
	}
	return first_error;
}

/* Execute the plans of all venues as one heap of jobs. The judged scenarios of each, one after the other. */
static json_t *execute(const struct run_options *o, const struct machine *machine, struct plan **plans, size_t count)
{
	struct journal journal;
	struct run_context context;
	auto_close int filter_fd = -1;
	if (run_open(machine, &journal, &filter_fd, &context) < 0)
		return NULL;
	context.parameters = &o->parameters;
	context.look = o->triage;
	context.interrupted = &jobs_interrupted;
	struct live live = {0};
	bool drawn = !o->quiet && live_open(stderr, &live) == 0;
	struct jobs jobs = {&context, plans, count, o->jobs, o->locate, &live, .tell = !o->quiet && !drawn};
	json_t *scenarios = jobs_run(&jobs);
	live_close(&live);
	if (jobs_worker_lost) {
		journal_abandon(&journal);
		leftovers_undo();
	} else {
		journal_close(&journal);
	}
	if (!scenarios)
		(void)say_error(-ENOMEM, "result: no memory for it");
	return scenarios;
}

static json_t *options_json(const struct guests_options *g, const struct guest_site *site)
{
	json_t *o = json_pack("{s:I, s:i, s:I, s:s}", "memory", (json_int_t)g->machine.memory_bytes, "cpus",
			      (int)g->machine.cpus, "swap", (json_int_t)g->swap_bytes, "cgroup", g->cgroup);
	(void)json_object_set_new(o, "defaults", guest_default_sysctls(&site->state));
	if (g->machine.append[0])
		(void)json_object_set_new(o, "append", json_string(g->machine.append));
	if (g->profile.count)
		(void)json_object_set_new(o, "sysctl", profile_json(&g->profile));
	return o;
}

/* As it was typed: getopt_long() puts the words into another order. */
static json_t *typed(int argc, char *const *argv)
{
	json_t *words = json_pack("[s]", "enomem");
	for (int i = 0; words && i < argc; i++)
		(void)json_array_append_new(words, inject_json_text(argv[i]));
	return words;
}

static json_t *result_of(const struct run_options *o, const struct venue *venue, const json_t *scenarios, size_t from,
			 size_t count, uint64_t duration_ns)
{
	json_t *own = json_array();
	for (size_t i = from; i < from + count; i++)
		(void)json_array_append(own, json_array_get(scenarios, i));
	json_t *result = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I}", "schema", "enomem-result/1", "enomem",
				   ENOMEM_VERSION, "host", machine_host(venue->machine), "scenarios", own, "summary",
				   judge_summary(own), "duration_ns", (json_int_t)duration_ns);
	(void)json_object_set(result, "command", o->command);
	if (o->profile[0])
		(void)json_object_set_new(json_object_get(result, "host"), "profile", json_string(o->profile));
	if (venue->site)
		(void)json_object_set_new(result, "guest_options", options_json(&o->guests, venue->site));
	return result;
}

/* One result per venue. NULL after telling why there is none. */
static json_t *produce(const struct run_options *o, const struct machine *machine, const struct venue *venues,
		       size_t venue_count, size_t scenario_count)
{
	auto_free struct plan **plans = calloc(venue_count * scenario_count + 1, sizeof(struct plan *));
	if (!plans)
		return NULL;
	for (size_t v = 0; v < venue_count; v++)
		memcpy(plans + v * scenario_count, venues[v].plans, scenario_count * sizeof(struct plan *));
	uint64_t begin = clock_now_ns();
	json_auto_t *scenarios = execute(o, machine, plans, venue_count * scenario_count);
	if (!scenarios)
		return NULL;
	json_t *results = json_array();
	for (size_t v = 0; v < venue_count; v++)
		(void)json_array_append_new(results, result_of(o, &venues[v], scenarios, v * scenario_count,
							       scenario_count, clock_now_ns() - begin));
	return results;
}

static json_int_t verdicts(const json_t *results, const char *verdict)
{
	json_int_t sum = 0;
	const json_t *result;
	size_t i;
	json_array_foreach (results, i, result)
		sum += json_integer_value(json_object_get(json_object_get(result, "summary"), verdict));
	return sum;
}

/* A run, or a boundary that was to be located. */
static bool any_run_skipped(const json_t *results)
{
	const json_t *result, *scenario, *boundary;
	size_t i, k, n;
	json_array_foreach (results, i, result)
		json_array_foreach (json_object_get(result, "scenarios"), k, scenario) {
			if (json_integer_value(json_object_get(scenario, "runs_skipped")) > 0)
				return true;
			json_array_foreach (json_object_get(scenario, "boundaries"), n, boundary)
				if (strcmp(text_of(boundary, "verdict"), "skip") == 0)
					return true;
		}
	return verdicts(results, "skip") > 0;
}

static int exit_code(const struct run_options *o, const json_t *results, bool moved)
{
	if (jobs_interrupted)
		return EXIT_INTERRUPTED;
	if (verdicts(results, "fail") > 0 || moved)
		return EXIT_PREDICTION_FAILED;
	if (verdicts(results, "broken") > 0)
		return o->bisect ? EXIT_BISECT_SKIP : EXIT_BROKEN;
	if (o->no_skip && any_run_skipped(results))
		return EXIT_PREDICTION_FAILED;
	if (verdicts(results, "pass") == 0)
		return o->bisect ? EXIT_BISECT_SKIP : EXIT_ALL_SKIPPED;
	return EXIT_AS_PREDICTED;
}

/* The number of differences to the baseline, told on stderr: stdout may be for a machine. -errno when it is unusable.
 */
static int compare_with_baseline(const struct run_options *o, const json_t *results)
{
	const json_t *result;
	int sum = 0;
	size_t i;
	if (!o->baseline)
		return 0;
	json_array_foreach (results, i, result) {
		int r = baseline_compare(result, o->baseline, true, o->partly, stderr);
		if (r < 0)
			return r;
		sum += r;
	}
	if (sum == 0)
		say_note("nothing moved from %s", o->baseline);
	return sum;
}

static int report(const struct run_options *o, const json_t *results)
{
	size_t count = json_array_size(results);
	auto_free json_t **each = calloc(count + 1, sizeof(json_t *));
	if (!each)
		return EXIT_BROKEN;
	for (size_t i = 0; i < count; i++)
		each[i] = json_array_get(results, i);
	int r = !o->output ? 0 : count == 1 ? result_store(o->output, each[0]) : results_store(o->output, each, count);
	if (r < 0)
		(void)say_error(r, "%s: the result could not be stored; what was there before is untouched", o->output);
	struct report_options how = o->report;
	how.interrupted = jobs_interrupted;
	int w = report_write_set(o->format, each, count, &how, stdout);
	if (w < 0)
		(void)say_error(w, "standard output: the report could not be written");
	(void)failed_remember(results); /* a convenience: who has no home does without */
	int moved = compare_with_baseline(o, results);
	if (jobs_interrupted)
		leftovers_tell();
	if (moved < 0)
		return EXIT_USAGE;
	return r < 0 || w < 0 ? EXIT_BROKEN : exit_code(o, results, moved > 0);
}

static void free_venues(struct venue *venues, size_t count, size_t scenarios)
{
	for (size_t v = 0; v < count; v++) {
		for (size_t i = 0; venues[v].plans && i < scenarios; i++)
			plan_free(venues[v].plans[i]);
		free(venues[v].plans);
	}
	free(venues);
}

/* Plan for each venue, run, report. */
static int run_venues(const struct run_options *o, const struct selection *selection, const struct machine *machine,
		      struct venue *venues, size_t count)
{
	for (size_t v = 0; v < count; v++) {
		int r = venues[v].plans ? 0 : -ENOMEM;
		if (r == 0 && !venues[v].plans[0])
			r = make_plans(selection, &venues[v]);
		if (r < 0)
			return r == -ENOMEM ? EXIT_BROKEN : EXIT_USAGE;
	}
	json_t *results = produce(o, machine, venues, count, selection->count);
	int code = results ? report(o, results) : EXIT_BROKEN;
	json_decref(results);
	return code;
}

/* --guest: nothing happens on this machine. */
static int run_in_guests(const struct run_options *o, const struct selection *selection, const struct machine *machine)
{
	struct guests guests;
	size_t usable = 0;
	int r = guests_open(&o->guests, selection, &guests);
	if (r < 0) {
		if (!o->guests.kernels && r == -ENOENT) {
			(void)say_error(0, "no kernel for a guest in the cache");
			say_hint("ci/kernels 6.1, or name an image: --guest=/boot/vmlinuz-...");
		}
		return o->bisect ? EXIT_BISECT_SKIP : r == -ENOENT ? EXIT_BROKEN : EXIT_USAGE;
	}
	struct venue *venues = calloc(guests.count + 1, sizeof(*venues));
	for (size_t i = 0; venues && i < guests.count; i++) {
		struct guest_site *site = &guests.site[i];
		if (!site->usable) {
			if (!jobs_interrupted)
				(void)say_error(0, "kernel %s: no guest: %s", site->kernel.name, site->why);
			continue;
		}
		venues[usable++] =
			(struct venue){&site->world.machine, site, calloc(selection->count + 1, sizeof(struct plan *))};
	}
	int code = o->bisect ? EXIT_BISECT_SKIP : EXIT_BROKEN;
	if (venues && usable > 0) {
		code = run_venues(o, selection, machine, venues, usable);
		/* A kernel without a result is not as predicted. */
		if (code == EXIT_AS_PREDICTED && usable < guests.count)
			code = o->bisect ? EXIT_BISECT_SKIP : EXIT_BROKEN;
	}
	if (venues)
		free_venues(venues, usable, selection->count);
	guests_close(&guests);
	if (jobs_interrupted && usable == 0)
		leftovers_tell();
	return jobs_interrupted ? EXIT_INTERRUPTED : code;
}

/* Machine-scope runs, and whatever else cannot happen here, go to a guest where there is a kernel for one. */
static int call_help(const struct run_options *o, const struct selection *selection, struct venue *here,
		     struct guests *ret)
{
	struct guest_kernel kernel;
	bool wanted = false;
	for (size_t i = 0; i < selection->count; i++)
		wanted |= guests_could_help(here->plans[i]);
	if (!wanted || o->no_guest || guest_kernel_default(&kernel) < 0)
		return 0;
	int r = guests_open(&o->guests, selection, ret);
	if (r < 0)
		return r == -EEXIST ? EXIT_USAGE : 0;
	struct guest_site *site = &ret->site[0];
	if (!site->usable && jobs_interrupted)
		return 0;
	if (!site->usable) {
		say_note("kernel %s: no guest: %s", kernel.name, site->why);
		for (size_t i = 0; i < selection->count; i++)
			guests_tell_why(site, here->plans[i]);
		return 0;
	}
	for (size_t i = 0; i < selection->count; i++)
		if (guests_could_help(here->plans[i]) &&
		    guests_help(site, selection->item[i], stderr, here->plans[i]) < 0)
			return EXIT_BROKEN;
	return 0;
}

static int run_here(const struct run_options *o, const struct selection *selection, const struct machine *machine)
{
	struct guests guests = {0};
	struct venue *here = calloc(1, sizeof(*here));
	if (!here)
		return EXIT_BROKEN;
	*here = (struct venue){machine, NULL, calloc(selection->count + 1, sizeof(struct plan *))};
	int code = here->plans && make_plans(selection, here) == 0 ? 0 : EXIT_USAGE;
	if (code == 0)
		code = call_help(o, selection, here, &guests);
	if (code == 0)
		code = run_venues(o, selection, machine, here, 1);
	free_venues(here, 1, selection->count);
	guests_close(&guests);
	return code;
}

static int run_selected(const struct run_options *o, const struct selection *selection)
{
	static struct machine machine;
	jobs_catch_signals(); /* from here on there is something to take down */
	own_group_make_room();
	int r = machine_probe(o->allow_machine, &machine);
	if (r < 0) {
		(void)say_error(r, "/proc: cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_BROKEN;
	}
	return o->in_guest ? run_in_guests(o, selection, &machine) : run_here(o, selection, &machine);
}

/* The scenarios of which not every case or trigger is asked for. */
static json_t *asked_partly(const struct selection *selection)
{
	json_t *names = json_object();
	for (size_t i = 0; i < selection->count; i++) {
		const struct scenario *s = selection->item[i];
		bool whole = true;
		for (size_t c = 0; c < s->case_count; c++)
			whole = whole && !s->cases[c].left_out;
		for (size_t r = 0; r < s->run_count; r++)
			whole = whole && !s->runs[r].left_out;
		if (!whole)
			(void)json_object_set_new(names, s->name, json_true());
	}
	return names;
}

static int cmd_run_main(const struct command *self, int argc, char **argv)
{
	struct run_options o;
	struct selection selection;
	char **command = command_words(argc, argv);
	json_auto_t *as_typed = typed(argc, argv);
	int words = command ? (int)(command - argv) - 1 : argc;
	int r = run_options_parse(self, words, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : r;
	o.command = as_typed;
	int first = options_operands();
	/* Nothing before it: then it only ends the options. */
	if (command && first == words) {
		first = (int)(command - argv);
		words = argc;
		command = NULL;
	}
	if (command) {
		int status = run_command(&o, argv + first, (size_t)(words - first), command);
		run_options_free(&o);
		return status;
	}
	int code = o.deadline_ns ? command_only("--deadline") : o.root ? command_only("--root") : 0;
	if (code == 0)
		code = o.failed ? failed_select(o.tree, o.failed, (size_t)(words - first), &o.filter, &selection)
				: select_chosen(o.tree, argv + first, (size_t)(words - first), &o.filter, &selection);
	if (code == 0) {
		for (size_t i = 0; code == 0 && i < selection.count; i++)
			code = parameters_replace(&o.parameters, selection.item[i], stderr) < 0 ? EXIT_USAGE : 0;
		if (code == 0) {
			json_auto_t *partly = asked_partly(&selection);
			o.partly = partly;
			leftovers_undo();
			code = run_selected(&o, &selection);
		}
		selection_free(&selection);
	}
	run_options_free(&o);
	return code;
}

const struct command cmd_run = {
	.name = "run",
	.arguments = "[OPTION...] [SCENARIO[/CASE]|PATTERN|DIRECTORY...] | [OPTION...] SCENARIO[/CASE] -- COMMAND "
		     "[ARGUMENT...]",
	.examples =
		"  enomem run                                              everything that is safe here; the rest in a "
		"guest\n"
		"  enomem run -j 2 -o result.json pids-max                 one scenario, and keep the result\n"
		"  enomem run pids-max/fork                                one case of it\n"
		"  enomem run --guest=6.1 --sysctl=vm.overcommit_memory=2  everything, in a guest set so\n"
		"  enomem run pids-max -- ./my-program                     a program of yours in a scenario's place\n",
	.blurb = "Run scenarios (all of them when none is named), prove which limit refused, and report.",
	.options = run_option_rows,
	.formats = report_format_names,
	.format_count = FORMAT_COUNT,
	.run = cmd_run_main,
};
