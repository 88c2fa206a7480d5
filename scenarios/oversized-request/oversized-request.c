// SPDX-License-Identifier: MIT
/*
 * One request larger than the machine. In overcommit mode 0 __vm_enough_memory() refuses a request, and only a request,
 * of more pages than RAM and swap have together. What was promised before does not count, nor whether memory is free.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: oversized-request mmap|malloc --bytes N [--noreserve] [--halves]\n", stderr);
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
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"noreserve", no_argument, NULL, 'n'},
						{"halves", no_argument, NULL, 'h'},
						{0}};
	size_t bytes = 0, requests = 1;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'n')
			flags |= MAP_NORESERVE;
		else if (option == 'h')
			requests = 2;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0)
		usage();
	const char *how = argv[optind];
	int map = strcmp(how, "mmap") == 0;
	if (!map && strcmp(how, "malloc") != 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	bytes = (bytes + requests - 1) / requests;
	for (size_t i = 0; i < requests; i++) {
		printf("%s: asking for %zu bytes, touching none\n", how, bytes);
		granted = map ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0) : malloc(bytes);
		if (granted == (map ? MAP_FAILED : NULL)) {
			perror(how);
			return 1;
		}
		puts("granted");
	}
	return 0;
}
