// SPDX-License-Identifier: MIT
/*
 * One area, touched page by page; what happens then is the group's business. Above memory.high try_charge_memcg() lets
 * every page through, and on its way back to the program the task sleeps in mem_cgroup_handle_over_high(), up to two
 * seconds per page fault, the longer the further the group is above the limit. At memory.max pages go to swap for as
 * long as memory.swap.max lets them; then, or where a group above is full, mem_cgroup_out_of_memory() kills.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void usage(void)
{
	fputs("usage: memory-high --bytes N\n", stderr);
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
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'}, {0}};
	size_t bytes = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'b')
			usage();
		bytes = number(optarg);
	}
	if (optind != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	printf("mapped %zu bytes, now using every page\n", bytes);
	memset(memory, 1, bytes);
	puts("all pages used");
	return 0;
}
