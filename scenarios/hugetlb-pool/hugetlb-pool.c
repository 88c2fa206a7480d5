// SPDX-License-Identifier: MIT
/*
 * Huge pages are set aside beforehand, in a pool. mmap(MAP_HUGETLB), shmget(SHM_HUGETLB) and mmap() of a file of huge
 * pages reserve theirs there, hugetlb_acct_memory() refuses what the pool cannot promise. With MAP_NORESERVE nothing is
 * promised and nothing refused: the touch that finds the pool empty is a SIGBUS.
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

enum { TIMES_MAX = 16 };

static void usage(void)
{
	fputs("usage: hugetlb-pool mmap|noreserve|shmget|memfd --bytes N --page BYTES [--times N] [--again]\n", stderr);
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

/* A segment of this run's own namespace, which takes it along. */
static void *segment(size_t bytes)
{
	int id = shmget(IPC_PRIVATE, bytes, SHM_HUGETLB | IPC_CREAT | 0600);
	return id < 0 ? (void *)-1 : shmat(id, NULL, 0);
}

/* The file has no pages yet, nor does its length cost any. */
static void *memory_file(size_t bytes)
{
	int fd = memfd_create("hugetlb-pool", MFD_HUGETLB);
	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return MAP_FAILED;
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void *ask(const char *how, size_t bytes)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB;
	if (strcmp(how, "shmget") == 0)
		return segment(bytes);
	if (strcmp(how, "memfd") == 0)
		return memory_file(bytes);
	if (strcmp(how, "noreserve") == 0)
		flags |= MAP_NORESERVE;
	else if (strcmp(how, "mmap") != 0)
		usage();
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"page", required_argument, NULL, 'p'},
						{"times", required_argument, NULL, 't'},
						{"again", no_argument, NULL, 'a'},
						{0}};
	size_t bytes = 0, page = 0, times = 1;
	int again = 0, option;
	char *memory[TIMES_MAX];

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'p')
			page = number(optarg);
		else if (option == 't')
			times = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 1 != argc || bytes == 0 || page == 0 || times == 0 || times > TIMES_MAX)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (size_t i = 0; i < times; i++) {
		memory[i] = ask(argv[optind], bytes);
		if (memory[i] == MAP_FAILED && again) { /* for whoever enlarged the pool meanwhile */
			perror(argv[optind]);
			again = 0;
			memory[i] = ask(argv[optind], bytes);
		}
		if (memory[i] == MAP_FAILED) {
			perror(argv[optind]);
			return 1;
		}
		printf("%s: %zu bytes, %zu so far\n", argv[optind], bytes, (i + 1) * bytes);
	}
	for (size_t i = 0; i < times; i++)
		for (size_t at = 0; at < bytes; at += page) {
			memory[i][at] = 1;
			printf("used %zu bytes\n", i * bytes + at + page);
		}
	return 0;
}
