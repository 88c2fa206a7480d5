// SPDX-License-Identifier: MIT
/*
 * One request larger than the machine. In overcommit mode 0 __vm_enough_memory() refuses a request, and only a request,
 * of more pages than RAM and swap have together. What was promised before does not count, nor whether memory is free.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: oversized-request mmap|malloc|shared|file|brk|mremap|mprotect|shmget --bytes N [--noreserve] "
	      "[--halves]\n"
	      "                         [--read]\n",
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

static int map(size_t bytes, int protection, int flags, int fd)
{
	granted = mmap(NULL, bytes, protection, flags, fd, 0);
	return granted == MAP_FAILED ? -1 : 0;
}

/* A private mapping that may be written to is charged even if a file lies behind it. */
static int map_file(size_t bytes, int protection, int flags)
{
	int fd = memfd_create("memory", 0);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -1;
	return map(bytes, protection, flags, fd);
}

/* What nobody may write to is charged when somebody may. */
static int make_writable(size_t bytes, int protection, int flags)
{
	return map(bytes, PROT_NONE, flags, -1) || mprotect(granted, bytes, protection) ? -1 : 0;
}

static int enlarge(size_t bytes, int protection, int flags)
{
	size_t page = sysconf(_SC_PAGESIZE);
	if (map(page, protection, flags, -1))
		return -1;
	granted = mremap(granted, page, bytes + page, MREMAP_MAYMOVE); /* only what is new is charged */
	return granted == MAP_FAILED ? -1 : 0;
}

static int segment(size_t bytes, int noreserve)
{
	int id = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600 | (noreserve ? SHM_NORESERVE : 0));
	return id < 0 ? -1 : shmctl(id, IPC_RMID, NULL);
}

/* 0, or -1 and errno */
static int request(const char *how, size_t bytes, int protection, int noreserve)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | (noreserve ? MAP_NORESERVE : 0);

	if (strcmp(how, "mmap") == 0)
		return map(bytes, protection, flags, -1);
	if (strcmp(how, "malloc") == 0)
		return (granted = malloc(bytes)) ? 0 : -1;
	if (strcmp(how, "shared") == 0)
		return map(bytes, protection, flags ^ MAP_PRIVATE ^ MAP_SHARED, -1);
	if (strcmp(how, "file") == 0)
		return map_file(bytes, protection, flags & ~MAP_ANONYMOUS);
	if (strcmp(how, "brk") == 0)
		return (granted = sbrk((intptr_t)bytes)) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "mremap") == 0)
		return enlarge(bytes, protection, flags);
	if (strcmp(how, "mprotect") == 0)
		return make_writable(bytes, protection, flags);
	if (strcmp(how, "shmget") != 0)
		usage();
	return segment(bytes, noreserve);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"noreserve", no_argument, NULL, 'n'},
						{"halves", no_argument, NULL, 'h'},
						{"read", no_argument, NULL, 'r'},
						{0}};
	size_t bytes = 0, requests = 1;
	int noreserve = 0, protection = PROT_READ | PROT_WRITE, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'n')
			noreserve = 1;
		else if (option == 'h')
			requests = 2;
		else if (option == 'r')
			protection = PROT_READ;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0)
		usage();
	const char *how = argv[optind];

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	bytes = (bytes + requests - 1) / requests;
	for (size_t i = 0; i < requests; i++) {
		printf("%s: asking for %zu bytes, touching none\n", how, bytes);
		if (request(how, bytes, protection, noreserve) < 0) {
			perror(how);
			return 1;
		}
		puts("granted");
	}
	return 0;
}
