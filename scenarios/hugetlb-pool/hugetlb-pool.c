// SPDX-License-Identifier: MIT
/*
 * Huge pages are set aside beforehand, in a pool. mmap(MAP_HUGETLB), shmget(SHM_HUGETLB) and mmap() of a file of huge
 * pages reserve theirs there, hugetlb_acct_memory() refuses what the pool cannot promise. With MAP_NORESERVE nothing is
 * promised and nothing refused: the touch that finds the pool empty is a SIGBUS. So is the first store after a fork,
 * which copies the page. Whoever has a reservation is given his child's instead, and the child dies of it:
 * hugetlb_wp().
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES_MAX = 16 };

static int reserve, dont_fork, again;

static void usage(void)
{
	fputs("usage: hugetlb-pool mmap|noreserve|shmget|memfd --bytes N --page BYTES [--times N] [--again]\n"
	      "       hugetlb-pool cow --bytes N --page BYTES [--reserve | --dont-fork]\n",
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

/* A segment of this run's own namespace, which takes it along. */
static void *segment(size_t bytes)
{
	int id = shmget(IPC_PRIVATE, bytes, SHM_HUGETLB | IPC_CREAT | 0600);
	return id < 0 ? (void *)-1 : shmat(id, NULL, 0);
}

/* The file has no pages yet, nor does its length cost any. */
static void *memory_file(size_t bytes)
{
	int fd = memfd_create("memory", MFD_HUGETLB);
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
	if (strcmp(how, "noreserve") == 0 || (strcmp(how, "cow") == 0 && !reserve))
		flags |= MAP_NORESERVE;
	else if (strcmp(how, "mmap") != 0 && strcmp(how, "cow") != 0)
		usage();
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
}

static void use(volatile char *memory, size_t bytes, size_t page)
{
	for (size_t at = 0; at < bytes; at += page) {
		memory[at] = 1;
		printf("used %zu bytes\n", at + page);
	}
}

/* The same memory, of two processes: what either of them stores to has to be copied first. */
static int share(char *memory, size_t bytes, size_t page)
{
	int go[2], status = 0;
	char byte = 0;
	pid_t child = pipe(go) || (dont_fork && madvise(memory, bytes, MADV_DONTFORK)) ? -1 : fork();
	if (child < 0)
		return perror("fork"), 1;
	if (child == 0) { /* has its copy until then, and then looks whether it is there still */
		close(go[1]);
		for (size_t at = 0; read(go[0], &byte, 1) == 1 && at < bytes; at += page)
			byte = ((volatile char *)memory)[at];
		_exit(0);
	}
	close(go[0]);
	use(memory, bytes, page);
	for (size_t at = 0; !dont_fork && at < bytes && write(go[1], &byte, 1) == 1; at += page)
		;
	close(go[1]);
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		printf("child: %s\n", strsignal(WTERMSIG(status)));
	return 0;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"page", required_argument, NULL, 'p'},
						{"times", required_argument, NULL, 't'},
						{"again", no_argument, &again, 1},
						{"reserve", no_argument, &reserve, 1},
						{"dont-fork", no_argument, &dont_fork, 1},
						{0}};
	static size_t value[128] = {['t'] = 1};
	char *memory[TIMES_MAX];
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			usage();
		value[option] = option ? number(optarg) : 0;
	}
	const size_t bytes = value['b'], page = value['p'], times = value['t'];
	if (optind + 1 != argc || bytes == 0 || page == 0 || times == 0 || times > TIMES_MAX)
		usage();
	const char *how = argv[optind];

	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (size_t i = 0; i < times; i++) {
		memory[i] = ask(how, bytes);
		if (memory[i] == MAP_FAILED && again) { /* for whoever enlarged the pool meanwhile */
			perror(how);
			again = 0;
			memory[i] = ask(how, bytes);
		}
		if (memory[i] == MAP_FAILED) {
			perror(how);
			return 1;
		}
		printf("%s: %zu bytes, %zu so far\n", how, bytes, (i + 1) * bytes);
	}
	for (size_t i = 0; i < times; i++)
		use(memory[i], bytes, page);
	return strcmp(how, "cow") == 0 && share(memory[0], bytes, page);
}
