// SPDX-License-Identifier: MIT
/*
 * A POSIX timer holds the signal that it will send from the day it is made, and RLIMIT_SIGPENDING counts the signals of
 * all programs of the user: timer_create() says EAGAIN. A timer behind a descriptor (timerfd) sends none.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>

enum { COUNT_MAX = 4096 };

static timer_t timers[COUNT_MAX];

static void usage(void)
{
	fputs("usage: timer-limit --count N [--descriptors] [--again | --delete]\n", stderr);
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

/* One more, of whatever kind: -1 and errno, if refused */
static int make(size_t i, int descriptors)
{
	if (descriptors)
		return timerfd_create(CLOCK_MONOTONIC, 0);
	return timer_create(CLOCK_MONOTONIC, NULL, &timers[i]);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
						{"descriptors", no_argument, NULL, 'f'},
						{"again", no_argument, NULL, 'a'},
						{"delete", no_argument, NULL, 'd'},
						{0}};
	const char *call = "timer_create";
	size_t count = 0, done;
	int descriptors = 0, again = 0, forget = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = number(optarg);
		else if (option == 'f')
			descriptors = 1;
		else if (option == 'a')
			again = 1;
		else if (option == 'd')
			forget = again = 1;
		else
			usage();
	}
	if (optind != argc || count == 0 || count > COUNT_MAX)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (done = 0; done < count && !refused; done += !refused) {
		refused = make(done, descriptors) < 0;
		if (refused && again) { /* for whoever raised the limit meanwhile, or in the place of an old one */
			perror(call);
			again = 0;
			if (forget && done > 0)
				timer_delete(timers[done - 1]);
			refused = make(done, descriptors) < 0;
		}
	}
	if (refused)
		perror(call);
	printf("%zu of %zu timers\n", done, count);
	return refused ? 1 : 0;
}
