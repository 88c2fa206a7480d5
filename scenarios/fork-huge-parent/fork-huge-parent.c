// SPDX-License-Identifier: MIT
/*
 * fork() of a process that holds a huge promise. dup_mmap() charges every private writable area a second time, touched
 * or not, and asks __vm_enough_memory(): mode 2 refuses when the sum passes CommitLimit, mode 0 when one single area is
 * larger than RAM and swap. Such an area needs no such request: two adjacent smaller ones merge into it.
 */
#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: fork-huge-parent --areas N --reserve BYTES_PER_AREA [--split] [--dontfork] [--vfork | --spawn]\n",
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

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/*
 * Address space first, which costs nothing; then areas of writable memory in it, side by side or a page apart. From the
 * top down, as mmap() itself goes: 6.1 does not merge a MAP_FIXED area with the one below it.
 */
static void reserve(size_t areas, size_t bytes, int split, int dontfork)
{
	size_t page = sysconf(_SC_PAGESIZE);
	bytes = (bytes + page - 1) / page * page;
	size_t step = bytes + (split ? page : 0);
	char *space = mmap(NULL, areas * step, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		fail("mmap");
	for (size_t i = areas; i-- > 0;)
		if (mmap(space + i * step, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			fail("mmap");
	if (dontfork && madvise(space, areas * step, MADV_DONTFORK) < 0)
		fail("madvise");
	printf("reserved %zu areas of %zu bytes, touched none\n", areas, bytes);
}

static pid_t start(int how, char *self)
{
	pid_t child = -1;
	if (how == 'p') {
		char *arguments[] = {self, "--child", NULL};
		errno = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, NULL);
		if (errno)
			fail("posix_spawn");
		return child;
	}
	child = how == 'v' ? vfork() : fork();
	if (child < 0)
		fail(how == 'v' ? "vfork" : "fork");
	if (child == 0)
		_exit(0);
	return child;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"areas", required_argument, NULL, 'a'}, {"reserve", required_argument, NULL, 'r'},
		{"split", no_argument, NULL, 's'},       {"dontfork", no_argument, NULL, 'd'},
		{"vfork", no_argument, NULL, 'v'},       {"spawn", no_argument, NULL, 'p'},
		{"child", no_argument, NULL, 'c'},       {0}};
	size_t areas = 0, bytes = 0;
	int split = 0, dontfork = 0, how = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			areas = number(optarg);
		else if (option == 'r')
			bytes = number(optarg);
		else if (option == 's')
			split = 1;
		else if (option == 'd')
			dontfork = 1;
		else if (option == 'v' || option == 'p')
			how = option;
		else if (option == 'c')
			return 0; /* we are the spawned program */
		else
			usage();
	}
	if (optind != argc || areas == 0 || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	reserve(areas, bytes, split, dontfork);
	pid_t child = start(how, argv[0]);
	int status;
	if (waitpid(child, &status, 0) < 0 || status != 0)
		fail("child");
	puts("the child ran");
	return 0;
}
