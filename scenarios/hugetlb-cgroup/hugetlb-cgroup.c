// SPDX-License-Identifier: MIT
/*
 * A control group's share of the huge pages. hugetlb.max counts pages when they are touched, and by then there is no
 * call to refuse: alloc_hugetlb_folio() fails and the fault is a SIGBUS. hugetlb.rsvd.max counts them when mmap()
 * reserves them: ENOMEM.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: hugetlb-cgroup --bytes N --page BYTES [--again]\n", stderr);
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

static char *map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"page", required_argument, NULL, 'p'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t bytes = 0, page = 0;
	int again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'p')
			page = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind != argc || bytes == 0 || page == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *memory = map(bytes);
	if (memory == MAP_FAILED && again) { /* for whoever raised the limit meanwhile */
		perror("mmap");
		memory = map(bytes);
	}
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("mapped %zu bytes, now using every page\n", bytes);
	for (size_t at = 0; at < bytes; at += page) {
		memory[at] = 1;
		printf("used %zu bytes\n", at + page);
	}
	return 0;
}
