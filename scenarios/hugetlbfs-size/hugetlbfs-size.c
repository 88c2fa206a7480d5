// SPDX-License-Identifier: MIT
/*
 * A hugetlbfs that is mounted with size= has so many pages of the pool and no more, whatever the pool has left.
 * hugepage_subpool_get_pages() refuses: mmap(), which reserves, says ENOMEM, fallocate() says ENOSPC, and the touch of
 * a page that nobody reserved is a SIGBUS.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *how = "";
static int file;
static size_t page;
static volatile char *area;

static void usage(void)
{
	fputs("usage: hugetlbfs-size --size BYTES --pages N --page BYTES [--truncate] DIRECTORY mmap|fallocate|touch\n",
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

/* A file system of this size over the directory, and a file in it: 0, or -1 and errno */
static int prepare(const char *directory, size_t size, size_t pages)
{
	char option[64];
	snprintf(option, sizeof(option), "size=%zu", size);
	if (mount("none", directory, "hugetlbfs", 0, option) < 0 || chdir(directory) < 0)
		return -1;
	file = open("file", O_RDWR | O_CREAT, 0600);
	if (file < 0 || strcmp(how, "touch") != 0)
		return file < 0 ? -1 : 0;
	area = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
	return area == MAP_FAILED ? -1 : 0;
}

/* One page more: 0, or -1 and errno */
static int take(size_t i)
{
	if (strcmp(how, "fallocate") == 0)
		return fallocate(file, 0, (off_t)(i * page), (off_t)page);
	if (strcmp(how, "touch") == 0)
		return area[i * page] = 0;
	return mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, file, (off_t)(i * page)) == MAP_FAILED ? -1 : 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"size", required_argument, NULL, 's'},
						{"pages", required_argument, NULL, 'n'},
						{"page", required_argument, NULL, 'p'},
						{"truncate", no_argument, NULL, 't'},
						{0}};
	size_t size = 0, pages = 0, done;
	int again = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			size = number(optarg);
		else if (option == 'n')
			pages = number(optarg);
		else if (option == 'p')
			page = number(optarg);
		else if (option == 't')
			again = 1;
		else
			usage();
	}
	if (optind + 2 != argc || size == 0 || pages == 0 || page == 0)
		usage();
	how = argv[optind + 1];
	if (strcmp(how, "mmap") != 0 && strcmp(how, "fallocate") != 0 && strcmp(how, "touch") != 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (prepare(argv[optind], size, pages) < 0) {
		perror("preparing");
		return 1;
	}
	for (done = 0; done < pages && !refused; done += !refused) {
		refused = take(done) < 0;
		if (refused && again) { /* what the file had goes back */
			perror(how);
			again = 0;
			refused = ftruncate(file, 0) < 0 || take(done) < 0;
		}
	}
	if (refused)
		perror(how);
	printf("%s: %zu of %zu pages\n", how, done, pages);
	return refused ? 1 : 0;
}
