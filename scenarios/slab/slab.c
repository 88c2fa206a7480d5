// SPDX-License-Identifier: MIT
/*
 * Small objects of the kernel are charged to the group of whoever caused them. Names that were only looked up are freed
 * when memory runs short. Open sockets, and data that waits in them, are in use: nothing that is dropped is theirs.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLAB_BYTES = 4096, CHUNK_BYTES = 3500, PER_SOCKET = 32, STEP = 512 }; /* a chunk needs an object of 4 KiB */

static int drop, free_them;
static volatile char *own_memory; /* what the OOM killer can take from us at once */

static void usage(void)
{
	fputs("usage: slab [--data BYTES] [--sockets N] [--names N] [--own BYTES] [--free] [--drop]\n", stderr);
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

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* Inodes and dentries are given back some milliseconds after they were freed, when every CPU has let go of them. */
static void wait_until_freed(void)
{
	usleep(20000);
}

/* 2: dentries and inodes. It frees those that nobody uses. */
static void drop_caches(size_t i)
{
	if (!drop || i % STEP != 0)
		return;
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	if (write(fd, "2", 1) != 1)
		fail("drop_caches");
	close(fd);
	wait_until_freed();
}

/* Data for nobody to read. To be freed, it is read at once. */
static void send_data(size_t bytes)
{
	static char data[CHUNK_BYTES];
	int pair[2];
	for (size_t i = 0; i < bytes / SLAB_BYTES; i++) {
		drop_caches(i);
		if (i % (2 * PER_SOCKET) == 0 && (!free_them || i == 0) &&
		    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			fail("socketpair");
		size_t end = i / PER_SOCKET % 2;
		if (write(pair[end], data, sizeof(data)) < 0 || (free_them && read(pair[!end], data, sizeof(data)) < 0))
			fail("socket");
	}
}

/* Each has an inode, a dentry and an open file besides the socket itself. */
static void open_sockets(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		drop_caches(i);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		if (fd < 0 || (free_them && close(fd) < 0))
			fail("socket");
		if (free_them && i % STEP == 0)
			wait_until_freed();
	}
}

/* Look up four names for each of many open files. The kernel keeps what it found, until it needs the memory. */
static void look_up(size_t count)
{
	char name[64];
	struct stat st;
	int fd = 0;
	for (size_t i = 0; i < count; i++) {
		drop_caches(i);
		if (i % 4 == 0)
			fd = dup(0);
		(void)snprintf(name, sizeof(name), "/proc/%s/%s/%d", i & 1 ? "self" : "thread-self",
			       i & 2 ? "fdinfo" : "fd", fd);
		/* Where nobody can be killed, the call is refused until what was freed is given back. */
		for (int tries = 100; lstat(name, &st) < 0; tries--) {
			if (fd < 0 || errno != ENOMEM || tries == 0)
				fail(name);
			wait_until_freed();
		}
	}
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"data", required_argument, NULL, 'b'},
						{"sockets", required_argument, NULL, 's'},
						{"names", required_argument, NULL, 'n'},
						{"own", required_argument, NULL, 'o'},
						{"free", no_argument, &free_them, 1},
						{"drop", no_argument, &drop, 1},
						{0}};
	size_t bytes = 0, sockets = 0, names = 0, own = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 's')
			sockets = number(optarg);
		else if (option == 'n')
			names = number(optarg);
		else if (option == 'o')
			own = number(optarg);
		else if (option != 0)
			usage();
	}
	if (optind != argc || bytes + sockets + names == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%zu bytes of data, %zu open sockets, %zu names\n", bytes, sockets, names);
	own_memory = calloc(1, own);
	for (size_t i = 0; i < own; i += SLAB_BYTES)
		own_memory[i] = 1;
	send_data(bytes);
	open_sockets(sockets);
	look_up(names);
	return 0;
}
