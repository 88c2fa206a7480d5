// SPDX-License-Identifier: MIT
/*
 * Failures that no limit can be made to give on a stock kernel, made by the observer: the call is taken away before the
 * kernel sees it. munmap() with ENOMEM that leaves its mapping, fork() with ENOMEM on a machine full of memory, a pipe
 * or an epoll instance for which the kernel finds no room: the paths of a program that are never run until the day they
 * are needed.
 */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK_BYTES = 100 << 10, CHUNKS = 4 };

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: injected fork|munmap|brk|malloc|pipe|epoll [--bytes N]\n", stderr);
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

static int make_child(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid(pid, NULL, 0) < 0;
}

/* What could not be unmapped is there still, and holds what it held. */
static int unmap(size_t bytes)
{
	volatile char *area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		return -1;
	area[bytes - 1] = 1;
	if (munmap((void *)area, bytes) == 0)
		return 0;
	int error = errno;
	area[0] = area[bytes - 1];
	printf("still mapped: %d\n", area[0]);
	errno = error;
	return -1;
}

/* The allocator grows its heap by brk(); refused, it maps memory elsewhere, and only errno tells. */
static int allocate(size_t top_pad)
{
	mallopt(M_TOP_PAD, (int)top_pad);
	errno = 0;
	for (int i = 0; i < CHUNKS; i++) {
		granted = malloc(CHUNK_BYTES);
		if (!granted)
			return -1;
	}
	printf("malloc: granted, and errno says: %s\n", strerror(errno));
	return 0;
}

static int request(const char *how, size_t bytes)
{
	int ends[2];
	if (strcmp(how, "fork") == 0)
		return make_child();
	if (strcmp(how, "munmap") == 0)
		return unmap(bytes);
	if (strcmp(how, "brk") == 0)
		return (granted = sbrk((intptr_t)bytes)) == (void *)-1 ? -1 : 0;
	if (strcmp(how, "malloc") == 0)
		return allocate(bytes);
	if (strcmp(how, "pipe") == 0)
		return pipe(ends);
	if (strcmp(how, "epoll") != 0)
		usage();
	return epoll_create1(0) < 0 ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'}, {0}};
	size_t bytes = 4 << 20;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'b')
			usage();
		bytes = number(optarg);
	}
	if (optind + 1 != argc || bytes == 0 || bytes > 64 << 20)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (request(argv[optind], bytes) < 0) {
		perror(argv[optind]);
		return 1;
	}
	puts("granted");
	return 0;
}
