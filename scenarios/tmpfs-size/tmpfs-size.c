// SPDX-License-Identifier: MIT
/*
 * A full tmpfs. Its mount has a size in pages and a number of inodes (shmem_inode_acct_block(), shmem_reserve_inode()),
 * and that is all: free memory is never looked at. A write is told ENOSPC. A page touched through a mapping has nobody
 * to tell: SIGBUS; and what faults on behalf of a call says what that call can say, read() EFAULT, mlock() ENOMEM.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int old = -1; /* a file that is there already and takes its share */

static void usage(void)
{
	fputs("usage: tmpfs-size write|fallocate|touch|mlock|populate|read|create DIRECTORY --old N --size "
	      "BYTES_OR_FILES\n"
	      "                  [--delete [--open]] [--again]\n",
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

/* What fits is transferred, and the call says how much that was: only the next one is refused. */
static int all(ssize_t n, size_t *done)
{
	*done += n > 0 ? n : 0;
	return n > 0 ? 0 : -1;
}

static int through_mapping(const char *how, int fd, size_t size)
{
	int zero = open("/dev/zero", O_RDONLY), refused = 0;
	size_t done = 0;

	/* The length of a file costs nothing, nor does mapping it. */
	if (zero < 0 || ftruncate(fd, size) < 0)
		return -1;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -1;
	if (strcmp(how, "mlock") == 0)
		return mlock(memory, size);
	if (strcmp(how, "populate") == 0)
		return madvise(memory, size, 23); /* MADV_POPULATE_WRITE, which older headers lack */
	if (strcmp(how, "touch") == 0)
		memset(memory, 1, size);
	else if (strcmp(how, "read") != 0)
		usage();
	while (strcmp(how, "read") == 0 && !refused && done < size)
		refused = all(read(zero, memory + done, size - done), &done);
	return refused;
}

static int create(size_t files)
{
	char name[32];
	int fd = 0;
	for (size_t i = 0; i < files && fd >= 0; i++) {
		snprintf(name, sizeof(name), "file%zu", i);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd >= 0)
			close(fd);
	}
	return fd < 0 ? -1 : 0;
}

/* Each attempt begins with an empty file: 0, or -1 and errno */
static int request(const char *how, size_t size, const char *content)
{
	size_t done = 0;
	int refused = 0;

	if (strcmp(how, "create") == 0)
		return create(size);
	int fd = open("new", O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return -1;
	if (strcmp(how, "fallocate") == 0)
		return fallocate(fd, 0, 0, size);
	if (strcmp(how, "write") != 0)
		return through_mapping(how, fd, size);
	while (!refused && done < size)
		refused = all(write(fd, content, size - done), &done);
	return refused;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"old", required_argument, NULL, 'o'}, {"size", required_argument, NULL, 's'},
		{"delete", no_argument, NULL, 'd'},    {"open", no_argument, NULL, 'k'},
		{"again", no_argument, NULL, 'a'},     {0}};
	size_t old_bytes = 0, size = 0;
	int forget = 0, keep_open = 0, again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'o')
			old_bytes = number(optarg);
		else if (option == 's')
			size = number(optarg);
		else if (option == 'd')
			forget = again = 1;
		else if (option == 'k')
			keep_open = 1;
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	if (optind + 2 != argc || size == 0 || chdir(argv[optind + 1]) < 0)
		usage();
	setvbuf(stdout, NULL, _IONBF, 0);
	char *content = calloc(1, size);
	old = open("old", O_RDWR | O_CREAT, 0600);
	if (!content || old < 0 || (old_bytes && fallocate(old, 0, 0, old_bytes) < 0)) {
		perror("old");
		return 2;
	}
	if (!keep_open)
		close(old);
	int refused = request(argv[optind], size, content);
	if (refused && again) {
		perror(argv[optind]);
		if (forget)
			unlink("old");
		refused = request(argv[optind], size, content);
	}
	if (refused)
		perror(argv[optind]);
	else
		printf("%s: all %zu granted\n", argv[optind], size);
	return refused ? 1 : 0;
}
