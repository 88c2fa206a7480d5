// SPDX-License-Identifier: MIT
/*
 * Starting the program, or coming to one that runs, and leaving. Signals of the terminal go to the program by
 * themselves, and those that are sent to us are handed on. See why.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "clock.h"
#include "filter.h"
#include "number.h"
#include "say.h"
#include "why.h"

/* As env(1) has them. */
#define EXIT_NOT_WATCHED    125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127

#define DETACH_TIMEOUT_NS   2000000000ULL

static volatile sig_atomic_t stop, ended;
static volatile pid_t program;

/* --- signals ----------------------------------------------------------------------------------------------------- */

/* One that comes between a look at `stop` and the wait would be lost: an alarm repeats it. */
static void ask_to_stop(void)
{
	const struct itimerval again = {{0, 50000}, {0, 50000}};
	stop = 1;
	(void)setitimer(ITIMER_REAL, &again, NULL);
}

/* The terminal sends to the whole foreground: the program has it already. An alarm that was set before is the
 * program's.
 */
static void hand_on(int signal, siginfo_t *info, void *context)
{
	int saved = errno;
	(void)context;
	if (ended)
		ask_to_stop();
	else if ((info->si_code != SI_KERNEL || signal == SIGALRM) && program > 0)
		(void)kill(program, signal);
	errno = saved;
}

static void on_stop(int signal, siginfo_t *info, void *context)
{
	int saved = errno;
	(void)signal;
	(void)info;
	(void)context;
	ask_to_stop();
	errno = saved;
}

static void handle(const int *signals, size_t count, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	(void)sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < count; i++)
		(void)sigaction(signals[i], &action, NULL);
}

/* What bounds the program shall not bound who looks at it more than need be. */
static void raise_own_limits(void)
{
	for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;
		if (i == RLIMIT_CORE || getrlimit(i, &limit) < 0)
			continue;
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(i, &limit);
	}
}

/* --- launching --------------------------------------------------------------------------------------------------- */

struct failure {
	enum { FAILED_FILTER, FAILED_EXEC } step;
	int error;
};

struct launch {
	int filter_fd; /* -1: every call stops */
	int gate[2], report[2];
	unsigned closed_streams;
};

/* Handled here; the program gets them as they were. */
static const int handed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};
static struct sigaction before[ARRAY_SIZE(handed_on)];

static void become_program(const struct why *w, const struct launch *l)
{
	char byte;
	ssize_t word;
	struct failure failure = {.step = FAILED_FILTER};
	(void)close(l->gate[1]);
	do
		word = read(l->gate[0], &byte, 1);
	while (word < 0 && errno == EINTR);
	if (word != 1) /* nobody will watch */
		_exit(EXIT_NOT_WATCHED);
	int r = l->filter_fd < 0 ? 0 : filter_load_watching(l->filter_fd);
	failure.error = -r;
	if (r == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
			(void)sigaction(handed_on[i], &before[i], NULL);
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			if (l->closed_streams >> fd & 1)
				(void)close(fd);
		(void)execvp(w->argv[0], w->argv);
		failure = (struct failure){FAILED_EXEC, errno};
	}
	(void)!write(l->report[1], &failure, sizeof(failure));
	_exit(failure.error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int say_not_watched(int error)
{
	(void)say_error(error, "the program cannot be watched");
	say_hint("ptrace must be permitted: not in a container without it, nor under another tracer; enomem doctor");
	return EXIT_NOT_WATCHED;
}

/* The child waits at the gate until it is followed. */
static int start(struct why *w, struct launch *l)
{
	pid_t child = fork();
	if (child == 0)
		become_program(w, l);
	int error = errno;
	closep(&l->gate[0]);
	closep(&l->report[1]);
	l->gate[0] = l->report[1] = -1;
	if (child < 0) {
		(void)say_error(error, "%s: no process could be started for it", w->argv[0]);
		say_hint("enomem triage %d", getpid());
		return EXIT_NOT_WATCHED;
	}
	int r = follow_child(w->follow, child);
	if (r == 0) {
		w->root = program = child;
		raise_own_limits();
		(void)!write(l->gate[1], "", 1);
	}
	closep(&l->gate[1]);
	l->gate[1] = -1;
	if (r < 0) {
		(void)kill(child, SIGKILL);
		(void)waitpid(child, NULL, 0);
		return say_not_watched(r);
	}
	return 0;
}

/* As the shell would say it. */
static int say_not_started(const struct why *w, const struct failure *failure)
{
	(void)say_error(failure->error, "%s: cannot be executed", w->argv[0]);
	return failure->error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

/* The program ended, but not what it left behind: that runs with our filter, and not without us. */
static void on_root_ended(struct follow_process *p, bool let_go, int status, void *data)
{
	struct why *w = data;
	bool was = w->root_ended;
	why_handlers.ended(p, let_go, status, data);
	if (!was && w->root_ended)
		ended = 1;
}

static int watch(struct why *w, const struct launch *l, struct failure *ret)
{
	int r = follow_run(w->follow, &stop);
	w->interrupted = r == -EINTR;
	w->duration_ns = clock_now_ns() - w->budget.begin_ns;
	if (w->started)
		return r < 0 && r != -EINTR ? say_not_watched(r) : 0;
	if (read(l->report[0], ret, sizeof(*ret)) == (ssize_t)sizeof(*ret))
		return -1;
	(void)say_error(0, "%s: it ended before it was started", w->argv[0]);
	return EXIT_NOT_WATCHED;
}

static int launch_once(struct why *w, struct launch *l, struct failure *ret)
{
	struct follow_handlers handlers = why_handlers;
	handlers.ended = on_root_ended;
	l->gate[0] = l->gate[1] = l->report[0] = l->report[1] = -1;
	w->filtered = l->filter_fd >= 0;
	w->budget.begin_ns = clock_now_ns();
	int r = follow_new(&handlers, w, w->filtered, &w->follow);
	if (r == 0 && (pipe2(l->gate, O_CLOEXEC) < 0 || pipe2(l->report, O_CLOEXEC) < 0))
		r = -errno;
	if (r < 0) {
		(void)say_error(r, "the program cannot be watched");
		r = EXIT_NOT_WATCHED;
	} else {
		r = start(w, l);
	}
	if (r == 0)
		r = watch(w, l, ret);
	for (unsigned i = 0; i < 2; i++) {
		closep(&l->gate[i]);
		closep(&l->report[i]);
	}
	return r;
}

int why_launch(struct why *w, unsigned closed_streams)
{
	struct launch l = {.filter_fd = -1, .closed_streams = closed_streams};
	struct failure failure = {FAILED_EXEC, 0};
	for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
		(void)sigaction(handed_on[i], NULL, &before[i]);
	(void)filter_build_watching(&l.filter_fd);
	handle(handed_on, ARRAY_SIZE(handed_on), hand_on);
	int r = launch_once(w, &l, &failure);
	/* Where no filter may be loaded there is the way without. */
	if (r < 0 && failure.step == FAILED_FILTER && l.filter_fd >= 0) {
		follow_free(w->follow);
		w->follow = NULL;
		closep(&l.filter_fd);
		l.filter_fd = -1;
		r = launch_once(w, &l, &failure);
	}
	closep(&l.filter_fd);
	return r < 0 ? say_not_started(w, &failure) : r;
}

/* --- attaching --------------------------------------------------------------------------------------------------- */

static int say_not_attached(pid_t pid, int error)
{
	if (error == -ESRCH)
		(void)say_error(error, "%d: there is no such process, or it has ended", pid);
	else
		(void)say_error(error, "%d: it cannot be attached to", pid);
	if (error == -EPERM)
		say_hint("another user's, traced already, or kernel.yama.ptrace_scope forbids it: try as root");
	return error == -ESRCH ? EXIT_USAGE : EXIT_BROKEN;
}

int why_attach(struct why *w, pid_t pid, uint64_t for_ns)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGALRM};
	uint64_t us = for_ns / 1000;
	const struct itimerval timer = {{0, 50000}, {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)}};
	w->root = pid;
	w->started = true;
	w->budget.begin_ns = clock_now_ns();
	handle(ends, ARRAY_SIZE(ends), on_stop);
	raise_own_limits();
	int r = follow_new(&why_handlers, w, false, &w->follow);
	if (r < 0)
		return say_not_attached(pid, r);
	(void)why_scene_enter(&w->scene, pid);
	r = follow_attach(w->follow, pid);
	if (r < 0)
		return say_not_attached(pid, r);
	if (for_ns)
		(void)setitimer(ITIMER_REAL, &timer, NULL);
	r = follow_run(w->follow, &stop);
	w->interrupted = r == -EINTR;
	follow_detach(w->follow, DETACH_TIMEOUT_NS);
	w->duration_ns = clock_now_ns() - w->budget.begin_ns;
	return r < 0 && r != -EINTR ? say_not_attached(pid, r) : 0;
}
