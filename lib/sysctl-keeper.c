// SPDX-License-Identifier: MIT
/*
 * The keeper: a process that outlives a killed harness just long enough to write the old values back. When it is
 * needed, the machine may refuse to fork, to map and to open, so it has every file open and every buffer touched before
 * a value changes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "journal-internal.h"

/* Where the keeper's descriptors end up; everything from FD_OTHERS on is closed. */
enum { FD_PIPE = 3, FD_LOCK, FD_JOURNAL, FD_PARENT, FD_OTHERS };

/* The keeper's own: nothing here is used by the process that forks it. */
static struct keeper_message packet;
static struct {
	int fd;
	char name[128], old_value[SYSCTL_VALUE_MAX];
} held[SYSCTL_CHANGES_MAX];
static unsigned held_count;
static char journal_text[JOURNAL_LINE_MAX];
static char now[4096];

/* As a session does: only where it differs, for half of a pair may be right already. */
static int write_back(int fd, const char *old_value)
{
	ssize_t n = pread(fd, now, sizeof(now) - 1, 0);
	now[n > 0 ? n : 0] = '\0';
	return n > 0 && sysctl_same_value(now, old_value) ? 0 : sysctl_write_fd(fd, old_value);
}

static void restore_all(void)
{
	for (unsigned i = 0; i < held_count; i++) {
		if (sysctl_lifts_commit_limit(held[i].name, held[i].old_value))
			(void)write_back(held[i].fd, held[i].old_value); /* noted below */
	}
	while (held_count > 0) {
		held_count--;
		if (write_back(held[held_count].fd, held[held_count].old_value) < 0)
			continue; /* recover finds it in the journal */
		int n = journal_format_line(journal_text, sizeof(journal_text), JOURNAL_RESTORED, held[held_count].name,
					    "", "");
		if (n > 0 && write(FD_JOURNAL, journal_text, (size_t)n) == n)
			(void)fdatasync(FD_JOURNAL);
	}
}

static int hold(const struct keeper_message *m)
{
	if (held_count >= SYSCTL_CHANGES_MAX)
		return -ENOSPC;
	int r = sysctl_open(m->name, O_RDWR, &held[held_count].fd);
	if (r < 0)
		return r;
	memcpy(held[held_count].name, m->name, sizeof(m->name));
	memcpy(held[held_count].old_value, m->old_value, sizeof(m->old_value));
	held_count++;
	return 0;
}

/* One message; false when it was the goodbye. */
static bool obey(void)
{
	switch (packet.kind) {
	case KEEPER_ADD:
		packet.result = hold(&packet);
		break;
	case KEEPER_DROP:
		packet.result = held_count > 0 ? 0 : -EINVAL;
		if (held_count > 0)
			(void)close(held[--held_count].fd);
		break;
	case KEEPER_GOODBYE:
	case KEEPER_READY:
		packet.result = 0;
		break;
	}
	(void)send(FD_PIPE, &packet, sizeof(packet), MSG_NOSIGNAL);
	return packet.kind != KEEPER_GOODBYE;
}

/* A child that the harness forked and did not exec may hold its end of the pipe open: watch the harness itself as well.
 */
static void serve(void)
{
	struct pollfd p[2] = {{.fd = FD_PIPE, .events = POLLIN}, {.fd = FD_PARENT, .events = POLLIN}};
	if (fcntl(FD_PARENT, F_GETFD) < 0)
		p[1].fd = -1; /* no pidfd before 5.3 */
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[0].revents) {
			ssize_t n = recv(FD_PIPE, &packet, sizeof(packet), MSG_DONTWAIT);
			if (n == (ssize_t)sizeof(packet)) {
				if (!obey())
					return;
				continue;
			}
			if (n >= 0 || (errno != EINTR && errno != EAGAIN))
				break;
		}
		if (p[1].revents)
			break;
	}
	restore_all();
	/* For every process that shares it: such a child of the harness must not keep others out. */
	(void)flock(FD_LOCK, LOCK_UN);
}

/* Move a descriptor to its place without stepping on another one that is still to be moved. */
static void arrange_descriptors(int pipe, int lock, int journal, int parent)
{
	const int from[] = {pipe, lock, journal, parent};
	int high[ARRAY_SIZE(from)];
	for (unsigned i = 0; i < ARRAY_SIZE(from); i++)
		high[i] = from[i] >= 0 ? fcntl(from[i], F_DUPFD, FD_OTHERS) : -1;
	for (unsigned i = 0; i < ARRAY_SIZE(from); i++) {
		if (high[i] < 0 || dup2(high[i], FD_PIPE + (int)i) < 0)
			(void)close(FD_PIPE + (int)i);
	}
	if (syscall(SYS_close_range, FD_OTHERS, ~0U, 0) < 0) { /* before 5.9 */
		long open_max = sysconf(_SC_OPEN_MAX);
		for (long fd = FD_OTHERS; fd < open_max; fd++)
			(void)close((int)fd);
	}
	int null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < 3; fd++) {
		if (null < 0 || dup2(null, fd) < 0)
			(void)close(fd);
	}
	if (null > 2)
		(void)close(null);
}

static void __attribute__((noreturn)) keeper_main(int pipe, int lock, const char *journal_path, pid_t harness)
{
	const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGTSTP};
	(void)setsid();
	for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)prctl(PR_SET_NAME, "enomem-keeper");
	int parent = (int)syscall(SYS_pidfd_open, harness, 0);
	/* Not the harness's own descriptor: its lock on the journal has to end with it. */
	int journal = open(journal_path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	arrange_descriptors(pipe, lock, journal, parent);
	/* A page that is written for the first time after a fork has to be copied: do it now. */
	memset(held, 0, sizeof(held));
	memset(journal_text, 0, sizeof(journal_text));
	memset(now, 0, sizeof(now));
	packet = (struct keeper_message){.kind = KEEPER_READY, .result = getpid()};
	held_count = 0;
	if (send(FD_PIPE, &packet, sizeof(packet), MSG_NOSIGNAL) > 0)
		serve();
	_exit(0);
}

/* Forked twice, so that nobody who waits for any child of the harness meets it. */
static void start_detached(int pipe, int lock, const char *journal_path, pid_t harness)
{
	pid_t keeper = fork();
	if (keeper == 0)
		keeper_main(pipe, lock, journal_path, harness);
	_exit(keeper < 0 ? errno : 0);
}

int keeper_start(int lock_fd, const char *journal_path, pid_t *ret_pid, int *ret_pipe)
{
	struct keeper_message ready;
	int pair[2], status;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	auto_close int ours = pair[0];
	pid_t harness = getpid(), between = fork();
	if (between == 0)
		start_detached(pair[1], lock_fd, journal_path, harness);
	int r = between < 0 ? -errno : 0;
	(void)close(pair[1]);
	if (r < 0)
		return r;
	while (waitpid(between, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
	if (recv(ours, &ready, sizeof(ready), 0) != (ssize_t)sizeof(ready) || ready.kind != KEEPER_READY)
		return -EPIPE;
	*ret_pid = ready.result;
	*ret_pipe = steal_fd(ours);
	return 0;
}

int keeper_tell(int pipe, const struct keeper_message *message)
{
	struct keeper_message answer;
	ssize_t n;
	if (send(pipe, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		return -errno;
	do
		n = recv(pipe, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(answer) && answer.kind == message->kind ? answer.result : -EPIPE;
}
