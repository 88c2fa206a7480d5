// SPDX-License-Identifier: MIT
/*
 * Kills enomem at a chosen point. Compiled twice by kill.t. As a shared object for LD_PRELOAD it stands before the libc
 * calls with which enomem changes the world or waits, counts them over the whole process tree and halts at the chosen
 * one. As a program (-DLAUNCHER) it starts the tree, kills when a process has halted there, and tells what outlived it.
 *
 * It is the launcher that kills: a process in a namespace of its own cannot see the harness, and the init of a pid
 * namespace cannot kill itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define LOG_MAX 8192

/* The file that all processes of the tree map. */
struct shared {
	_Atomic unsigned count;
	unsigned at; /* the point at which to halt, from 1; 0: nowhere */
	struct {
		char who[16], call[16];
	} log[LOG_MAX];
};

static struct sockaddr_un socket_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
	return address;
}

#ifndef LAUNCHER

#include <dlfcn.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>

static struct shared *shared;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("KILLPOINT_FILE");
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *map = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)syscall(SYS_close, fd);
	if (map != MAP_FAILED)
		shared = map;
}

/* Tell the launcher, and go on only if it says so. System calls by number: the functions are the points. */
static void halt(unsigned n)
{
	const char *path = getenv("KILLPOINT_SOCKET");
	char byte;
	struct sockaddr_un address = socket_address(path ? path : "");
	int fd = (int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && syscall(SYS_connect, fd, &address, sizeof(address)) == 0 &&
	    syscall(SYS_write, fd, &n, sizeof(n)) == (long)sizeof(n)) {
		while (syscall(SYS_read, fd, &byte, 1) < 0 && errno == EINTR)
			continue;
	}
	(void)syscall(SYS_close, fd);
}

static void point(const char *call)
{
	int saved = errno;
	if (!shared)
		return;
	unsigned n = atomic_fetch_add(&shared->count, 1) + 1;
	if (n <= LOG_MAX) {
		(void)prctl(PR_GET_NAME, shared->log[n - 1].who);
		strncpy(shared->log[n - 1].call, call, sizeof(shared->log[0].call) - 1);
	}
	if (n == shared->at)
		halt(n);
	errno = saved;
}

/* A point before the call, then the call itself. */
#define BEFORE(name, result, parameters, arguments)                                                                    \
	result name parameters                                                                                         \
	{                                                                                                              \
		static result(*next) parameters;                                                                       \
		if (!next)                                                                                             \
			next = (result(*) parameters)dlsym(RTLD_NEXT, #name);                                          \
		point(#name);                                                                                          \
		return next arguments;                                                                                 \
	}

/* Only what creates, and the files by which the kernel is read and changed; not the libraries and locales. */
static int changes(const char *path, int flags)
{
	return (flags & (O_CREAT | O_WRONLY | O_RDWR)) || strncmp(path, "/proc", 5) == 0 ||
	       strncmp(path, "/sys", 4) == 0;
}

#define BEFORE_OPEN(name)                                                                                              \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		static int (*next)(const char *, int, ...);                                                            \
		va_list list;                                                                                          \
		va_start(list, flags);                                                                                 \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;                                \
		va_end(list);                                                                                          \
		if (!next)                                                                                             \
			next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name);                               \
		if (changes(path, flags))                                                                              \
			point(#name);                                                                                  \
		return next(path, flags, mode);                                                                        \
	}

#define BEFORE_OPENAT(name)                                                                                            \
	int name(int dir, const char *path, int flags, ...)                                                            \
	{                                                                                                              \
		static int (*next)(int, const char *, int, ...);                                                       \
		va_list list;                                                                                          \
		va_start(list, flags);                                                                                 \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(list, mode_t) : 0;                                \
		va_end(list);                                                                                          \
		if (!next)                                                                                             \
			next = (int (*)(int, const char *, int, ...))dlsym(RTLD_NEXT, #name);                          \
		if (changes(path, flags))                                                                              \
			point(#name);                                                                                  \
		return next(dir, path, flags, mode);                                                                   \
	}

BEFORE_OPEN(open)
BEFORE_OPEN(open64)
BEFORE_OPENAT(openat)
BEFORE_OPENAT(openat64)
BEFORE(write, ssize_t, (int fd, const void *buf, size_t size), (fd, buf, size))
BEFORE(pwrite, ssize_t, (int fd, const void *buf, size_t size, off_t at), (fd, buf, size, at))
BEFORE(pwrite64, ssize_t, (int fd, const void *buf, size_t size, off64_t at), (fd, buf, size, at))
BEFORE(ftruncate, int, (int fd, off_t length), (fd, length))
BEFORE(fsync, int, (int fd), (fd))
BEFORE(fdatasync, int, (int fd), (fd))
BEFORE(mkdir, int, (const char *path, mode_t mode), (path, mode))
BEFORE(rmdir, int, (const char *path), (path))
BEFORE(unlink, int, (const char *path), (path))
BEFORE(unlinkat, int, (int dir, const char *path, int flags), (dir, path, flags))
BEFORE(linkat, int, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
BEFORE(rename, int, (const char *from, const char *to), (from, to))
BEFORE(fork, pid_t, (void), ())
BEFORE(setsid, pid_t, (void), ())
BEFORE(unshare, int, (int flags), (flags))
BEFORE(mount, int, (const char *what, const char *on, const char *type, unsigned long flags, const void *data),
       (what, on, type, flags, data))
BEFORE(execv, int, (const char *path, char *const argv[]), (path, argv))
BEFORE(execvp, int, (const char *path, char *const argv[]), (path, argv))
BEFORE(pipe2, int, (int ends[2], int flags), (ends, flags))
BEFORE(socketpair, int, (int domain, int type, int protocol, int ends[2]), (domain, type, protocol, ends))
BEFORE(send, ssize_t, (int fd, const void *buf, size_t size, int flags), (fd, buf, size, flags))
BEFORE(recv, ssize_t, (int fd, void *buf, size_t size, int flags), (fd, buf, size, flags))
BEFORE(memfd_create, int, (const char *name, unsigned flags), (name, flags))
BEFORE(waitpid, pid_t, (pid_t pid, int *status, int options), (pid, status, options))
BEFORE(wait, pid_t, (int *status), (status))
BEFORE(poll, int, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))
BEFORE(kill, int, (pid_t pid, int signal), (pid, signal))
BEFORE(flock, int, (int fd, int operation), (fd, operation))

/* Four arguments are always passed, whatever the request needs. */
long ptrace(enum __ptrace_request request, ...)
{
	static long (*next)(enum __ptrace_request, ...);
	va_list list;
	va_start(list, request);
	pid_t pid = va_arg(list, pid_t);
	void *address = va_arg(list, void *), *data = va_arg(list, void *);
	va_end(list);
	if (!next)
		next = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
	point("ptrace");
	return next(request, pid, address, data);
}

int prctl(int option, ...)
{
	unsigned long a[4];
	va_list list;
	va_start(list, option);
	for (unsigned i = 0; i < 4; i++)
		a[i] = va_arg(list, unsigned long);
	va_end(list);
	if (option == PR_SET_PDEATHSIG)
		point("prctl");
	return (int)syscall(SYS_prctl, option, a[0], a[1], a[2], a[3]);
}

#else

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>

/* The whole tree may live this long before it counts as hung. */
#define TREE_TIMEOUT_MS 20000
/* What a dead harness started has to be gone after this time. */
#define GRACE_MS        2000

static pid_t harness;
static int harness_status = -1;
static long long harness_end_ms;
/* The machine at the moment of the kill. */
static char overcommit[16] = "-", areas[16] = "-";

static long long now_ms(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void note_end(pid_t pid, int status)
{
	if (pid != harness)
		return;
	harness_status = status;
	harness_end_ms = now_ms();
}

/* Orphans become ours, so this is the whole tree: true while some of it is left. */
static bool reap(void)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
		if (pid <= 0)
			return pid == 0;
		note_end(pid, status);
	}
}

static pid_t parent_and_name(pid_t pid, char *ret_name)
{
	char path[32], line[512];
	int parent = 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	FILE *f = fopen(path, "re");
	if (!f)
		return 0;
	char *open = fgets(line, sizeof(line), f) ? strchr(line, '(') : NULL, *close = open ? strrchr(open, ')') : NULL;
	(void)fclose(f);
	if (!close || sscanf(close + 2, "%*c %d", &parent) != 1)
		return 0;
	(void)snprintf(ret_name, 16, "%.*s", (int)(close - open - 1), open + 1);
	return parent;
}

static bool is_descendant(pid_t pid, char *ret_name)
{
	char ignored[16];
	pid_t parent = parent_and_name(pid, ret_name);
	for (unsigned depth = 0; parent > 1 && depth < 64; depth++) {
		if (parent == getpid())
			return true;
		parent = parent_and_name(parent, ignored);
	}
	return false;
}

/* Kill every descendant, or only those of one name. Returns how many there were; their names go to a string. */
static unsigned kill_descendants(const char *only, char *names, size_t size)
{
	unsigned count = 0;
	DIR *d = opendir("/proc");
	for (struct dirent *e; d && (e = readdir(d));) {
		char name[16];
		pid_t pid = atoi(e->d_name);
		if (pid <= 0 || !is_descendant(pid, name) || (only && strcmp(name, only) != 0))
			continue;
		(void)kill(pid, SIGKILL);
		size_t used = names ? strlen(names) : 0;
		if (names && used + 20 < size)
			(void)snprintf(names + used, size - used, "%s%s", used ? "+" : "", name);
		count++;
	}
	if (d)
		(void)closedir(d);
	return count;
}

static void kill_harness(void)
{
	int status;
	(void)kill(harness, SIGKILL);
	if (harness_status < 0 && waitpid(harness, &status, 0) == harness)
		note_end(harness, status);
}

static void read_value(const char *path, char *ret, size_t size)
{
	FILE *f = fopen(path, "re");
	if (f && fgets(ret, (int)size, f))
		ret[strcspn(ret, "\n")] = '\0';
	if (f)
		(void)fclose(f);
}

/* Who halted, and what is to die: the harness; that process itself; that and the keeper; or everything at once, the
 * keeper first. */
static bool on_halt(int listener, const char *mode)
{
	unsigned n;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0 || recv(fd, &n, sizeof(n), MSG_WAITALL) != (ssize_t)sizeof(n) ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 1) {
		(void)close(fd); /* the harness itself has killed it meanwhile: its pid reads as 0 */
		return false;
	}
	read_value("/proc/sys/vm/overcommit_memory", overcommit, sizeof(overcommit));
	read_value("/proc/sys/vm/max_map_count", areas, sizeof(areas));
	if (strcmp(mode, "self") == 0) {
		(void)kill(peer.pid, SIGKILL);
	} else if (strcmp(mode, "pair") == 0) {
		(void)kill_descendants("enomem-keeper", NULL, 0);
		(void)kill(peer.pid, SIGKILL);
	} else if (strcmp(mode, "all") == 0) {
		(void)kill_descendants("enomem-keeper", NULL, 0);
		while (kill_descendants(NULL, NULL, 0) > 0 && reap())
			continue;
	} else {
		kill_harness();
	}
	(void)close(fd); /* which lets it go on if it still lives */
	return true;
}

static struct shared *make_shared(const char *path, unsigned at)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(struct shared)) < 0)
		return NULL;
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (s == MAP_FAILED)
		return NULL;
	s->at = at;
	return s;
}

static int make_listener(const char *path)
{
	struct sockaddr_un address = socket_address(path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		return -1;
	return fd;
}

static void start_harness(const char *directory, char **argv)
{
	char text[512];
	harness = fork();
	if (harness != 0)
		return;
	static const char *const names[] = {"output", "errors"};
	for (int i = 0; i < 2; i++) {
		(void)snprintf(text, sizeof(text), "%s/%s", directory, names[i]);
		int fd = open(text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		(void)dup2(fd, i ? STDERR_FILENO : STDOUT_FILENO);
	}
	(void)snprintf(text, sizeof(text), "%s/points", directory);
	(void)setenv("KILLPOINT_FILE", text, 1);
	(void)snprintf(text, sizeof(text), "%s/socket", directory);
	(void)setenv("KILLPOINT_SOCKET", text, 1);
	(void)snprintf(text, sizeof(text), "%s/killpoint.so", directory);
	(void)setenv("LD_PRELOAD", text, 1);
	(void)execvp(argv[0], argv);
	_exit(127);
}

static void tell(const struct shared *s, const char *mode, bool hit, unsigned left, const char *names, long long end_ms)
{
	unsigned count = s->count, logged = count < LOG_MAX ? count : LOG_MAX;
	if (strcmp(mode, "count") == 0) {
		for (unsigned i = 0; i < logged; i++)
			printf("%u %s %s\n", i + 1, s->log[i].who, s->log[i].call);
		return;
	}
	bool known = hit && s->at >= 1 && s->at <= LOG_MAX;
	printf("hit=%d who=%s call=%s pid=%d status=%d left=%u names=%s gone_ms=%lld overcommit=%s areas=%s "
	       "points=%u\n",
	       hit, known ? s->log[s->at - 1].who : "-", known ? s->log[s->at - 1].call : "-", harness,
	       harness_status < 0            ? -1
	       : WIFSIGNALED(harness_status) ? 128 + WTERMSIG(harness_status)
					     : WEXITSTATUS(harness_status),
	       left, *names ? names : "-", end_ms - (harness_end_ms ? harness_end_ms : end_ms), overcommit, areas,
	       count);
}

/* killpoint DIRECTORY count|main|self|pair|all N COMMAND... */
int main(int argc, char **argv)
{
	char path[512], names[256] = "";
	if (argc < 5) {
		fputs("usage: killpoint DIRECTORY count|main|self|pair|all N COMMAND...\n", stderr);
		return 2;
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	(void)snprintf(path, sizeof(path), "%s/points", argv[1]);
	struct shared *s = make_shared(path, strcmp(argv[2], "count") == 0 ? 0 : (unsigned)atoi(argv[3]));
	(void)snprintf(path, sizeof(path), "%s/socket", argv[1]);
	int listener = make_listener(path);
	if (!s || listener < 0) {
		perror("killpoint");
		return 2;
	}
	long long begin_ms = now_ms();
	bool hit = false;
	start_harness(argv[1], argv + 4);
	while (reap()) {
		struct pollfd p = {.fd = listener, .events = POLLIN};
		if (poll(&p, 1, 1) > 0 && on_halt(listener, argv[2]))
			hit = true;
		if (harness_status >= 0 ? now_ms() - harness_end_ms > GRACE_MS : now_ms() - begin_ms > TREE_TIMEOUT_MS)
			break;
	}
	long long end_ms = now_ms();
	unsigned left = reap() ? kill_descendants(NULL, names, sizeof(names)) : 0;
	while (reap())
		(void)poll(NULL, 0, 1);
	tell(s, argv[2], hit, left, names, end_ms);
	return 0;
}

#endif
