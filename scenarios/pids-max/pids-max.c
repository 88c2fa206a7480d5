// SPDX-License-Identifier: MIT
/*
 * A pids cgroup that is full. pids_can_fork() counts tasks: processes, threads and zombies nobody has waited for. It
 * refuses with EAGAIN, whatever the way to make a task; popen() reports it as ENOMEM.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TASKS_MAX = 64 };

static int door[2]; /* children wait at this pipe until its writing end is closed */
static FILE *stream[TASKS_MAX];
static size_t streams;

static void usage(void)
{
	fputs("usage: pids-max fork|vfork|clone|thread|popen|zombies --tasks N [--reap | --again]\n", stderr);
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

static int child(pid_t pid)
{
	if (pid == 0) {
		close(door[1]);
		wait_at_door(NULL);
		_exit(0);
	}
	return pid < 0 ? -1 : 0;
}

/* The child of vfork() borrows the parent's memory and has to be gone before the parent goes on: it stays as a zombie.
 */
static int vfork_zombie(void)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int fork_zombie(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

/* One more task: 0, or -1 and errno */
static int start(const char *how)
{
	pthread_t t;
	if (strcmp(how, "fork") == 0)
		return child(fork());
	if (strcmp(how, "vfork") == 0)
		return vfork_zombie();
	if (strcmp(how, "clone") == 0)
		return child(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0));
	if (strcmp(how, "thread") == 0)
		return (errno = pthread_create(&t, NULL, wait_at_door, NULL)) ? -1 : 0;
	if (strcmp(how, "popen") == 0)
		return (stream[streams] = popen("read line", "w")) ? (streams++, 0) : -1;
	if (strcmp(how, "zombies") != 0)
		usage();
	return fork_zombie();
}

/* Open the door and wait for every child. */
static void reap(void)
{
	close(door[1]);
	while (streams > 0)
		pclose(stream[--streams]);
	while (wait(NULL) > 0)
		;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"tasks", required_argument, NULL, 't'},
						{"reap", no_argument, NULL, 'r'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t tasks = 0, done;
	int reap_first = 0, again = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			tasks = number(optarg);
		else if (option == 'r')
			reap_first = 1;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || tasks == 0 || tasks > TASKS_MAX || pipe(door) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (done = 0; done < tasks && !refused; done += !refused) {
		refused = start(argv[optind]);
		if (refused && reap_first) {
			perror(argv[optind]);
			reap();
			printf("%zu were started; all waited for, asking again\n", done);
			reap_first = 0;
			refused = pipe(door) < 0 ? -1 : start(argv[optind]);
		} else if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(argv[optind]);
			again = 0;
			refused = start(argv[optind]);
		}
	}
	if (refused)
		perror(argv[optind]);
	printf("%s: %zu of %zu started\n", argv[optind], done, tasks);
	reap();
	return refused ? 1 : 0;
}
