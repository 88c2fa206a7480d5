// SPDX-License-Identifier: MIT
/*
 * memory.oom.group: a kill takes the whole group. oom_kill_process() kills the victim, then every other task of the
 * group (mem_cgroup_scan_tasks()), except those at oom_score_adj -1000. A supervisor with a worker that eats and
 * helpers that only wait: without it, the supervisor lives to tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELPERS_MAX = 16 };

static int door[2]; /* helpers wait at this pipe until its writing end is closed */

static void usage(void)
{
	fputs("usage: oom-group --bytes N --helpers N [--expose]\n", stderr);
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

/* Our children may be killed, whatever we are: raising one's own score is always allowed. */
static void expose(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		fail("oom_score_adj");
	close(fd);
}

static void eat(size_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap");
	memset(memory, 1, bytes);
}

static void wait_at_door(void)
{
	char c;
	while (read(door[0], &c, 1) < 0 && errno == EINTR)
		;
}

/* A child that eats, or, with nothing to eat, one that waits. */
static pid_t start(size_t bytes, int exposed)
{
	pid_t pid = fork();
	if (pid < 0)
		fail("fork");
	if (pid > 0)
		return pid;
	close(door[1]);
	if (exposed)
		expose();
	if (bytes > 0)
		eat(bytes);
	else
		wait_at_door();
	_exit(0);
}

/* Let the helpers go. How many of them were killed before? */
static size_t killed(const pid_t *helper, size_t helpers)
{
	size_t n = 0;
	int status = 0;
	close(door[1]);
	for (size_t i = 0; i < helpers; i++)
		n += waitpid(helper[i], &status, 0) > 0 && WIFSIGNALED(status);
	return n;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {{"bytes", required_argument, NULL, 'b'},
						{"helpers", required_argument, NULL, 'h'},
						{"expose", no_argument, NULL, 'e'},
						{0}};
	size_t bytes = 0, helpers = 0;
	pid_t helper[HELPERS_MAX];
	int exposed = 0, status = 0, option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'b')
			bytes = number(optarg);
		else if (option == 'h')
			helpers = number(optarg);
		else if (option == 'e')
			exposed = 1;
		else
			usage();
	}
	if (optind != argc || bytes == 0 || helpers > HELPERS_MAX || pipe(door) < 0)
		usage();

	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	for (size_t i = 0; i < helpers; i++)
		helper[i] = start(0, exposed);
	pid_t worker = start(bytes, exposed);
	printf("a worker that uses %zu bytes, %zu helpers\n", bytes, helpers);
	if (waitpid(worker, &status, 0) < 0)
		fail("waitpid");
	printf("the worker %s, ", WIFSIGNALED(status) ? "was killed" : "is done");
	printf("%zu helpers were killed\n", killed(helper, helpers));
	return 0;
}
