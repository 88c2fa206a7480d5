// SPDX-License-Identifier: MIT
/*
 * RLIMIT_STACK: the limit on the stack of the process. A stack grows by page faults, and acct_stack_growth() refuses
 * one that would make it larger than the limit: no call fails, there is no errno, only SIGSEGV. execve() lays the
 * arguments of the new program on its stack and takes a quarter of the limit for them (bprm_stack_limits()): E2BIG.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FRAME_BYTES = 4 << 10, ARGUMENT_BYTES = 64 << 10, ARGUMENTS_MAX = 1024, ROOM_BYTES = 64 << 10 };

static _Noreturn void usage(void)
{
	fputs("usage: stack-limit recurse|exec --bytes N [--thread] [--raise N]\n", stderr);
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

static __attribute__((noinline)) int recurse(size_t bytes)
{
	volatile char frame[FRAME_BYTES];
	frame[0] = 1;
	return bytes > FRAME_BYTES ? recurse(bytes - FRAME_BYTES) + frame[0] : frame[0];
}

static void *recurse_in_thread(void *bytes)
{
	return recurse(*(size_t *)bytes) > 0 ? NULL : bytes;
}

/* A thread's stack is memory like any other, and as large as one asks. */
static int thread(size_t bytes)
{
	pthread_attr_t attributes;
	pthread_t t;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 2 * bytes + ROOM_BYTES);
	errno = pthread_create(&t, &attributes, recurse_in_thread, &bytes);
	return errno ? -1 : pthread_join(t, NULL);
}

/* This program again, with arguments of so many bytes in all. */
static int exec(size_t bytes)
{
	static char text[ARGUMENT_BYTES];
	char *argv[ARGUMENTS_MAX] = {"stack-limit", "granted"};
	size_t count = bytes / ARGUMENT_BYTES;
	if (count + 3 > ARGUMENTS_MAX)
		usage();
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < count; i++)
		argv[i + 2] = text;
	return execv("/proc/self/exe", argv);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"thread", no_argument, NULL, 't'},
						{"raise", required_argument, NULL, 'r'},
						{0}};
	size_t bytes = 0;
	int in_thread = 0, option, refused;
	struct rlimit limit;

	if (argc > 1 && strcmp(argv[1], "granted") == 0)
		return 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b') {
			bytes = number(optarg);
		} else if (option == 't') {
			in_thread = 1;
		} else if (option == 'r') { /* it holds for the stack that is there already */
			getrlimit(RLIMIT_STACK, &limit);
			limit.rlim_cur = number(optarg);
			setrlimit(RLIMIT_STACK, &limit);
		} else {
			usage();
		}
	}
	if (optind + 1 != argc || bytes == 0)
		usage();

	const char *how = argv[optind];
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%s: %zu bytes\n", how, bytes);
	if (strcmp(how, "exec") == 0)
		refused = exec(bytes);
	else if (strcmp(how, "recurse") != 0)
		usage();
	else
		refused = in_thread ? thread(bytes) : recurse(bytes) <= 0;
	if (refused) {
		perror(how);
		return 1;
	}
	puts("done");
	return 0;
}
