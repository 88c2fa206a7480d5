// SPDX-License-Identifier: MIT
/*
 * Buffers registered with an io_uring stay in RAM for good, and the pages of all rings of a user count against
 * RLIMIT_MEMLOCK: __io_account_mem(), io_uring/rsrc.c. That sum knows nothing of mlock() and stands in no file.
 */
#include <getopt.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ENTRIES = 4, BUFFERS_MAX = 64, UID_FIRST = 0x40000000 };

static void usage(void)
{
	fputs("usage: io-uring-memlock --bytes N [--pieces N] [--root | --userns] [--again]\n", stderr);
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

static void fail(const char *what)
{
	perror(what);
	exit(3); /* not what the scenario is about */
}

/* A user whom nobody else is: the kernel counts by user, and lets go of a dead ring only after a while. */
static void become_user(void)
{
	uid_t uid;
	if (getrandom(&uid, sizeof(uid), 0) < 0 || setuid(UID_FIRST + (uid & 0xffffff)) < 0)
		fail("setuid");
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'b'}, {"pieces", required_argument, NULL, 'p'},
		{"root", no_argument, NULL, 'r'},        {"userns", no_argument, NULL, 'u'},
		{"again", no_argument, NULL, 'a'},       {0}};
	size_t bytes = 0, pieces = 1;
	int root = 0, userns = 0, again = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'p')
			pieces = number(optarg);
		else if (option == '?')
			usage();
		root |= option == 'r';
		userns |= option == 'u';
		again |= option == 'a';
	}
	if (optind != argc || pieces == 0 || pieces > BUFFERS_MAX || bytes / pieces == 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (!root)
		become_user();
	if (userns && unshare(CLONE_NEWUSER) < 0)
		fail("unshare");
	struct io_uring_params parameters = {0};
	int ring = (int)syscall(SYS_io_uring_setup, ENTRIES, &parameters);
	if (ring < 0)
		fail("io_uring_setup");
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	madvise(memory, bytes, MADV_NOHUGEPAGE); /* a huge page would count whole */
	struct iovec buffer[BUFFERS_MAX];
	for (size_t i = 0; i < pieces; i++)
		buffer[i] = (struct iovec){memory + i * (bytes / pieces), bytes / pieces};
	do {
		if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, buffer, pieces) == 0) {
			printf("io_uring_register: %zu bytes in %zu pieces: granted\n", bytes, pieces);
			return 0;
		}
		perror("io_uring_register");
	} while (again-- > 0); /* for whoever raised the limit meanwhile */
	return 1;
}
