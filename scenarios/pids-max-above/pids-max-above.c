// SPDX-License-Identifier: MIT
/*
 * A pids.max that is not one's own group's. pids_can_fork() asks every group from the task's own up to the root and
 * says EAGAIN for the first that is full; which of the two groups counts the refusal depends on the kernel.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int door[2]; /* children wait at this pipe until its writing end is closed */

static void usage(void)
{
	fputs("usage: pids-max-above --tasks N\n", stderr);
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

static void child(void)
{
	char c;
	close(door[1]);
	while (read(door[0], &c, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"tasks", required_argument, NULL, 't'}, {0}};
	size_t tasks = 0, done = 0;
	int option, refused = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 't')
			usage();
		tasks = number(optarg);
	}
	if (optind != argc || tasks == 0 || pipe(door) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	while (done < tasks && !refused) {
		pid_t pid = fork();
		if (pid == 0)
			child();
		refused = pid < 0;
		done += !refused;
	}
	if (refused)
		perror("fork");
	printf("%zu of %zu started\n", done, tasks);
	close(door[1]);
	while (wait(NULL) > 0)
		;
	return refused ? 1 : 0;
}
