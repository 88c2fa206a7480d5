// SPDX-License-Identifier: MIT
/*
 * io_setup() makes a context for so many asynchronous requests, and all contexts of the machine together may be for no
 * more than fs.aio-max-nr: EAGAIN. What counts is what was asked for, whether a request is ever made or not.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/aio_abi.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { COUNT_MAX = 64 };

static aio_context_t context[COUNT_MAX];

static void usage(void)
{
	fputs("usage: aio-limit --requests N [--contexts N] [--again | --destroy]\n", stderr);
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

/* The C library has no name for these calls. */
static int make(size_t i, size_t requests)
{
	return (int)syscall(SYS_io_setup, (unsigned)requests, &context[i]);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"requests", required_argument, NULL, 'r'},
						{"contexts", required_argument, NULL, 'c'},
						{"again", no_argument, NULL, 'a'},
						{"destroy", no_argument, NULL, 'd'},
						{0}};
	size_t requests = 0, contexts = 1, done;
	int again = 0, destroy = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			requests = number(optarg);
		else if (option == 'c')
			contexts = number(optarg);
		else if (option == 'a')
			again = 1;
		else if (option == 'd')
			destroy = again = 1;
		else
			usage();
	}
	if (optind != argc || requests == 0 || requests > 1U << 30 || contexts == 0 || contexts > COUNT_MAX)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (done = 0; done < contexts && !refused; done += !refused) {
		refused = make(done, requests) < 0;
		if (refused && again) { /* for whoever raised the limit meanwhile, or in the place of an old one */
			perror("io_setup");
			again = 0;
			if (destroy && done > 0)
				syscall(SYS_io_destroy, context[done - 1]);
			refused = make(done, requests) < 0;
		}
	}
	if (refused)
		perror("io_setup");
	printf("%zu of %zu contexts of %zu requests\n", done, contexts, requests);
	return refused ? 1 : 0;
}
