// SPDX-License-Identifier: MIT
/*
 * Two processes, together too large: whom does the kernel kill? oom_badness() counts the pages of each and adds
 * oom_score_adj as thousandths of RAM and swap; the highest sum goes, whoever asked for the last page. One takes its
 * memory and keeps it, then the other does.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void usage(void)
{
	fputs("usage: oom-score --turn first|last --bytes N --adj ADJ --other-bytes N --other-adj ADJ\n", stderr);
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

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Touches all of it: from now on it counts. */
static void take(size_t bytes, const char *adj)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	if (fd < 0 || write(fd, adj, strlen(adj)) < 0)
		fail("oom_score_adj");
	close(fd);
	volatile char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	for (size_t at = 0; at < bytes; at += page)
		memory[at] = 1;
}

/* Returns the write end of a pipe on which it waits for its turn; when it has its memory it says so on `done`. */
static pid_t start_other(size_t bytes, const char *adj, int *ret_turn, int *ret_done)
{
	int turn[2], done[2];
	char byte;
	if (pipe(turn) < 0 || pipe(done) < 0)
		fail("pipe");
	pid_t other = fork();
	if (other < 0)
		fail("fork");
	if (other == 0) {
		close(turn[1]);
		if (read(turn[0], &byte, 1) != 1)
			exit(1);
		take(bytes, adj);
		if (write(done[1], "", 1) == 1)
			pause();
		exit(1);
	}
	close(turn[0]);
	close(done[1]);
	*ret_turn = turn[1];
	*ret_done = done[0];
	return other;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"turn", required_argument, NULL, 't'},      {"bytes", required_argument, NULL, 'b'},
		{"adj", required_argument, NULL, 'a'},       {"other-bytes", required_argument, NULL, 'B'},
		{"other-adj", required_argument, NULL, 'A'}, {0}};
	size_t bytes = 0, other_bytes = 0;
	const char *when = "", *adj = NULL, *other_adj = NULL;
	int option, turn, done, status;
	char byte;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 't')
			when = optarg;
		else if (option == 'b')
			bytes = number(optarg);
		else if (option == 'B')
			other_bytes = number(optarg);
		else if (option == 'a')
			adj = optarg;
		else if (option == 'A')
			other_adj = optarg;
		else
			usage();
	}
	if (optind != argc || !bytes || !other_bytes || !adj || !other_adj)
		usage();
	int first = strcmp(when, "first") == 0;
	if (!first && strcmp(when, "last") != 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	pid_t other = start_other(other_bytes, other_adj, &turn, &done);
	if (first)
		take(bytes, adj);
	int seen = write(turn, "", 1) == 1 && read(done, &byte, 1) == 1; /* until it has its memory, or is dead */
	if (!first)
		take(bytes, adj);
	seen = seen && waitpid(other, &status, WNOHANG) == 0;
	puts(seen ? "both have their memory" : "alive, the other was killed");
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
	return 0;
}
