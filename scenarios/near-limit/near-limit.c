// SPDX-License-Identifier: MIT
/*
 * The fullest limit is not the one that refuses. A process with nearly all addresses, descriptors, tasks and memory it
 * may have is refused by a limit of which it uses next to nothing: what is asked for counts as well.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t reserve, touch, files, tasks; /* how much of each to have before asking */
static int door[2], ready[2];               /* children wait at the door until its writing end is closed */

static void usage(void)
{
	fputs("usage: near-limit map|lock --ask N --reserve N --touch N --files N --tasks N [OPTION...]\n", stderr);
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

/* What is refused here was not to be: another exit status than that of the refusal */
static void have(int granted, const char *what)
{
	if (!granted) {
		perror(what);
		exit(3);
	}
}

static void *area(size_t bytes, int protection, int flags)
{
	void *memory = mmap(NULL, bytes, protection, flags | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static void wait_at_door(void)
{
	char c;
	close(door[1]);
	(void)!read(door[0], &c, 1);
}

/* Shared memory: it counts in the group, and not as the process's data. */
static void fill(size_t addresses, size_t memory, size_t descriptors)
{
	void *shared = area(memory, PROT_READ | PROT_WRITE, MAP_SHARED);
	have(shared && area(addresses, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE), "mmap");
	memset(shared, 1, memory);
	for (size_t i = 0; i < descriptors; i++)
		have(eventfd(0, 0) >= 0, "eventfd");
}

/* Full, and asking for one more of each while its neighbour has been refused */
static void neighbour(void)
{
	fill(reserve, touch, files);
	close(ready[1]);
	wait_at_door();
	fill(1, 1, 1);
	puts("the neighbour was given one more of each");
}

static void start(void (*child)(void))
{
	pid_t pid = fork();
	have(pid >= 0, "fork");
	if (pid == 0) {
		child();
		_exit(0);
	}
}

/* 0, or -1 and errno */
static int ask(const char *how, size_t bytes, int flags)
{
	if (strcmp(how, "lock") == 0) {
		void *memory = area(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
		have(memory != NULL, "mmap");
		return mlock(memory, bytes);
	}
	if (strcmp(how, "map") != 0)
		usage();
	return area(bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | flags) ? 0 : -1;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"ask", required_argument, NULL, 'k'},
						{"reserve", required_argument, NULL, 'r'},
						{"touch", required_argument, NULL, 't'},
						{"files", required_argument, NULL, 'f'},
						{"tasks", required_argument, NULL, 'n'},
						{"neighbour", no_argument, NULL, 'b'},
						{"noreserve", no_argument, NULL, 'o'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	static const char letters[] = "krtfn";
	size_t bytes = 0, *const into[] = {&bytes, &reserve, &touch, &files, &tasks};
	int beside = 0, flags = 0, again = 0, option, status, failed = 0;
	char c;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			beside = 1;
		else if (option == 'o')
			flags = MAP_NORESERVE;
		else if (option == 'a')
			again = 1;
		else if (option == '?')
			usage();
		else
			*into[strchr(letters, option) - letters] = number(optarg);
	}
	if (optind + 1 != argc || !bytes || !reserve || !touch || pipe(door) < 0)
		usage();
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (size_t i = beside; i < tasks; i++)
		start(wait_at_door);
	have(pipe(ready) == 0, "pipe");
	if (beside)
		start(neighbour);
	else
		fill(reserve, touch, files);
	close(ready[1]);
	(void)!read(ready[0], &c, 1); /* until the neighbour is full, if there is one */
	int refused = ask(argv[optind], bytes, flags);
	if (refused)
		perror(argv[optind]);
	if (refused && again) /* for whoever raised the limit meanwhile */
		refused = ask(argv[optind], bytes, flags);
	close(door[1]);
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 3 : refused ? 1 : 0;
}
