// SPDX-License-Identifier: MIT
/*
 * RAM in crumbs: plenty is free, and none of it in one piece. Compaction moves what lies in between if it belongs to a
 * process; the kernel's own, here of pipes, stays. Asked for are arrays that the kernel wants in one piece, one for
 * each fcntl(F_SETPIPE_SZ), and huge pages, made on demand or for a pool that is to grow.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SMALL = 4096, KEPT = 16 * SMALL, PIPE = 16 * KEPT, PIPES_MAX = 1 << 15 };
enum { ARRAY = 4U << 20, ARRAY_PIPE = 1 << 28 }; /* what a pipe of that size needs for its array, empty as it is */

static int pipes[PIPES_MAX][2];
static char *kept;
static size_t held, page;

static void usage(void)
{
	fputs("usage: physical-fragmentation FILL ASK PAGE pipes|process arrays|pool [nothing|release|compact]\n",
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

static void must(int ok, const char *what)
{
	if (!ok) {
		perror(what);
		exit(3);
	}
}

static char *map(size_t bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void touch(char *memory, size_t bytes, size_t step)
{
	for (size_t i = 0; i < bytes; i += step)
		memory[i] = 1;
}

/* Full pipes, a page for each byte (O_DIRECT); then all but the last sixteenth of each is read. */
static void fragment_with_pipes(size_t fill)
{
	int null = open("/dev/null", O_WRONLY);
	for (; held < fill / PIPE && held < PIPES_MAX; held++) {
		must(pipe2(pipes[held], O_DIRECT) == 0 && fcntl(pipes[held][1], F_SETPIPE_SZ, PIPE) == PIPE, "pipe");
		for (size_t i = 0; i < PIPE; i += SMALL)
			must(write(pipes[held][1], "", 1) == 1, "write");
	}
	for (size_t i = 0; i < held; i++)
		for (ssize_t left = (PIPE - KEPT) / SMALL, n; left > 0; left -= n)
			must((n = splice(pipes[i][0], NULL, null, NULL, left, 0)) > 0, "splice");
}

/* Two parts of an area that get their pages in turn; the larger one is given back. */
static void fragment_with_process(size_t fill)
{
	held = fill / 16 / KEPT * KEPT;
	kept = map(16 * held, 0);
	must(kept != MAP_FAILED, "mmap");
	for (size_t i = 0; i < held; i += KEPT) {
		touch(kept + i, KEPT, SMALL);
		touch(kept + held + 15 * i, 15 * KEPT, SMALL);
	}
	munmap(kept + held, 15 * held);
}

static void release(void)
{
	if (kept && munmap(kept, held) == 0)
		return;
	while (held-- > 0)
		must(close(pipes[held][0]) == 0 && close(pipes[held][1]) == 0, "close");
}

static void write_number(const char *path, size_t value)
{
	FILE *file = fopen(path, "w");
	must(file && fprintf(file, "%zu\n", value) > 0 && fclose(file) == 0, path);
}

/* How many of n were refused. */
static size_t ask(const char *what, size_t n)
{
	int ends[2];
	if (strcmp(what, "pool") == 0) { /* this write never fails, whatever it got */
		write_number("/proc/sys/vm/nr_hugepages", n);
		return map(n * page, MAP_HUGETLB) == MAP_FAILED ? perror("mmap"), n : 0;
	}
	for (; n > 0; n--)
		if (pipe(ends) < 0 || fcntl(ends[1], F_SETPIPE_SZ, ARRAY_PIPE) < 0)
			return perror("fcntl"), n;
	return 0;
}

/* Transparent huge pages are never refused: small ones take their place. */
static void touch_huge_pages(size_t bytes)
{
	char *memory = map(bytes + page, 0);
	memory += page - (size_t)memory % page;
	madvise(memory, bytes, MADV_HUGEPAGE);
	touch(memory, bytes, page);
}

/* Fill memory and give most of it back, ask, do something about it, and ask for what was refused. */
int main(int argc, char *argv[])
{
	if (argc < 6 || argc > 7 || (page = number(argv[3])) == 0)
		usage();
	size_t fill = number(argv[1]), asked = number(argv[2]), refused;
	const char *between = argv[4], *what = argv[5], *then = argc == 7 ? argv[6] : "";
	asked /= strcmp(what, "arrays") == 0 ? ARRAY : page;
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (strcmp(then, "nothing") != 0 && strcmp(between, "pipes") == 0)
		fragment_with_pipes(fill);
	else if (strcmp(then, "nothing") != 0)
		fragment_with_process(fill);
	refused = ask(what, asked);
	if (strcmp(then, "release") == 0)
		release();
	for (size_t before = 0; refused > 0 && *then && refused != before;) { /* for as long as it helps */
		before = refused;
		for (int i = 0; i < 3 && strcmp(then, "compact") == 0; i++) /* some kernels give up early */
			write_number("/proc/sys/vm/compact_memory", 1);
		refused = ask(what, refused);
	}
	printf("granted %zu of %zu\n", asked - refused, asked);
	touch_huge_pages(4 * page);
	return refused > 0 ? 1 : 0;
}
