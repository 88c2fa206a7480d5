// SPDX-License-Identifier: MIT
/*
 * A child uses more memory than there is, and its parent goes on when it was killed. With vm.panic_on_oom nobody is
 * killed: out_of_memory() ends the machine, which is meant for clusters where another node takes over. Where every
 * process has oom_score_adj -1000 there is nobody to kill, and it does so unasked.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: panic-on-oom --bytes N\n", stderr);
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

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void use(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	for (size_t at = 0; at < bytes; at += page)
		memory[at] = 1;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'}, {0}};
	size_t bytes = 0;
	int option, status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'b')
			usage();
		bytes = number(optarg);
	}
	if (optind != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	pid_t child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		use(bytes);
		return 0;
	}
	if (waitpid(child, &status, 0) < 0)
		fail("waitpid");
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		puts("the child was killed, the machine goes on");
	else if (status == 0)
		puts("the child had what it wanted");
	else
		return 1;
	return 0;
}
