// SPDX-License-Identifier: MIT
/*
 * What perf events are read from is a ring that the kernel and the program share: a power of two of pages, and one
 * before them. They stay in RAM, so a user without privilege may have kernel.perf_event_mlock_kb of them for each
 * processor, and what is above that counts as locked memory: perf_mmap() says EPERM. The event here counts nothing.
 */
#include <errno.h>
#include <getopt.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RINGS_MAX = 400 };

static int events[RINGS_MAX];
static size_t page;

static void usage(void)
{
	fputs("usage: perf-mlock --rings N [--pages N] [--others N] [--lock N] [--userns] [--again | --or-less]\n",
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

static int open_event(void)
{
	struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE,
					.size = sizeof(event),
					.config = PERF_COUNT_SW_DUMMY,
					.disabled = 1,
					.exclude_kernel = 1,
					.exclude_hv = 1};
	int fd = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, 0);
	if (fd < 0) {
		perror("perf_event_open");
		exit(3); /* not what the scenario is about */
	}
	return fd;
}

/* The ring of one event: 0, or -1 and errno. So many pages, the one before the others among them. */
static int map(size_t i, size_t pages)
{
	return mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_SHARED, events[i], 0) == MAP_FAILED ? -1 : 0;
}

/* So many rings of a child, which ends with its parent. */
static void hold_elsewhere(size_t rings, size_t pages)
{
	int ready[2];
	char byte = 0;
	if (pipe(ready) < 0)
		exit(3);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		for (size_t i = 0; i < rings; i++) {
			events[i] = open_event();
			if (map(i, pages) < 0)
				_exit(3);
		}
		if (write(ready[1], &byte, 1) == 1)
			pause();
		_exit(3);
	}
	close(ready[1]);
	if (child < 0 || read(ready[0], &byte, 1) != 1)
		exit(3);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"rings", required_argument, NULL, 'r'},  {"pages", required_argument, NULL, 'p'},
		{"others", required_argument, NULL, 't'}, {"lock", required_argument, NULL, 'l'},
		{"userns", no_argument, NULL, 'u'},       {"again", no_argument, NULL, 'a'},
		{"or-less", no_argument, NULL, 'o'},      {0}};
	size_t rings = 0, pages = 1, others = 0, locked = 0, done;
	int again = 0, or_less = 0, userns = 0, option, refused = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			rings = number(optarg);
		else if (option == 'p')
			pages = number(optarg);
		else if (option == 't')
			others = number(optarg);
		else if (option == 'l')
			locked = number(optarg);
		else if (option == '?')
			usage();
		again |= option == 'a';
		or_less |= option == 'o';
		userns |= option == 'u';
	}
	if (optind != argc || rings == 0 || rings > RINGS_MAX || others > RINGS_MAX || pages == 0)
		usage();

	page = (size_t)sysconf(_SC_PAGESIZE);
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (userns && unshare(CLONE_NEWUSER) < 0) {
		perror("unshare");
		return 3;
	}
	if (others > 0) /* they are the same user's, and so is what they count for */
		hold_elsewhere(others, pages);
	for (size_t i = 0; i < rings; i++)
		events[i] = open_event();
	/* Memory that is locked is no ring: each is counted for itself. */
	void *memory = locked ? mmap(NULL, locked * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
	if (locked && (memory == MAP_FAILED || mlock(memory, locked * page) < 0)) {
		perror("mlock");
		return 3;
	}
	for (done = 0; done < rings && !refused; done += !refused) {
		refused = map(done, pages);
		while (refused && or_less && pages > 1) { /* as many as there may be: half of them, and the first one */
			perror("mmap");
			pages = pages / 2 + 1 < pages ? pages / 2 + 1 : 1;
			refused = map(done, pages);
		}
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror("mmap");
			again = 0;
			refused = map(done, pages);
		}
	}
	if (refused)
		perror("mmap");
	printf("%zu of %zu rings, the last of %zu pages\n", done, rings, pages);
	return refused ? 1 : 0;
}
