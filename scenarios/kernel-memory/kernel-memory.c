// SPDX-License-Identifier: MIT
/*
 * Memory that the kernel holds for a program is charged to the program's group as well: pages of a memory file, kernel
 * stacks of its threads, page tables, data in its pipes. A full group kills, and only where it has nobody to kill
 * (everybody at oom_score_adj -1000) does try_charge_memcg() say ENOMEM to the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wchar.h>

enum { THREADS_MAX = 256, STACK_BYTES = 4096, PIPE_BYTES = 64 << 10, FILE_STEP = 1 << 20, TABLE_SPAN = 2 << 20 };

static int file = -1;
static volatile char *area; /* for page tables */
static char stack[THREADS_MAX][STACK_BYTES];

static void usage(void)
{
	fputs("usage: kernel-memory file|thread|pipes|tables --count N [--again]\n", stderr);
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

static int sleeper(void *unused)
{
	(void)unused;
	while (pause() < 0)
		;
	return 0;
}

/* A thread, down to its stack our own: where nothing is copied, no store can be the one that waits or kills. */
static int thread(size_t i)
{
	return clone(sleeper, stack[i] + STACK_BYTES, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		     NULL) < 0
		       ? -1
		       : 0;
}

/* What we will need when the group is full, perror() included. */
static void prepare(void)
{
	char ours[16 * STACK_BYTES];
	memset(stack, 1, sizeof(stack));
	explicit_bzero(ours, sizeof(ours));
	fwide(stderr, -1);
}

/* A pipe, and as much in it as it holds, for nobody to read. */
static int full_pipe(void)
{
	static const char data[PIPE_BYTES];
	int ends[2];
	if (pipe(ends) < 0 || write(ends[1], data, sizeof(data)) < 0)
		return -1;
	return 0;
}

/* One more of them: 0, or -1 and errno */
static int start(const char *what, size_t i)
{
	if (strcmp(what, "file") == 0)
		return fallocate(file, 0, (off_t)i * FILE_STEP, FILE_STEP);
	if (strcmp(what, "thread") == 0)
		return thread(i);
	if (strcmp(what, "pipes") == 0)
		return full_pipe();
	if (strcmp(what, "tables") != 0)
		usage();
	/* The page is given back at once, its page table, one for every 2 MiB, stays. */
	area[i * TABLE_SPAN] = 1;
	return madvise((void *)(area + i * TABLE_SPAN), 1, MADV_DONTNEED);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"count", required_argument, NULL, 'c'}, {"again", no_argument, NULL, 'a'}, {0}};
	size_t count = 0, done;
	int again = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	const char *what = optind + 1 == argc ? argv[optind] : "";
	if (!*what || count == 0 || (strcmp(what, "thread") == 0 && count > THREADS_MAX))
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	file = memfd_create("kernel-memory", 0);
	area = mmap(NULL, count * TABLE_SPAN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (file < 0 || area == MAP_FAILED || madvise((void *)area, count * TABLE_SPAN, MADV_NOHUGEPAGE) < 0) {
		perror("memfd_create, mmap");
		return 1;
	}
	if (strcmp(what, "thread") == 0)
		prepare();
	for (done = 0; done < count && !refused; done += !refused) {
		refused = start(what, done);
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(what);
			again = 0;
			refused = start(what, done);
		}
	}
	if (refused)
		perror(what);
	printf("%s: %zu of %zu\n", what, done, count);
	return refused ? 1 : 0;
}
