// SPDX-License-Identifier: MIT
/*
 * What the C library makes of a refusal. The kernel says -ENOMEM or -EAGAIN; the function that was called may return
 * NULL, -1, an errno or an exit status, may set errno or not, and may change it. Each tells what it did.
 */
#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char returned[64];     /* in words, how the function said no; empty: it did not */
static void *volatile memory; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: wrappers FUNCTION [--bytes N] [--again]\n", stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	size_t n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		usage();
	return n;
}

/* Of those that return NULL and set errno */
static int pointer(void *result)
{
	memory = result;
	strcpy(returned, result ? "" : "NULL");
	return errno;
}

/* Of those that return the error and need not set errno */
static int positive(int error)
{
	strcpy(returned, error ? strerrorname_np(error) : "");
	return error;
}

static void *nothing(void *unused)
{
	return unused;
}

static int thread(size_t stack_bytes)
{
	pthread_attr_t attributes;
	pthread_t t;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack_bytes); /* of 0: EINVAL, it stays as it is */
	int error = positive(pthread_create(&t, &attributes, nothing, NULL));
	return error ? error : pthread_join(t, NULL);
}

static int spawn(void)
{
	char name[] = "true", *arguments[] = {name, NULL};
	pid_t pid;
	int error = positive(posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ));
	return error ? error : waitpid(pid, NULL, 0) < 0;
}

static int process(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	strcpy(returned, pid < 0 ? "-1" : "");
	return pid < 0 ? errno : waitpid(pid, NULL, 0) < 0;
}

static int pipe_to_shell(void)
{
	FILE *stream = popen("exit 0", "r");
	int error = pointer(stream);
	return stream ? pclose(stream) : error;
}

/* Not -1, but the status of a shell that could not be executed. */
static int shell(void)
{
	int status = system("exit 0");
	returned[0] = '\0';
	if (status)
		snprintf(returned, sizeof(returned), "exit status %d", WEXITSTATUS(status));
	return errno;
}

/* The error as the function has it; returned[] is empty if there is none. */
static int call(const char *how, size_t bytes)
{
	void *aligned = NULL;
	errno = 0;
	if (strcmp(how, "malloc") == 0)
		return pointer(malloc(bytes));
	if (strcmp(how, "calloc") == 0)
		return pointer(calloc(bytes, 1));
	if (strcmp(how, "realloc") == 0)
		return pointer(realloc(malloc(1 << 20), bytes));
	if (strcmp(how, "aligned_alloc") == 0)
		return pointer(aligned_alloc(4096, bytes));
	if (strcmp(how, "posix_memalign") == 0)
		return positive(posix_memalign(&aligned, 4096, bytes));
	if (strcmp(how, "pthread_create") == 0)
		return thread(bytes);
	if (strcmp(how, "posix_spawn") == 0)
		return spawn();
	if (strcmp(how, "popen") == 0)
		return pipe_to_shell();
	if (strcmp(how, "system") == 0)
		return shell();
	if (strcmp(how, "fork") != 0)
		usage();
	return process();
}

int main(int argc, char *argv[])
{
	size_t bytes = 0, again = 0;
	if (argc < 2)
		usage();
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--again") == 0)
			again = 1;
		else if (strcmp(argv[i], "--bytes") == 0 && argv[i + 1])
			bytes = number(argv[++i]);
		else
			usage();
	}
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	do {
		int error = call(argv[1], bytes), left = errno;
		if (!returned[0]) {
			printf("%s: granted\n", argv[1]);
			return 0;
		}
		fprintf(stderr, "%s: %s (returned %s, errno %s)\n", argv[1], strerror(error), returned,
			left ? strerrorname_np(left) : "0");
	} while (again-- > 0); /* for whoever raised the limit meanwhile */
	return 1;
}
