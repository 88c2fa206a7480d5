// SPDX-License-Identifier: MIT
/*
 * The job of a guest: make the machine as asked, find out what it is now, execute the runs that were asked for, and
 * send each one's judged evidence as soon as it is there. The line is the same as outside: manifest, plan, run, judge.
 */
#include <fcntl.h>
#include <linux/random.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "cleanup.h"
#include "filter.h"
#include "guest-image.h"
#include "guest-init.h"
#include "guest-wire.h"
#include "judge.h"
#include "machine.h"
#include "profile.h"
#include "run-swap.h"
#include "run.h"
#include "select.h"

struct agent {
	int wire;
	struct machine machine;
	struct run_context context;
	struct journal journal;
};

/* Made by guest_agent_warm_up(), inherited by the agent. */
static struct {
	bool done;
	int filter_fd;
	struct machine machine;
	struct selection scenarios;
} warm = {.filter_fd = -1};

void guest_agent_warm_up(void)
{
	warm.done = machine_probe(true, &warm.machine) == 0 && filter_build(true, &warm.filter_fd) == 0 &&
		    select_readable(GUEST_SCENARIOS, &warm.scenarios) == 0;
}

static void send_json(const struct agent *a, enum wire_type type, json_t *json)
{
	json_auto_t *owned = json;
	auto_free char *text = json_dumps(owned, JSON_COMPACT);
	if (text)
		(void)wire_send(a->wire, type, text, strlen(text));
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

static int prepare(struct agent *a, const json_t *job)
{
	const char *cgroup = json_string_value(json_object_get(job, "cgroup"));
	uint64_t swap = (uint64_t)json_integer_value(json_object_get(job, "swap"));
	char failed[256];
	wake_up(job);
	protect_self();
	mount_cgroups(cgroup ? cgroup : "v2");
	if (apply_profile(a, json_object_get(job, "sysctl")) < 0)
		return -1;
	if (swap > 0 && swap_add(swap, false, failed, sizeof(failed)) < 0)
		return fail(a, "%s", failed);
	/* A profile of the user's may have changed what programs are allowed. */
	bool as_before = warm.done && json_array_size(json_object_get(job, "sysctl")) <= 1;
	if (as_before)
		a->machine = warm.machine;
	int r = as_before ? machine_refresh(&a->machine) : machine_probe(true, &a->machine);
	if (r < 0)
		return fail(a, "/proc: cannot be read (%s)", strerrorname_np(-r));
	a->machine.guest = true;
	return wire_send(a->wire, WIRE_MACHINE, &a->machine, sizeof(a->machine));
}

static int make_context(struct agent *a)
{
	int filter_fd = warm.filter_fd, r = filter_fd >= 0 ? 0 : filter_build(true, &filter_fd);
	if (r < 0)
		return fail(a, "seccomp filter: cannot be built (%s)", strerrorname_np(-r));
	journal_init(&a->journal);
	r = journal_open(&a->journal);
	if (r < 0)
		return fail(a, "journal: cannot be opened (%s)", strerrorname_np(-r));
	a->context = (struct run_context){.machine = &a->machine,
					  .self = select_self(),
					  .filter_fd = filter_fd,
					  .journal = &a->journal,
					  .owner = (unsigned long)getpid()};
	(void)sched_getaffinity(0, sizeof(a->context.cpus), &a->context.cpus);
	return 0;
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

static int execute(struct agent *a, const struct plan *plan, const struct plan_run *run)
{
	send_json(a, WIRE_STARTED, json_pack("[s, s]", plan->scenario->name, run->name));
	const char *skip = plan->skip ? plan->skip : run->skip;
	json_t *evidence = skip ? evidence_skipped(run, skip) : run_execute(&a->context, plan, run);
	if (!evidence || judge_run(evidence, run, &a->machine) < 0) {
		json_decref(evidence);
		return fail(a, "%s: no memory for its evidence", run->name);
	}
	send_json(a, WIRE_RUN, json_pack("[s, o]", plan->scenario->name, evidence));
	return 0;
}

static int read_scenario(const char *name, FILE *errors, struct scenario **ret)
{
	char directory[300];
	for (size_t i = 0; i < warm.scenarios.count; i++)
		if (strcmp(warm.scenarios.item[i]->name, name) == 0) {
			*ret = warm.scenarios.item[i];
			return 0;
		}
	(void)snprintf(directory, sizeof(directory), "%s/%s", GUEST_SCENARIOS, name);
	return manifest_read(directory, errors, ret);
}

/* The process ends with its job: scenarios are not freed. */
static int execute_scenario(struct agent *a, const char *name, const json_t *runs)
{
	char message[1024] = "";
	struct scenario *scenario = NULL;
	struct plan *plan = NULL;
	FILE *errors = fmemopen(message, sizeof(message), "w");
	if (!errors)
		return fail(a, "no memory");
	int r = read_scenario(name, errors, &scenario);
	if (r == 0)
		r = plan_make(scenario, &a->machine, errors, &plan);
	(void)fclose(errors);
	if (r < 0)
		(void)fail(a, "%s: %s", name, message[0] ? message : strerrorname_np(-r));
	for (size_t i = 0; r == 0 && i < plan->run_count; i++)
		if (is_wanted(runs, plan->runs[i].name))
			r = execute(a, plan, &plan->runs[i]);
	plan_free(plan);
	return r;
}

int guest_agent(int wire_fd, const json_t *job)
{
	static struct agent agent;
	const json_t *item;
	size_t i;
	agent.wire = wire_fd;
	if (prepare(&agent, job) < 0 || make_context(&agent) < 0)
		return 0; /* what failed was told */
	json_array_foreach (json_object_get(job, "runs"), i, item) {
		const char *name = json_string_value(json_object_get(item, "scenario"));
		if (name && execute_scenario(&agent, name, json_object_get(item, "runs")) < 0)
			return 0;
	}
	(void)wire_send(wire_fd, WIRE_DONE, NULL, 0);
	return 0;
}
