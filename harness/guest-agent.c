// SPDX-License-Identifier: MIT
/*
 * The agent of a guest: say what the machine is; given a job, make the machine as asked, execute the runs and send each
 * one's judged evidence as soon as it is there. The line is the same as outside: manifest, plan, run, judge. Everything
 * up to "ready" happens once per kernel, everything after it in each restored copy.
 */
#include <fcntl.h>
#include <linux/random.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "capture-guest.h"
#include "cleanup.h"
#include "command-plan.h"
#include "filter.h"
#include "guest-cargo.h"
#include "guest-hold.h"
#include "guest-init.h"
#include "guest-root.h"
#include "guest-teach.h"
#include "guest-wire.h"
#include "json-memory.h"
#include "judge.h"
#include "machine.h"
#include "plan-internal.h"
#include "profile.h"
#include "run-swap.h"
#include "run.h"
#include "select.h"

struct agent {
	int wire;
	struct machine machine;
	struct run_context context;
	struct parameters parameters; /* of the job */
	const json_t *cargo;          /* of the job: what lies where on the disk */
	bool captures, has_command;
	struct run_command command; /* in the scenario's place */
	uint64_t command_deadline_ns;
	const json_t *hold;        /* what is to be held, and for whom; NULL */
	const json_t *teach, *fix; /* a lesson's shell, and what somebody set there; NULL */
	struct journal journal;
};

/* What make_ready() left for the job. */
static struct {
	bool done;
	int filter_fd, journal_error;
	struct machine machine;
} warm = {.filter_fd = -1};

static void send_json(const struct agent *a, enum wire_type type, json_t *json)
{
	json_auto_t *owned = json;
	static const char none[] = "{\"message\": \"no memory for what it has to say\"}";
	auto_free char *text = json_memory_refused() ? NULL : json_dumps(owned, JSON_COMPACT);
	if (text)
		(void)wire_send(a->wire, type, text, strlen(text));
	else
		(void)wire_send(a->wire, WIRE_FAILED, none, strlen(none));
}

__attribute__((format(printf, 2, 3))) static int fail(const struct agent *a, const char *format, ...)
{
	char message[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	send_json(a, WIRE_FAILED, json_pack("{s:s}", "message", message));
	return -1;
}

/* v2 in its place, or the v1 hierarchies we use, each where they usually are. A controller that the kernel does not
 * have is missing afterwards; planning says so. */
static void mount_cgroups(const char *version)
{
	static const char *const controller[] = {"memory", "pids", "hugetlb"};
	char path[64];
	if (strcmp(version, "v1") != 0) {
		(void)mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL);
		return;
	}
	(void)umount("/sys/fs/cgroup");
	(void)mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(controller); i++) {
		(void)snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", controller[i]);
		(void)mkdir(path, 0755);
		if (mount("cgroup", path, "cgroup", 0, controller[i]) < 0)
			(void)rmdir(path);
	}
}

/* A restored guest believes that it is still the moment of its saving, with the same random numbers. */
static void wake_up(const json_t *job)
{
	struct timespec now = {.tv_sec = json_integer_value(json_object_get(job, "time"))};
	const char *seed = json_string_value(json_object_get(job, "seed"));
	if (now.tv_sec > 0)
		(void)clock_settime(CLOCK_REALTIME, &now);
	auto_close int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	if (seed && fd >= 0 && write(fd, seed, strlen(seed)) > 0)
		(void)ioctl(fd, RNDRESEEDCRNG);
}

/* The harness goes last when memory runs out, and stays in RAM. */
static void protect_self(void)
{
	auto_close int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "-1000", 5);
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

static int apply_profile(const struct agent *a, const json_t *settings)
{
	struct profile given = {0}, resolved = {0};
	char failed[512] = "";
	int r = settings ? profile_from_json(settings, &given) : 0;
	if (r == 0)
		r = profile_resolve(&given, "/proc/sys", &resolved);
	if (r == 0)
		r = profile_apply(&resolved, "/proc/sys", failed, sizeof(failed));
	profile_free(&resolved);
	profile_free(&given);
	return r < 0 ? fail(a, "%s", failed[0] ? failed : "the sysctl profile cannot be applied") : 0;
}

/*
 * What every job needs and no job changes, done before the state is saved, because a restored guest pays for it each
 * time: the harness out of the OOM killer's reach, cgroup v2, the filter built, the machine probed.
 */
static void make_ready(struct agent *a)
{
	protect_self();
	mount_cgroups("v2");
	journal_init(&a->journal);
	warm.journal_error = journal_open(&a->journal);
	warm.done = filter_build(true, &warm.filter_fd) == 0 && machine_probe(true, &warm.machine) == 0;
	warm.machine.guest = warm.machine.default_sysctls = true;
}

/* Make the machine what this job asks for, and find out what it is then. */
static int prepare(struct agent *a, const json_t *job)
{
	const char *cgroup = json_string_value(json_object_get(job, "cgroup"));
	const json_t *sysctl = json_object_get(job, "sysctl");
	uint64_t swap = (uint64_t)json_integer_value(json_object_get(job, "swap"));
	bool v1 = cgroup && strcmp(cgroup, "v1") == 0, own_sysctl = json_array_size(sysctl) > 0;
	char failed[256];
	int r = 0;
	wake_up(job);
	if (v1)
		mount_cgroups(cgroup);
	if (own_sysctl && apply_profile(a, sysctl) < 0)
		return -1;
	if (swap > 0 && swap_add(swap, false, failed, sizeof(failed)) < 0)
		return fail(a, "%s", failed);
	a->machine = warm.machine;
	/* A profile of the user's may have changed what programs are allowed. */
	if (!warm.done || own_sysctl)
		r = machine_probe(true, &a->machine);
	else if (v1 || swap > 0)
		r = machine_refresh(&a->machine);
	if (r < 0)
		return fail(a, "/proc: cannot be read (%s)", strerrorname_np(-r));
	a->machine.guest = true;
	a->machine.default_sysctls = !own_sysctl;
	/* A job without runs asks what the machine is. */
	return json_array_size(json_object_get(job, "runs")) == 0
		       ? wire_send(a->wire, WIRE_MACHINE, &a->machine, sizeof(a->machine))
		       : 0;
}

static int make_context(struct agent *a, const json_t *job)
{
	int filter_fd = warm.filter_fd, r = filter_fd >= 0 ? 0 : filter_build(true, &filter_fd);
	if (r < 0)
		return fail(a, "seccomp filter: cannot be built (%s)", strerrorname_np(-r));
	if (warm.journal_error < 0)
		return fail(a, "journal: cannot be opened (%s)", strerrorname_np(-warm.journal_error));
	a->context = (struct run_context){.machine = &a->machine,
					  .stage = select_self(),
					  .filter_fd = filter_fd,
					  .journal = &a->journal,
					  .owner = (unsigned long)getpid(),
					  .look = json_is_true(json_object_get(job, "triage"))};
	(void)sched_getaffinity(0, sizeof(a->context.cpus), &a->context.cpus);
	if (parameters_from_json(json_object_get(job, "parameters"), &a->parameters) < 0)
		return fail(a, "its parameters are garbled");
	a->hold = json_object_get(job, "hold");
	a->teach = json_object_get(job, "teach");
	a->fix = json_object_get(job, "fix");
	a->cargo = json_object_get(job, "cargo");
	a->captures = json_is_true(json_object_get(job, "capture"));
	a->has_command = json_object_get(job, "command") != NULL;
	if (a->has_command &&
	    command_from_json(json_object_get(job, "command"), &a->command, &a->command_deadline_ns) < 0)
		return fail(a, "its command is garbled");
	r = a->has_command && a->command.root ? guest_root_mount() : 0;
	return r < 0 ? fail(a, "the disk of its root directory cannot be mounted (%s)", strerrorname_np(-r)) : 0;
}

static bool is_wanted(const json_t *names, const char *name)
{
	const json_t *item;
	size_t i;
	json_array_foreach (names, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), name) == 0)
			return true;
	return false;
}

/* What was captured goes before its run's evidence: that ends the run. */
static json_t *execute_observed(struct agent *a, const struct plan *plan, const struct plan_run *run)
{
	static struct capture capture;
	struct run_observer observer;
	char *data = NULL, why[CAPTURE_GUEST_HEAD];
	size_t length = 0;
	int r = a->captures ? capture_guest_begin(&capture, &observer) : 0;
	if (a->captures && r == 0)
		a->context.observer = &observer;
	json_t *evidence = run_execute(&a->context, plan, run);
	a->context.observer = NULL;
	if (a->captures && r == 0)
		r = capture_guest_end(&capture, &data, &length);
	if (a->captures && r == 0)
		r = wire_send(a->wire, WIRE_FILES, data, length);
	free(data);
	if (r < 0)
		(void)wire_send(a->wire, WIRE_FILES, why, capture_guest_failed(r, why));
	return evidence;
}

/* The report before a panic is all there is of it: dump_header() prints it as KERN_INFO, which "quiet" keeps from the
 * console. Elsewhere the kernel log has it, and printing it would take its time. */
static void let_last_words_be_heard(const struct plan_run *run)
{
	enum { SYSLOG_ACTION_CONSOLE_LEVEL = 8, DEBUG = 7 };
	if (run->expect.panic)
		(void)klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, DEBUG);
}

static int execute(struct agent *a, const struct plan *plan, const struct plan_run *run)
{
	send_json(a, WIRE_STARTED, json_pack("[s, s]", plan->scenario->name, run->name));
	const char *skip = plan->skip ? plan->skip : run->skip;
	let_last_words_be_heard(run);
	json_t *evidence = skip ? evidence_skipped(run, skip) : execute_observed(a, plan, run);
	if (!evidence || judge_run(evidence, run, &a->machine) < 0) {
		json_decref(evidence);
		return fail(a, "%s: no memory for its evidence", run->name);
	}
	send_json(a, WIRE_RUN, json_pack("[s, o]", plan->scenario->name, evidence));
	return json_memory_refused() ? -1 : 0;
}

/* From the disk, if the job says that it is there. */
static int read_scenario(const struct agent *a, const char *name, FILE *errors, struct scenario **ret)
{
	char directory[300], why[400] = "";
	const json_t *files = json_object_get(a->cargo, name);
	int r = files ? guest_cargo_unload(GUEST_CARGO_DEVICE, "", files, why, sizeof(why)) : 0;
	if (r < 0) {
		fprintf(errors, "%s", why);
		return r;
	}
	(void)snprintf(directory, sizeof(directory), "%s/%s", GUEST_SCENARIOS, name);
	return manifest_read(directory, errors, ret);
}

/* Of one scenario nothing can be made; the others can. */
static int fail_scenario(const struct agent *a, const char *name, const char *why)
{
	char message[1024];
	(void)snprintf(message, sizeof(message), "%s: %s", name, why);
	send_json(a, WIRE_FAILED, json_pack("{s:s, s:s}", "message", message, "scenario", name));
	return 0;
}

/* The run as the manifest has it, or with another number in it. */
static int execute_wanted(struct agent *a, const struct plan *plan, struct plan_run *run, const json_t *value)
{
	struct plan_run probe;
	if (a->hold)
		return guest_hold(a->wire, a->hold, &a->context, plan, run);
	if (a->teach)
		return guest_teach(a->wire, a->teach, &a->context, plan, run);
	if (a->fix && guest_state_apply(a->fix, plan, run) < 0)
		return fail(a, "%s: what the shell has set is garbled, or set by no run", run->name);
	if (a->has_command)
		command_adapt(run, &a->command, a->command_deadline_ns);
	if (!json_is_integer(value))
		return execute(a, plan, run);
	int r = plan_probe(run, &a->machine, (uint64_t)json_integer_value(value), &probe);
	if (r < 0)
		return fail(a, "%s: cannot be probed (%s)", run->name, strerrorname_np(-r));
	r = execute(a, plan, &probe);
	plan_run_free(&probe);
	return r;
}

/* The process ends with its job: scenarios are not freed. */
static int execute_scenario(struct agent *a, const char *name, const json_t *item)
{
	const json_t *runs = json_object_get(item, "runs"), *value = json_object_get(item, "probe");
	char message[900] = "";
	struct scenario *scenario = NULL;
	struct plan *plan = NULL;
	FILE *errors = fmemopen(message, sizeof(message), "w");
	if (!errors)
		return fail(a, "no memory");
	int r = read_scenario(a, name, errors, &scenario);
	if (r == 0)
		r = a->has_command ? command_scenario(scenario, &a->parameters)
				   : parameters_replace(&a->parameters, scenario, errors);
	if (r == 0)
		r = plan_make(scenario, &a->machine, errors, &plan);
	(void)fclose(errors);
	if (r < 0)
		return fail_scenario(a, name, message[0] ? message : strerrorname_np(-r));
	for (size_t i = 0; r == 0 && i < plan->run_count; i++)
		if (is_wanted(runs, plan->runs[i].name))
			r = execute_wanted(a, plan, &plan->runs[i], value);
	plan_free(plan);
	return r;
}

static void do_job(struct agent *a, const json_t *job)
{
	const json_t *item;
	size_t i;
	if (prepare(a, job) < 0 || make_context(a, job) < 0)
		return; /* what failed was told */
	json_array_foreach (json_object_get(job, "runs"), i, item) {
		const char *name = json_string_value(json_object_get(item, "scenario"));
		if (name && execute_scenario(a, name, item) < 0)
			return;
	}
	(void)wire_send(a->wire, WIRE_DONE, NULL, 0);
}

/* The state is saved while this waits. */
static json_t *wait_for_job(int wire_fd)
{
	struct wire_reader reader = {0};
	struct wire_frame frame;
	json_error_t error;
	json_t *job = NULL;
	if (wire_receive(wire_fd, &reader, &frame) == 0) {
		if (frame.type == WIRE_JOB)
			job = json_loadb(frame.data, frame.length, 0, &error);
		free(frame.data);
	}
	wire_reader_free(&reader);
	return job;
}

int guest_agent(int wire_fd)
{
	static struct agent agent;
	agent.wire = wire_fd;
	make_ready(&agent);
	(void)wire_send(wire_fd, WIRE_READY, &warm.machine, sizeof(warm.machine));
	json_auto_t *job = wait_for_job(wire_fd);
	if (job)
		do_job(&agent, job);
	else
		(void)fail(&agent, "what came over the wire is no job");
	return 0;
}
