// SPDX-License-Identifier: MIT
/*
 * A map of bpf is kernel memory that a program asks for by the megabyte. Before Linux 5.11 it counts as locked memory:
 * bpf_charge_memlock() says EPERM above RLIMIT_MEMLOCK, to root as well. Since then the memory cgroup is charged, and
 * bpf(2) says ENOMEM where other memory would have the program killed.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { VALUE_BYTES = 64 };

static void usage(void)
{
	fputs("usage: bpf-map --bytes N [--again]\n", stderr);
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

/* An array with all of its values, there from the start: 0, or -1 and errno */
static int create(size_t bytes)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(unsigned);
	attr.value_size = VALUE_BYTES;
	attr.max_entries = (unsigned)(bytes / VALUE_BYTES);
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'b'}, {"again", no_argument, NULL, 'a'}, {0}};
	size_t bytes = 0;
	int again = 0, refused, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind != argc || bytes < VALUE_BYTES)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("asking for a map of %zu bytes\n", bytes);
	refused = create(bytes);
	if (refused && again) { /* for whoever raised the limit meanwhile */
		perror("bpf");
		refused = create(bytes);
	}
	if (refused)
		perror("bpf");
	else
		puts("done");
	return refused ? 1 : 0;
}
