// SPDX-License-Identifier: MIT
/*
 * The place of the shell: a run of the trigger with the shell as its program, kept by a process of its own, which takes
 * everything down when the shell is left, when its time is over, or when teach is gone. See teach-fix.h.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cleanup.h"
#include "command-plan.h"
#include "filter.h"
#include "hold-tool.h"
#include "report-text.h"
#include "run-command.h"
#include "teach-fix.h"

#define SHELL_OOM_SCORE  500
#define GROUP_TIMEOUT_NS UINT64_C(2000000000)

static atomic_bool interrupted;
static char writable[STAGE_WRITABLE][256];

static void stop(int signal)
{
	(void)signal;
	interrupted = true;
}

/* Its terminal is the shell's, and teach is who is asked to end. */
static void take_signals(void)
{
	static const int ends[] = {SIGTERM, SIGHUP}, ignored[] = {SIGINT, SIGQUIT, SIGPIPE, SIGTTOU, SIGTTIN, SIGTSTP};
	const struct sigaction action = {.sa_handler = stop};
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		(void)sigaction(ends[i], &action, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static void keep_quiet(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(null, fd);
}

static void place_is_ready(pid_t pid, void *data)
{
	const struct run_record *record = data;
	const struct fix_desk *d = record->observed_by;
	d->room->shell = pid;
	d->room->place.inside = record->witness.shared->stage;
	if (d->remounts)
		fix_hold_tmpfs(d->room);
	d->room->ready = true;
}

/* The limited one, where the shell stands beside it. */
static struct cgroup limited;

static const char *directory_of(const struct cgroup *cg, enum cgroup_controller c, bool above)
{
	return !above ? cg->path[c] : cg->above ? cg->above->path[c] : "";
}

/* Where its groups are is known, and nothing started. */
static void tell_shell(struct run_record *record, void *data)
{
	const struct fix_desk *d = data;
	const struct cgroup *cg = d->beside ? &limited : record->cgroup;
	unsigned n = 0;
	(void)snprintf(writable[n++], sizeof(writable[0]), "%s", d->directory);
	for (unsigned i = 0; i < d->fix->writable_count; i++) {
		const enum cgroup_controller c = d->fix->controller[i];
		if (c == CGROUP_CONTROLLERS)
			(void)snprintf(writable[n++], sizeof(writable[0]), "%s", d->fix->writable[i]);
		else if (cg)
			(void)snprintf(writable[n++], sizeof(writable[0]), "%.180s/%s",
				       directory_of(cg, c, d->fix->above[i]), d->fix->writable[i]);
	}
	if (cg)
		fix_tell_groups(cg, d->fix->first, fix_sets_any(d->quiz->trigger->environment.cgroup_above), d->room);
	for (unsigned c = 0; d->beside && record->cgroup && c < CGROUP_CONTROLLERS; c++)
		(void)snprintf(d->room->own_group[c], sizeof(d->room->own_group[c]), "%s", record->cgroup->path[c]);
	record->witness.at_start = place_is_ready;
}

/* Those of any run, where the learner cannot reach them: around the group whose limits are theirs to change, or in it
 * where those are of the group above. */
static void set_ceilings(const struct machine *m, struct environment *env)
{
	/* A shell may live for long, and start what it likes: it has no more swap than a run whose memory is limited.
	 */
	env->ceiling_without_swap = true;
	for (unsigned v = 0; v < CGROUP_VALUE_COUNT; v++)
		if (env->cgroup_above[v] != ENVIRONMENT_NOT_SET)
			return;
	if (m->cgroup_writable[CGROUP_MEMORY])
		env->cgroup_above[CGROUP_MEMORY_MAX] = env->memory_ceiling_bytes;
	if (m->cgroup_writable[CGROUP_PIDS])
		env->cgroup_above[CGROUP_PIDS_MAX] = env->tasks_ceiling;
}

static json_t *run_in_groups(const struct fix_desk *d, struct run_context *context, struct plan_run *run)
{
	struct plan_run limits = *run;
	set_ceilings(context->machine, &run->environment);
	if (!d->beside)
		return run_execute(context, d->quiz->plan, run);
	set_ceilings(context->machine, &limits.environment);
	if (fix_make_group(context, d->quiz->plan, &limits, &limited, d->room->problem, sizeof(d->room->problem)) < 0)
		return NULL;
	fix_stand_beside(&run->environment);
	json_t *evidence = run_execute(context, d->quiz->plan, run);
	int r = cgroup_remove(&limited, GROUP_TIMEOUT_NS);
	if (r < 0 && !*d->room->problem)
		(void)snprintf(d->room->problem, sizeof(d->room->problem),
			       "cgroup %s cannot be removed (%s): enomem recover does it", limited.name,
			       strerrorname_np(-r));
	return evidence;
}

static json_t *run_shell(const struct fix_desk *d)
{
	const struct machine *m = &d->world->machine;
	const struct run_observer observer = {tell_shell, NULL, (void *)(uintptr_t)d};
	struct plan_run run = *d->quiz->trigger;
	struct run_command command = {.argv = d->argv,
				      .stream = {d->terminal_fd, d->terminal_fd, d->terminal_fd},
				      .terminal = true,
				      .writable = writable};
	struct journal journal;
	auto_close int filter_fd = -1;
	journal_init(&journal);
	if (filter_build_confined(&filter_fd) < 0 || journal_open(&journal) < 0)
		return NULL;
	struct run_context context = {.machine = m,
				      .stage = select_guest_self(),
				      .filter_fd = filter_fd,
				      .journal = &journal,
				      .owner = (unsigned long)getpid(),
				      .observer = &observer,
				      .interrupted = &interrupted};
	(void)sched_getaffinity(0, sizeof(context.cpus), &context.cpus);
	command_adapt(&run, &command, d->deadline_ns);
	/* The program goes before it where memory ends, however little of that is the program's own. */
	if (run.environment.oom_score_adj > SHELL_OOM_SCORE)
		run.environment.oom_score_adj = SHELL_OOM_SCORE;
	json_t *evidence = run_in_groups(d, &context, &run);
	journal_close(&journal);
	return evidence;
}

static void tell_end(const struct fix_desk *d, const json_t *evidence)
{
	struct fix_room *room = d->room;
	const json_t *problem = json_object_get(evidence, "problem");
	room->late = json_is_true(json_object_get(evidence, "deadline_exceeded"));
	room->ceiling = *text_of(evidence, "ceiling");
	if (!evidence && *room->problem)
		return;
	if (!evidence)
		(void)snprintf(room->problem, sizeof(room->problem), "no memory, or no journal");
	else if (!strcmp(text_of2(evidence, "outcome", "kind"), "signal"))
		(void)text_outcome(evidence, room->problem, sizeof(room->problem));
	else if (!room->ready)
		(void)snprintf(room->problem, sizeof(room->problem), "%s", text_of(problem, "message"));
}

/* Ways out of the place, to programs of the learner's that would act for the shell. */
static void forget_ways_out(void)
{
	static const char *const names[] = {"TMUX",
					    "TMUX_PANE",
					    "STY",
					    "SSH_AUTH_SOCK",
					    "SSH_AGENT_PID",
					    "DBUS_SESSION_BUS_ADDRESS",
					    "XDG_RUNTIME_DIR",
					    "DBUS_SYSTEM_BUS_ADDRESS"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unsetenv(names[i]);
}

_Noreturn void fix_keep_place(const struct fix_desk *d, pid_t parent)
{
	take_signals();
	keep_quiet();
	forget_ways_out();
	(void)setenv("TMPDIR", d->directory, 1);
	if (!strcmp(d->argv[1], "-i")) {
		char rc[sizeof(d->directory) + 8];
		(void)snprintf(rc, sizeof(rc), "%s/rc", d->directory);
		(void)setenv("ENV", rc, 1);
	}
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
		interrupted = true;
	char directory[PATH_MAX];
	(void)snprintf(directory, sizeof(directory), "%s", d->quiz->plan->program);
	*strrchr(directory, '/') = '\0';
	(void)!chdir(directory);
	json_auto_t *evidence = run_shell(d);
	tell_end(d, evidence);
	hold_remove_directory(d->directory_fd, d->directory);
	/* A teach that was killed left the terminal as the relay had it. */
	if (getppid() != parent)
		(void)tcsetattr(d->own_fd, TCSANOW, &d->before);
	_exit(0);
}
