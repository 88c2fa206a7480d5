// SPDX-License-Identifier: MIT
/*
 * A process may hold vm.max_map_count memory areas, however small. do_mmap() and do_brk_flags() refuse when it already
 * holds more than that; split_vma() refuses to cut an area in two when it holds that many; a range that has to be cut
 * at both ends needs room for two, and mremap() keeps room for four. Free memory is never looked at.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SPOT_PAGES = 8 }; /* left whole at the end of the comb: there mprotect and munmap cut */

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */
static int segment, merge, again, with_fork, stay;

static void usage(void)
{
	fputs("usage: max-map-count CALL --areas N [--fewer N] [--fork] [--stay] [--merge | --again]\n", stderr);
	exit(2);
}

/* Lines of /proc/self/maps, except [vsyscall], which is no area of this process. */
static size_t areas_held(void)
{
	char line[4096];
	size_t lines = 0;
	FILE *maps = fopen("/proc/self/maps", "re"); /* what it allocates, the heap has */
	while (fgets(line, sizeof(line), maps))
		lines += strstr(line, "[vsyscall]") == NULL;
	fclose(maps);
	return lines;
}

/* Different read-ahead advice keeps neighbouring pages from being one area: every second page advised makes a comb. */
static char *comb(size_t areas, size_t page)
{
	size_t bytes = (areas + 1 + SPOT_PAGES) * page;
	char *space = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (space == MAP_FAILED)
		return NULL;
	size_t more = areas - 1 - areas_held();
	int refused = 0;
	if (more % 2 == 1) /* advice for the first page adds one area, for any other page two */
		refused |= madvise(space, page, MADV_RANDOM);
	for (size_t i = 1; i <= more / 2; i++)
		refused |= madvise(space + 2 * i * page, page, MADV_RANDOM);
	/* The last area has to be a new one: advice, too, is refused one area earlier than mmap(). */
	mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return refused ? NULL : space;
}

static void *nothing(void *unused)
{
	return unused;
}

static int got(void *p)
{
	return p == MAP_FAILED ? -1 : 0;
}
static int map(void *address, size_t bytes, int flags)
{
	return got(mmap(address, bytes, PROT_READ | PROT_WRITE, flags | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

/* The page after the spot is taken, so it moves; where the end of its area was given back, it stays. */
static int enlarge(char *spot, size_t page)
{
	if (stay && munmap(spot + 4 * page, page) == 0)
		return got(mremap(spot + 3 * page, page, 2 * page, 0));
	return got(mremap(spot, page, 2 * page, MREMAP_MAYMOVE));
}

#define IS(name) (strcmp(how, name) == 0)
/* 0, or -1 and errno */
static int request(const char *how, char *spot, size_t page)
{
	return IS("mmap")       ? map(NULL, page, 0)
	       : IS("fixed")    ? map(spot, page, MAP_FIXED)
	       : IS("mprotect") ? mprotect(spot, page, PROT_NONE)
	       : IS("mlock")    ? mlock(spot, page)
	       : IS("madvise")  ? madvise(spot, page, MADV_DONTFORK)
	       : IS("munmap")   ? munmap(spot, page)
	       : IS("mremap")   ? enlarge(spot, page)
	       : IS("brk")      ? got(sbrk((intptr_t)page))
	       : IS("shmat")    ? got(shmat(segment, NULL, 0))
	       : IS("malloc")   ? ((granted = malloc(256 * page)) ? 0 : -1)
	       : IS("thread")   ? ((errno = pthread_create(&(pthread_t){0}, NULL, nothing, NULL)) ? -1 : 0)
				: (usage(), -1);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"areas", required_argument, NULL, 'a'},
						{"fewer", required_argument, NULL, 'f'},
						{"merge", no_argument, &merge, 1},
						{"again", no_argument, &again, 1},
						{"fork", no_argument, &with_fork, 1},
						{"stay", no_argument, &stay, 1},
						{0}};
	size_t areas = 0, fewer = 0, page = sysconf(_SC_PAGESIZE);
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			areas = strtoul(optarg, NULL, 10);
		else if (option == 'f')
			fewer = strtoul(optarg, NULL, 10);
		else if (option != 0)
			usage();
	}
	if (optind + 1 != argc || areas < fewer + 100)
		usage();

	const char *how = argv[optind];
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	free(malloc(1));                  /* the heap is an area: have it before counting */
	segment = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
	areas -= fewer;
	char *space = comb(areas, page);
	if (!space)
		return perror("comb"), 2;
	char *spot = space + (areas + SPOT_PAGES / 2) * page;
	printf("%s: asking while holding %zu areas\n", how, areas);
	if (with_fork && fork() == 0) /* which copies areas and does not count them */
		return 0;
	if (with_fork)
		puts(wait(NULL) > 0 ? "fork granted" : "fork refused");
	int refused = request(how, spot, page);
	if (refused && (merge || again)) {
		perror(how);
		if (merge)
			madvise(space, (areas + 1 + SPOT_PAGES) * page, MADV_NORMAL);
		printf("asking again while holding %zu areas\n", areas_held());
		refused = request(how, spot, page);
	}
	shmctl(segment, IPC_RMID, NULL);
	if (refused)
		return perror(how), 1;
	puts("granted");
	return 0;
}
