// SPDX-License-Identifier: MIT
/*
 * A death that looks like the OOM killer's and is not: SIGKILL from the kernel itself, in a memory cgroup that is
 * nearly full. But it was sent at the hard limit on CPU time (ulimit -Ht): check_process_timers() knows nothing of
 * memory. Of the soft limit a program is told by SIGXCPU, of the hard one by nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void usage(void)
{
	fputs("usage: cpu-limit --bytes N --burn MILLISECONDS --seconds N|none\n", stderr);
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

static size_t used_ms(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (size_t)used.tv_sec * 1000 + (size_t)used.tv_nsec / 1000000;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"burn", required_argument, NULL, 'm'},
						{"seconds", required_argument, NULL, 's'},
						{0}};
	size_t bytes = 0, burn = 0;
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'm')
			burn = number(optarg);
		else if (option == 's' && strcmp(optarg, "none") != 0)
			limit.rlim_cur = limit.rlim_max = number(optarg);
		else if (option != 's')
			usage();
	}
	if (optind != argc || bytes == 0 || burn == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *volatile memory = malloc(bytes);
	if (!memory) {
		perror("malloc");
		return 1;
	}
	memset(memory, 1, bytes);
	printf("%zu bytes in use\n", bytes);
	if (limit.rlim_max != RLIM_INFINITY && setrlimit(RLIMIT_CPU, &limit) < 0) {
		perror("setrlimit");
		return 1;
	}
	for (size_t start = used_ms(); used_ms() - start < burn;)
		;
	printf("%zu ms of work done\n", burn);
	return 0;
}
