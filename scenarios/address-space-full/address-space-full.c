// SPDX-License-Identifier: MIT
/*
 * All addresses there are. A process on x86-64 has 2^47 of them, less a page: 128 TiB. Reservations (PROT_NONE,
 * MAP_NORESERVE) cost no memory, no commit charge and no page table, but they take addresses, and when those are gone
 * get_unmapped_area() answers ENOMEM.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void usage(void)
{
	fputs("usage: address-space-full --bytes N --times N [--release]\n", stderr);
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

static void *reserve(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		perror("mmap");
	return p;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"times", required_argument, NULL, 't'},
						{"release", no_argument, NULL, 'r'},
						{0}};
	size_t bytes = 0, times = 0;
	void *last = NULL;
	int release = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 't')
			times = number(optarg);
		else if (option == 'r')
			release = 1;
		else
			usage();
	}
	if (optind != argc || bytes == 0 || times == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("reserving %zu times %zu bytes\n", times, bytes);
	for (size_t i = 0; i < times; i++) {
		void *p = reserve(bytes);
		if (p == MAP_FAILED && last && release) {
			munmap(last, bytes);
			puts("gave back the last one, asking again");
			p = reserve(bytes);
		}
		if (p == MAP_FAILED) {
			printf("granted %zu times\n", i);
			return 1;
		}
		last = p;
	}
	puts("granted");
	return 0;
}
