// SPDX-License-Identifier: MIT
/*
 * Starting a program that is followed. Signals of the terminal go to the program by themselves, and those that are sent
 * to us are handed on. See launch.h.
 */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "filter.h"
#include "say.h"

volatile sig_atomic_t launch_stop, launch_signal;
static volatile sig_atomic_t ended;
static volatile pid_t program;

/* --- signals ----------------------------------------------------------------------------------------------------- */

/* One that comes between a look at `launch_stop` and the wait would be lost: an alarm repeats it. */
static void ask_to_stop(void)
{
	const struct itimerval again = {{0, 50000}, {0, 50000}};
	launch_stop = 1;
	(void)setitimer(ITIMER_REAL, &again, NULL);
}

static struct launch_sender sender;

const struct launch_sender *launch_sender(void)
{
	return &sender;
}

/* "/proc/PID/comm", by what a signal handler may call. */
static void read_sender(pid_t pid, char ret[sizeof(sender.comm)])
{
	char name[40] = "/proc/", digits[16];
	size_t length = strlen(name), count = 0;
	for (unsigned rest = (unsigned)pid; rest || count == 0; rest /= 10)
		digits[count++] = (char)('0' + rest % 10);
	while (count > 0)
		name[length++] = digits[--count];
	(void)strcpy(name + length, "/comm");
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, sizeof(sender.comm) - 1);
	if (fd >= 0)
		(void)close(fd);
	ret[n > 0 ? n : 0] = '\0';
	if (n > 0 && ret[n - 1] == '\n')
		ret[n - 1] = '\0';
}

/* Before it is handed on: who follows the program finds us as its sender. */
static void note_sender(int signal, const siginfo_t *info)
{
	bool named = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE;
	sender.signal = signal;
	sender.pid = named ? info->si_pid : 0;
	sender.uid = named ? info->si_uid : 0;
	if (named)
		read_sender(info->si_pid, sender.comm);
}

/* The terminal sends to the whole foreground: the program has it already. An alarm that was set before is the
 * program's.
 */
static void hand_on(int signal, siginfo_t *info, void *context)
{
	int saved = errno;
	(void)context;
	if (ended) {
		ask_to_stop();
	} else if ((info->si_code != SI_KERNEL || signal == SIGALRM) && program > 0) {
		note_sender(signal, info);
		(void)kill(program, signal);
	}
	errno = saved;
}

static void on_stop(int signal, siginfo_t *info, void *context)
{
	int saved = errno;
	if (signal != SIGALRM)
		launch_signal = signal;
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

void launch_stop_on(const int *signals, size_t count)
{
	handle(signals, count, on_stop);
}

void launch_program_ended(void)
{
	ended = 1;
}

void launch_raise_own_limits(void)
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

struct start {
	int filter_fd; /* -1: every call stops */
	int gate[2], report[2];
};

/* Handled here; the program gets them as they were. */
static const int handed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};
static struct sigaction before[ARRAY_SIZE(handed_on)];

/* No terminal to ask, and no group of ours to be signalled by. */
static void stand_apart(void)
{
	int null = open("/dev/null", O_RDWR);
	(void)setsid();
	for (int fd = 0; fd <= STDERR_FILENO && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

static void become_program(const struct launch *l, const struct start *s)
{
	char byte;
	ssize_t word;
	struct failure failure = {.step = FAILED_FILTER};
	(void)close(s->gate[1]);
	do
		word = read(s->gate[0], &byte, 1);
	while (word < 0 && errno == EINTR);
	if (word != 1) /* nobody will watch */
		_exit(EXIT_NOT_WATCHED);
	int r = s->filter_fd < 0 ? 0 : filter_load_watching(s->filter_fd);
	failure.error = -r;
	if (r == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(handed_on); i++)
			(void)sigaction(handed_on[i], &before[i], NULL);
		for (int fd = 0; fd <= STDERR_FILENO; fd++)
			if (l->closed_streams >> fd & 1)
				(void)close(fd);
		if (l->apart)
			stand_apart();
		(void)execvp(l->argv[0], l->argv);
		failure = (struct failure){FAILED_EXEC, errno};
	}
	(void)!write(s->report[1], &failure, sizeof(failure));
	_exit(failure.error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

static int say_not_watched(int error)
{
	(void)say_error(error, "the program cannot be watched");
	say_hint("ptrace must be permitted: not in a container without it, nor under another tracer; enomem doctor");
	return EXIT_NOT_WATCHED;
}

/* It may be traced already, and stop once more on its way out. */
static void end_child(pid_t child)
{
	int status = 0;
	(void)kill(child, SIGKILL);
	while (waitpid(child, &status, 0) == child && WIFSTOPPED(status))
		(void)ptrace(PTRACE_CONT, child, NULL, NULL);
}

/* The child waits at the gate until it is followed. */
static int start(struct launch *l, struct start *s)
{
	pid_t child = fork();
	if (child == 0)
		become_program(l, s);
	int error = errno;
	closep(&s->gate[0]);
	closep(&s->report[1]);
	s->gate[0] = s->report[1] = -1;
	if (child < 0) {
		(void)say_error(error, "%s: no process could be started for it", l->argv[0]);
		say_hint("enomem triage %d", getpid());
		return EXIT_NOT_WATCHED;
	}
	int r = follow_child(l->follow, child);
	if (r == 0) {
		l->root = program = child;
		if (l->begin)
			l->begin(l);
		launch_raise_own_limits();
		(void)!write(s->gate[1], "", 1);
	}
	closep(&s->gate[1]);
	s->gate[1] = -1;
	if (r < 0) {
		end_child(child);
		return say_not_watched(r);
	}
	return 0;
}

/* As the shell would say it. */
static int say_not_started(const struct launch *l, const struct failure *failure)
{
	(void)say_error(failure->error, "%s: cannot be executed", l->argv[0]);
	return failure->error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

static int watch(struct launch *l, const struct start *s, struct failure *ret)
{
	int r = follow_run(l->follow, &launch_stop);
	l->interrupted = r == -EINTR;
	if (follow_has_started(l->follow))
		return r < 0 && r != -EINTR ? say_not_watched(r) : 0;
	if (l->interrupted) { /* it may still wait, and would be waited for */
		(void)say_error(EINTR, "%s: it was not started", l->argv[0]);
		return EXIT_NOT_WATCHED;
	}
	if (read(s->report[0], ret, sizeof(*ret)) == (ssize_t)sizeof(*ret))
		return -1;
	(void)say_error(0, "%s: it ended before it was started", l->argv[0]);
	return EXIT_NOT_WATCHED;
}

static int launch_once(struct launch *l, struct start *s, struct failure *ret)
{
	s->gate[0] = s->gate[1] = s->report[0] = s->report[1] = -1;
	l->filtered = s->filter_fd >= 0;
	int r = follow_new(l->handlers, l->data, l->filtered, &l->follow);
	if (r == 0 && (pipe2(s->gate, O_CLOEXEC) < 0 || pipe2(s->report, O_CLOEXEC) < 0))
		r = -errno;
	if (r < 0) {
		(void)say_error(r, "the program cannot be watched");
		r = EXIT_NOT_WATCHED;
	} else {
		follow_from(l->follow, l->from);
		r = start(l, s);
	}
	if (r == 0)
		r = watch(l, s, ret);
	for (unsigned i = 0; i < 2; i++) {
		closep(&s->gate[i]);
		closep(&s->report[i]);
	}
	return r;
}

int launch_run(struct launch *l)
{
	struct start s = {.filter_fd = -1};
	struct failure failure = {FAILED_EXEC, 0};
	static bool handled;
	for (size_t i = 0; i < ARRAY_SIZE(handed_on) && !handled; i++)
		(void)sigaction(handed_on[i], NULL, &before[i]);
	handled = true;
	ended = 0;
	(void)filter_build_watching(&s.filter_fd);
	handle(handed_on, ARRAY_SIZE(handed_on), l->apart ? on_stop : hand_on);
	int r = launch_once(l, &s, &failure);
	/* Where no filter may be loaded there is the way without. */
	if (r < 0 && failure.step == FAILED_FILTER && s.filter_fd >= 0) {
		follow_free(l->follow);
		l->follow = NULL;
		closep(&s.filter_fd);
		s.filter_fd = -1;
		r = launch_once(l, &s, &failure);
	}
	closep(&s.filter_fd);
	return r < 0 ? say_not_started(l, &failure) : r;
}
