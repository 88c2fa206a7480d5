// SPDX-License-Identifier: MIT
/*
 * A child that only executes a program asks for memory as well: __bprm_mm_init() promises the first page of the new
 * stack before the old image is gone, and in mode 2 vm_enough_memory() may refuse it: execve() says ENOMEM. What the
 * image itself needs is promised after the point of no return, where a refusal can only kill. With a limit far below
 * what is promised it is always the former; near it it is either, or neither, by what the CPUs' counters hold back.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: exec-commit [--below BYTES] [--lower KBYTES] [--again] | exec-commit --nothing\n", stderr);
	exit(2);
}

static void fail(const char *what)
{
	perror(what);
	exit(3); /* not what the scenario is about */
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

static size_t meminfo_bytes(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	if (!at)
		fail(key);
	return strtoull(at + strlen(key), NULL, 10) << 10;
}

/* Takes overcommit_ratio out of force. */
static void set_limit(const char *kbytes)
{
	int fd = open("/proc/sys/vm/overcommit_kbytes", O_WRONLY);
	if (fd < 0 || write(fd, kbytes, strlen(kbytes)) < 0)
		fail("overcommit_kbytes");
	close(fd);
}

/* More is promised than may be, by `below`: by the exact sum, which is not the one that is looked at. */
static void lower_by(size_t below)
{
	static char text[8192]; /* stdio would take a buffer from the heap */
	char kbytes[32];
	int fd = open("/proc/meminfo", O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail("meminfo");
	close(fd);
	snprintf(kbytes, sizeof(kbytes), "%zu", (meminfo_bytes(text, "Committed_AS:") - below) >> 10);
	set_limit(kbytes);
}

/* 0 if the child became the program and that ended well. vfork() itself asks for no memory: the child has its parent's.
 */
static int execute(void)
{
	static char *const program[] = {"exec-commit", "--nothing", NULL};
	volatile int error = 0;
	int status = 0;
	pid_t child = vfork();
	if (child < 0)
		fail("vfork");
	if (child == 0) {
		execve("/proc/self/exe", program, (char *[]){NULL});
		error = errno;
		_exit(1);
	}
	if (waitpid(child, &status, 0) < 0)
		fail("waitpid");
	if (WIFSIGNALED(status))
		printf("the new program was killed: %s\n", strsignal(WTERMSIG(status)));
	errno = error;
	if (error)
		perror("execve");
	return error || status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"below", required_argument, NULL, 'b'},
						{"lower", required_argument, NULL, 'l'},
						{"again", no_argument, NULL, 'a'},
						{"nothing", no_argument, NULL, 'n'},
						{0}};
	const char *lower = NULL;
	int again = 0, option;

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			return 0;
		if (option == 'b')
			lower_by(number(optarg));
		else if (option == 'l')
			lower = optarg;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind != argc)
		usage();
	if (lower)
		set_limit(lower);
	int failed = execute();
	if (failed && again)
		failed = execute();
	if (!failed)
		puts("executed");
	return failed ? 1 : 0;
}
