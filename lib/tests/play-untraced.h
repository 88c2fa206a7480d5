// SPDX-License-Identifier: MIT
/*
 * Programs that ask for a task that nobody traces (CLONE_UNTRACED), for the tests of whoever watches: they look whether
 * it is as it would be without one. Each says 0, or what is wrong.
 */
#pragma once

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_UNTRACED
#define CLONE_UNTRACED 0x00800000
#endif

/* clone3's, where the caller cannot write it. */
static const struct clone_args untraced_constant = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};

/* Nor anybody who traces it: a mapping of a file that may only be read. */
static const struct clone_args *untraced_out_of_reach(void)
{
	int fd = memfd_create("untraced", 0);
	if (fd < 0 || write(fd, &untraced_constant, sizeof(untraced_constant)) != (ssize_t)sizeof(untraced_constant))
		return NULL;
	void *at = mmap(NULL, sizeof(untraced_constant), PROT_READ, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

/* Task and flags, which the call leaves as they are. */
static long untraced_clone(uint64_t *flags)
{
#if defined(__x86_64__)
	long result;
	uint64_t first = *flags;
	__asm__ volatile("syscall"
			 : "=a"(result), "+D"(first)
			 : "a"(SYS_clone), "S"(0), "d"(0)
			 : "rcx", "r11", "memory");
	*flags = first;
	return result;
#else
	return syscall(SYS_clone, *flags, 0, 0, 0, 0);
#endif
}

/* The same by the 32-bit entry of x86-64; SIGSEGV where the kernel has none. */
static long untraced_clone_ia32(uint64_t *flags)
{
#if defined(__x86_64__)
	long result;
	uint64_t first = *flags;
	__asm__ volatile("int $0x80"
			 : "=a"(result), "+b"(first)
			 : "a"(120), "c"(0), "d"(0), "S"(0), "D"(0)
			 : "r8", "r9", "r10", "r11", "memory");
	*flags = first;
	return result;
#else
	return untraced_clone(flags);
#endif
}

/* 2: the new task is refused memory; 3: the flags are others there, 4: here; 5: there is none; 6: it ended otherwise.
 */
static inline int play_untraced(const char *how)
{
	const uint64_t before = CLONE_UNTRACED | SIGCHLD;
	uint64_t flags = before;
	struct clone_args here = untraced_constant;
	const struct clone_args *args = &here;
	int status;
	if (strcmp(how, "constant") == 0)
		args = &untraced_constant;
	else if (strcmp(how, "out of reach") == 0)
		args = untraced_out_of_reach();
	long child = strcmp(how, "clone") == 0  ? untraced_clone(&flags)
		     : strcmp(how, "ia32") == 0 ? untraced_clone_ia32(&flags)
						: syscall(SYS_clone3, args, sizeof(*args));
	const volatile struct clone_args *seen = args;
	bool same = flags == before && seen && seen->flags == CLONE_UNTRACED;
	if (child == 0 && mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		_exit(2);
	if (child == 0)
		_exit(same ? 0 : 3);
	if (child < 0 || waitpid((pid_t)child, &status, __WALL) != (pid_t)child)
		return 5;
	return !WIFEXITED(status) ? 6 : !same ? 4 : WEXITSTATUS(status);
}
