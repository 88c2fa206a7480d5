// SPDX-License-Identifier: MIT
/*
 * Staging, watching and taking down one run. See run.h.
 */
#include "run.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"
#include "number.h"
#include "reserve.h"
#include "run-command.h"
#include "run-environment.h"
#include "run-log.h"
#include "run-look.h"
#include "spawn.h"
#include "stage-disguise.h"
#include "stage.h"
#include "witness-inject.h"

#define GROUP_TIMEOUT_NS 2000000000ULL
/* What a snapshot and the samples beside it take is some dozens of pages; a machine that others ask as well takes its
 * part of it before. */
#define RESERVE_BYTES    ((size_t)2 << 20)
/* Without a command's words: "enomem stage FD". */
#define STAGE_WORDS      3
#define STREAMS          (STDERR_FILENO + 1)

static int make_spec(const struct run_context *context, struct run_record *record, const int out[2], const int err[2],
		     const int report[2], int *ret_fd)
{
	const struct plan_run *run = record->run;
	auto_close int fd = memfd_create("enomem-stage", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, sizeof(struct stage_spec)) < 0)
		return run_problem(record, errno, "stage", NULL, "memory for the stage");
	struct stage_spec *spec = mmap(NULL, sizeof(*spec), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (spec == MAP_FAILED)
		return run_problem(record, errno, "stage", NULL, "memory for the stage");
	spec->magic = STAGE_MAGIC;
	spec->size = sizeof(*spec);
	spec->environment = run->environment;
	spec->user_namespace = !context->machine->root;
	spec->clean_environment = true;
	spec->inside = context->place ? context->place->inside : 0;
	spec->filter_fd = context->filter_fd;
	spec->watch_exit = context->watch_exit;
	spec->report_fd = report[1];
	spec->stdin_fd = -1;
	spec->stdout_fd = out[1];
	spec->stderr_fd = err[1];
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		spec->procs_fd[c] = record->cgroup ? record->cgroup->procs_fd[c] : -1;
	const char *slash = strrchr(record->plan->program, '/');
	int r = 0;
	if (run->command) {
		run_command_spec(run->command, spec);
	} else if (!slash || (size_t)(slash - record->plan->program) >= sizeof(spec->directory) ||
		   strlen(slash + 1) >= sizeof(spec->program)) {
		r = run_problem(record, ENAMETOOLONG, "program", NULL, "%s", record->plan->program);
	} else {
		memcpy(spec->directory, record->plan->program, (size_t)(slash - record->plan->program));
		(void)snprintf(spec->program, sizeof(spec->program), "%s", slash + 1);
	}
	spec->disguised = context->disguised && !run->command;
	for (unsigned i = 0; r == 0 && !run->command && run->argv[i]; i++)
		if (stage_add_argument(spec, i == 0 && spec->disguised ? STAGE_DISGUISE : run->argv[i]) < 0)
			r = run_problem(record, E2BIG, "arguments", NULL, "more arguments than fit");
	if (r == 0)
		r = run_set_identity(record, spec);
	(void)munmap(spec, sizeof(*spec));
	if (r == 0)
		*ret_fd = steal_fd(fd);
	return r;
}

static void pin(const struct run_context *context, const struct plan_run *run, bool on)
{
	cpu_set_t one;
	unsigned want, count = (unsigned)CPU_COUNT(&context->cpus);
	if (!on || run->environment.all_cpus || count < 2) {
		(void)sched_setaffinity(0, sizeof(context->cpus), &context->cpus);
		return;
	}
	/* Two harnesses at once shall not share a CPU if they need not: start where the harness's pid says. */
	want = (unsigned)((context->owner + context->slot) % count);
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &context->cpus) && want-- == 0) {
			CPU_SET(cpu, &one);
			break;
		}
	(void)sched_setaffinity(0, sizeof(one), &one);
}

/* Why the program was never executed, from the stage's report. */
static void explain_no_start(const struct run_context *context, struct run_record *record, int report_fd)
{
	struct stage_report report = {0};
	int signal = run_command_signal_starting(record->witness.root_status);
	bool narrow = record->run->environment.cgroup[CGROUP_MEMORY_MAX] < ENOMEM_ABSENT;
	const char *no_room = narrow ? ": memory.max may leave no room for it" : "";
	/* A terminal's Ctrl-C goes to the stage as well, which may end of it before it is told to ignore it. */
	if (record->sampler.stopped_by == SAMPLER_STOP_REQUEST || (context->interrupted && *context->interrupted))
		(void)run_problem(record, 0, "interrupted", NULL, "interrupted");
	else if (record->stage_error)
		(void)run_problem(record, record->stage_error, "stage", NULL, "the stage could not be started");
	else if (read(report_fd, &report, sizeof(report)) == (ssize_t)sizeof(report) && record->run->command &&
		 strcmp(report.step, "execve") == 0)
		(void)run_problem(record, report.error, "execve", NULL, "%s: cannot be executed",
				  record->run->command->argv[0]);
	else if (report.namespaces)
		(void)run_problem(record, report.error, "unshare", "enomem doctor tells what this machine allows",
				  "%s: the namespaces could not be made", report.step);
	else if (report.step[0])
		(void)run_problem(record, report.error, "stage", NULL, "%s: the program could not be started",
				  report.step);
	else if (record->run->command && signal == SIGSEGV)
		(void)run_problem(record, 0, "start", NULL,
				  "%s: killed by SIGSEGV before its first instruction: what is limited leaves no room "
				  "for the program itself",
				  record->run->command->argv[0]);
	else if (signal && sigabbrev_np(signal))
		(void)run_problem(record, 0, "stage", NULL, "killed by SIG%s before the program was started%s",
				  sigabbrev_np(signal), no_room);
	else
		(void)run_problem(record, 0, "stage", NULL, "the stage ended without a word%s", no_room);
}

static void close_end(int *fd)
{
	closep(fd);
	*fd = -1;
}

static void watch(struct run_record *record, struct spawn *child)
{
	int r = witness_seize(child->pid);
	if (r < 0) {
		(void)run_problem(record, -r, "witness", "ptrace is not permitted here: enomem doctor",
				  "the witness cannot attach");
		(void)kill(child->pid, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
	}
	spawn_release(child);
	if (r < 0)
		return;
	r = witness_watch(&record->witness, child->pid);
	if (r < 0)
		(void)run_problem(record, -r, "witness", NULL, "the witness lost track of the run");
	else if (record->witness.untraced)
		(void)run_problem(record, 0, "witness", NULL,
				  "the program asked for a task that cannot be watched (CLONE_UNTRACED)");
}

static void start_and_watch(struct run_context *context, struct run_record *record, int spec_fd, int out[2], int err[2],
			    int report[2])
{
	char stage_fd[16];
	struct run_command *command = record->run->command;
	auto_free const char **argv = calloc(STAGE_WORDS + run_command_length(command) + 1, sizeof(char *));
	auto_free char **environment = command ? NULL : run_plain_environment();
	int kept[5 + STREAMS + CGROUP_CONTROLLERS] = {spec_fd, context->filter_fd, report[1], out[1], err[1]};
	if (!argv) {
		(void)run_problem(record, ENOMEM, "stage", NULL, "the command line");
		return;
	}
	for (unsigned fd = 0; fd < STREAMS; fd++)
		kept[5 + fd] = command ? command->stream[fd] : -1;
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
		kept[5 + STREAMS + c] = record->cgroup ? record->cgroup->procs_fd[c] : -1;
	(void)snprintf(stage_fd, sizeof(stage_fd), "%d", spec_fd);
	argv[0] = context->stage;
	argv[1] = "stage";
	argv[2] = stage_fd;
	for (unsigned i = 0; command && command->argv[i]; i++)
		argv[STAGE_WORDS + i] = command->argv[i];
	struct spawn child = {.argv = argv,
			      .environment = environment,
			      .out_fd = out[1],
			      .err_fd = err[1],
			      .kept = kept,
			      .kept_count = ARRAY_SIZE(kept)};
	pin(context, record->run, true);
	int r = spawn_held(&child);
	/* Only the run's processes hold the writing ends now: the streams end with them. */
	close_end(&out[1]);
	close_end(&err[1]);
	close_end(&report[1]);
	if (r < 0) {
		(void)run_problem(record, -r, "fork", NULL, "no process for the stage");
	} else {
		watch(record, &child);
		spawn_end(&child);
	}
	record->stage_error = child.error;
	pin(context, record->run, false);
}

static void stage_and_watch(struct run_context *context, struct run_record *record)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, report[2] = {-1, -1};
	auto_close int spec_fd = -1;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0) {
		(void)run_problem(record, errno, "pipe", NULL, "no pipe");
		for (unsigned end = 0; end < 2; end++) {
			close_end(&out[end]);
			close_end(&err[end]);
		}
		return;
	}
	/* Only our ends: the program sees ordinary, blocking pipes. */
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(err[0], F_SETFL, O_NONBLOCK);
	record->sampler.out.fd = out[0];
	record->sampler.err.fd = err[0];
	if (make_spec(context, record, out, err, report, &spec_fd) == 0) {
		int r = sampler_start(&record->sampler);
		if (r < 0)
			(void)run_problem(record, -r, "sampler", NULL, "no thread for the samples");
		else
			start_and_watch(context, record, spec_fd, out, err, report);
	}
	sampler_stop(&record->sampler);
	close_end(&out[1]);
	close_end(&err[1]);
	close_end(&report[1]);
	if (!record->problem.step[0] && !record->witness.started)
		explain_no_start(context, record, report[0]);
	else if (!record->problem.step[0] && record->sampler.stopped_by == SAMPLER_STOP_REQUEST)
		(void)run_problem(record, 0, "interrupted", NULL, "interrupted");
	(void)close(report[0]);
}

/* A machine that is thrown away may run out of memory altogether, and whoever is killed there is to be looked at. */
static void hold_reserve(const struct run_context *context, struct run_record *record, struct reserve *reserve)
{
	const char *signal = record->run->expect.signal;
	if (!run_is_thrown_away(context, record->run) || !signal || strcmp(signal, "SIGKILL") != 0)
		return;
	/* A fault of ours while nothing is left would have the kernel choose a victim for us, not for the program. */
	(void)mlock(record, sizeof(*record));
	if (reserve_hold(reserve, RESERVE_BYTES) == 0)
		record->witness.reserve = reserve;
}

static void show(const struct sample *sample, void *data)
{
	const struct run_record *record = data;
	record->live->in_use = live_in_use(record->live_kind, sample);
}

static void watch_in_environment(struct run_context *context, struct run_record *record)
{
	static struct snapshot_source source;
	static struct witness_shared shared;
	const struct environment *env = &record->run->environment;
	memset(&shared, 0, sizeof(shared));
	record->witness.shared = record->sampler.shared = &shared;
	record->witness.source = &source;
	record->witness.data = record->sampler.data = record;
	if (run_changes_live(env) && record->run->expect.stall)
		record->sampler.at_stall = run_change_at_stall;
	else if (run_changes_live(env))
		record->witness.at_failing_moment = run_change_live;
	if (context->look && record->run->role == ROLE_TRIGGER && record->run->expect.stall)
		record->sampler.look = run_look;
	else if (context->look && record->run->role == ROLE_TRIGGER)
		record->witness.look = run_look;
	if (record->run->command) {
		record->run->command->shared = &shared;
		record->witness.refused_call = run_refusals_note;
		record->witness.granted_call = run_refusals_note_granted;
	}
	record->live = context->live;
	record->live_kind = live_limit_of(record->run).kind;
	record->sampler.sampled = record->live && record->live_kind != LIVE_NONE ? show : NULL;
	record->sampler.cgroup = record->cgroup;
	record->sampler.deadline_ns = env->deadline_ns;
	if (context->observer) {
		record->observed_by = context->observer->data;
		context->observer->attach(record, record->observed_by);
	}
	record->sampler.stop_requested = context->interrupted;
	bool group_holds_memory = record->cgroup && record->cgroup->value_fd[CGROUP_MEMORY_MAX] >= 0;
	bool group_holds_tasks = record->cgroup && record->cgroup->value_fd[CGROUP_PIDS_MAX] >= 0;
	record->sampler.rss_ceiling_bytes = group_holds_memory ? 0 : env->memory_ceiling_bytes;
	record->witness.tasks_ceiling = group_holds_tasks ? 0 : (unsigned)env->tasks_ceiling;
	int r = snapshot_source_open(record->cgroup, &source);
	if (r < 0) {
		(void)run_problem(record, -r, "snapshot", "mount -t proc proc /proc", "/proc cannot be read");
		return;
	}
	record->witness.injection = env->injection;
	record->witness.injection_count = env->injection_count;
	if (env->injection_count && !witness_can_inject()) {
		(void)run_problem(record, ENOSYS, "inject", NULL, "calls cannot be taken away on this architecture");
		snapshot_source_close(&source);
		return;
	}
	source.namespace_pid_max = run_namespace_pid_max(env);
	auto_close int log_fd = -1;
	record->log_readable = kmsg_open(&log_fd) == 0;
	record->log_fd = log_fd;
	struct reserve reserve = {0};
	hold_reserve(context, record, &reserve);
	stage_and_watch(context, record);
	record->witness.reserve = NULL;
	reserve_release(&reserve);
	struct snapshot_request nothing = {0};
	snapshot_take(&source, &nothing, &record->after);
	run_read_log(record, log_fd);
	snapshot_source_close(&source);
	if (record->run->command)
		record->run->command->shared = NULL;
	if (context->observer && context->observer->ended)
		context->observer->ended(record, record->observed_by);
}

json_t *run_execute(struct run_context *context, const struct plan *plan, const struct plan_run *run)
{
	static struct cgroup cg;
	static struct sysctl_session session;
	memset(&session, 0, sizeof(session));
	auto_close int calm_fd = -1;
	/* Fresh pages: most runs touch a few of them, and zeroing all of them costs a worker a page fault each. */
	auto_free struct run_record *record = calloc(1, sizeof(*record));
	if (!record)
		return NULL;
	sampler_init(&record->sampler);
	cgroup_init(&cg);
	record->plan = plan;
	record->run = run;
	auto_free struct run_refusals *refusals = run->command ? calloc(1, sizeof(*refusals)) : NULL;
	if (run->command && !refusals)
		return NULL;
	record->refusals = refusals;
	context->runs++;
	bool machine = run_changes_machine(&run->environment),
	     /* The run whose place it is sees to that as long as it lasts. */
		calm = machine || context->place || run_is_thrown_away(context, run) ||
		       !run_calm_machine(context, record, &calm_fd);
	uint64_t begin = clock_now_ns();
	if (context->place)
		run_join_group(context, record, &cg);
	if (calm && (context->place || run_make_group(context, record, &cg) == 0) &&
	    (!machine || run_change_machine(context, record, &session) == 0))
		watch_in_environment(context, record);
	if (session.journal) { /* set by a session that was opened */
		int r = sysctl_session_restore(&session);
		if (r < 0 && !record->problem.step[0])
			(void)run_problem(record, -r, "sysctl", "enomem recover", "an old value could not be restored");
	} else if (run_is_thrown_away(context, run) && !context->place) {
		run_relieve_machine();
	}
	/* The group goes before the evidence is written: nothing of the run outlives it. */
	int r = record->cgroup && !context->place ? cgroup_remove(&cg, GROUP_TIMEOUT_NS) : 0;
	if (context->place)
		cgroup_close(&cg);
	if (r < 0 && !record->problem.step[0])
		(void)run_problem(record, -r, "cgroup", "enomem recover", "cgroup %s: cannot be removed", cg.name);
	record->duration_ns = clock_now_ns() - begin;
	return evidence_build(record);
}
