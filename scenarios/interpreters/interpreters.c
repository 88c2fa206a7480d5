// SPDX-License-Identifier: MIT
/*
 * What bash, Python and Perl make of a refusal. This program only becomes one of them: in an environment of its own, so
 * that their words are English and no start-up file of the user's runs, with an alarm for those that retry for ever,
 * or in a pid namespace that is dead. What asks for memory or for a task stands on the command line, in their language.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: interpreters [--alarm MILLISECONDS] PATH ARGUMENT... [--new-namespace | --dead-namespace]\n",
	      stderr);
	exit(2);
}

static void fail(const char *what)
{
	perror(what);
	exit(3); /* not what the scenario is about */
}

/* An alarm outlives exec. Whoever does not catch it dies of it. */
static void set_alarm(const char *milliseconds)
{
	char *end;
	unsigned long ms = strtoul(milliseconds, &end, 10);
	const struct itimerval timer = {.it_value = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)}};
	if (*milliseconds < '0' || *milliseconds > '9' || *end || ms == 0)
		usage();
	if (setitimer(ITIMER_REAL, &timer, NULL) < 0)
		fail("setitimer");
}

/* As in the scenario dead-pid-namespace: the first child is init of the new namespace, and may be gone. */
static void enter_namespace(int dead)
{
	int status;
	if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
		fail("unshare");
	if (!dead)
		return;
	pid_t init = fork();
	if (init == 0)
		_exit(0);
	if (init < 0 || waitpid(init, &status, 0) < 0)
		fail("init");
}

int main(int argc, char *argv[])
{
	static char path[] = "PATH=/usr/bin:/bin", language[] = "LC_ALL=C";
	char *environment[] = {path, language, NULL};
	int i = 1, dead = strcmp(argv[argc - 1], "--dead-namespace") == 0;

	if (dead || strcmp(argv[argc - 1], "--new-namespace") == 0) {
		argv[--argc] = NULL;
		enter_namespace(dead);
	}
	if (argc > 2 && strcmp(argv[1], "--alarm") == 0) {
		set_alarm(argv[2]);
		i = 3;
	}
	if (i >= argc || argv[i][0] != '/')
		usage();
	execve(argv[i], argv + i, environment);
	fail(argv[i]);
}
