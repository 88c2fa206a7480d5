// SPDX-License-Identifier: MIT
/*
 * enomem run: plan, run, judge and report scenarios, here and in guests.
 */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "cmd-run-command.h"
#include "cmd-run-options.h"
#include "cmd-run-report.h"
#include "failed-place.h"
#include "failed.h"
#include "inject.h"
#include "jobs.h"
#include "json-memory.h"
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
	if (venue->site && venue->site->interrupted)
		return guests_plan_imagined(venue->site, scenario, stderr, ret);
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
	if (site->usable)
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

static json_t *host_of(const struct venue *venue)
{
	bool imagined = venue->site && venue->site->interrupted;
	if (imagined)
		return guests_imagined_host(venue->site);
	json_t *host = machine_host(venue->machine);
	if (venue->site) /* this process runs on the machine around it */
		(void)json_object_set_new(host, "cpus", json_integer(venue->site->options->machine.cpus));
	return host;
}

static json_t *result_of(const struct run_options *o, const struct venue *venue, const json_t *scenarios, size_t from,
			 size_t count, uint64_t duration_ns)
{
	json_t *own = json_array();
	for (size_t i = from; i < from + count; i++)
		(void)json_array_append(own, json_array_get(scenarios, i));
	json_t *result = json_pack("{s:s, s:s, s:o, s:o, s:o, s:I}", "schema", "enomem-result/1", "enomem",
				   ENOMEM_VERSION, "host", host_of(venue), "scenarios", own, "summary",
				   judge_summary(own), "duration_ns", (json_int_t)duration_ns);
	(void)json_object_set(result, "command", o->command);
	if (o->profile[0])
		(void)json_object_set_new(json_object_get(result, "host"), "profile", json_string(o->profile));
	if (venue->site)
		(void)json_object_set_new(result, "guest_options", options_json(&o->guests, venue->site));
	return result;
}

/* One result per venue, behind those there are. An exit status after telling why there is none. */
static int produce(const struct run_options *o, const struct machine *machine, const struct venue *venues,
		   size_t venue_count, size_t scenario_count, json_t *results)
{
	auto_free struct plan **plans = calloc(venue_count * scenario_count + 1, sizeof(struct plan *));
	if (!plans)
		return say_no_memory(EXIT_BROKEN);
	for (size_t v = 0; v < venue_count; v++)
		memcpy(plans + v * scenario_count, venues[v].plans, scenario_count * sizeof(struct plan *));
	uint64_t begin = clock_now_ns();
	json_auto_t *scenarios = execute(o, machine, plans, venue_count * scenario_count);
	if (!scenarios)
		return EXIT_BROKEN;
	for (size_t v = 0; v < venue_count; v++)
		(void)json_array_append_new(results, result_of(o, &venues[v], scenarios, v * scenario_count,
							       scenario_count, clock_now_ns() - begin));
	return 0;
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

/* Plan for each venue and run. Like all below: 0 and the results, or an exit status after telling. */
static int run_venues(const struct run_options *o, const struct selection *selection, const struct machine *machine,
		      struct venue *venues, size_t count, json_t *results)
{
	for (size_t v = 0; v < count; v++) {
		int r = venues[v].plans ? 0 : -ENOMEM;
		if (r == 0 && !venues[v].plans[0])
			r = make_plans(selection, &venues[v]);
		if (r < 0)
			return r == -ENOMEM ? say_no_memory(EXIT_BROKEN) : EXIT_USAGE;
	}
	return produce(o, machine, venues, count, selection->count, results);
}

/* What could not be read was written wrongly, unless there was no memory to read it. */
static int no_start(int error)
{
	return error == -ENOMEM ? say_no_memory(EXIT_BROKEN) : EXIT_USAGE;
}

/* --guest: nothing happens on this machine. */
static int run_in_guests(const struct run_options *o, const struct selection *selection, const struct machine *machine,
			 json_t *results)
{
	struct guests guests;
	size_t usable = 0;
	int r = guests_open(&o->guests, selection, &guests);
	if (r < 0) {
		if (!o->guests.kernels && r == -ENOENT) {
			(void)say_error(0, "no kernel for a guest in the cache");
			say_hint("ci/kernels 6.1, or name an image: --guest=/boot/vmlinuz-...");
		}
		return r == -ENOENT ? EXIT_BROKEN : no_start(r);
	}
	struct venue *venues = calloc(guests.count + 1, sizeof(*venues));
	for (size_t i = 0; venues && i < guests.count; i++) {
		struct guest_site *site = &guests.site[i];
		if (site->interrupted) {
			guests_imagine(site, machine);
		} else if (!site->usable) {
			(void)say_error(0, "kernel %s: no guest: %s", site->kernel.name, site->why);
			continue;
		}
		venues[usable++] =
			(struct venue){&site->world.machine, site, calloc(selection->count + 1, sizeof(struct plan *))};
	}
	int code = EXIT_BROKEN;
	if (venues && usable > 0) {
		code = run_venues(o, selection, machine, venues, usable, results);
		/* A kernel without a result is not as predicted, where all else is. */
		if (code == EXIT_AS_PREDICTED && usable < guests.count)
			code = EXIT_BROKEN;
	}
	if (venues)
		free_venues(venues, usable, selection->count);
	guests_close(&guests);
	return code;
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
	if (!site->usable) {
		if (!site->interrupted)
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

static int run_here(const struct run_options *o, const struct selection *selection, const struct machine *machine,
		    json_t *results)
{
	struct guests guests = {0};
	struct venue *here = calloc(1, sizeof(*here));
	if (!here)
		return say_no_memory(EXIT_BROKEN);
	*here = (struct venue){machine, NULL, calloc(selection->count + 1, sizeof(struct plan *))};
	int r = here->plans ? make_plans(selection, here) : -ENOMEM;
	int code = r == -ENOMEM ? say_no_memory(EXIT_BROKEN) : r < 0 ? EXIT_USAGE : 0;
	if (code == 0)
		code = call_help(o, selection, here, &guests);
	if (code == 0)
		code = run_venues(o, selection, machine, here, 1, results);
	free_venues(here, 1, selection->count);
	guests_close(&guests);
	return code;
}

static int run_selected(const struct run_options *o, const struct selection *selection, json_t *results)
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
	return o->in_guest ? run_in_guests(o, selection, &machine, results) : run_here(o, selection, &machine, results);
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

/* The selection is freed. */
static int run_selection(struct run_options *o, struct selection *selection, json_t *results)
{
	int code = 0;
	for (size_t i = 0; code == 0 && i < selection->count; i++)
		code = parameters_replace(&o->parameters, selection->item[i], stderr) < 0 ? EXIT_USAGE : 0;
	if (code == 0) {
		json_auto_t *partly = asked_partly(selection);
		if (o->partly && partly)
			(void)json_object_update((json_t *)(uintptr_t)o->partly, partly);
		leftovers_undo();
		code = run_selected(o, selection, results);
	}
	selection_free(selection);
	return code;
}

/* --failed: what failed in each place, there. */
static int run_failed(const struct run_options *o, size_t named, json_t *results)
{
	static struct run_options at;
	struct selection selection;
	json_auto_t *places = NULL;
	const json_t *place = NULL;
	size_t i;
	int worst = 0, code = failed_load(o->failed, named, o->in_guest || o->no_guest, &places);
	if (code != 0)
		return code;
	json_array_foreach (places, i, place) {
		code = failed_options(o, place, &at);
		if (code == 0) {
			code = failed_select(o->tree, place, &o->filter, &selection);
			code = code ? code : run_selection(&at, &selection, results);
			failed_options_free(o, &at);
		}
		if (code == EXIT_NOTHING_SELECTED)
			continue;
		if (code == EXIT_USAGE || jobs_interrupted)
			return code;
		worst = worst ? worst : code;
	}
	if (worst == 0 && json_array_size(results) == 0) {
		say_note("nothing failed in %s", *o->failed ? o->failed : "the last run, or nothing is kept of it");
		return EXIT_NOTHING_SELECTED;
	}
	return worst;
}

/* Scenarios by their names, or what failed. */
static int run_scenarios(struct run_options *o, char **names, size_t count)
{
	struct selection selection;
	json_auto_t *results = json_array(), *partly = json_object();
	o->partly = partly;
	int code = o->deadline_ns ? command_only("--deadline") : o->root ? command_only("--root") : 0;
	if (code == 0 && o->baseline.path) {
		int r = baseline_open(o->baseline.path, &o->baseline);
		code = r < 0 ? no_start(r) : 0;
	}
	if (code == 0 && o->failed) {
		code = run_failed(o, count, results);
	} else if (code == 0) {
		code = select_chosen(o->tree, names, count, &o->filter, &selection);
		code = code ? code : run_selection(o, &selection, results);
	}
	if (json_array_size(results) > 0) {
		int reported = run_report(o, results);
		code = reported == EXIT_AS_PREDICTED ? code : reported;
	}
	if (jobs_interrupted) {
		leftovers_tell();
		code = EXIT_INTERRUPTED;
	}
	return code;
}

/* As git bisect run reads it: 125 skips a commit, any other below 128 calls it bad, the rest ends the bisection. */
static int for_bisect(int code)
{
	switch (code) {
	case EXIT_BROKEN:
	case EXIT_ALL_SKIPPED:
		return EXIT_BISECT_SKIP;
	case EXIT_USAGE:
	case EXIT_NOTHING_SELECTED:
		say_note("no verdict on this commit: exit status %d ends a bisection", EXIT_BISECT_END);
		return EXIT_BISECT_END;
	default:
		return code;
	}
}

/* Of a command line that could not be read: was it meant for git? */
static bool asks_for_bisect(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--exit=bisect") == 0 ||
		    (strcmp(argv[i], "--exit") == 0 && i + 1 < argc && strcmp(argv[i + 1], "bisect") == 0))
			return true;
	return false;
}

static int cmd_run_main(const struct command *self, int argc, char **argv)
{
	struct run_options o;
	char **command = command_words(argc, argv);
	json_auto_t *as_typed = typed(argc, argv);
	int words = command ? (int)(command - argv) - 1 : argc;
	int r = run_options_parse(self, words, argv, &o);
	if (r != 0)
		return r < 0 ? say_finish(EXIT_AS_PREDICTED) : asks_for_bisect(words, argv) ? for_bisect(r) : r;
	o.command = as_typed;
	int first = options_operands();
	/* Nothing before it: then it only ends the options. */
	if (command && first == words) {
		first = (int)(command - argv);
		words = argc;
		command = NULL;
	}
	size_t count = (size_t)(words - first);
	int code = command ? run_command(&o, argv + first, count, command) : run_scenarios(&o, argv + first, count);
	if (o.bisect)
		code = for_bisect(json_memory_judge(code));
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
