// SPDX-License-Identifier: MIT
/*
 * "No space left on device", and no device is full; "Too many open files", and hardly one is open. inotify counts the
 * watches and the instances of each user, inotify_add_watch() says ENOSPC of the first and inotify_init() EMFILE of the
 * second. epoll counts what it watches, too.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COUNT_MAX = 4096 };

static int instance[COUNT_MAX], watch[COUNT_MAX];

static void usage(void)
{
	fputs("usage: inotify-limit --count N [--epoll | --instance-each | --one-instance] [--again | --drop] "
	      "DIRECTORY\n",
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

/* Watch directory i, with an instance of its own or with the first one's: NULL, or who refused, and errno */
static const char *add(size_t i, int instance_each)
{
	char name[32];
	snprintf(name, sizeof(name), "%zu", i);
	if (mkdir(name, 0700) < 0 && errno != EEXIST)
		return "mkdir";
	instance[i] = i == 0 || instance_each ? inotify_init1(0) : instance[0];
	if (instance[i] < 0)
		return "inotify_init1";
	watch[i] = inotify_add_watch(instance[i], name, IN_CREATE);
	return watch[i] < 0 ? "inotify_add_watch" : NULL;
}

/* Watch an event of its own, with the first one's epoll */
static const char *add_event(size_t i)
{
	struct epoll_event interest = {.events = EPOLLIN};
	instance[i] = i == 0 ? epoll_create1(0) : instance[0];
	watch[i] = eventfd(0, 0);
	return epoll_ctl(instance[i], EPOLL_CTL_ADD, watch[i], &interest) < 0 ? "epoll_ctl" : NULL;
}

static void give_up(int events, int instance_each)
{
	if (events)
		close(watch[0]);
	else if (inotify_rm_watch(instance[0], watch[0]) == 0 && instance_each)
		close(instance[0]);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"count", required_argument, NULL, 'n'},
						{"instance-each", no_argument, NULL, 'i'},
						{"one-instance", no_argument, NULL, 'o'},
						{"again", no_argument, NULL, 'a'},
						{"drop", no_argument, NULL, 'd'},
						{"epoll", no_argument, NULL, 'e'},
						{0}};
	size_t count = 0, done = 0;
	int events = 0, instance_each = 0, again = 0, drop = 0, option;
	const char *refused = NULL;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			count = number(optarg);
		else if (option == 'i')
			instance_each = 1;
		else if (option == 'o')
			instance_each = 0;
		else if (option == 'e')
			events = 1;
		else if (option == 'a')
			again = 1;
		else if (option == 'd')
			drop = again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || count == 0 || count > COUNT_MAX || chdir(argv[optind]) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	while (done < count && !refused) {
		refused = events ? add_event(done) : add(done, instance_each);
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(refused);
			again = 0;
			refused = NULL;
			if (drop)
				give_up(events, instance_each);
			continue;
		}
		done += !refused;
	}
	if (refused)
		perror(refused);
	printf("%zu of %zu watched\n", done, count);
	return refused ? 1 : 0;
}
