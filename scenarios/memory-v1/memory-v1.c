// SPDX-License-Identifier: MIT
/*
 * What only cgroup v1 can do: a group without an OOM killer (memory.oom_control), and limits for kernel memory alone
 * (memory.kmem.limit_in_bytes) and for what TCP holds (memory.kmem.tcp.limit_in_bytes). A full group that may not kill
 * says ENOMEM to calls; whoever faults sleeps in mem_cgroup_oom_synchronize() until there is room, and whoever sends in
 * sk_stream_wait_memory().
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>

enum { THREADS_MAX = 256, STACK_BYTES = 4096, STEP_BYTES = 1 << 20, CONNECTIONS_PER_MIB = 8, BUFFER_BYTES = 200000 };

static int file = -1;
static char stack[THREADS_MAX][STACK_BYTES];

static void usage(void)
{
	fputs("usage: memory-v1 file|thread|touch|send --count N [--again]\n", stderr);
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

static int sleeper(void *unused)
{
	(void)unused;
	while (pause() < 0)
		;
	return 0;
}

/* A thread, down to its stack our own: where nothing is copied, no store can be the one that waits or kills. */
static int thread(size_t i)
{
	return clone(sleeper, stack[i] + STACK_BYTES, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD,
		     NULL) < 0
		       ? -1
		       : 0;
}

/* What we will need when the group is full, perror() included. */
static void prepare(void)
{
	char ours[16 * STACK_BYTES];
	memset(stack, 1, sizeof(stack));
	explicit_bzero(ours, sizeof(ours));
	fwide(stderr, -1);
}

static void touch(size_t mebibytes)
{
	char *memory = mmap(NULL, mebibytes * STEP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	printf("mapped %zu MiB, now using every page\n", mebibytes);
	memset(memory, 1, mebibytes * STEP_BYTES);
	puts("all pages used");
}

static int buffer(int fd, int which)
{
	const int bytes = BUFFER_BYTES;
	return setsockopt(fd, SOL_SOCKET, which, &bytes, sizeof(bytes));
}

/* To connections of our own that nobody reads, which have buffers for all of it; where that may be, in a network of our
 * own, whose loopback is down at first. */
static void send_to_nobody(size_t mebibytes)
{
	static const char step[STEP_BYTES / CONNECTIONS_PER_MIB];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	socklen_t length = sizeof(address);
	int alone = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	int listener = socket(AF_INET, SOCK_STREAM, 0), sender;
	if (listener < 0 || (alone && ioctl(listener, SIOCSIFFLAGS, &up) < 0) || buffer(listener, SO_RCVBUF) < 0 ||
	    bind(listener, (struct sockaddr *)&address, length) < 0 || listen(listener, SOMAXCONN) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		fail("a network");
	for (size_t i = 0; i < mebibytes * CONNECTIONS_PER_MIB; i++) {
		if ((sender = socket(AF_INET, SOCK_STREAM, 0)) < 0 || buffer(sender, SO_SNDBUF) < 0 ||
		    connect(sender, (struct sockaddr *)&address, length) < 0 || accept(listener, NULL, NULL) < 0 ||
		    send(sender, step, sizeof(step), 0) != (ssize_t)sizeof(step))
			fail("send");
	}
	printf("send: %zu MiB were taken\n", mebibytes);
}

/* One more MiB or child: 0, or -1 and errno */
static int start(const char *what, size_t i)
{
	if (strcmp(what, "thread") == 0)
		return thread(i);
	if (strcmp(what, "file") != 0)
		usage();
	return fallocate(file, 0, (off_t)i * STEP_BYTES, STEP_BYTES);
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
	if (optind + 1 != argc || count == 0 || (strcmp(argv[optind], "thread") == 0 && count > THREADS_MAX))
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	const char *what = argv[optind];
	if (strcmp(what, "touch") == 0) {
		touch(count);
		return 0;
	}
	if (strcmp(what, "send") == 0) {
		send_to_nobody(count);
		return 0;
	}
	file = memfd_create("memory", 0);
	if (file < 0)
		fail("memfd_create");
	if (strcmp(what, "thread") == 0)
		prepare();
	for (done = 0; done < count && !refused; done += !refused) {
		refused = start(what, done);
		if (refused && again) { /* for whoever raised the limit meanwhile */
			perror(what);
			again = 0;
			refused = start(what, done);
		}
	}
	if (refused)
		perror(what);
	printf("%s: %zu of %zu\n", what, done, count);
	return refused ? 1 : 0;
}
