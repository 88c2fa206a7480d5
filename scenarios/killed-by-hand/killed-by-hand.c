// SPDX-License-Identifier: MIT
/*
 * A death that looks like the OOM killer's and is not: "Killed", exit status 137, in a memory cgroup that is nearly
 * full. But the signal came from kill(2). SIGKILL carries no reason to its victim or the victim's parent: only the
 * counters and the kernel log tell the two apart.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void usage(void)
{
	fputs("usage: killed-by-hand --bytes N --signal KILL|TERM|none\n", stderr);
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

static void on_term(int signal)
{
	told = signal;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'b'}, {"signal", required_argument, NULL, 's'}, {0}};
	size_t bytes = 0;
	int signal_number = -1, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 's' && strcmp(optarg, "KILL") == 0)
			signal_number = SIGKILL;
		else if (option == 's' && strcmp(optarg, "TERM") == 0)
			signal_number = SIGTERM;
		else if (option == 's' && strcmp(optarg, "none") == 0)
			signal_number = 0; /* kill() then looks, and sends nothing */
		else
			usage();
	}
	if (optind != argc || bytes == 0 || signal_number < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	signal(SIGTERM, on_term);
	char *volatile memory = malloc(bytes);
	if (!memory) {
		perror("malloc");
		return 1;
	}
	memset(memory, 1, bytes);
	printf("%zu bytes in use\n", bytes);
	pid_t child = fork();
	if (child < 0) {
		perror("fork");
		return 1;
	}
	if (child == 0)
		_exit(kill(getppid(), signal_number) < 0);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	puts(told ? "told to end: done in order" : "nobody killed me");
	return 0;
}
