// SPDX-License-Identifier: MIT
/*
 * See cmd-run-command.h. The run is planned, staged and watched as any trigger of the scenario; only the program, its
 * streams and its deadline are the user's, and nothing is judged.
 */
#include "cmd-run-command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "command-guest.h"
#include "command-plan.h"
#include "command-text.h"
#include "jobs.h"
#include "json-memory.h"
#include "launch.h"
#include "leftovers.h"
#include "machine.h"
#include "number.h"
#include "own-group.h"
#include "root-command.h"
#include "run-command.h"
#include "run-open.h"
#include "say.h"
#include "select-case.h"
#include "write.h"

#define EXIT_LATE 124 /* as timeout(1) has it */

/* --- what was asked ---------------------------------------------------------------------------------------------- */

char **command_words(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return argv[i + 1] ? &argv[i + 1] : NULL;
	return NULL;
}

int command_only(const char *option)
{
	(void)say_error(0, "%s: only with a program in the scenario's place", option);
	say_hint("enomem run %s=... SCENARIO -- COMMAND [ARGUMENT...]", option);
	return EXIT_USAGE;
}

/* Options about what is judged, and about several scenarios. */
static int check_options(const struct run_options *o, char **words, size_t count)
{
	const struct {
		bool given;
		const char *option;
	} none[] = {{o->failed, "--failed"},
		    {o->baseline.path, "--baseline"},
		    {o->jobs > 1, "--jobs"},
		    {o->report.verbose, "--verbose"},
		    {o->quiet, "--quiet"},
		    {o->locate, "--locate"},
		    {o->triage, "--triage"},
		    {o->no_skip, "--no-skip"},
		    {o->bisect, "--exit"},
		    {select_any(&o->filter), "a choice of scenarios"},
		    {o->format_said && o->format != FORMAT_PRETTY && o->format != FORMAT_JSON,
		     "a format other than pretty and json"}};
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (none[i].given) {
			(void)say_error(0, "%s makes no sense with a program in the scenario's place", none[i].option);
			return EXIT_USAGE;
		}
	if (count == 1)
		return 0;
	(void)say_error(0, "a program takes the place of one scenario's, and here are %zu before it: %s, %s, ...",
			count, words[0], words[1]);
	say_hint("enomem run SCENARIO -- COMMAND [ARGUMENT...]");
	return EXIT_USAGE;
}

#define OOM_FIRST 1000 /* OOM_SCORE_ADJ_MAX */

/* A limit of the user's own may be anything below what keeps the machine out of it. */
static int check_ceilings(const struct environment *env)
{
	char ceiling[64];
	const uint64_t memory = env->cgroup[CGROUP_MEMORY_MAX], tasks = env->cgroup[CGROUP_PIDS_MAX];
	if (memory < ENVIRONMENT_NOT_SET && memory != ENOMEM_UNLIMITED && memory > env->memory_ceiling_bytes) {
		(void)say_error(0, "memory.max: above the ceiling that every run here has, %s",
				number_format_bytes(ceiling, sizeof(ceiling), env->memory_ceiling_bytes));
		return EXIT_USAGE;
	}
	if (tasks < ENVIRONMENT_NOT_SET && tasks != ENOMEM_UNLIMITED && tasks > env->tasks_ceiling) {
		(void)say_error(0, "pids.max: above the ceiling that every run here has, %s tasks",
				number_format_count(ceiling, sizeof(ceiling), env->tasks_ceiling));
		return EXIT_USAGE;
	}
	if (env->oom_score_adj < OOM_FIRST) {
		(void)say_error(
			0, "oom_score_adj: %d: when this machine runs out of memory your command goes first, at %d",
			env->oom_score_adj, OOM_FIRST);
		return EXIT_USAGE;
	}
	return 0;
}

static int tell_skipped(const char *word, const struct plan_run *run, const char *why)
{
	(void)say_error(0, "%s: cannot be set here: %s", word, why);
	if (run->scope == SCOPE_MACHINE)
		say_hint("enomem run --guest '%s' -- COMMAND [ARGUMENT...]", word);
	return EXIT_NOT_WATCHED;
}

/* --- signals ----------------------------------------------------------------------------------------------------- */

static struct run_command subject = {.stream = {-1, -1, -1}};
static struct root_command root = {.fd = -1};
static atomic_bool interrupted;
static volatile sig_atomic_t asked_to_end;

/*
 * The program has a session of its own, so that nothing but this brings it the terminal's signals. Who asks it to end
 * for the second time means it.
 */
static void hand_on(int number)
{
	int saved = errno;
	const struct witness_shared *shared = subject.shared;
	pid_t program = shared ? shared->program : 0;
	bool ends = number == SIGTERM || number == SIGHUP || number == SIGQUIT;
	if (program <= 0 || (ends && asked_to_end))
		interrupted = true;
	else
		(void)kill(program, number);
	asked_to_end |= ends;
	errno = saved;
}

static void catch_signals(void)
{
	static const int handed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};
	struct sigaction action = {.sa_handler = hand_on};
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
		(void)sigaction(handed_on[i], &action, NULL);
}

/* --- running ----------------------------------------------------------------------------------------------------- */

static int take_streams(char **command)
{
	subject.argv = command;
	subject.closed_streams = options_closed_streams();
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		subject.stream[fd] = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (subject.stream[fd] < 0)
			return say_error(-errno, "standard streams: cannot be handed on");
	}
	return 0;
}

static int take_root(const char *directory, char **command)
{
	int code = root_command_find(directory, command[0], &root);
	if (code != 0)
		return code;
	command[0] = root.inside;
	subject.root = root.directory;
	return 0;
}

static json_t *execute(const struct machine *machine, const struct plan *plan, const struct plan_run *run)
{
	struct journal journal;
	struct run_context context;
	auto_close int filter_fd = -1;
	if (run_open(machine, &journal, &filter_fd, &context) < 0)
		return NULL;
	context.interrupted = &interrupted;
	json_t *evidence = run_execute(&context, plan, run);
	journal_close(&journal);
	if (!evidence)
		(void)say_error(-ENOMEM, "evidence: no memory for it");
	return evidence;
}

/* --- telling ----------------------------------------------------------------------------------------------------- */

/* It was not executed: whose fault was it? As env(1) has it. */
static int tell_not_started(const json_t *evidence)
{
	const json_t *problem = json_object_get(evidence, "problem");
	const char *step = json_string_value(json_object_get(problem, "step"));
	const char *message = json_string_value(json_object_get(problem, "message"));
	const char *error = json_string_value(json_object_get(problem, "errno"));
	const char *hint = json_string_value(json_object_get(problem, "hint"));
	step = step ? step : "";
	(void)say_error(0, "%s%s%s%s", message ? message : "it was not started", error ? " (" : "", error ? error : "",
			error ? ")" : "");
	if (hint)
		say_hint("%s", hint);
	if (subject.root && strcmp(step, "execve") == 0 && error && strcmp(error, "ENOENT") == 0)
		say_hint("it is there: its loader, or what interprets it, is not in %s", subject.root);
	if (strcmp(step, "interrupted") == 0)
		return EXIT_INTERRUPTED;
	if (strcmp(step, "start") == 0) {
		say_hint("give it more: enomem run -p KEY=VALUE ...");
		return launch_end_likewise(W_EXITCODE(0, SIGSEGV));
	}
	if (strcmp(step, "execve") == 0)
		return error && strcmp(error, "ENOENT") == 0 ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
	return EXIT_NOT_WATCHED;
}

static int tell(const struct run_options *o, const json_t *evidence, const struct command_story *story,
		struct launch_output *output)
{
	if (o->format_said && o->format == FORMAT_JSON) {
		json_auto_t *json = command_json(evidence, story);
		return launch_output_json(output, json);
	}
	command_print(evidence, story, output->file);
	return json_memory_tell() ? -ENOMEM : 0;
}

static bool any_terminal(void)
{
	return isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO);
}

/* The summary, and the status that is the program's own. */
static int finish(const struct run_options *o, const json_t *evidence, struct command_story *story,
		  struct launch_output *output)
{
	bool late = json_is_true(json_object_get(evidence, "deadline_exceeded"));
	bool started = json_is_object(json_object_get(evidence, "outcome"));
	(void)signal(SIGPIPE, SIG_IGN);
	if (!started) {
		(void)launch_output_end(output, false, 0);
		return tell_not_started(evidence);
	}
	story->status = command_status(evidence);
	story->terminal = any_terminal();
	int told = launch_output_end(output, true, tell(o, evidence, story, output));
	if (interrupted) {
		say_note("interrupted; everything was taken down");
		return EXIT_INTERRUPTED;
	}
	if (late)
		return EXIT_LATE;
	if (command_was_ended(evidence))
		return EXIT_NOT_WATCHED;
	if (story->status > 0)
		return launch_end_likewise(story->status);
	return story->status < 0 || told < 0 ? EXIT_BROKEN : EXIT_AS_PREDICTED;
}

static int run_planned(const struct run_options *o, const struct machine *machine, struct plan *plan,
		       struct plan_run *run)
{
	struct launch_output output = {.name = o->output};
	struct command_story story = {.scenario = plan->scenario->name, .run = run->name};
	int code = check_ceilings(&run->environment);
	if (code == 0 && launch_check_privileges(o->root ? root.outside : subject.argv[0]) < 0)
		code = EXIT_USAGE;
	if (code == 0 && launch_output_open(&output) < 0)
		code = EXIT_USAGE;
	if (code != 0)
		return code;
	command_adapt(run, &subject, o->deadline_ns);
	json_auto_t *evidence = execute(machine, plan, run);
	if (evidence)
		return finish(o, evidence, &story, &output);
	(void)launch_output_end(&output, false, 0);
	return EXIT_NOT_WATCHED;
}

static int run_here(const struct run_options *o, const struct scenario *s, const char *word, const char *rest)
{
	static struct machine machine;
	struct plan *plan = NULL;
	struct plan_run *run = NULL;
	catch_signals(); /* from here on there is something to take down */
	own_group_make_room();
	int r = machine_probe(o->allow_machine, &machine);
	if (r < 0) {
		(void)say_error(r, "/proc: cannot be read");
		say_hint("mount -t proc proc /proc");
		return EXIT_NOT_WATCHED;
	}
	r = plan_make(s, &machine, stderr, &plan);
	if (r == -ENOMEM)
		return say_no_memory(EXIT_NOT_WATCHED);
	if (r < 0)
		return EXIT_USAGE;
	int code = select_run(plan, word, rest, &run);
	const char *skip = code == 0 && plan->skip ? plan->skip : code == 0 ? run->skip : NULL;
	if (code == 0 && skip)
		code = tell_skipped(word, run, skip);
	else if (code == 0)
		code = run_planned(o, &machine, plan, run);
	plan_free(plan);
	return code;
}

/* What it wrote came with its evidence. */
static void pass_on_output(const json_t *evidence)
{
	static const char *const names[] = {"stdout", "stderr"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const json_t *text = json_object_get(json_object_get(evidence, "output"), names[i]);
		(void)write_whole(i == 0 ? STDOUT_FILENO : STDERR_FILENO, json_string_value(text),
				  json_string_length(text));
	}
}

static int run_in_guest(const struct run_options *o, const struct selection *selection, const char *word,
			const char *rest)
{
	struct launch_output output = {.name = o->output};
	struct command_in_guest in_guest = {
		.options = o, .command = &subject, .root = o->root ? &root : NULL, .interrupted = &jobs_interrupted};
	if (launch_output_open(&output) < 0)
		return EXIT_USAGE;
	/* There is nobody here to hand them on to. */
	jobs_catch_signals();
	int code = command_in_guest(&in_guest, selection->item[0], selection, word, rest);
	if (jobs_interrupted) {
		leftovers_tell();
		code = EXIT_INTERRUPTED;
	}
	if (code == 0) {
		const char *kernel = in_guest.kernel;
		struct command_story story = {
			.scenario = selection->item[0]->name, .run = in_guest.run, .kernel = kernel};
		(void)signal(SIGPIPE, SIG_IGN);
		pass_on_output(in_guest.evidence);
		code = finish(o, in_guest.evidence, &story, &output);
	} else {
		(void)launch_output_end(&output, false, 0);
	}
	json_decref(in_guest.evidence);
	return code;
}

int run_command(const struct run_options *o, char **words, size_t count, char **command)
{
	struct selection selection;
	const char *rest;
	int code = check_options(o, words, count);
	if (code == 0)
		code = select_one(o->tree, words[0], &selection, &rest);
	if (code != 0)
		return code;
	struct scenario *s = selection.item[0];
	code = command_scenario(s, &o->parameters) < 0 ? say_no_memory(EXIT_NOT_WATCHED) : 0;
	if (code == 0 && take_streams(command) < 0)
		code = EXIT_NOT_WATCHED;
	if (code == 0 && o->root)
		code = take_root(o->root, command);
	if (code == 0 && o->in_guest) {
		code = run_in_guest(o, &selection, words[0], rest);
	} else if (code == 0) {
		leftovers_undo();
		code = run_here(o, s, words[0], rest);
	}
	selection_free(&selection);
	return code;
}
