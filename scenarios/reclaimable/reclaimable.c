// SPDX-License-Identifier: MIT
/*
 * A memory cgroup that looks full and is not: what fills it up to the limit can be taken back at any time. Here that is
 * memory its owner has given up (MADV_FREE), as allocators do; page cache behaves alike. try_charge_memcg() finds the
 * group full again and again, reclaims, and goes on. Only what is still needed makes it kill.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CHUNK_BYTES = 2 << 20 };

static void usage(void)
{
	fputs("usage: reclaimable --bytes N --then keep|give-up|give-back\n", stderr);
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

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"bytes", required_argument, NULL, 'b'}, {"then", required_argument, NULL, 't'}, {0}};
	size_t bytes = 0;
	int option, keep = 0, advice = 0, told = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b') {
			bytes = number(optarg);
		} else if (option == 't') {
			told = 1;
			keep = strcmp(optarg, "keep") == 0;
			advice = strcmp(optarg, "give-up") == 0 ? MADV_FREE : MADV_DONTNEED;
			if (!keep && advice == MADV_DONTNEED && strcmp(optarg, "give-back") != 0)
				usage();
		} else {
			usage();
		}
	}
	if (optind != argc || bytes < CHUNK_BYTES || !told)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	madvise(memory, bytes, MADV_NOHUGEPAGE); /* a kernel without huge pages says EINVAL, and needs no advice */
	for (size_t at = 0; at + CHUNK_BYTES <= bytes; at += CHUNK_BYTES) {
		memset(memory + at, 1, CHUNK_BYTES);
		if (!keep && madvise(memory + at, CHUNK_BYTES, advice) < 0) {
			perror("madvise");
			return 1;
		}
	}
	printf("%zu bytes used%s\n", bytes, keep ? "" : ", each 2 MiB given up when done");
	return 0;
}
