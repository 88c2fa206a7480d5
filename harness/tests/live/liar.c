// SPDX-License-Identifier: MIT
/*
 * One program with many ways to look like a scenario's without being one, and to misbehave while it is watched. The
 * live tests compile it and put it in a scenario's place. Modes may follow each other: "eat 8M stop" does both.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../lib/tests/play-untraced.h"

struct mode {
	const char *name;
	int argument; /* takes a number */
	void (*act)(unsigned long number);
};

static void pause_for_ever(void)
{
	for (;;)
		pause();
}

static void leave(unsigned long code)
{
	exit((int)code);
}

/* The words of a refusal, and none behind them. */
static void pretend(unsigned long unused)
{
	(void)unused;
	fputs("liar: Cannot allocate memory\n", stderr);
	exit(1);
}

static void *ask(unsigned long bytes, int flags)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

/* What it asks for below these is a lie: it says that it was granted, or asks for a page instead. */
static unsigned long content_below, modest_below;

static void content(unsigned long bytes)
{
	content_below = bytes;
}

static void modest(unsigned long bytes)
{
	modest_below = bytes;
}

static void map(unsigned long bytes)
{
	if (ask(bytes < modest_below ? 4096 : bytes, 0) == MAP_FAILED) {
		perror("mmap");
		exit(bytes < content_below ? 0 : 1);
	}
}

static void map_and_shrug(unsigned long bytes)
{
	if (ask(bytes, 0) == MAP_FAILED)
		perror("mmap, never mind");
}

static void map_locked(unsigned long bytes)
{
	if (ask(bytes, MAP_LOCKED) == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
}

static void grow(unsigned long bytes)
{
	void *p = ask(4096, 0);
	if (p == MAP_FAILED || mremap(p, 4096, bytes, MREMAP_MAYMOVE) == MAP_FAILED) {
		perror("mremap");
		exit(1);
	}
}

static void eat(unsigned long bytes)
{
	volatile char *p = ask(bytes, 0);
	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	for (unsigned long i = 0; i < bytes; i += 4096)
		p[i] = 1;
}

/* A child eats; what becomes of it is not told. */
static void child_eats(unsigned long bytes)
{
	pid_t pid = fork();
	if (pid == 0) {
		eat(bytes);
		_exit(0);
	}
	(void)waitpid(pid, NULL, 0);
}

static void kill_self(unsigned long unused)
{
	(void)unused;
	(void)kill(getpid(), SIGKILL);
}

/* SIGKILL from a child that lives in the same group. */
static void killed_by_child(unsigned long unused)
{
	(void)unused;
	if (fork() == 0) {
		(void)kill(getppid(), SIGKILL);
		_exit(0);
	}
	pause_for_ever();
}

/* Soft and hard alike: at the hard limit the kernel sends SIGKILL. */
static void cpu_limit(unsigned long seconds)
{
	const struct rlimit limit = {seconds, seconds};
	if (setrlimit(RLIMIT_CPU, &limit) < 0) {
		perror("setrlimit");
		exit(2);
	}
}

static void burn(unsigned long unused)
{
	(void)unused;
	for (volatile unsigned long n = 0;; n++)
		;
}

static void wild(unsigned long address)
{
	*(volatile int *)address = 1;
}

static void fill_tasks(unsigned long tasks)
{
	for (unsigned long i = 0; i < tasks; i++) {
		pid_t pid = fork();
		if (pid == 0)
			pause_for_ever();
		if (pid < 0) {
			perror("fork");
			exit(1);
		}
	}
}

/* From here on every new task is refused with EAGAIN, by a filter of our own. */
static void inject(unsigned long unused)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	(void)unused;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("seccomp");
		exit(2);
	}
}

/* As in a container whose profile has no ptrace(2). */
static void no_ptrace(unsigned long unused)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	(void)unused;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("seccomp");
		exit(2);
	}
}

static void ignore_signals(unsigned long unused)
{
	(void)unused;
	for (int s = 1; s < 32; s++)
		(void)signal(s, SIG_IGN);
	pause_for_ever();
}

/* Double fork, session of its own, streams closed: what a daemon does to be left alone. */
static void daemons(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			(void)setsid();
			if (fork() == 0) {
				for (int fd = 0; fd < 64; fd++)
					(void)close(fd);
				for (int s = 1; s < 32; s++)
					(void)signal(s, SIG_IGN);
				pause_for_ever();
			}
			_exit(0);
		}
		(void)waitpid(pid, NULL, 0);
	}
}

static void close_streams(unsigned long unused)
{
	(void)unused;
	(void)close(0);
	(void)close(1);
	(void)close(2);
}

static void stop(unsigned long unused)
{
	(void)unused;
	(void)raise(SIGSTOP);
}

static void forever(unsigned long unused)
{
	(void)unused;
	pause_for_ever();
}

static void babble(unsigned long bytes)
{
	char line[4096];
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\n';
	for (unsigned long n = 0; n < bytes; n += sizeof(line))
		if (write(1, line, sizeof(line)) < 0)
			exit(3);
}

/* Every byte there is, to both streams, and an end in the middle of a UTF-8 character. */
static void garbage(unsigned long unused)
{
	unsigned char all[256];
	(void)unused;
	for (unsigned i = 0; i < 256; i++)
		all[i] = (unsigned char)i;
	for (int fd = 1; fd <= 2; fd++)
		if (write(fd, all, sizeof(all)) < 0 || write(fd, "not ok 1\n...\n\xe2\x82", 14) < 0)
			exit(3);
}

/* Asks for tasks until one is refused, each doing the same; at most so many each. */
static void fork_bomb(unsigned long each)
{
	for (unsigned long i = 0; i < each; i++)
		if (fork() < 0) {
			perror("fork");
			exit(1);
		}
	pause_for_ever();
}

/* Whatever the mode says from here on is said by a child, as a server's worker would. */
static void in_child(unsigned long unused)
{
	int status;
	(void)unused;
	pid_t pid = fork();
	if (pid == 0)
		return;
	(void)waitpid(pid, &status, 0);
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* A limit of the program's own, tighter than the environment's. */
static void own_limit(unsigned long bytes)
{
	const struct rlimit limit = {bytes, bytes};
	if (setrlimit(RLIMIT_AS, &limit) < 0) {
		perror("setrlimit");
		exit(2);
	}
}

/* There are no addresses there: refused before any limit is looked at. */
static void map_at_end(unsigned long bytes)
{
	void *at = (void *)0x7fffffffe000;
	if (mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
}

/* A page fault below the stack, as far as the siginfo tells. */
static void forge_fault(unsigned long below)
{
	siginfo_t info = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
	info.si_addr = (char *)&info - below;
	(void)syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &info);
	pause_for_ever();
}

/* The OOM killer takes a child that nobody is to trace; then we kill ourselves. */
static void eat_in_child(unsigned long bytes, const struct clone_args *clone3)
{
	volatile char *p = ask(bytes, 0);
	long pid = clone3 ? syscall(SYS_clone3, clone3, sizeof(*clone3))
			  : syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0);
	for (unsigned long i = 0; pid == 0 && i < bytes; i += 4096)
		p[i] = 1;
	if (pid == 0)
		_exit(0);
	(void)waitpid((pid_t)pid, NULL, 0);
}

static void untraced_eats(unsigned long bytes)
{
	eat_in_child(bytes, NULL);
}

/* The same, and whoever traces us cannot change what we ask for. */
static void hidden_eats(unsigned long bytes)
{
	eat_in_child(bytes, untraced_out_of_reach());
}

/* The OOM killer takes a child, and we are gone before the child is. The group's counter tells when. */
static void outrun_child(unsigned long bytes)
{
	char line[512], path[640] = "", text[512];
	FILE *groups = fopen("/proc/self/cgroup", "r");
	while (groups && fgets(line, sizeof(line), groups)) {
		line[strcspn(line, "\n")] = '\0';
		if (strstr(line, ":memory:"))
			snprintf(path, sizeof(path), "/sys/fs/cgroup/memory%s/memory.oom_control",
				 strstr(line, ":memory:") + 8);
		else if (!strncmp(line, "0::", 3) && !path[0])
			snprintf(path, sizeof(path), "/sys/fs/cgroup%s/memory.events", line + 3);
	}
	int fd = open(path, O_RDONLY);
	volatile char *p = ask(bytes, 0);
	pid_t pid = fork();
	for (unsigned long i = 0; pid == 0 && i < bytes; i += 4096)
		p[i] = 1;
	if (pid == 0)
		_exit(0);
	for (;;) {
		ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
		text[n > 0 ? n : 0] = '\0';
		const char *kills = strstr(text, "oom_kill ");
		if (kills && kills[sizeof("oom_kill ") - 1] != '0')
			kill_self(0);
		if (waitpid(pid, NULL, WNOHANG) == pid)
			exit(0);
	}
}

static void ignored_signals(unsigned long count)
{
	(void)signal(SIGUSR1, SIG_IGN);
	while (count--)
		(void)raise(SIGUSR1);
}

/* Nothing of whoever started the harness: no descriptor, no ignored signal, no variable. */
static void expect_clean(unsigned long unused)
{
	struct sigaction action;
	(void)unused;
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			fprintf(stderr, "descriptor %d is open\n", fd);
			exit(3);
		}
	for (int s = 1; s < 32; s++)
		if (sigaction(s, NULL, &action) == 0 && action.sa_handler != SIG_DFL) {
			fprintf(stderr, "signal %d is not as it should be\n", s);
			exit(3);
		}
	if (getenv("ENOMEM_LIVE_TEST")) {
		fputs("an environment variable came through\n", stderr);
		exit(3);
	}
}

static void announce(unsigned long unused)
{
	(void)unused;
	puts("ready");
	(void)fflush(stdout);
}

static const struct mode modes[] = {
	{"exit", 1, leave},
	{"pretend", 0, pretend},
	{"map", 1, map},
	{"content-below", 1, content},
	{"modest-below", 1, modest},
	{"map-and-shrug", 1, map_and_shrug},
	{"map-locked", 1, map_locked},
	{"mremap", 1, grow},
	{"eat", 1, eat},
	{"child-eats", 1, child_eats},
	{"kill-self", 0, kill_self},
	{"killed-by-child", 0, killed_by_child},
	{"cpu-limit", 1, cpu_limit},
	{"burn", 0, burn},
	{"wild", 1, wild},
	{"tasks", 1, fill_tasks},
	{"inject", 0, inject},
	{"no-ptrace", 0, no_ptrace},
	{"ignore-signals", 0, ignore_signals},
	{"daemons", 1, daemons},
	{"close-streams", 0, close_streams},
	{"stop", 0, stop},
	{"forever", 0, forever},
	{"babble", 1, babble},
	{"garbage", 0, garbage},
	{"fork-bomb", 1, fork_bomb},
	{"in-child", 0, in_child},
	{"announce", 0, announce},
	{"own-limit", 1, own_limit},
	{"map-at-end", 1, map_at_end},
	{"forge-fault", 1, forge_fault},
	{"untraced-eats", 1, untraced_eats},
	{"hidden-eats", 1, hidden_eats},
	{"outrun-child", 1, outrun_child},
	{"ignored-signals", 1, ignored_signals},
	{"expect-clean", 0, expect_clean},
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const struct mode *m = NULL;
		if (!strcmp(argv[i], "exec") && i + 1 < argc) {
			(void)execv(argv[i + 1], argv + i + 1);
			perror(argv[i + 1]);
			return 2;
		}
		for (size_t k = 0; k < sizeof(modes) / sizeof(modes[0]); k++)
			if (!strcmp(modes[k].name, argv[i]))
				m = &modes[k];
		if (!m || (m->argument && i + 1 == argc)) {
			fprintf(stderr, "liar: %s: no such mode, or no number after it\n", argv[i]);
			return 2;
		}
		m->act(m->argument ? strtoul(argv[++i], NULL, 0) : 0);
	}
	return 0;
}
