// SPDX-License-Identifier: MIT
/*
 * A memory cgroup at its limit refuses no call. malloc() and mmap() succeed; when a page is needed and none can be
 * reclaimed, try_charge_memcg() calls mem_cgroup_out_of_memory() and the process is killed: at its own store, inside
 * mmap(MAP_POPULATE), mmap(MAP_LOCKED), mlock(), mlockall(), madvise() or read(), where the kernel itself touches the
 * page. Where nobody may be killed (all at oom_score_adj -1000) these calls say so, and a store tries for ever.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *volatile memory; /* keeps the compiler from dropping what nobody uses */

static void usage(void)
{
	fputs("usage: memory-max touch|populate|locked|read|mlock|mlockall|advise --bytes N [--again]\n", stderr);
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

/* 0, or -1 and errno */
static int read_zeroes(size_t bytes)
{
	int zero = open("/dev/zero", O_RDONLY);
	for (size_t done = 0; done < bytes;) {
		ssize_t n = read(zero, memory + done, bytes - done);
		if (n <= 0)
			return -1;
		done += (size_t)n;
	}
	return close(zero);
}

static int use(const char *how, size_t bytes)
{
	if (strcmp(how, "read") == 0)
		return read_zeroes(bytes);
	if (strcmp(how, "mlock") == 0)
		return mlock(memory, bytes);
	if (strcmp(how, "mlockall") == 0)
		return mlockall(MCL_CURRENT);
	if (strcmp(how, "advise") == 0)
		return madvise(memory, bytes, 23); /* MADV_POPULATE_WRITE, since 5.14 */
	if (strcmp(how, "touch") == 0)
		memset(memory, 1, bytes);
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'b'}, {"again", no_argument, NULL, 'a'}, {0}};
	size_t bytes = 0;
	int again = 0, refused, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	const char *how = optind + 1 == argc ? argv[optind] : "";
	if (!*how || !strstr("touch populate locked read mlock mlockall advise", how) || bytes == 0)
		usage();
	int at_once = strcmp(how, "populate") == 0 ? MAP_POPULATE : strcmp(how, "locked") == 0 ? MAP_LOCKED : 0;

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	printf("%s: mapping %zu bytes\n", how, bytes);
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | at_once, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	printf("mapped, now using every page\n");
	refused = use(how, bytes) < 0;
	if (refused && again) { /* for whoever raised the limit meanwhile */
		perror(how);
		refused = use(how, bytes) < 0;
	}
	if (refused) { /* in a full group there is not even a page left to say so */
		int error = errno;
		munmap(memory, bytes);
		errno = error;
		fail(how);
	}
	puts("all pages used");
	return 0;
}
