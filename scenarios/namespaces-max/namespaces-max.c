// SPDX-License-Identifier: MIT
/*
 * Too many namespaces. inc_ucount() counts them by user, each kind by itself, against user.max_*_namespaces, and says
 * ENOSPC: "No space left on device". No disk is involved, and root is not exempt.
 */
#include <errno.h>
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
	fputs("usage: namespaces-max clone|unshare user|uts|ipc --namespaces N [--reap | --again]\n", stderr);
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
	if (strcmp(kind, "uts") == 0)
		return CLONE_NEWUTS;
	if (strcmp(kind, "ipc") != 0)
		usage();
	return CLONE_NEWIPC;
}

/* A namespace lives for as long as somebody lives in it. 0, or -1 and errno */
static int start(const char *how, int flag)
{
	char c;
	if (strcmp(how, "unshare") == 0)
		return unshare(flag);
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
						{0}};
	size_t namespaces = 0, done;
	int reap_first = 0, again = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			namespaces = number(optarg);
		else if (option == 'r')
			reap_first = again = 1;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 2 != argc || namespaces == 0 || pipe(door) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0);
	int flag = flag_of(argv[optind + 1]);
	for (done = 0; done < namespaces && !refused; done += !refused) {
		refused = start(argv[optind], flag);
		if (refused && again) {
			perror(argv[optind]);
			if (reap_first) {
				reap();
				refused = pipe(door);
			}
			again = 0;
			refused = start(argv[optind], flag);
		}
	}
	if (refused)
		perror(argv[optind]);
	printf("%zu of %zu namespaces made\n", done, namespaces);
	reap();
	return refused ? 1 : 0;
}
