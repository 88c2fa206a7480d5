// SPDX-License-Identifier: MIT
/*
 * See hold-reserve.h. They wait for the end of a pipe, and are waited for by way of another one.
 */
#include "hold-reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

#define PROMISED_BYTES (512U << 10)
#define REAP_NS        20000000 /* init reaps them when they have closed their ends */

_Noreturn static void wait_in_place(int wait_fd)
{
	char byte;
	/* Untouched: promised, where promises are counted. */
	(void)mmap(NULL, PROMISED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	(void)prctl(PR_SET_NAME, "enomem-reserve");
	(void)prctl(PR_SET_DUMPABLE, 0);
	while (read(wait_fd, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(0);
}

/* Children of a process that has ended: of ours the witness would hear. */
_Noreturn static void make_all(int wait_fd, int release_fd)
{
	(void)close(release_fd);
	for (unsigned i = 0; i < HOLD_RESERVE_TASKS; i++)
		if (fork() == 0)
			wait_in_place(wait_fd);
	_exit(0);
}

void hold_reserve_begin(struct hold_reserve *r)
{
	int release[2] = {-1, -1}, gone[2] = {-1, -1};
	*r = (struct hold_reserve){-1, -1};
	pid_t pid = pipe2(release, O_CLOEXEC) < 0 || pipe2(gone, O_CLOEXEC) < 0 ? -1 : fork();
	if (pid == 0)
		make_all(release[0], release[1]);
	closep(&release[0]);
	closep(&gone[1]);
	if (pid < 0) {
		closep(&release[1]);
		closep(&gone[0]);
		return;
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	*r = (struct hold_reserve){release[1], gone[0]};
}

void hold_reserve_release(struct hold_reserve *r)
{
	const struct timespec pause = {.tv_nsec = REAP_NS};
	char byte;
	if (r->release_fd < 0)
		return;
	(void)close(r->release_fd);
	while (read(r->gone_fd, &byte, 1) < 0 && errno == EINTR)
		;
	(void)close(r->gone_fd);
	(void)nanosleep(&pause, NULL);
	*r = (struct hold_reserve){-1, -1};
}
