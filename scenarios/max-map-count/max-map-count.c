// SPDX-License-Identifier: MIT
/*
 * A process may hold vm.max_map_count memory areas, however small. do_mmap() and do_brk_flags() refuse when it already
 * holds more than that; split_vma() refuses to cut an area in two when it holds that many; a range that has to be cut
 * at both ends needs room for two. Free memory is never looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SPOT_PAGES = 8 }; /* left whole at the end of the comb: there mprotect and munmap cut */

static void *volatile granted; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: max-map-count mmap|mprotect|munmap|malloc|thread --areas N [--fewer N] [--merge | --again]\n",
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

/* Lines of /proc/self/maps, except the last one if it is [vsyscall], which is no area of this process. */
static size_t areas_held(void)
{
	static char buffer[4096], last[128];
	size_t lines = 0, length = 0;
	ssize_t n;
	int fd = open("/proc/self/maps", O_RDONLY);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (buffer[i] == '\n') {
				last[length] = '\0';
				length = 0;
				lines++;
			} else if (length < sizeof(last) - 1) {
				last[length++] = buffer[i];
			}
		}
	close(fd);
	return lines - (strstr(last, "[vsyscall]") != NULL);
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

/* 0, or -1 and errno */
static int request(const char *how, char *spot, size_t page)
{
	pthread_t t;
	if (strcmp(how, "mmap") == 0)
		return mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
														  : 0;
	if (strcmp(how, "mprotect") == 0)
		return mprotect(spot, page, PROT_NONE);
	if (strcmp(how, "munmap") == 0)
		return munmap(spot, page);
	if (strcmp(how, "malloc") == 0)
		return (granted = malloc(256 * page)) ? 0 : -1;
	if (strcmp(how, "thread") != 0)
		usage();
	errno = pthread_create(&t, NULL, nothing, NULL);
	return errno ? -1 : pthread_join(t, NULL);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"areas", required_argument, NULL, 'a'},
						{"fewer", required_argument, NULL, 'f'},
						{"merge", no_argument, NULL, 'm'},
						{"again", no_argument, NULL, 'g'},
						{0}};
	size_t areas = 0, fewer = 0, page = sysconf(_SC_PAGESIZE);
	int merge = 0, again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			areas = number(optarg);
		else if (option == 'f')
			fewer = number(optarg);
		else if (option == 'm')
			merge = 1;
		else if (option == 'g')
			again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || areas < fewer + 100)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	free(malloc(1));                  /* the heap is an area: have it before counting */
	areas -= fewer;
	char *space = comb(areas, page);
	if (!space) {
		printf("no way to hold %zu areas: stopped at %zu\n", areas, areas_held());
		return 2;
	}
	char *spot = space + (areas + SPOT_PAGES / 2) * page;
	printf("%s: asking while holding %zu areas\n", argv[optind], areas);
	int refused = request(argv[optind], spot, page);
	if (refused && (merge || again)) {
		perror(argv[optind]);
		if (merge)
			madvise(space, (areas + 1 + SPOT_PAGES) * page, MADV_NORMAL);
		printf("asking again while holding %zu areas\n", areas_held());
		refused = request(argv[optind], spot, page);
	}
	if (refused)
		perror(argv[optind]);
	else
		puts("granted");
	return refused ? 1 : 0;
}
