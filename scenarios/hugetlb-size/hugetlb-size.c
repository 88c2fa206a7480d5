// SPDX-License-Identifier: MIT
/*
 * Huge pages come in the sizes that the processor and the kernel offer. Another one is EINVAL, and no pool and no free
 * memory is looked at. Nothing is touched here and nothing reserved: with a size that is offered it succeeds.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

static void usage(void)
{
	fputs("usage: hugetlb-size mmap|shmget --bytes N --page BYTES [--ordinary | --or-any]\n", stderr);
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

/* Of pages of that size, or of the default one. What the upper bits of either flags hold is the logarithm of the size.
 */
static int ask(const char *call, size_t bytes, size_t page, int named)
{
	int log2 = __builtin_ctzll(page);
	if (strcmp(call, "shmget") == 0) {
		int size = named ? (int)((unsigned)log2 << MAP_HUGE_SHIFT) : 0;
		return shmget(IPC_PRIVATE, bytes, IPC_CREAT | SHM_HUGETLB | SHM_NORESERVE | size | 0600);
	}
	int size = named ? (int)((unsigned)log2 << MAP_HUGE_SHIFT) : 0;
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_NORESERVE | size, -1, 0);
	return p == MAP_FAILED ? -1 : 0;
}

/* Memory of ordinary pages, of which the kernel may make huge ones if it has some. */
static int ask_ordinary(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	(void)madvise(p, bytes, MADV_HUGEPAGE);
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"page", required_argument, NULL, 'p'},
						{"ordinary", no_argument, NULL, 'o'},
						{"or-any", no_argument, NULL, 'a'},
						{0}};
	size_t bytes = 0, page = 0;
	int ordinary = 0, or_any = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'p')
			page = number(optarg);
		else if (option == 'o')
			ordinary = 1;
		else if (option == 'a')
			or_any = 1;
		else
			usage();
	}
	const char *call = optind + 1 == argc ? argv[optind] : "";
	if (bytes == 0 || page == 0 || page & (page - 1) || (strcmp(call, "mmap") != 0 && strcmp(call, "shmget") != 0))
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	int refused = ordinary ? ask_ordinary(bytes) : ask(call, bytes, page, 1);
	if (refused < 0 && or_any) {
		perror(call);
		refused = ask(call, bytes, page, 0); /* of the default size, whichever that is */
	}
	if (refused < 0) {
		perror(call);
		return 1;
	}
	printf("%s: %zu bytes\n", call, bytes);
	return 0;
}
