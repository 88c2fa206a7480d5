// SPDX-License-Identifier: MIT
/*
 * Is refused addresses, and ends with an error: of another kind after it made do with less, or of this one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <iconv.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *volatile used; /* keeps the compiler from dropping what nobody uses */

static int map(size_t bytes)
{
	used = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return used == MAP_FAILED ? -1 : 0;
}

/* As much as there is: a reservation that becomes less and less. */
static int probe(size_t least, size_t divisor)
{
	for (size_t bytes = 128ULL << 40; bytes >= least && map(bytes); bytes /= divisor)
		;
	return fopen("/no/such", "re") ? 0 : 1;
}

static int map_or_malloc(void)
{
	if (map(64ULL << 40) && !(used = malloc(1 << 20)))
		return 1;
	(void)fputs("usage: prober FILE\n", stderr);
	return 2;
}

static int fail(unsigned after)
{
	if (map(64ULL << 40))
		perror("mmap");
	(void)sleep(after);
	return 1;
}

/* What it takes to say so: a locale, a converter with its tables, buffers. */
static int fail_with_words(void)
{
	char line[256];
	int failed = map(64ULL << 40);
	(void)setlocale(LC_ALL, "");
	(void)iconv_open("BIG5-HKSCS", "UTF-8");
	FILE *text = fopen("/proc/self/status", "re");
	while (text && fgets(line, sizeof(line), text))
		(void)printf("%s", line);
	(void)fprintf(stderr, "mmap: %s\n", strerror(ENOMEM));
	return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
#define IS(name) (strcmp(way, name) == 0)
	return IS("halve")    ? probe(65536, 2)
	       : IS("pages")  ? probe(4096, 1ULL << 34) /* 128 TiB, or 8 KiB */
	       : IS("malloc") ? map_or_malloc()
	       : IS("slow")   ? fail(3)
	       : IS("words")  ? fail_with_words()
	       : IS("long")   ? probe(65536, 2) + (int)sleep(3)
			      : 64;
}
