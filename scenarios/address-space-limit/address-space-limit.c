// SPDX-License-Identifier: MIT
/*
 * RLIMIT_AS: the limit on address space, not on memory. may_expand_vm() compares total_vm + new pages with the limit,
 * before a single page exists, for every way to get address space: mmap, mremap, brk, the stack of a thread, the stack
 * of the process (acct_stack_growth(): no call to fail, so SIGSEGV) and a new image (execve: too late to go back,
 * SIGSEGV).
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FRAME_BYTES = 64 << 10 };

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */
static int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS, file = -1, segment = -1;

static void usage(void)
{
	fputs("usage: address-space-limit mmap|mremap|brk|shmat|malloc|thread|stack|exec|loader --bytes N\n"
	      "                           [--noreserve | --shared | --file] [--fork] [--raise]\n",
	      stderr);
	exit(2);
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
	size_t page = sysconf(_SC_PAGESIZE);

	if (strcmp(how, "mmap") == 0)
		return (granted = mmap(NULL, bytes, protection, flags, file, 0)) == MAP_FAILED ? -1 : 0;
	if (strcmp(how, "mremap") == 0) {
		void *small = mmap(NULL, page, protection, flags, -1, 0);
		return (granted = mremap(small, page, bytes, MREMAP_MAYMOVE)) == MAP_FAILED ? -1 : 0;
	}
	if (strcmp(how, "brk") == 0)
		return (granted = sbrk(bytes)) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "shmat") == 0) { /* a segment takes addresses of whoever attaches it, not before */
		segment = segment < 0 ? shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600) : segment;
		return (granted = shmat(segment, NULL, 0)) == (void *)-1 ? -1 : 0;
	}
	if (strcmp(how, "malloc") == 0)
		return (granted = malloc(bytes)) ? 0 : -1;
	if (strcmp(how, "thread") == 0)
		return thread(bytes);
	if (strcmp(how, "exec") == 0)
		return execl("./big-image", "big-image", (char *)NULL);
	if (strcmp(how, "loader") == 0) /* there is room for the image, but not for its libraries */
		return execl("/bin/true", "true", (char *)NULL);
	if (strcmp(how, "stack") != 0)
		usage();
	return recurse(bytes) > 0 ? 0 : -1;
}

/* Up to the hard limit anybody may. Gives back what it was. */
static rlim_t set_limit(rlim_t bytes)
{
	struct rlimit limit;
	getrlimit(RLIMIT_AS, &limit);
	rlim_t before = limit.rlim_cur;
	limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
	setrlimit(RLIMIT_AS, &limit);
	return before;
}

/* A copy spans what the original does, and nobody compares that with the limit. */
static void fork_above_the_limit(size_t page)
{
	rlim_t before = set_limit(page);
	if (fork() == 0)
		_exit(0);
	puts(wait(NULL) > 0 ? "fork granted" : "fork refused");
	set_limit(before);
}

int main(int argc, char *argv[])
{
	static int noreserve, shared, of_file, with_fork, raise_limit;
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"noreserve", no_argument, &noreserve, 1},
						{"shared", no_argument, &shared, 1},
						{"file", no_argument, &of_file, 1},
						{"fork", no_argument, &with_fork, 1},
						{"raise", no_argument, &raise_limit, 1},
						{0}};
	size_t bytes = 0;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = strtoull(optarg, NULL, 10);
		else if (option != 0)
			usage();
	}
	if (noreserve)
		protection = PROT_NONE, flags |= MAP_NORESERVE;
	if (shared)
		flags = MAP_SHARED | MAP_ANONYMOUS;
	if (of_file)
		protection = PROT_READ, flags = MAP_PRIVATE, file = open("/proc/self/exe", O_RDONLY);
	if (optind + 1 != argc || bytes == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%s: asking for %zu bytes of address space\n", argv[optind], bytes);
	if (with_fork)
		fork_above_the_limit(sysconf(_SC_PAGESIZE));
	int refused = request(argv[optind], bytes);
	if (refused && raise_limit) {
		perror(argv[optind]);
		set_limit(RLIM_INFINITY);
		puts("soft limit raised, asking again");
		refused = request(argv[optind], bytes);
	}
	if (refused)
		return perror(argv[optind]), 1;
	puts("granted");
	return 0;
}
