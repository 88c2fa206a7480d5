// SPDX-License-Identifier: MIT
/*
 * Worker processes. The harness waits on their pidfds; a result comes back through a memory file as JSON. See jobs.h.
 */
#include "jobs.h"

#include <assert.h>
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
#include "clock.h"
#include "guest.h"
#include "jobs-make.h"
#include "jobs-split.h"
#include "jobs-tell.h"
#include "json-memory.h"
#include "judge.h"
#include "procfs.h"
#include "report.h"
#include "say.h"

#define AT_ONCE_MAX       LIVE_SLOTS /* with the one that waits */
/* What a run may take beyond its own deadline: staging, snapshots, taking down, waiting for the machine lock. */
#define RUN_GRACE_NS      15000000000ULL
/* The same in a guest, which may have to be started again several times. */
#define GUEST_GRACE_NS    60000000000ULL
#define REMOVE_TIMEOUT_NS 2000000000ULL
#define POLL_MS           1000
#define POLL_LIVE_MS      100
/* Of a worker. */
#define EXIT_NO_MEMORY    12

atomic_bool jobs_interrupted;
atomic_bool jobs_interrupted_again;
bool jobs_worker_lost;
static _Atomic pid_t worker_pid[AT_ONCE_MAX];

struct worker {
	pid_t pid;
	int pidfd, result_fd;
	struct job *job;
	unsigned number, slot;
	uint64_t deadline_ns;
};

static pid_t harness_pid;

/* The workers are signalled, too, and say nothing. In a handler only write(2) will do; Ctrl-C has left its mark on the
 * terminal's line. */
static void tell(const char *what)
{
	if (getpid() != harness_pid)
		return;
	ssize_t ignored = write(STDERR_FILENO, what, strlen(what));
	(void)ignored;
}

/* First signal: end the runs in flight and clean up. Second: the workers are killed; the journal knows what remains. */
static void on_signal(int signal)
{
	int saved = errno;
	bool again = atomic_exchange(&jobs_interrupted, true);
	if (again)
		jobs_interrupted_again = true;
	tell(again ? "\nenomem: interrupted again: the runs in flight are killed; what is left after that is told at "
		     "the end\n"
		   : "\nenomem: interrupted: ending the runs in flight and taking them down (once more to leave at "
		     "once)\n");
	/* A worker that was just forked has the list of the others still. */
	for (unsigned i = 0; i < AT_ONCE_MAX && getpid() == harness_pid; i++)
		if (worker_pid[i] > 0)
			(void)kill(worker_pid[i], again ? SIGKILL : signal);
	errno = saved;
}

void jobs_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	harness_pid = getpid();
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	/* A reader that went away shows as a failed write, with a message, not as a silent death. */
	(void)signal(SIGPIPE, SIG_IGN);
}

static int hand_back(const json_t *runs, int result_fd)
{
	auto_fclose FILE *out = fdopen(result_fd, "w");
	if (!out)
		json_memory_note();
	return out && result_write(runs, JSON_COMPACT, out) == 0 && fflush(out) == 0 ? 0 : -1;
}

static void work(const struct jobs *jobs, const struct worker *w, pid_t harness, const sigset_t *signals)
{
	struct run_context context = *jobs->context;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != harness)
		_exit(EXIT_BROKEN);
	(void)prctl(PR_SET_NAME, "enomem-worker");
	for (unsigned i = 0; i < AT_ONCE_MAX; i++)
		worker_pid[i] = 0;
	(void)sigprocmask(SIG_SETMASK, signals, NULL);
	context.worker = w->number;
	context.slot = w->slot;
	context.live = jobs->live && jobs->live->out ? &jobs->live->slot[w->slot] : NULL;
	json_t *runs = job_make(jobs, &context, w->job);
	_exit(runs && hand_back(runs, w->result_fd) == 0 ? 0 : json_memory_refused() ? EXIT_NO_MEMORY : EXIT_BROKEN);
}

/* Whoever interrupts finds each worker that there is in the list. Of an interrupt before there is one, -EINTR. */
static int fork_worker(const struct jobs *jobs, const struct worker *w)
{
	sigset_t ours, before;
	pid_t harness = getpid();
	(void)sigemptyset(&ours);
	(void)sigaddset(&ours, SIGINT);
	(void)sigaddset(&ours, SIGTERM);
	(void)sigaddset(&ours, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &ours, &before);
	pid_t pid = jobs_interrupted ? -1 : fork();
	int error = jobs_interrupted ? EINTR : errno;
	if (pid == 0)
		work(jobs, w, harness, &before);
	if (pid > 0)
		worker_pid[w->slot] = pid;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -error : pid;
}

static int start(const struct jobs *jobs, struct job *job, unsigned number, unsigned slot, struct worker *ret)
{
	auto_close int result_fd = memfd_create("enomem-result", MFD_CLOEXEC);
	uint64_t length = job->world ? GUEST_GRACE_NS : 0;
	if (result_fd < 0)
		return -errno;
	for (size_t i = 0; i < job->count; i++)
		length += plan_time_ns(jobs_run_at(jobs, &job->item[i])) + (job->world ? GUEST_GRACE_NS : RUN_GRACE_NS);
	length *= job->locate ? LOCATE_PROBES_MAX : 1;
	if (jobs->live && jobs->live->out) {
		jobs->live->slot[slot].run = 0;
		jobs->live->slot[slot].in_use = ENOMEM_ABSENT;
	}
	struct worker w = {.job = job,
			   .number = number,
			   .slot = slot,
			   .result_fd = result_fd,
			   .deadline_ns = clock_now_ns() + length};
	w.pid = fork_worker(jobs, &w);
	if (w.pid < 0)
		return w.pid;
	w.pidfd = (int)syscall(SYS_pidfd_open, w.pid, 0);
	w.result_fd = steal_fd(result_fd);
	*ret = w;
	return 0;
}

/* A worker that died left its groups behind: the names say whose they were. */
static void clean_after(const struct run_context *context, unsigned number)
{
	for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
		const struct cgroup_hierarchy *h = &context->machine->cgroup.at[c];
		char pattern[1024];
		glob_t found;
		if (h->version == CGROUP_NONE)
			continue;
		(void)snprintf(pattern, sizeof(pattern), "%s%s/enomem-%lu-%u-*", h->mount,
			       strcmp(h->parent, "/") == 0 ? "" : h->parent, context->owner, number);
		if (glob(pattern, GLOB_NOSORT, NULL, &found) != 0)
			continue;
		for (size_t i = 0; i < found.gl_pathc; i++)
			(void)cgroup_remove_path(found.gl_pathv[i], REMOVE_TIMEOUT_NS);
		globfree(&found);
	}
}

/* json_loadfd() and json_loadf() would read byte by byte, which takes as long again as taking it apart. */
static json_t *take_back(int result_fd)
{
	struct stat st;
	if (fstat(result_fd, &st) < 0 || st.st_size <= 0)
		return NULL;
	const char *text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, result_fd, 0);
	if (text == MAP_FAILED) {
		if (errno == ENOMEM)
			json_memory_note();
		return NULL;
	}
	json_t *runs = json_loadb(text, (size_t)st.st_size, 0, NULL);
	(void)munmap((void *)(uintptr_t)text, (size_t)st.st_size);
	return runs;
}

static void collect(const struct jobs *jobs, struct worker *w)
{
	char why[256];
	int status = 0;
	assert(w->job);
	while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (w->job->world)
		guest_state_taker_ended(w->job->world->state, w->pid);
	bool orderly = WIFEXITED(status) && WEXITSTATUS(status) == 0; /* it left nothing behind */
	w->job->runs = orderly ? take_back(w->result_fd) : NULL;
	closep(&w->pidfd);
	closep(&w->result_fd);
	w->pid = 0;
	if (w->job->runs)
		return;
	if (!orderly) {
		jobs_worker_lost = true;
		clean_after(jobs->context, w->number);
	}
	if (orderly && json_memory_refused())
		(void)snprintf(why, sizeof(why), "no memory for what the worker brought back");
	else if (WIFSIGNALED(status))
		(void)snprintf(why, sizeof(why), "the worker was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == EXIT_NO_MEMORY)
		(void)snprintf(why, sizeof(why), "the worker had no memory for its result");
	else
		(void)snprintf(why, sizeof(why), "the worker ended with status %d and no result", WEXITSTATUS(status));
	w->job->runs = job_lost(jobs, w->job, why);
}

/* The run that has been going on for longest stands for all of them. */
static void draw(const struct jobs *jobs, const struct worker *workers, unsigned slots)
{
	const struct worker *oldest = NULL;
	const struct plan_run *run = NULL;
	const struct live_slot *slot = NULL;
	unsigned busy = 0;
	if (!jobs->live || !jobs->live->out)
		return;
	jobs->live->ending = jobs_interrupted;
	for (unsigned i = 0; i < slots; i++) {
		if (!workers[i].pid)
			continue;
		busy++;
		oldest = !oldest || workers[i].number < oldest->number ? &workers[i] : oldest;
	}
	if (oldest) {
		slot = &jobs->live->slot[oldest->slot];
		unsigned item = slot->run; /* as the worker wrote it */
		run = jobs_run_at(jobs, &oldest->job->item[item < oldest->job->count ? item : 0]);
	}
	live_draw(jobs->live, run, slot, busy > 1 ? busy - 1 : 0);
}

/* Wait until one of the workers ends; a worker past its deadline is killed. Returns its slot. */
static unsigned wait_for_one(const struct jobs *jobs, const struct worker *workers, unsigned slots)
{
	bool live = jobs->live && jobs->live->out;
	for (;;) {
		struct pollfd fds[AT_ONCE_MAX];
		unsigned slot[AT_ONCE_MAX], n = 0;
		uint64_t now = clock_now_ns();
		for (unsigned i = 0; i < slots; i++) {
			if (!workers[i].pid)
				continue;
			if (now > workers[i].deadline_ns)
				(void)kill(workers[i].pid, SIGKILL);
			slot[n] = i;
			fds[n++] = (struct pollfd){.fd = workers[i].pidfd, .events = POLLIN};
		}
		draw(jobs, workers, slots);
		(void)poll(fds, n, live ? POLL_LIVE_MS : POLL_MS);
		for (unsigned i = 0; i < n; i++)
			if (fds[i].revents)
				return slot[i];
	}
}

/* The first job of a kind at or after `next`; `count` if there is none. */
static size_t next_of(const struct job *job, size_t count, size_t next, bool exclusive, bool waits)
{
	while (next < count && (job[next].exclusive != exclusive || job[next].waits != waits))
		next++;
	return next;
}

/*
 * Run the jobs that are (or are not) exclusive, at most `limit` at once, and beside them one of those whose programs
 * only sleep: it has the slot behind the others'.
 */
static void run_jobs(const struct jobs *jobs, struct job *job, size_t count, bool exclusive, unsigned limit)
{
	struct worker workers[AT_ONCE_MAX] = {{0}};
	size_t next[2] = {0};
	unsigned busy[2] = {0};
	for (;;) {
		bool waits = true;
		next[true] = next_of(job, count, next[true], exclusive, true);
		if (next[true] == count || busy[true]) {
			waits = false;
			next[false] = next_of(job, count, next[false], exclusive, false);
		}
		if (next[waits] < count && busy[waits] < (waits ? 1 : limit)) {
			size_t n = next[waits]++;
			unsigned slot = waits ? limit : 0;
			while (workers[slot].pid)
				slot++;
			/* Nothing is begun only to be told that it is not. */
			if (jobs_interrupted || start(jobs, &job[n], (unsigned)n, slot, &workers[slot]) < 0)
				job[n].runs = job_lost(jobs, &job[n], "no process for a worker");
			else
				busy[waits]++;
			if (job[n].runs)
				jobs_tell_done(jobs, job, count, &job[n]);
		} else if (busy[false] + busy[true]) {
			unsigned slot = wait_for_one(jobs, workers, limit + 1);
			assert(workers[slot].job); /* a slot that is waited for has a job */
			const struct job *ended = workers[slot].job;
			busy[slot == limit]--; /* which of the two kinds it was */
			collect(jobs, &workers[slot]);
			worker_pid[slot] = 0;
			if (jobs->live)
				jobs->live->done++;
			jobs_tell_done(jobs, job, count, ended);
		} else {
			return;
		}
	}
}

/* What may share the machine first, side by side; then what may not, one after the other. */
static void run_all(const struct jobs *jobs, struct job *job, size_t count)
{
	if (jobs->live)
		jobs->live->count += count;
	run_jobs(jobs, job, count, false, jobs->at_once < AT_ONCE_MAX ? jobs->at_once : AT_ONCE_MAX - 1);
	run_jobs(jobs, job, count, true, 1);
}

/* The boundaries of each plan, in its order, behind its runs: a search begins at what its trigger showed. */
static int run_boundaries(const struct jobs *jobs, json_t *const *runs, json_t **ret, size_t room)
{
	auto_free struct job *job = calloc(room, sizeof(*job));
	auto_free struct job_item *item = calloc(room, sizeof(*item));
	auto_free struct locate *locate = calloc(room, sizeof(*locate));
	if (!job || !item || !locate)
		return -ENOMEM;
	size_t count = jobs_split_boundaries(jobs, runs, job, item, locate);
	run_all(jobs, job, count);
	for (size_t j = 0; j < count; j++) {
		json_t **list = &ret[job[j].item->plan];
		*list = *list ? *list : json_array();
		(void)json_array_append(*list, json_array_get(job[j].runs, 0));
		json_decref(job[j].runs);
	}
	return 0;
}

json_t *jobs_run(const struct jobs *jobs)
{
	size_t room = 1;
	for (size_t p = 0; p < jobs->count; p++)
		room += jobs->plans[p]->run_count;
	auto_free struct job *job = calloc(room, sizeof(*job));
	auto_free struct job_item *item = calloc(room, sizeof(*item));
	auto_free json_t **runs = calloc(jobs->count + 1, sizeof(json_t *));
	auto_free json_t **boundaries = calloc(jobs->count + 1, sizeof(json_t *));
	if (!job || !item || !runs || !boundaries)
		return NULL;
	size_t count = jobs_split(jobs, job, item);
	run_all(jobs, job, count);
	for (size_t p = 0; p < jobs->count; p++)
		runs[p] = jobs_gather(jobs->plans[p], p, job, count);
	for (size_t j = 0; j < count; j++)
		json_decref(job[j].runs);
	int r = jobs->locate ? run_boundaries(jobs, runs, boundaries, room) : 0;
	json_t *all = json_array();
	for (size_t p = 0; p < jobs->count; p++) {
		json_t *scenario = judge_scenario(jobs->plans[p], runs[p]);
		if (judge_boundaries(scenario, boundaries[p]) < 0)
			r = -ENOMEM;
		json_array_append_new(all, scenario);
	}
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}
