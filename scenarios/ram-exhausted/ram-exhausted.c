// SPDX-License-Identifier: MIT
/*
 * More pages in use than the machine has. No call is refused: each area is smaller than RAM, so modes 0 and 1 of
 * vm.overcommit_memory grant it. The pages come when they are touched, and when no more are to be had out_of_memory()
 * kills, at a store that cannot report anything. With swap it is the same, only later and after a slow while: swap
 * takes what RAM pushes out until it has no slot left.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { AREAS_MAX = 64 };

static void usage(void)
{
	fputs("usage: ram-exhausted --areas N --bytes BYTES_PER_AREA\n", stderr);
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

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"areas", required_argument, NULL, 'a'}, {"bytes", required_argument, NULL, 'b'}, {0}};
	volatile char *area[AREAS_MAX];
	size_t areas = 0, bytes = 0, page = sysconf(_SC_PAGESIZE);
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			areas = number(optarg);
		else if (option == 'b')
			bytes = number(optarg);
		else
			usage();
	}
	if (optind != argc || areas == 0 || areas > AREAS_MAX || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (size_t i = 0; i < areas; i++) {
		area[i] = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (area[i] == MAP_FAILED) {
			perror("mmap");
			return 1;
		}
	}
	printf("mapped %zu areas of %zu bytes, now using every page\n", areas, bytes);
	for (size_t i = 0; i < areas; i++) {
		for (size_t at = 0; at < bytes; at += page)
			*(volatile size_t *)(area[i] + at) = at + 1; /* no two pages alike: they cannot be shared */
		printf("%zu areas used\n", i + 1);
	}
	return 0;
}
