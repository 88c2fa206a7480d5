// SPDX-License-Identifier: MIT
/*
 * Building a filter where libseccomp can do no harm. See filter-internal.h.
 */
#include "filter-internal.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cleanup.h"

/*
 * A bound on memory would be met at the same place each time, and what is left out twice cannot be told: what building
 * takes (measured: less than 272 KiB of heap) is taken beforehand, and more. false: it cannot be had.
 */
static bool take_room(void)
{
	enum { ROOM = 1 << 20 };
	(void)mallopt(M_MMAP_THRESHOLD, 2 * ROOM);
	(void)mallopt(M_TRIM_THRESHOLD, 2 * ROOM);
	char *room = malloc(ROOM);
	if (!room)
		return false;
	explicit_bzero(room, ROOM);
	free(room);
	return true;
}

/* The child's: an errno fits in a status. What the C library says of a heap that is spoiled is nobody's to read. */
static _Noreturn void write_both(int (*write_filter)(int fd), pid_t parent, const int fds[2])
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (nowhere >= 0)
		(void)dup2(nowhere, STDERR_FILENO);
	int r = getppid() != parent ? -ESRCH : take_room() ? write_filter(fds[0]) : -ENOMEM;
	if (r == 0)
		r = write_filter(fds[1]);
	_exit(r < 0 && r > -UINT8_MAX ? -r : r < 0 ? EIO : 0);
}

static int wait_for(pid_t pid)
{
	int status;
	pid_t ended;
	do
		ended = waitpid(pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ENOMEM;
}

static bool are_same(int a, int b)
{
	struct sock_filter left[64], right[64];
	ssize_t n;
	off_t at = 0;
	do {
		n = pread(a, left, sizeof(left), at);
		if (n < 0 || pread(b, right, sizeof(right), at) != n || memcmp(left, right, (size_t)n) != 0)
			return false;
		at += n;
	} while (n > 0);
	return at > 0;
}

int filter_build_apart(int (*write_filter)(int fd), int *ret_fd)
{
	auto_close int first = memfd_create("enomem-filter", MFD_CLOEXEC);
	auto_close int second = first < 0 ? -1 : memfd_create("enomem-filter", MFD_CLOEXEC);
	if (second < 0)
		return -errno;
	const int fds[] = {first, second};
	pid_t self = getpid(), pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		write_both(write_filter, self, fds);
	int r = wait_for(pid);
	if (r == 0 && !are_same(first, second))
		r = -ENOMEM;
	if (r < 0)
		return r;
	*ret_fd = steal_fd(first);
	return 0;
}
