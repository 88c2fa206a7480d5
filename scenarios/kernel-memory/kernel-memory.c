// SPDX-License-Identifier: MIT
/*
 * Memory that the kernel holds for a program is charged to the program's group as well: pages of a memory file, kernel
 * stacks of its threads, page tables, what waits in its pipes and sockets, semaphores. A full group kills, and only
 * where it has nobody to kill (everybody at oom_score_adj -1000) does try_charge_memcg() say ENOMEM to the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>

enum { MANY = 512, STACK_BYTES = 4096, FULL = 64 << 10, FILE_STEP = 1 << 20, SPAN = 2 << 20 };
enum { SEMAPHORES = 1000, MESSAGE_BYTES = 8000, ROW = 128 /* files that are watched, by each of as many watchers */ };

static const char *what = "";
static int file = -1, pair[MANY][2];
static struct epoll_event interest;
static volatile char *area; /* for page tables */
static char stack[MANY][STACK_BYTES];
static struct {
	long type;
	char text[FULL];
} message = {.type = 1};

static void usage(void)
{
	fputs("usage: kernel-memory "
	      "file|thread|pipes|resize|datagrams|messages|semaphores|tables|reads|watches\n"
	      "                     --count N [--again]\n",
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

static int is(const char *kind)
{
	return strcmp(what, kind) == 0;
}

static int sleeper(void *unused)
{
	(void)unused;
	while (pause() < 0)
		;
	return 0;
}

/* One more of them: -1 and errno, if refused */
static int start(size_t i)
{
	if (is("file"))
		return fallocate(file, 0, (off_t)i * FILE_STEP, FILE_STEP);
	if (is("thread")) /* down to its stack our own: where nothing is copied, no store can be what waits or kills */
		return clone(sleeper, stack[i] + STACK_BYTES,
			     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL);
	if (is("pipes")) /* as much in it as it holds, for nobody to read */
		return pipe(pair[i]) < 0 ? -1 : (int)write(pair[i][1], message.text, FULL);
	if (is("resize")) /* slots for 256 pages */
		return fcntl(pair[i][0], F_SETPIPE_SZ, 1 << 20);
	if (is("datagrams"))
		return (int)send(pair[i][1], message.text, FULL, 0);
	if (is("messages"))
		return msgsnd(pair[i][0], &message, MESSAGE_BYTES, IPC_NOWAIT);
	if (is("semaphores"))
		return semget(IPC_PRIVATE, SEMAPHORES, 0600);
	if (is("watches"))
		return epoll_ctl(pair[i / ROW][0], EPOLL_CTL_ADD, pair[i % ROW][1], &interest);
	if (is("reads")) /* what is only read is everybody's page of zeroes; its page table is ours, one for 2 MiB */
		return area[i * SPAN];
	if (!is("tables"))
		usage();
	/* The page is given back at once, its page table stays. */
	area[i * SPAN] = 1;
	return madvise((void *)(area + i * SPAN), 1, MADV_DONTNEED);
}

/* Empty pipes, sockets and queues; and what we will need when the group is full, perror() included. */
static int prepare(size_t count)
{
	char ours[16 * STACK_BYTES];
	explicit_bzero(ours, sizeof(ours));
	memset(message.text, 1, sizeof(message.text));
	fwide(stderr, -1);
	if (is("thread"))
		memset(stack, 1, count * STACK_BYTES);
	for (size_t i = 0; i < count; i++)
		if ((is("resize") && pipe(pair[i]) < 0) ||
		    (is("datagrams") && socketpair(AF_UNIX, SOCK_DGRAM, 0, pair[i]) < 0) ||
		    (is("messages") && (pair[i][0] = msgget(IPC_PRIVATE, 0600)) < 0) ||
		    (is("watches") && i < ROW &&
		     ((pair[i][0] = epoll_create1(0)) < 0 || (pair[i][1] = eventfd(0, 0)) < 0)))
			return -1;
	file = memfd_create("memory", 0);
	/* Only what is written to has to be promised, and by strict accounting whatever MAP_NORESERVE says. */
	area = mmap(NULL, count * SPAN, is("tables") ? PROT_READ | PROT_WRITE : PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return file < 0 || area == MAP_FAILED ? -1 : madvise((void *)area, count * SPAN, MADV_NOHUGEPAGE);
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{"count", required_argument, NULL, 'c'}, {"again", no_argument, NULL, 'a'}, {0}};
	size_t count = 0, done;
	int again = 0, refused = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'c')
			count = number(optarg);
		else if (option == 'a')
			again = 1;
		else
			usage();
	}
	what = optind + 1 == argc ? argv[optind] : "";
	if (!*what || count == 0 || count > ROW * ROW ||
	    (count > MANY && strstr("thread pipes resize datagrams messages", what)))
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	if (prepare(count) < 0) {
		perror("preparing");
		return 1;
	}
	/* What a pipe holds is the group's, too: its page has to be there before perror() needs one. */
	fprintf(stderr, "%s: up to %zu\n", what, count);
	for (done = 0; done < count && !refused; done += !refused) {
		refused = start(done) < 0;
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(what);
			again = 0;
			refused = start(done) < 0;
		}
	}
	if (refused)
		perror(what);
	printf("%s: %zu of %zu\n", what, done, count);
	return refused ? 1 : 0;
}
