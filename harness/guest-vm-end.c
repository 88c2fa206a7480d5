// SPDX-License-Identifier: MIT
/*
 * The end of a QEMU, and its last words. See guest-vm.h.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "guest-vm.h"
#include "procfs.h"

#define EXIT_TIMEOUT_MS 2000

/* Of another's child: the last number of its line, proc(5), as long as it is not reaped. */
static int status_of_zombie(pid_t pid)
{
	char path[64], text[1024];
	int status;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	const char *last = procfs_read_at(AT_FDCWD, path, text, sizeof(text)) > 0 ? strrchr(text, ' ') : NULL;
	return last && sscanf(last, "%d", &status) == 1 ? status : -1;
}

/* Once pidfd is readable. */
static int reap(struct vm *vm)
{
	int status = -1;
	if (vm->parent != getpid())
		status = status_of_zombie(vm->pid);
	else
		while (waitpid(vm->pid, &status, 0) < 0 && errno == EINTR)
			continue;
	vm->pid = 0;
	return status;
}

int vm_wait(struct vm *vm)
{
	struct pollfd p = {.fd = vm->pidfd, .events = POLLIN};
	return vm->pid <= 0 || poll(&p, 1, EXIT_TIMEOUT_MS) <= 0 ? -1 : reap(vm);
}

void vm_leave(struct vm *vm)
{
	wire_reader_free(&vm->reader);
	free(vm->ready.data);
	closep(&vm->pidfd);
	closep(&vm->wire_fd);
	closep(&vm->monitor_fd);
	closep(&vm->console_fd);
	closep(&vm->errors_fd);
	vm_init(vm);
}

int vm_stop(struct vm *vm)
{
	int status = -1;
	if (vm->pid > 0) {
		/* Its number may be another's by now, where somebody else reaped it. */
		if (vm->pidfd < 0)
			(void)kill(vm->pid, SIGKILL);
		else
			(void)syscall(SYS_pidfd_send_signal, vm->pidfd, SIGKILL, NULL, 0);
		struct pollfd p = {.fd = vm->pidfd, .events = POLLIN};
		while (vm->parent != getpid() && poll(&p, 1, EXIT_TIMEOUT_MS) < 0 && errno == EINTR)
			continue;
		status = reap(vm);
	}
	vm_leave(vm);
	return status;
}

static void tail(int fd, char *ret, size_t size)
{
	struct stat st;
	ret[0] = '\0';
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	off_t room = (off_t)size - 1, from = st.st_size > room ? st.st_size - room : 0;
	ssize_t n = pread(fd, ret, (size_t)room, from);
	ret[n > 0 ? n : 0] = '\0';
	/* A garbled line may carry anything, and is shown on terminals and stored as JSON. */
	for (ssize_t i = 0; i < n; i++)
		if (!isprint((unsigned char)ret[i]) && !strchr("\t\r\n", ret[i] ? ret[i] : '?'))
			ret[i] = '?';
	/* What is cut starts in the middle of a line. */
	if (from > 0) {
		const char *newline = strchr(ret, '\n');
		if (newline)
			memmove(ret, newline + 1, strlen(newline + 1) + 1);
	}
}

void vm_console(const struct vm *vm, char *ret, size_t size)
{
	tail(vm->console_fd, ret, size);
}

void vm_errors(const struct vm *vm, char *ret, size_t size)
{
	tail(vm->errors_fd, ret, size);
}
