// SPDX-License-Identifier: MIT
/*
 * RLIMIT_DATA: the limit on private memory that may be written. may_expand_vm() compares data_vm + new pages with it,
 * wherever such pages come from: mmap, mremap, brk, the stack of a thread, and mprotect(), when memory that was
 * reserved becomes writable; and a new image (execve: too late to go back, SIGSEGV). Shared memory, stacks, and memory
 * that can only be read or not even that, are no data.
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

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */
static int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;

static void usage(void)
{
	fputs("usage: data-limit mmap|mremap|mprotect|brk|malloc|thread|exec --bytes N [--again] [--hard]\n"
	      "                  [--kind data|shared|read|none|noreserve|stack]\n",
	      stderr);
	exit(2);
}

static size_t number(const char *text)
{
	char *end;
	size_t n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		usage();
	return n;
}

static void set_kind(const char *kind)
{
	if (strcmp(kind, "shared") == 0)
		flags = MAP_SHARED | MAP_ANONYMOUS;
	else if (strcmp(kind, "read") == 0)
		protection = PROT_READ;
	else if (strcmp(kind, "none") == 0)
		protection = PROT_NONE;
	else if (strcmp(kind, "noreserve") == 0)
		flags |= MAP_NORESERVE;
	else if (strcmp(kind, "stack") == 0) /* what grows down counts as one */
		flags |= MAP_GROWSDOWN;
	else if (strcmp(kind, "data") != 0)
		usage();
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

/* 0, or -1 and errno */
static int request(const char *how, size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	if (strcmp(how, "mmap") == 0)
		return (granted = mmap(NULL, bytes, protection, flags, -1, 0)) == MAP_FAILED ? -1 : 0;
	if (strcmp(how, "mremap") == 0) {
		void *small = mmap(NULL, page, protection, flags, -1, 0);
		return (granted = mremap(small, page, bytes, MREMAP_MAYMOVE)) == MAP_FAILED ? -1 : 0;
	}
	if (strcmp(how, "mprotect") == 0) { /* the reservation is free, the right to write is not */
		granted = mmap(NULL, bytes, PROT_NONE, flags, -1, 0);
		return mprotect(granted, bytes, protection);
	}
	if (strcmp(how, "brk") == 0)
		return (granted = sbrk(bytes)) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "malloc") == 0)
		return (granted = malloc(bytes)) ? 0 : -1;
	if (strcmp(how, "exec") == 0)
		return execl("./big-image", "big-image", (char *)NULL);
	if (strcmp(how, "thread") != 0)
		usage();
	return thread(bytes);
}

/* The hard limit down to the soft one. */
static void give_up_the_rest(void)
{
	struct rlimit limit;
	getrlimit(RLIMIT_DATA, &limit);
	limit.rlim_max = limit.rlim_cur;
	setrlimit(RLIMIT_DATA, &limit);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"kind", required_argument, NULL, 'k'},
						{"again", no_argument, NULL, 'a'},
						{"hard", no_argument, NULL, 'h'},
						{0}};
	size_t bytes = 0;
	int again = 0, hard = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'k')
			set_kind(optarg);
		else if (option == 'a')
			again = 1;
		else if (option == 'h')
			hard = 1;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%s: asking for %zu bytes\n", argv[optind], bytes);
	int refused = request(argv[optind], bytes);
	if (refused && again) { /* for whoever changed the limit meanwhile */
		perror(argv[optind]);
		if (hard)
			give_up_the_rest();
		refused = request(argv[optind], bytes);
	}
	if (refused) {
		perror(argv[optind]);
		return 1;
	}
	puts("granted");
	return 0;
}
