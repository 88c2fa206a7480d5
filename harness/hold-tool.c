// SPDX-License-Identifier: MIT
/*
 * The keeper and the tool. See hold-tool.h.
 */
#include "hold-tool.h"
#include "procfs.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "cleanup.h"
#include "clock.h"

#define END_TIMEOUT_NS 5000000000ULL
#define KEEPER_FILES   4096
#define KEEPER_POLL_MS 200
#define WAKE_MS        100
#define GRACE_NS       1000000000ULL

/* What the harness says to the keeper. */
#define HOLD_END       'e'
#define HOLD_TERMINATE 't'

struct result {
	bool ended;
	int error, status;
};

/* --- the keeper's side ------------------------------------------------------------------------------------------- */

static void kill_children(void)
{
	pid_t self = getpid();
	auto_closedir DIR *d = opendir("/proc");
	struct dirent *entry;
	while (d && (entry = readdir(d))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;
		if (pid > 1 && procfs_parent_of(pid) == self)
			(void)kill(pid, SIGKILL);
	}
}

/* Whose parent is killed becomes our child: in the end all of them do. */
static void end_descendants(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	uint64_t begin = clock_now_ns();
	while (clock_now_ns() - begin < END_TIMEOUT_NS) {
		pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);
		if (pid < 0 && errno == ECHILD)
			return;
		if (pid > 0)
			continue;
		kill_children();
		(void)nanosleep(&pause, NULL);
	}
}

static void become_unprotected(void)
{
	auto_close int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)!write(fd, "0", 1);
}

_Noreturn static void become_tool(const struct hold_tool *t, int out_fd, int error_fd)
{
	static const int usual[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		(void)signal(usual[i], SIG_DFL);
	(void)sched_setaffinity(0, sizeof(*t->cpus), t->cpus);
	if (t->unprotected)
		become_unprotected();
	if (out_fd >= 0)
		(void)dup2(out_fd, STDOUT_FILENO);
	if (t->kept_fd >= 0)
		(void)fcntl(t->kept_fd, F_SETFD, 0);
	(void)execvpe(t->argv[0], t->argv, t->envp);
	int error = errno;
	(void)!write(error_fd, &error, sizeof(error));
	_exit(127);
}

enum life { LIFE_GOES_ON, LIFE_ENDS, LIFE_HARNESS_DIED };

static enum life hear(int life_fd, pid_t tool)
{
	char word;
	ssize_t n = read(life_fd, &word, 1);
	if (n == 0)
		return LIFE_HARNESS_DIED;
	if (n == 1 && word == HOLD_TERMINATE && tool > 1)
		(void)kill(tool, SIGTERM);
	return n == 1 && word == HOLD_END ? LIFE_ENDS : LIFE_GOES_ON;
}

/* Until the tool has ended (true), or somebody wants it to. */
static bool wait_for_tool(const struct hold_tool *t, pid_t tool, int life_fd, int *ret_status, enum life *ret_life)
{
	const pid_t harness = getppid();
	auto_close int pidfd = (int)syscall(SYS_pidfd_open, tool, 0);
	for (;;) {
		struct pollfd fds[] = {{.fd = life_fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};
		pid_t pid;
		while ((pid = waitpid(-1, ret_status, WNOHANG | __WALL)) > 0)
			if (pid == tool)
				return true;
		(void)poll(fds, ARRAY_SIZE(fds), KEEPER_POLL_MS);
		/* A tool may have stopped the harness, and go on doing so: then its time is over all the same. */
		if (clock_ns(CLOCK_BOOTTIME) > t->deadline_ns + GRACE_NS) {
			if (getppid() == harness)
				(void)kill(harness, SIGCONT);
			*ret_life = LIFE_ENDS;
			return false;
		}
		if (fds[0].revents)
			*ret_life = hear(life_fd, tool);
		if (*ret_life != LIFE_GOES_ON)
			return false;
	}
}

/* Whatever the harness has open is none of ours: the journal's lock above all. */
static void close_others(const int *kept, size_t count)
{
	for (int fd = STDERR_FILENO + 1; fd < KEEPER_FILES; fd++) {
		bool keep = false;
		for (size_t i = 0; i < count; i++)
			keep |= kept[i] == fd;
		if (!keep)
			(void)close(fd);
	}
}

_Noreturn static void keep(const struct hold_tool *t, int life_fd, int result_fd, int out_fd)
{
	static const int not_for_us[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGQUIT};
	const int kept[] = {life_fd, result_fd, out_fd, t->kept_fd, t->directory_fd};
	struct result result = {0};
	enum life life = LIFE_GOES_ON;
	const pid_t harness = getppid();
	int error_pipe[2];
	for (size_t i = 0; i < ARRAY_SIZE(not_for_us); i++)
		(void)signal(not_for_us[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "enomem-keeper");
	(void)prctl(PR_SET_DUMPABLE, 0); /* a copy of all that the harness knows */
	/* A tool may have stopped us: then we would never hear that the harness has died. */
	(void)prctl(PR_SET_PDEATHSIG, SIGCONT);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	close_others(kept, ARRAY_SIZE(kept));
	pid_t tool = pipe2(error_pipe, O_CLOEXEC) < 0 ? -1 : fork();
	if (tool == 0)
		become_tool(t, out_fd, error_pipe[1]);
	if (tool < 0) {
		result.error = errno;
		result.ended = true;
	} else {
		(void)close(error_pipe[1]);
		if (read(error_pipe[0], &result.error, sizeof(result.error)) != (ssize_t)sizeof(result.error))
			result.error = 0;
		result.ended = wait_for_tool(t, tool, life_fd, &result.status, &life);
	}
	end_descendants();
	if (life == LIFE_ENDS)
		(void)kill(harness, SIGCONT); /* once more, when there is nobody left to stop it */
	struct pollfd more = {.fd = life_fd, .events = POLLIN};
	if (life == LIFE_GOES_ON && poll(&more, 1, 0) == 1)
		life = hear(life_fd, 0);
	if (life == LIFE_HARNESS_DIED && t->directory)
		hold_remove_directory(t->directory_fd, t->directory);
	(void)!write(result_fd, &result, sizeof(result));
	_exit(0);
}

/* --- the harness's side ------------------------------------------------------------------------------------------ */

static void close_pair(int pair[2])
{
	closep(&pair[0]);
	closep(&pair[1]);
}

int hold_tool_start(struct hold_tool *t)
{
	int life[2] = {-1, -1}, result[2] = {-1, -1}, out[2] = {-1, -1};
	t->life_fd = t->result_fd = t->out_fd = t->keeper_fd = -1;
	if (t->capture)
		t->output = malloc(HOLD_ANSWER_MAX + 1);
	hold_strays_begin(&t->strays);
	bool ready = (!t->capture || (t->output && pipe2(out, O_CLOEXEC) == 0)) && pipe2(life, O_CLOEXEC) == 0 &&
		     pipe2(result, O_CLOEXEC) == 0;
	pid_t pid = ready ? fork() : -1;
	if (pid == 0) {
		(void)close(life[1]);
		keep(t, life[0], result[1], out[1]);
	}
	int error = errno;
	if (pid < 0) {
		close_pair(life);
		close_pair(result);
		close_pair(out);
		hold_strays_end(&t->strays, false);
		hold_tool_free(t);
		return -error;
	}
	(void)close(life[0]);
	(void)close(result[1]);
	closep(&out[1]);
	if (out[0] >= 0)
		(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	t->keeper = pid;
	t->keeper_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	t->life_fd = life[1];
	t->result_fd = result[0];
	t->out_fd = out[0];
	return 0;
}

/* Read on beyond what is kept: a tool that says too much is not to be ended by a full pipe. */
static void drain(struct hold_tool *t)
{
	char rest[65536];
	while (t->out_fd >= 0) {
		size_t room = HOLD_ANSWER_MAX - t->length;
		ssize_t n = read(t->out_fd, rest, sizeof(rest));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			(void)close(t->out_fd);
			t->out_fd = -1;
			return;
		}
		size_t take = (size_t)n < room ? (size_t)n : room;
		memcpy(t->output + t->length, rest, take);
		t->length += take;
		t->too_long |= take < (size_t)n;
		if (t->too_long)
			return; /* somebody who never stops: others want to be looked at, too */
	}
}

static void take_result(struct hold_tool *t)
{
	struct result result;
	ssize_t n = read(t->result_fd, &result, sizeof(result));
	t->lost = n != (ssize_t)sizeof(result);
	t->ended = !t->lost && result.ended;
	t->error = t->lost ? 0 : result.error;
	t->status = t->lost ? 0 : result.status;
	(void)close(t->result_fd);
	t->result_fd = -1;
	drain(t);
}

void hold_tool_look(struct hold_tool *t)
{
	struct pollfd result = {.fd = t->result_fd, .events = POLLIN};
	drain(t);
	if (t->result_fd >= 0 && poll(&result, 1, 0) == 1)
		take_result(t);
}

static void tell_keeper(const struct hold_tool *t, char word)
{
	(void)!write(t->life_fd, &word, 1);
}

void hold_tool_terminate(const struct hold_tool *t)
{
	if (t->life_fd >= 0)
		tell_keeper(t, HOLD_TERMINATE);
}

static void signal_keeper(const struct hold_tool *t, int signal)
{
	if (t->keeper_fd >= 0)
		(void)syscall(SYS_pidfd_send_signal, t->keeper_fd, signal, NULL, 0);
	else if (t->keeper > 1)
		(void)kill(t->keeper, signal);
}

/* A tool may stop its keeper, and go on doing so: it is woken, and waited for no longer than what it has to do takes.
 */
static void await_result(struct hold_tool *t)
{
	const uint64_t end = clock_now_ns() + END_TIMEOUT_NS + 1000000000ULL;
	while (t->result_fd >= 0) {
		struct pollfd fds[] = {{.fd = t->result_fd, .events = POLLIN}, {.fd = t->out_fd, .events = POLLIN}};
		const bool late = clock_now_ns() >= end;
		signal_keeper(t, late ? SIGKILL : SIGCONT); /* killed, it closes its end */
		(void)poll(fds, ARRAY_SIZE(fds), WAKE_MS);
		hold_tool_look(t);
	}
}

void hold_tool_end(struct hold_tool *t)
{
	if (t->life_fd >= 0)
		tell_keeper(t, HOLD_END);
	await_result(t);
	signal_keeper(t, SIGKILL); /* it has nothing left to do, and may have been stopped once more */
	if (t->keeper > 0)
		(void)waitpid(t->keeper, NULL, 0);
	t->keeper = 0;
	hold_strays_end(&t->strays, t->lost);
	closep(&t->life_fd);
	closep(&t->out_fd);
	closep(&t->keeper_fd);
	t->life_fd = t->out_fd = t->keeper_fd = -1;
	if (t->output)
		t->output[t->length] = '\0';
}

void hold_tool_free(struct hold_tool *t)
{
	free(t->output);
	t->output = NULL;
}
