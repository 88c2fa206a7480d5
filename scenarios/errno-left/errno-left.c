// SPDX-License-Identifier: MIT
/*
 * malloc() succeeds, and errno says ENOMEM. A refusal that the C library survives by asking in another way leaves its
 * errno behind; only the return value tells whether a call failed. A program that looks at errno instead gives up with
 * its memory in hand.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK = 128 << 10, FILL = 100 << 10, PAGE = 4096 };

static size_t bytes;
static int clear, trust_value;

static void usage(void)
{
	fputs("usage: errno-left thread|heap --bytes N [--block] [--clear] [--value] [--one-arena]\n", stderr);
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

/* Something lies where the heap would grow: the break cannot move, and malloc() has to look elsewhere. */
static void block_heap(void)
{
	char *end = sbrk(0);
	end += (PAGE - (size_t)end % PAGE) % PAGE;
	if (mmap(end, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != end)
		usage();
}

/* Not NULL when it gives up */
static void *allocate(void *failed)
{
	if (clear)
		errno = 0;
	char *volatile memory = malloc(bytes);
	int left = errno;
	if (memory)
		memset(memory, 1, bytes);
	if (left && !trust_value)
		fprintf(stderr, "malloc: %s\n", strerror(left));
	printf("malloc returned %s, errno is %s\n", memory ? "memory, and it was written to" : "NULL",
	       left ? strerrorname_np(left) : "0");
	return (trust_value ? !memory : left) ? failed : NULL;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'n'}, {"block", no_argument, NULL, 'b'},
		{"clear", no_argument, NULL, 'c'},       {"value", no_argument, NULL, 'v'},
		{"one-arena", no_argument, NULL, 'o'},   {0}};
	int option, block = 0;
	void *failed = argv;
	pthread_t thread;
	pthread_attr_t attributes;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'n')
			bytes = number(optarg);
		else if (option == 'b')
			block = 1;
		else if (option == 'c')
			clear = 1;
		else if (option == 'v')
			trust_value = 1;
		else if (option == 'o')
			mallopt(M_ARENA_MAX, 1);
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	mallopt(M_TOP_PAD, 0);            /* the heap grows by what is needed */
	if (strcmp(argv[optind], "heap") == 0) {
		char *volatile most_of_it = malloc(FILL); /* of what the heap has from the start */
		if (block && most_of_it)
			block_heap();
		return allocate(failed) != NULL;
	}
	if (strcmp(argv[optind], "thread") != 0)
		usage();
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	errno = pthread_create(&thread, &attributes, allocate, failed);
	if (errno || (errno = pthread_join(thread, &failed))) {
		perror("thread");
		return 2;
	}
	return failed != NULL;
}
