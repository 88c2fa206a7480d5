// SPDX-License-Identifier: MIT
/*
 * Too many namespaces. inc_ucount() counts them by user, each kind by itself, against user.max_*_namespaces, and says
 * ENOSPC: "No space left on device". No disk is involved, and root is not exempt. Nor may user and pid namespaces lie
 * in too many others: that limit is the kernel's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int door[2]; /* children wait at this pipe until its writing end is closed */

static void usage(void)
{
	fputs("usage: namespaces-max clone|unshare|within user|pid|uts|ipc --namespaces N [--beside] [--reap | "
	      "--again]\n",
	      stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	errno = 0;
	size_t n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		usage();
	return n;
}

static int flag_of(const char *kind)
{
	if (strcmp(kind, "user") == 0)
		return CLONE_NEWUSER;
	if (strcmp(kind, "pid") == 0)
		return CLONE_NEWPID;
	if (strcmp(kind, "uts") == 0)
		return CLONE_NEWUTS;
	if (strcmp(kind, "ipc") != 0)
		usage();
	return CLONE_NEWIPC;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	ssize_t n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

/* One in another. Who has no id in his user namespace may make none; a pid namespace is that of children. */
static int start_within(int flag)
{
	int status = 0;
	if (unshare(flag) < 0)
		return -1;
	if (flag == CLONE_NEWUSER)
		return write_file("/proc/self/setgroups", "deny") || write_file("/proc/self/uid_map", "0 0 1") ||
		       write_file("/proc/self/gid_map", "0 0 1");
	pid_t pid = fork();
	if (pid > 0)
		exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 2);
	return pid;
}

/* A namespace lives for as long as somebody lives in it. 0, or -1 and errno */
static int start(const char *how, int flag)
{
	char c;
	if (strcmp(how, "unshare") == 0)
		return unshare(flag);
	if (strcmp(how, "within") == 0)
		return start_within(flag);
	if (strcmp(how, "clone") != 0)
		usage();
	pid_t pid = syscall(SYS_clone, flag | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0) {
		close(door[1]);
		while (read(door[0], &c, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	return pid < 0 ? -1 : 0;
}

static void reap(void)
{
	close(door[1]);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"namespaces", required_argument, NULL, 'n'},
						{"reap", no_argument, NULL, 'r'},
						{"again", no_argument, NULL, 'a'},
						{"beside", no_argument, NULL, 'b'},
						{0}};
	size_t namespaces = 0, done;
	int reap_first = 0, again = 0, beside = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			namespaces = number(optarg);
		else if (option == 'r')
			reap_first = again = 1;
		else if (option == 'a')
			again = 1;
		else if (option == 'b')
			beside = 1;
		else
			usage();
	}
	if (optind + 2 != argc || namespaces == 0 || pipe(door) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0);
	int flag = flag_of(argv[optind + 1]);
	const char *how = beside ? "clone" : argv[optind];
	for (done = 0; done < namespaces && !refused; done += !refused) {
		refused = start(how, flag);
		if (refused && again) {
			perror(how);
			if (reap_first) {
				reap();
				refused = pipe(door);
			}
			again = 0;
			refused = start(how, flag);
		}
	}
	if (refused)
		perror(how);
	printf("%zu of %zu namespaces made\n", done, namespaces);
	reap();
	return refused ? 1 : 0;
}
