// SPDX-License-Identifier: MIT
/*
 * Address space in crumbs. An area needs consecutive addresses, so vm_unmapped_area() looks for one hole that is large
 * enough and answers ENOMEM when there is none, however much is free in total. Here every address is taken by areas
 * without memory (PROT_NONE), then every second page of one stretch is given back.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define TASK_SIZE       0x7ffffffff000UL /* x86-64: the first address no program can have, unless it asks for more */
#define STACK_GUARD_GAP (256 * 4096UL)   /* below the stack; the kernel places nothing there */
#define NOTHING         (MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE)

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: fragmentation --holes N --ask BYTES [--one-hole] [--by malloc|thread] [--fork] [--coalesce]\n",
	      stderr);
	exit(2);
}

static void *must_map(void *address, size_t bytes, int flags)
{
	void *p = mmap(address, bytes, PROT_NONE, flags, -1, 0);
	if (p != MAP_FAILED)
		return p;
	perror("mmap");
	exit(2);
}

static size_t read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY);
	size_t length = 0;
	ssize_t n;
	while ((n = read(fd, buffer + length, size - 1 - length)) > 0)
		length += (size_t)n;
	close(fd);
	buffer[length] = '\0';
	return length;
}

/* Map every hole that /proc/self/maps shows, exactly, so that nothing is refused on the way. */
static void fill(void)
{
	static char maps[64 << 10], minimum[32];
	read_file("/proc/self/maps", maps, sizeof(maps));
	read_file("/proc/sys/vm/mmap_min_addr", minimum, sizeof(minimum));
	/* Whoever may map lower still finds nothing there: an area that grows down keeps a guard gap below itself. */
	int flags = NOTHING | MAP_FIXED_NOREPLACE | MAP_GROWSDOWN;
	uintptr_t hole = strtoul(minimum, NULL, 10);
	for (char *line = maps; *line && hole < TASK_SIZE; line = strchr(line, '\n') + 1) {
		char *dash;
		uintptr_t start = strtoul(line, &dash, 16), end = strtoul(dash + 1, NULL, 16);
		char *name = strstr(line, "[stack]");
		uintptr_t limit = start;
		if (name && name < strchr(line, '\n'))
			limit -= STACK_GUARD_GAP;
		if (limit > TASK_SIZE)
			limit = TASK_SIZE;
		if (limit > hole)
			must_map((void *)hole, limit - hole, flags);
		flags &= ~MAP_GROWSDOWN;
		hole = end;
	}
	if (hole < TASK_SIZE)
		must_map((void *)hole, TASK_SIZE - hole, flags);
}

static void *start(void *unused)
{
	return unused;
}
/* Once, and by the C library. The exit code */
static int ask_library(const char *how, size_t bytes)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, bytes);
	if (strcmp(how, "thread") == 0)
		errno = pthread_create(&(pthread_t){0}, &attributes, start, NULL);
	else
		errno = (granted = malloc(bytes)) ? 0 : errno;
	return errno ? perror(how), 1 : 0;
}
int main(int argc, char *argv[])
{
	static int one_hole, coalesce, with_fork;
	static const struct option options[] = {{"holes", required_argument, NULL, 'h'},
						{"ask", required_argument, NULL, 'a'},
						{"by", required_argument, NULL, 'b'},
						{"one-hole", no_argument, &one_hole, 1},
						{"coalesce", no_argument, &coalesce, 1},
						{"fork", no_argument, &with_fork, 1},
						{0}};
	size_t holes = 0, ask = 0, page = sysconf(_SC_PAGESIZE), got = 0;
	const char *by = NULL;
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h')
			holes = strtoull(optarg, NULL, 10);
		else if (option == 'a')
			ask = strtoull(optarg, NULL, 10);
		else if (option == 'b')
			by = optarg;
		else if (option != 0)
			usage();
	}
	if (optind != argc || holes == 0 || ask == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0);
	char *stretch = must_map(NULL, (2 * holes + 1) * page, NOTHING);
	fill();
	if (one_hole)
		munmap(stretch + page, holes * page);
	for (size_t i = 0; i < holes && !one_hole; i++)
		munmap(stretch + (2 * i + 1) * page, page);
	printf("free: %zu bytes, in %zu holes; asking for %zu at a time\n", holes * page, one_hole ? 1 : holes, ask);
	if (with_fork && fork() == 0)
		return 0;
	if (with_fork) /* copies areas to where they are: no hole is looked for */
		puts(wait(NULL) > 0 ? "fork granted" : "fork refused");
	if (by)
		return ask_library(by, ask);
	while (got < holes * page) {
		if (mmap(NULL, ask, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) {
			got += ask;
			continue;
		}
		perror("mmap");
		if (!coalesce)
			return 1;
		munmap(stretch, (2 * holes + 1) * page);
		puts("gave back the pages between the holes, asking again");
		coalesce = 0;
	}
	printf("granted %zu bytes\n", got);
	return 0;
}
