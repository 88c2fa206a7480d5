// SPDX-License-Identifier: MIT
/*
 * RLIMIT_AS: the limit on address space, not on memory. may_expand_vm() compares total_vm + new pages with the limit,
 * before a single page exists, for every way to get address space: mmap, mremap, brk, the stack of a thread, the stack
 * of the process (acct_stack_growth(): no call to fail, so SIGSEGV) and a new image (execve: too late to go back,
 * SIGSEGV).
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum { FRAME_BYTES = 64 << 10 };

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */
static int noreserve;

static void usage(void)
{
	fputs("usage: address-space-limit mmap|mremap|brk|malloc|thread|stack|exec --bytes N [--noreserve] [--raise]\n",
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

static void *nothing(void *unused)
{
	return unused;
}

static int thread(size_t stack_bytes)
{
	pthread_attr_t attributes;
	pthread_t t;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, stack_bytes);
	errno = pthread_create(&t, &attributes, nothing, NULL);
	return errno ? -1 : pthread_join(t, NULL);
}

/* One page of each frame is touched, so the memory in use stays small. */
static __attribute__((noinline)) int recurse(size_t bytes)
{
	volatile char frame[FRAME_BYTES];
	frame[0] = 1;
	return bytes > FRAME_BYTES ? recurse(bytes - FRAME_BYTES) + frame[0] : frame[0];
}

/* 0, or -1 and errno */
static int request(const char *how, size_t bytes)
{
	int protection = noreserve ? PROT_NONE : PROT_READ | PROT_WRITE;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (noreserve ? MAP_NORESERVE : 0);
	size_t page = sysconf(_SC_PAGESIZE);

	if (strcmp(how, "mmap") == 0)
		return (granted = mmap(NULL, bytes, protection, flags, -1, 0)) == MAP_FAILED ? -1 : 0;
	if (strcmp(how, "mremap") == 0) {
		void *small = mmap(NULL, page, protection, flags, -1, 0);
		return (granted = mremap(small, page, bytes, MREMAP_MAYMOVE)) == MAP_FAILED ? -1 : 0;
	}
	if (strcmp(how, "brk") == 0)
		return (granted = sbrk(bytes)) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "malloc") == 0)
		return (granted = malloc(bytes)) ? 0 : -1;
	if (strcmp(how, "thread") == 0)
		return thread(bytes);
	if (strcmp(how, "exec") == 0)
		return execl("./big-image", "big-image", (char *)NULL);
	if (strcmp(how, "stack") != 0)
		usage();
	return recurse(bytes) > 0 ? 0 : -1;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"noreserve", no_argument, NULL, 'n'},
						{"raise", no_argument, NULL, 'r'},
						{0}};
	size_t bytes = 0;
	int raise_limit = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'n')
			noreserve = 1;
		else if (option == 'r')
			raise_limit = 1;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%s: asking for %zu bytes of address space\n", argv[optind], bytes);
	int refused = request(argv[optind], bytes);
	if (refused && raise_limit) {
		struct rlimit limit;
		perror(argv[optind]);
		getrlimit(RLIMIT_AS, &limit);
		limit.rlim_cur = limit.rlim_max; /* up to the hard limit, anybody may */
		setrlimit(RLIMIT_AS, &limit);
		puts("soft limit raised, asking again");
		refused = request(argv[optind], bytes);
	}
	if (refused) {
		perror(argv[optind]);
		return 1;
	}
	puts("granted");
	return 0;
}
