// SPDX-License-Identifier: MIT
/*
 * System V shared memory. An IPC namespace has three limits (newseg(), ipc/shm.c): bytes of one segment (shmmax:
 * EINVAL), pages of all of them (shmall: ENOSPC) and their number (shmmni: ENOSPC). A segment stays when its maker is
 * gone.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/shm.h>

enum { SEGMENTS_MAX = 64 };

static int made[SEGMENTS_MAX];
static size_t count;

static void usage(void)
{
	fputs("usage: shm-limit --segments N --bytes N [--noreserve] [--mmap] [--again | --remove]\n", stderr);
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

/* Memory that a child shares needs no segment. */
static int map(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

/* Until there are as many as wanted: 0, or -1 and errno */
static int make(size_t segments, size_t bytes, int flags)
{
	while (count < segments) {
		made[count] = shmget(IPC_PRIVATE, bytes, IPC_CREAT | 0600 | flags);
		if (made[count] < 0)
			return -1;
		count++;
	}
	return 0;
}

static void remove_all(void)
{
	while (count > 0)
		shmctl(made[--count], IPC_RMID, NULL);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"segments", required_argument, NULL, 's'},
						{"bytes", required_argument, NULL, 'b'},
						{"noreserve", no_argument, NULL, 'n'},
						{"mmap", no_argument, NULL, 'm'},
						{"again", no_argument, NULL, 'a'},
						{"remove", no_argument, NULL, 'r'},
						{0}};
	size_t segments = 0, bytes = 0;
	int flags = 0, again = 0, forget = 0, mapped = 0, refused, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			segments = number(optarg);
		else if (option == 'b')
			bytes = number(optarg);
		else if (option == 'n')
			flags = SHM_NORESERVE;
		else if (option == 'm')
			mapped = 1;
		else if (option == 'a')
			again = 1;
		else if (option == 'r')
			forget = again = 1;
		else
			usage();
	}
	if (optind != argc || bytes == 0 || segments == 0 || segments > SEGMENTS_MAX)
		usage();
	setvbuf(stdout, NULL, _IONBF, 0);
	refused = mapped ? map(segments * bytes) : make(segments, bytes, flags);
	if (refused && again) {
		perror("shmget");
		if (forget) {
			remove_all(); /* as ipcrm does with what a dead program left behind */
			segments = 1;
		}
		refused = make(segments, bytes, flags);
	}
	if (refused)
		perror("shmget");
	printf("%zu segments of %zu bytes\n", count, bytes);
	remove_all();
	return refused ? 1 : 0;
}
