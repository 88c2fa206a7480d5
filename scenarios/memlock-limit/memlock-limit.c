// SPDX-License-Identifier: MIT
/*
 * RLIMIT_MEMLOCK: the limit on memory kept in RAM by force. One limit, three errnos: do_mlock() says ENOMEM, mmap()
 * says EAGAIN (mlock_future_ok()), and where the limit is 0 can_do_mlock() says EPERM. CAP_IPC_LOCK lifts it, but only
 * that of the initial user namespace.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static size_t within; /* bytes into a page, where what is locked begins */
static int twice, hole, none, userns, again;
static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: memlock-limit mlock|mlock2|mlockall|mmap|segment|future|remap|brk|malloc|thread --bytes N\n"
	      "                     [--pieces N] [--within-page] [--twice] [--userns] [--again] [--hole | --none]\n",
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

static int map(size_t bytes, int flags)
{
	granted = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
	return granted == MAP_FAILED ? -1 : 0;
}

static void *nothing(void *unused)
{
	return unused;
}

/* Its last page is given back, or none of it may be accessed: no matter of how much may be locked. */
static int spoil(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	return hole ? munmap((char *)granted + bytes - page, page) : none ? mprotect(granted, bytes, PROT_NONE) : 0;
}

static int lock_segment(size_t bytes)
{
	int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600); /* ends with its namespace */
	return id < 0 ? -1 : shmctl(id, SHM_LOCK, NULL);
}

static int enlarge(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);
	if (map(page, 0) < 0)
		return -1;
	granted = mremap(granted, page, bytes, MREMAP_MAYMOVE);
	return granted == MAP_FAILED ? -1 : 0;
}

/* 0, or -1 and errno */
static int request(const char *how, size_t bytes)
{
	if (strcmp(how, "mlock") == 0)
		return map(bytes + within, 0) || spoil(bytes) || mlock((char *)granted + within, bytes) ||
		       (twice && mlock(granted, bytes));
	if (strcmp(how, "mlock2") == 0) /* counted at once, though nothing is in RAM before it is used */
		return map(bytes, 0) || mlock2(granted, bytes, MLOCK_ONFAULT);
	if (strcmp(how, "mlockall") == 0)
		return mlockall(MCL_CURRENT);
	if (strcmp(how, "mmap") == 0)
		return map(bytes, MAP_LOCKED);
	if (strcmp(how, "segment") == 0)
		return lock_segment(bytes);
	if (strcmp(how, "future") == 0)
		return map(bytes, 0);
	if (strcmp(how, "remap") == 0)
		return enlarge(bytes);
	if (strcmp(how, "brk") == 0)
		return sbrk((intptr_t)bytes) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "thread") == 0)
		return (errno = pthread_create(&(pthread_t){0}, NULL, nothing, NULL)) ? -1 : 0;
	if (strcmp(how, "malloc") != 0)
		usage();
	return (granted = malloc(bytes)) ? 0 : -1;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"pieces", required_argument, NULL, 'p'},
						{"within-page", no_argument, NULL, 'w'},
						{"twice", no_argument, &twice, 1},
						{"userns", no_argument, &userns, 1},
						{"again", no_argument, &again, 1},
						{"hole", no_argument, &hole, 1},
						{"none", no_argument, &none, 1},
						{0}};
	size_t bytes = 0, pieces = 1;
	int refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'p')
			pieces = number(optarg);
		else if (option == 'w')
			within = 1;
		else if (option != 0)
			usage();
	}
	if (optind + 1 != argc || bytes == 0 || pieces == 0)
		usage();

	const char *how = argv[optind];
	setvbuf(stdout, NULL, _IONBF, 0);           /* stdout, too, would allocate */
	if (userns && unshare(CLONE_NEWUSER) < 0) { /* every capability, in there */
		perror("unshare");
		return 2;
	}
	/* From here on all new memory is locked as well: nothing is yet, so nothing can be refused yet. */
	if (strstr("future remap brk malloc thread", how) && mlockall(MCL_FUTURE) < 0)
		return perror("mlockall"), 1;
	printf("%s: asking %zu times for %zu bytes in RAM\n", how, pieces, bytes / pieces);
	for (size_t i = 0; i < pieces && !refused; i++) {
		refused = request(how, bytes / pieces);
		if (refused && again) { /* for whoever raised the limit meanwhile; or all of it is there now */
			perror(how);
			hole = none = 0;
			refused = request(how, bytes / pieces);
		}
	}
	if (refused)
		return perror(how), 1;
	puts("granted");
	return 0;
}
