// SPDX-License-Identifier: MIT
/*
 * A terabyte that costs nothing. Addresses are not memory: a page is taken when it is touched, and only then. So a
 * process may have a thousand times the machine's RAM in its VSZ and use none of it; and one that touches what it
 * reserved is killed, however well the reservation went.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP = 1 << 20 };

static void usage(void)
{
	fputs("usage: untouched noreserve|none|malloc --reserve N --touch N [--give-back] [--hold MS]\n", stderr);
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

/* NULL, and errno, when refused */
static char *reserve(const char *how, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int protection = strcmp(how, "none") == 0 ? PROT_NONE : PROT_READ | PROT_WRITE;
	if (strcmp(how, "malloc") == 0)
		return malloc(bytes);
	if (strcmp(how, "noreserve") != 0 && strcmp(how, "none") != 0)
		usage();
	char *area = mmap(NULL, bytes, protection, flags, -1, 0);
	return area == MAP_FAILED ? NULL : area;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"reserve", required_argument, NULL, 'r'},
						{"touch", required_argument, NULL, 't'},
						{"hold", required_argument, NULL, 'h'},
						{"give-back", no_argument, NULL, 'g'},
						{0}};
	size_t bytes = 0, touched = 0, hold = 0;
	int give_back = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			bytes = number(optarg);
		else if (option == 't')
			touched = number(optarg);
		else if (option == 'h')
			hold = number(optarg);
		else if (option == 'g')
			give_back = 1;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0 || touched > bytes || touched % STEP)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *volatile area = reserve(argv[optind], bytes);
	if (!area) {
		perror(argv[optind]);
		return 1;
	}
	printf("%zu bytes reserved\n", bytes);
	if (strcmp(argv[optind], "none") == 0 && touched > 0 && mprotect(area, touched, PROT_READ | PROT_WRITE) < 0) {
		perror("mprotect");
		return 1;
	}
	for (size_t at = 0; at < touched; at += STEP) {
		memset(area + at, 1, STEP);
		if (give_back && strcmp(argv[optind], "malloc") != 0)
			madvise(area + at, STEP, MADV_DONTNEED);
	}
	printf("%zu bytes touched\n", touched);
	usleep((useconds_t)hold * 1000); /* for whoever looks meanwhile */
	return 0;
}
