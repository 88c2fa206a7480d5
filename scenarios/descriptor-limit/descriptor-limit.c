// SPDX-License-Identifier: MIT
/*
 * A failure that looks like refused memory and is none: "Too many open files". RLIMIT_NOFILE bounds the numbers of
 * descriptors, and alloc_fd() looks at nothing else. What stands behind a descriptor (a pipe's buffers, a socket) is
 * kernel memory, and most programs print this errno from the same line that would print ENOMEM.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: descriptor-limit pipe|eventfd|epoll|inotify|socket|memfd --count N [--close | --again]\n",
	      stderr);
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

/* One more of its kind: 0, or -1 and errno */
static int make(const char *how, int fd[2])
{
	fd[1] = -1;
	if (strcmp(how, "pipe") == 0)
		return pipe(fd);
	if (strcmp(how, "eventfd") == 0)
		fd[0] = eventfd(0, 0);
	else if (strcmp(how, "epoll") == 0)
		fd[0] = epoll_create1(0);
	else if (strcmp(how, "inotify") == 0)
		fd[0] = inotify_init1(0);
	else if (strcmp(how, "socket") == 0)
		fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	else if (strcmp(how, "memfd") == 0)
		fd[0] = memfd_create("memory", 0);
	else
		usage();
	return fd[0] < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"count", required_argument, NULL, 'n'},
						{"close", no_argument, NULL, 'c'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t count = 0, done = 0;
	int close_each = 0, again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			count = number(optarg);
		else if (option == 'c')
			close_each = 1;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || count == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	while (done < count) {
		int fd[2];
		if (make(argv[optind], fd) < 0) {
			perror(argv[optind]);
			if (!again)
				break;
			again = 0; /* for whoever raised the limit meanwhile */
			continue;
		}
		done++;
		if (!close_each)
			continue;
		close(fd[0]);
		if (fd[1] >= 0)
			close(fd[1]);
	}
	printf("%s: %zu of %zu made\n", argv[optind], done, count);
	return done < count;
}
