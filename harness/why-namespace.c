// SPDX-License-Identifier: MIT
/*
 * The kernel tells who sent a signal by a number of the receiver's pid namespace, 0 for somebody above it
 * (__send_signal_locked(), kernel/signal.c), and PTRACE_GETSIGINFO hands that on as it is: in another namespace than
 * ours it is no process that we could name, other than the receiver itself. See why.h.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "procfs.h"
#include "why.h"

pid_t why_innermost_pid(const char *status)
{
	static const char key[] = "\nNStgid:";
	const char *at = strstr(status, key);
	pid_t pid = 0;
	if (!at)
		return 0;
	at += strlen(key);
	for (char *end; *at && *at != '\n'; at = end) {
		long number = strtol(at, &end, 10);
		if (end == at)
			break;
		pid = (pid_t)number;
		while (*end == '\t' || *end == ' ')
			end++;
	}
	return pid;
}

static bool is_in_our_namespace(pid_t pid)
{
	char name[64];
	struct stat its, ours;
	(void)snprintf(name, sizeof(name), "/proc/%d/ns/pid", pid);
	if (stat("/proc/self/ns/pid", &ours) < 0)
		return true; /* a kernel without them */
	return stat(name, &its) == 0 && its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

pid_t why_sender_pid(pid_t pid, const siginfo_t *info)
{
	char name[64], text[8192];
	if (info->si_pid == 0 || is_in_our_namespace(pid))
		return info->si_pid;
	(void)snprintf(name, sizeof(name), "/proc/%d/status", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return 0;
	return why_innermost_pid(text) == info->si_pid ? pid : 0;
}
