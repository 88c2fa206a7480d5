// SPDX-License-Identifier: MIT
/*
 * A limit lowered to half of what is in use already. Nothing is taken away: each check asks "in use + asked > limit",
 * and only when somebody asks. The exception is memory.max of cgroup v2: whoever lowers it has to bring the group below
 * it first, and kills where reclaim does not do.
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, FRAME = 16 << 10, CHILDREN_MAX = 64 };
enum what { AS, MEMLOCK, NPROC, STACK, AREAS, PIDS, MEMORY, WHATS };

static const char *const names[WHATS] = {"as", "memlock", "nproc", "stack", "areas", "pids", "memory"};
static const int resources[WHATS] = {RLIMIT_AS, RLIMIT_MEMLOCK, RLIMIT_NPROC, RLIMIT_STACK};
static const char *const files[WHATS] = {
	[AREAS] = "/proc/sys/vm/max_map_count", [PIDS] = "pids.max", [MEMORY] = "memory.max"};

static enum what what;
static char *area;
static pid_t children[CHILDREN_MAX];
static size_t n, size, child_count; /* in use: bytes, areas or tasks; bytes of the area, but for one page more */

/* The soft limit, the sysctl, or that of the program's own group */
static void set_limit(size_t limit)
{
	char group[256] = "", path[512];
	struct rlimit soft;
	if (!files[what]) {
		getrlimit(resources[what], &soft);
		soft.rlim_cur = limit < soft.rlim_max ? limit : soft.rlim_max;
		if (setrlimit(resources[what], &soft) < 0)
			err(3, "setrlimit");
		return;
	}
	FILE *f = fopen("/proc/self/cgroup", "r");
	if (!f || fscanf(f, "0::%255s", group) != 1 || fclose(f))
		err(3, "/proc/self/cgroup");
	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, files[what]);
	f = fopen(files[what][0] == '/' ? files[what] : path, "w");
	if (!f || fprintf(f, "%zu", limit) < 0 || fclose(f))
		err(3, "%s", path);
}

static int fork_child(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	if (pid > 0)
		children[child_count++] = pid;
	return pid < 0 ? -1 : 0;
}

static __attribute__((noinline)) int recurse(size_t bytes)
{
	volatile char frame[FRAME];
	frame[0] = 1;
	return bytes > FRAME ? recurse(bytes - FRAME) + frame[0] : frame[0];
}

/* Areas: pages that may be written, between such that may not. */
static void use(void)
{
	int bad = 0;
	area = size ? mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : NULL;
	if (area == MAP_FAILED)
		err(3, "mmap");
	if (what == MEMORY)
		memset(area, 1, size);
	if (what == MEMLOCK)
		bad = mlock(area, size);
	if (what == STACK)
		recurse(n);
	for (size_t i = 1; what == AREAS && i < n; i += 2)
		bad |= mprotect(area + i * PAGE, PAGE, PROT_READ);
	while ((what == NPROC || what == PIDS) && !bad && child_count + 1 < n)
		bad = fork_child();
	if (bad)
		err(3, "using it");
}

static void give_back(void)
{
	if (what == MEMLOCK)
		munlock(area, size);
	else if (area)
		munmap(area, size);
	for (; child_count; waitpid(children[child_count], NULL, 0))
		kill(children[--child_count], SIGKILL);
}

/* One more, of the stack as much again. 0, or -1 and errno */
static int request(void)
{
	if (what == NPROC || what == PIDS)
		return fork_child();
	if (what == MEMLOCK)
		return mlock(area + size, PAGE);
	if (what == STACK)
		return recurse(2 * n) > 0 ? 0 : -1;
	if (what == MEMORY)
		return area[size] = 1, 0;
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

int main(int argc, char *argv[])
{
	const char *then = argc > 4 ? argv[4] : "";
	while (argc > 2 && what < WHATS && strcmp(argv[1], names[what]) != 0)
		what++;
	if (argc < 3 || what == WHATS || (n = strtoull(argv[2], NULL, 10)) == 0 || n > 1 << 30 ||
	    ((what == NPROC || what == PIDS) && n > CHILDREN_MAX))
		errx(2, "usage: as|memlock|nproc|stack|areas|pids|memory N [lower|zero [raise|give-back|again]]");
	setvbuf(stdout, NULL, _IONBF, 0); /* stdout, too, would allocate */
	uid_t uid = 0;                    /* nobody else is this one */
	if (what == NPROC && (getrandom(&uid, sizeof(uid), 0) < 0 || setuid(0x40000000 + (uid & 0xffffff)) < 0))
		err(3, "setuid");
	size = what == AREAS ? n * PAGE : what == STACK || what == NPROC || what == PIDS ? 0 : n;
	use();
	if (what == MEMORY && !strcmp(then, "give-back"))
		give_back(); /* afterwards nobody is left to do it */
	if (argc > 3)
		set_limit(!strcmp(argv[3], "zero") ? 0 : n / 2);
	if (what == STACK)
		recurse(n); /* where it has been it may go again */
	int refused = what == STACK && !strcmp(then, "give-back") ? 0 : request();
	if (refused && *then) {
		perror(names[what]);
		if (!strcmp(then, "raise"))
			set_limit(files[what] ? 1 << 16 : RLIM_INFINITY);
		else if (!strcmp(then, "give-back"))
			give_back();
		refused = request();
	}
	if (refused)
		perror(names[what]);
	if (child_count)
		give_back();
	return refused ? 1 : 0;
}
