// SPDX-License-Identifier: MIT
/*
 * fork() fails with ENOMEM and memory has nothing to do with it. After unshare(CLONE_NEWPID) the next child is init of
 * a new pid namespace, and all later children are to live there. When that init exits, zap_pid_ns_processes() closes
 * the namespace for ever and alloc_pid() answers ENOMEM. A thread would have to be in its process's own namespace, not
 * in the one of the children: copy_process() answers EINVAL.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: dead-pid-namespace fork|spawn|thread [--no-namespace | --keep-init | --inside] [--again]\n",
	      stderr);
	exit(2);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *nothing(void *unused)
{
	return unused;
}

/* One more process or thread, waited for. 0, or -1 and errno */
static int request(const char *how)
{
	pthread_t t;
	pid_t pid;
	if (strcmp(how, "thread") == 0) {
		errno = pthread_create(&t, NULL, nothing, NULL);
		return errno ? -1 : pthread_join(t, NULL);
	}
	if (strcmp(how, "spawn") == 0) {
		char self[] = "dead-pid-namespace", ready[] = "--child", *arguments[] = {self, ready, NULL};
		errno = posix_spawn(&pid, "/proc/self/exe", NULL, NULL, arguments, NULL);
		return errno ? -1 : waitpid(pid, NULL, 0) < 0 ? -1 : 0;
	}
	if (strcmp(how, "fork") != 0)
		usage();
	pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"no-namespace", no_argument, NULL, 'n'}, {"keep-init", no_argument, NULL, 'k'},
		{"inside", no_argument, NULL, 'i'},       {"again", no_argument, NULL, 'a'},
		{"child", no_argument, NULL, 'c'},        {0}};
	int mode = 0, again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			return 0; /* we are the spawned program */
		if (option == '?')
			usage();
		if (option == 'a')
			again = 1;
		else
			mode = option;
	}
	if (optind + 1 != argc)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	const char *how = argv[optind];
	if (mode != 'n') {
		int door[2], status;
		if (unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
			fail("unshare");
		if (pipe(door) < 0)
			fail("pipe");
		pid_t init = fork();
		if (init < 0)
			fail("first fork");
		if (init == 0) {
			char c;
			close(door[1]);
			if (mode == 'k') /* live until the parent is gone */
				_exit(read(door[0], &c, 1) != 0);
			_exit(mode == 'i' && request(how) < 0);
		}
		printf("the new namespace's init: started%s\n", mode == 'k' ? ", stays" : ", exits");
		if (mode != 'k' && (waitpid(init, &status, 0) < 0 || status != 0))
			fail("init");
		if (mode == 'i') {
			printf("%s by init, inside the namespace: granted\n", how);
			return 0;
		}
		if (again && unshare(CLONE_NEWPID) < 0)
			perror("a second unshare");
	}
	if (request(how) < 0)
		fail(how);
	printf("%s: granted\n", how);
	return 0;
}
