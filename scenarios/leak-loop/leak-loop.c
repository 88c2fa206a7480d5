// SPDX-License-Identifier: MIT
/*
 * Leak loop: memory is allocated and never given back. What ends the loop depends on what is counted. RLIMIT_AS counts
 * promises: may_expand_vm() refuses the next one with ENOMEM. A memory cgroup counts pages in use: try_charge_memcg()
 * refuses nothing, it lets the OOM killer end the process when a page is touched.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *volatile leaked; /* overwritten each time round: this is the leak */

static void usage(void)
{
	fputs("usage: leak-loop --count CHUNKS --bytes BYTES_PER_CHUNK [--touch all|nothing] [--free]\n", stderr);
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
	static const struct option options[] = {{"count", required_argument, NULL, 'c'},
						{"bytes", required_argument, NULL, 'b'},
						{"touch", required_argument, NULL, 't'},
						{"free", no_argument, NULL, 'f'},
						{0}};
	size_t count = 0, bytes = 0;
	int touch = 0, give_back = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = number(optarg);
		else if (option == 'b')
			bytes = number(optarg);
		else if (option == 't' && (strcmp(optarg, "all") == 0 || strcmp(optarg, "nothing") == 0))
			touch = strcmp(optarg, "all") == 0;
		else if (option == 'f')
			give_back = 1;
		else
			usage();
	}
	if (optind != argc || count == 0 || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("allocating %zu times %zu bytes, touching %s, %s\n", count, bytes, touch ? "all" : "nothing",
	       give_back ? "freeing each" : "freeing nothing");
	for (size_t i = 0; i < count; i++) {
		leaked = malloc(bytes);
		if (!leaked) {
			int error = errno;
			printf("refused after %zu chunks\n", i);
			errno = error;
			perror("malloc");
			return 1;
		}
		if (touch)
			memset(leaked, 1, bytes);
		if (give_back)
			free(leaked);
	}
	printf("all %zu granted\n", count);
	return 0;
}
