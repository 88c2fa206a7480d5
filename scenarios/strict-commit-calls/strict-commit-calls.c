// SPDX-License-Identifier: MIT
/*
 * Everything that promises memory asks __vm_enough_memory(), and in mode 2 is refused by it: private writable memory
 * however it comes about, shared memory, the stacks of threads. What nobody may write to is not counted. Pages of a
 * memory file are counted one by one, as they come: a call that brings one is told ENOSPC, a store through a mapping
 * SIGBUS, and a stack that may not grow SIGSEGV. One large request comes near to the limit, then small ones reach it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

enum { FRAME_BYTES = 64 << 10 };

static int file = -1;

static void usage(void)
{
	fputs("usage: strict-commit-calls --first BYTES --step BYTES --steps N [--give-back]\n"
	      "       none|shared|mprotect|mremap|brk|shmget|fallocate|touch|thread|stack...\n",
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

static void *map(size_t bytes, int protection, int flags)
{
	void *start = mmap(NULL, bytes, protection, MAP_ANONYMOUS | flags, -1, 0);
	return start == MAP_FAILED ? NULL : start;
}

static void *wait_for_ever(void *unused)
{
	while (pause() < 0)
		;
	return unused;
}

static __attribute__((noinline)) int recurse(size_t bytes)
{
	volatile char frame[FRAME_BYTES];
	memset((char *)frame, 1, sizeof(frame));
	return bytes > FRAME_BYTES ? recurse(bytes - FRAME_BYTES) + frame[0] : frame[0];
}

static int touch(size_t step, off_t held)
{
	if (ftruncate(file, held + (off_t)step) < 0) /* a length costs nothing */
		return -1;
	char *page = mmap(NULL, step, PROT_READ | PROT_WRITE, MAP_SHARED, file, held);
	memset(page, 1, step);
	return munmap(page, step);
}

static int enlarge(size_t step, size_t steps)
{
	static void *area;
	area = area ? area : map(step, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	void *moved = mremap(area, steps * step, (steps + 1) * step, MREMAP_MAYMOVE);
	area = moved == MAP_FAILED ? area : moved;
	return moved == MAP_FAILED ? -1 : 0;
}

/* One more step, the I-th: 0, or -1 and errno */
static int request(const char *how, size_t step, size_t i)
{
	off_t held = (off_t)(i * step);

	if (strcmp(how, "none") == 0)
		return map(step, PROT_NONE, MAP_PRIVATE) ? 0 : -1;
	if (strcmp(how, "shared") == 0)
		return map(step, PROT_READ | PROT_WRITE, MAP_SHARED) ? 0 : -1;
	if (strcmp(how, "mprotect") == 0)
		return mprotect(map(step, PROT_NONE, MAP_PRIVATE), step, PROT_READ | PROT_WRITE);
	if (strcmp(how, "mremap") == 0)
		return enlarge(step, i + 1);
	if (strcmp(how, "brk") == 0)
		return sbrk((intptr_t)step) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "shmget") == 0)
		return shmget(IPC_PRIVATE, step, IPC_CREAT | 0600) < 0 ? -1 : 0; /* ends with its namespace */
	if (strcmp(how, "fallocate") == 0)
		return fallocate(file, 0, held, (off_t)step);
	if (strcmp(how, "touch") == 0)
		return touch(step, held);
	if (strcmp(how, "stack") == 0)
		return recurse(step) > 0 ? 0 : -1;
	if (strcmp(how, "thread") != 0)
		usage();
	errno = pthread_create(&(pthread_t){0}, NULL, wait_for_ever, NULL); /* a stack as large as ulimit -s */
	return errno ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"first", required_argument, NULL, 'f'},
						{"step", required_argument, NULL, 's'},
						{"steps", required_argument, NULL, 'n'},
						{"give-back", no_argument, NULL, 'g'},
						{0}};
	size_t first = 0, step = 0, steps = 0;
	int give_back = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f')
			first = number(optarg);
		else if (option == 's')
			step = number(optarg);
		else if (option == 'n')
			steps = number(optarg);
		else if (option == 'g')
			give_back = 1;
		else
			usage();
	}
	if (optind == argc || first == 0 || step == 0)
		usage();
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	file = memfd_create("memory", 0);
	void *large = map(first, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (; optind < argc; optind++) {
		const char *how = argv[optind];
		size_t i = 0;
		while (i < steps && request(how, step, i) == 0)
			i++;
		printf("%s: %zu of %zu\n", how, i, steps);
		if (i == steps)
			continue;
		perror(how);
		if (!give_back || mprotect(large, first, PROT_NONE) < 0 || request(how, step, i) < 0)
			return 1;
	}
	return 0;
}
