// SPDX-License-Identifier: MIT
/*
 * More tasks than there may be. Every one needs a number of its own, and kernel.pid_max ends the numbers: alloc_pid()
 * hands out those below it, one after the other, and once it has come around leaves out the first 300. When all are in
 * use it says EAGAIN, to root as well. The limit is the machine's; since Linux 6.14 each pid namespace has one besides,
 * and a task takes a number in every namespace from its own up. kernel.threads-max bounds the tasks of the whole
 * machine, the kernel's own among them; copy_process() asks that first. With --lower pid_max is set below numbers in
 * use when all tasks but four are there: they live on.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_BYTES (64 * 1024UL)
#define STILL_ASKED 4

static int door[2]; /* tasks wait at this pipe until its writing end is closed */

static void usage(void)
{
	fputs("usage: pid-max fork|thread --tasks N [--lower PID_MAX] [--reap | --again]\n", stderr);
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

static void *wait_at_door(void *unused)
{
	char c;
	while (read(door[0], &c, 1) < 0 && errno == EINTR)
		;
	return unused;
}

/* One more task: 0, or -1 and errno */
static int start(const char *how, pthread_attr_t *small)
{
	pthread_t t;
	if (strcmp(how, "thread") == 0)
		return (errno = pthread_create(&t, small, wait_at_door, NULL)) ? -1 : 0;
	if (strcmp(how, "fork") != 0)
		usage();
	pid_t pid = fork();
	if (pid == 0) {
		close(door[1]);
		wait_at_door(NULL);
		_exit(0);
	}
	return pid < 0 ? -1 : 0;
}

/* Open the door and wait for every child: a task counts until it has been waited for. */
static void reap(void)
{
	close(door[1]);
	while (wait(NULL) > 0)
		;
}

static void lower(size_t pid_max)
{
	FILE *f = fopen("/proc/sys/kernel/pid_max", "w");
	if (!f || fprintf(f, "%zu", pid_max) < 0 || fclose(f)) {
		perror("pid_max");
		exit(3);
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"tasks", required_argument, NULL, 't'},
						{"reap", no_argument, NULL, 'r'},
						{"again", no_argument, NULL, 'a'},
						{"lower", required_argument, NULL, 'l'},
						{0}};
	size_t tasks = 0, pid_max = 0, done;
	int reap_first = 0, again = 0, refused = 0, option;
	pthread_attr_t small;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			tasks = number(optarg);
		else if (option == 'l')
			pid_max = number(optarg);
		else if (option == 'r')
			reap_first = 1;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || tasks == 0 || pipe(door) < 0 || pthread_attr_init(&small) ||
	    pthread_attr_setstacksize(&small, STACK_BYTES))
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (done = 0; done < tasks && !refused; done += !refused) {
		if (pid_max && done + STILL_ASKED == tasks)
			lower(pid_max);
		refused = start(argv[optind], &small);
		if (refused && reap_first) {
			perror(argv[optind]);
			reap();
			printf("%zu were started; all waited for, asking again\n", done);
			reap_first = 0;
			refused = pipe(door) < 0 ? -1 : start(argv[optind], &small);
			tasks = done + 1;
		} else if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(argv[optind]);
			again = 0;
			refused = start(argv[optind], &small);
		}
	}
	if (refused)
		perror(argv[optind]);
	printf("%s: %zu of %zu started\n", argv[optind], done, tasks);
	reap();
	return refused ? 1 : 0;
}
