// SPDX-License-Identifier: MIT
/*
 * Strict commit accounting, vm.overcommit_memory=2: __vm_enough_memory() adds up every private writable page that was
 * promised, touched or not, on the whole machine. It refuses when the sum would pass CommitLimit less two reserves. One
 * coarse request comes near to that line, then small steps find it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { AREAS_MAX = 65536 };

static struct {
	volatile char *start;
	size_t bytes;
} area[AREAS_MAX];

static void usage(void)
{
	fputs("usage: strict-commit --total BYTES --coarse BYTES --step BYTES [--space BYTES] [--noreserve] [--again] "
	      "[--touch] [--lower KBYTES]\n",
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

static const char *lower; /* the limit, once the first request was granted */

static void *reserve(size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* From a process that has all it needs: no other could start now. */
static void set_limit(const char *kbytes)
{
	int fd = open("/proc/sys/vm/overcommit_kbytes", O_WRONLY);
	if (fd < 0 || write(fd, kbytes, strlen(kbytes)) < 0)
		fail("overcommit_kbytes");
	close(fd);
}

/* Returns the number of areas it took. Refused and asked again, it wants the rest at once when that is granted. */
static size_t reserve_all(size_t total, size_t coarse, size_t step, int flags, int again)
{
	size_t areas = 0;
	for (size_t held = 0; held < total; areas++) {
		size_t bytes = held == 0 ? coarse : total - held < step ? total - held : step;
		if (areas == AREAS_MAX)
			usage();
		char *start = reserve(bytes, flags);
		if (start == MAP_FAILED && again) {
			printf("refused with %zu bytes reserved, asking again\n", held);
			start = reserve(bytes, flags);
			again = 0;
			step = total;
		}
		if (start == MAP_FAILED)
			fail("mmap");
		area[areas].start = start;
		area[areas].bytes = bytes;
		held += bytes;
		if (lower && areas == 0)
			set_limit(lower);
	}
	return areas;
}

static void touch_all(size_t areas)
{
	size_t page = sysconf(_SC_PAGESIZE);
	for (size_t i = 0; i < areas; i++)
		for (size_t at = 0; at < area[i].bytes; at += page)
			area[i].start[at] = 1;
	puts("touched all of it");
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"total", required_argument, NULL, 't'},
						{"coarse", required_argument, NULL, 'c'},
						{"step", required_argument, NULL, 's'},
						{"space", required_argument, NULL, 'p'},
						{"noreserve", no_argument, NULL, 'n'},
						{"again", no_argument, NULL, 'a'},
						{"touch", no_argument, NULL, 'u'},
						{"lower", required_argument, NULL, 'l'},
						{0}};
	size_t total = 0, coarse = 0, step = 0, space = 0;
	int flags = 0, again = 0, touch = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			total = number(optarg);
		else if (option == 'c')
			coarse = number(optarg);
		else if (option == 's')
			step = number(optarg);
		else if (option == 'p')
			space = number(optarg);
		else if (option == 'n')
			flags = MAP_NORESERVE;
		else if (option == 'a')
			again = 1;
		else if (option == 'u')
			touch = 1;
		else if (option == 'l')
			lower = optarg;
		else
			usage();
	}
	if (optind != argc || total == 0 || coarse == 0 || step == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	/* Address space that nobody may write to is not charged; but the larger a process, the more it must leave. */
	if (space && mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
		fail("mmap");
	size_t areas = reserve_all(total, coarse, step, flags, again);
	printf("reserved %zu bytes, touched none\n", total);
	if (touch)
		touch_all(areas);
	return 0;
}
