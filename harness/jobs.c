// SPDX-License-Identifier: MIT
/*
 * Worker processes. The harness waits on their pidfds; a result comes back through a memory file as JSON. See jobs.h.
 */
#include "jobs.h"

#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "judge.h"
#include "say.h"

#define AT_ONCE_MAX       64
/* What a run may take beyond its own deadline: staging, snapshots, taking down, waiting for the machine lock. */
#define RUN_GRACE_NS      15000000000ULL
#define REMOVE_TIMEOUT_NS 2000000000ULL

atomic_bool jobs_interrupted;
static _Atomic pid_t worker_pid[AT_ONCE_MAX];

struct worker {
	pid_t pid;
	int pidfd, result_fd;
	size_t plan;
	uint64_t deadline_ns;
};

/* First signal: end the runs in flight and clean up. Second: the workers are killed; the journal knows what remains. */
static void on_signal(int signal)
{
	bool again = atomic_exchange(&jobs_interrupted, true);
	for (unsigned i = 0; i < AT_ONCE_MAX; i++)
		if (worker_pid[i] > 0)
			(void)kill(worker_pid[i], again ? SIGKILL : signal);
}

void jobs_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	/* A reader that went away shows as a failed write, with a message, not as a silent death. */
	(void)signal(SIGPIPE, SIG_IGN);
}

static uint64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static json_t *run_plan(struct run_context *context, const struct plan *plan)
{
	json_t *runs = json_array();
	for (size_t i = 0; runs && i < plan->run_count; i++) {
		const struct plan_run *run = &plan->runs[i];
		json_t *evidence;
		if (plan->skip || run->skip)
			evidence = evidence_skipped(run, plan->skip ? plan->skip : run->skip);
		else if (jobs_interrupted)
			evidence = evidence_skipped(run, "interrupted");
		else
			evidence = run_execute(context, plan, run);
		if (!evidence || judge_run(evidence, run, context->machine) < 0) {
			json_decref(evidence);
			json_decref(runs);
			return NULL;
		}
		json_array_append_new(runs, evidence);
	}
	return runs ? judge_scenario(plan, runs) : NULL;
}

/* Buffered: jansson hands out every token on its own. */
static int hand_back(const json_t *scenario, int result_fd)
{
	auto_fclose FILE *out = fdopen(result_fd, "w");
	return out && json_dumpf(scenario, out, JSON_COMPACT) == 0 && fflush(out) == 0 ? 0 : -1;
}

static void work(const struct jobs *jobs, size_t index, int result_fd, pid_t harness)
{
	struct run_context context = *jobs->context;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != harness)
		_exit(EXIT_BROKEN);
	(void)prctl(PR_SET_NAME, "enomem-worker");
	for (unsigned i = 0; i < AT_ONCE_MAX; i++)
		worker_pid[i] = 0;
	context.worker = (unsigned)index;
	json_t *scenario = run_plan(&context, jobs->plans[index]);
	_exit(scenario && hand_back(scenario, result_fd) == 0 ? 0 : EXIT_BROKEN);
}

static int start(const struct jobs *jobs, size_t index, unsigned slot, struct worker *ret)
{
	auto_close int result_fd = memfd_create("enomem-result", MFD_CLOEXEC);
	pid_t harness = getpid();
	if (result_fd < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		work(jobs, index, result_fd, harness);
	worker_pid[slot] = pid;
	uint64_t length = 0;
	for (size_t i = 0; i < jobs->plans[index]->run_count; i++)
		length += jobs->plans[index]->runs[i].environment.deadline_ns + RUN_GRACE_NS;
	ret->pid = pid;
	ret->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	ret->plan = index;
	ret->deadline_ns = now_ns() + length;
	ret->result_fd = steal_fd(result_fd);
	return 0;
}

/* A worker that died left its group behind: the names say whose it was. */
static void clean_after(const struct run_context *context, size_t index)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		const struct cgroup_hierarchy *h = &context->machine->cgroup.at[c];
		char pattern[1024];
		glob_t found;
		if (h->version == CGROUP_NONE)
			continue;
		(void)snprintf(pattern, sizeof(pattern), "%s%s/enomem-%lu-%zu-*", h->mount,
			       strcmp(h->parent, "/") == 0 ? "" : h->parent, context->owner, index);
		if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			(void)cgroup_remove_path(found.gl_pathv[i], REMOVE_TIMEOUT_NS);
		globfree(&found);
	}
}

/* A scenario whose worker brought nothing back: every run of it is broken, for the reason given. */
static json_t *broken_scenario(const struct plan *plan, const struct machine *machine, const char *why)
{
	json_t *runs = json_array();
	for (size_t i = 0; i < plan->run_count; i++) {
		json_t *evidence = evidence_skipped(&plan->runs[i], why);
		json_object_del(evidence, "skipped");
		json_object_set_new(evidence, "problem", json_pack("{s:s, s:s}", "step", "worker", "message", why));
		(void)judge_run(evidence, &plan->runs[i], machine);
		json_array_append_new(runs, evidence);
	}
	return judge_scenario(plan, runs);
}

static json_t *collect(const struct jobs *jobs, struct worker *w)
{
	const struct plan *plan = jobs->plans[w->plan];
	json_error_t error;
	char why[256];
	int status = 0;
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)lseek(w->result_fd, 0, SEEK_SET);
	json_t *scenario = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? json_loadfd(w->result_fd, 0, &error) : NULL;
	closep(&w->pidfd);
	closep(&w->result_fd);
	w->pid = 0;
	if (scenario)
		return scenario;
	clean_after(jobs->context, w->plan);
	if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "the worker was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else
		(void)snprintf(why, sizeof(why), "the worker ended with status %d and no result", WEXITSTATUS(status));
	return broken_scenario(plan, jobs->context->machine, why);
}

/* Wait until one of the workers ends; a worker past its deadline is killed. Returns its slot. */
static unsigned wait_for_one(struct worker *workers, unsigned slots)
{
	for (;;) {
		struct pollfd fds[AT_ONCE_MAX];
		unsigned slot[AT_ONCE_MAX], n = 0;
		uint64_t now = now_ns();
		for (unsigned i = 0; i < slots; i++) {
			if (!workers[i].pid)
				continue;
			if (now > workers[i].deadline_ns)
				(void)kill(workers[i].pid, SIGKILL);
			slot[n] = i;
			fds[n++] = (struct pollfd){.fd = workers[i].pidfd, .events = POLLIN};
		}
		(void)poll(fds, n, 1000);
		for (unsigned i = 0; i < n; i++)
			if (fds[i].revents)
				return slot[i];
	}
}

json_t *jobs_run(const struct jobs *jobs)
{
	struct worker workers[AT_ONCE_MAX] = {{0}};
	unsigned slots = jobs->at_once < AT_ONCE_MAX ? jobs->at_once : AT_ONCE_MAX, busy = 0;
	auto_free json_t **results = calloc(jobs->count + 1, sizeof(json_t *));
	size_t next = 0, done = 0;
	/* What may share the machine first, side by side; then what may not, one after the other. */
	auto_free size_t *order = calloc(jobs->count + 1, sizeof(size_t));
	size_t ordered = 0, shared = 0;
	if (!results || !order)
		return NULL;
	for (unsigned exclusive = 0; exclusive < 2; exclusive++) {
		for (size_t i = 0; i < jobs->count; i++)
			if (jobs->plans[i]->exclusive == exclusive)
				order[ordered++] = i;
		if (!exclusive)
			shared = ordered;
	}
	while (done < jobs->count) {
		unsigned limit = next < shared ? slots : 1;
		while (next < jobs->count && busy < limit && (next < shared || busy == 0)) {
			unsigned slot = 0;
			while (workers[slot].pid)
				slot++;
			int r = start(jobs, order[next], slot, &workers[slot]);
			if (r < 0) {
				results[order[next]] = broken_scenario(jobs->plans[order[next]], jobs->context->machine,
								       "no process for a worker");
				done++;
			} else {
				busy++;
			}
			next++;
			limit = next < shared ? slots : 1;
		}
		if (!busy)
			continue;
		unsigned slot = wait_for_one(workers, slots);
		size_t index = workers[slot].plan;
		results[index] = collect(jobs, &workers[slot]);
		worker_pid[slot] = 0;
		busy--;
		done++;
		if (jobs->finished)
			jobs->finished(jobs->plans[index], results[index], done, jobs->count);
	}
	json_t *all = json_array();
	for (size_t i = 0; i < jobs->count; i++)
		json_array_append_new(all, results[i]);
	return all;
}
