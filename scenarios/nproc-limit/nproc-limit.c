// SPDX-License-Identifier: MIT
/*
 * RLIMIT_NPROC: the limit on the tasks of a user, on the whole machine: processes, threads and zombies. copy_process()
 * refuses the one above it with EAGAIN, unless the real user is root. A setuid() to a user who is above it succeeds; it
 * is the next execve() that fails, with EAGAIN (do_execveat_common()).
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UID_FIRST = 0x70000000 }; /* up there no system has users */

static uid_t uid;             /* like a daemon, the program starts as root and becomes this user; 0 to stay root */
static int door[2], ready[2]; /* children wait at door until its writing end is closed */

static void usage(void)
{
	fputs("usage: nproc-limit fork|zombies|thread|exec --tasks N [--root] [--reap | --raise | --userns | "
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

static void become_user(void)
{
	if (geteuid() != uid && setuid(uid) < 0) {
		perror("setuid");
		exit(2);
	}
}

static void *wait_at_door(void *unused)
{
	char c;
	while (read(door[0], &c, 1) < 0 && errno == EINTR)
		;
	return unused;
}

/* Here once it is the user's: 0, or -1 and errno */
static int child(int stays)
{
	char c;
	pid_t pid = fork();
	if (pid == 0) {
		close(door[1]);
		become_user();
		if (write(ready[1], "", 1) == 1 && stays)
			wait_at_door(NULL);
		_exit(0);
	}
	return pid < 0 || read(ready[0], &c, 1) != 1 ? -1 : 0;
}

/* One more task, or another image for this one: 0, or -1 and errno */
static int start(const char *how)
{
	static char *const granted[] = {"nproc-limit", "granted", NULL};
	pthread_t t;
	if (strcmp(how, "exec") == 0) {
		become_user(); /* succeeds, however many tasks the user has */
		return execv("/proc/self/exe", granted);
	}
	if (strcmp(how, "thread") == 0)
		return (errno = pthread_create(&t, NULL, wait_at_door, NULL)) ? -1 : 0;
	if (strcmp(how, "fork") != 0 && strcmp(how, "zombies") != 0)
		usage();
	return child(strcmp(how, "fork") == 0);
}

/* What may help after a refusal. */
static void help(int how)
{
	struct rlimit limit;
	if (how == 'e') {
		close(door[1]);
		while (wait(NULL) > 0)
			;
	} else if (how == 'i') {
		getrlimit(RLIMIT_NPROC, &limit);
		limit.rlim_cur = limit.rlim_max; /* up to the hard limit, anybody may */
		setrlimit(RLIMIT_NPROC, &limit);
	} else if (how == 'u' && unshare(CLONE_NEWUSER) < 0) {
		perror("unshare");
		exit(2);
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"tasks", required_argument, NULL, 't'},
						{"root", no_argument, NULL, 'o'},
						{"reap", no_argument, NULL, 'e'},
						{"raise", no_argument, NULL, 'i'},
						{"userns", no_argument, NULL, 'u'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t tasks = 0;
	int root = 0, after = 0, option, refused = 0;
	if (argc > 1 && strcmp(argv[1], "granted") == 0)
		return 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			tasks = number(optarg);
		else if (option == 'o')
			root = 1;
		else if (option == '?')
			usage();
		else
			after = option;
	}
	if (optind + 1 != argc || tasks == 0 || pipe(door) < 0 || pipe(ready) < 0 ||
	    getrandom(&uid, sizeof(uid), 0) < 0)
		usage();

	const char *how = argv[optind];
	uid = root ? 0 : UID_FIRST + (uid & 0xffffff); /* nobody else is this one */
	setvbuf(stdout, NULL, _IONBF, 0);              /* stdout, too, would allocate */
	if (strcmp(how, "exec") != 0)
		become_user();
	for (size_t i = 0; i < tasks && !refused; i++) {
		/* Before the exec the others have to be there. */
		const char *what = strcmp(how, "exec") == 0 && i + 1 < tasks ? "fork" : how;
		for (int tries = after ? 2 : 1; tries > 0 && (refused = start(what)); tries--) {
			perror(what);
			if (tries == 2)
				help(after);
		}
	}
	return refused ? 1 : 0;
}
