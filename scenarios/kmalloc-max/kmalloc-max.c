// SPDX-License-Identifier: MIT
/*
 * Kernel memory that is too large in one piece. fcntl(F_SETPIPE_SZ) makes one array with 40 bytes for each page of the
 * pipe: pipe_resize_ring() calls kcalloc(), and what exceeds KMALLOC_MAX_SIZE is refused before anybody looks for
 * memory. The pages of the pipe itself come only when somebody writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: kmalloc-max --size BYTES [--pipes N] [--again]\n", stderr);
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
	static const struct option options[] = {{"size", required_argument, NULL, 's'},
						{"pipes", required_argument, NULL, 'p'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t size = 0, pipes = 1;
	int again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			size = number(optarg);
		else if (option == 'p')
			pipes = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind != argc || size == 0 || size >> 32 || pipes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	while (pipes-- > 0) {
		int end[2];
		if (pipe(end) < 0) {
			perror("pipe");
			return 1;
		}
		int granted = fcntl(end[0], F_SETPIPE_SZ, (unsigned)size);
		if (granted < 0 && again) { /* for whoever made room meanwhile */
			perror("fcntl");
			granted = fcntl(end[0], F_SETPIPE_SZ, (unsigned)size);
		}
		if (granted < 0) {
			perror("fcntl");
			return 1;
		}
		printf("a pipe that can hold %d bytes, empty\n", granted);
	}
	return 0;
}
