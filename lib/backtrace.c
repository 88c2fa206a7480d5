// SPDX-License-Identifier: MIT
/*
 * The way without libdw: the place, from the kernel, and the files mapped there, from /proc. See backtrace.h.
 */
#include "backtrace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "backtrace-internal.h"
#include "cleanup.h"

/* Where the file behind an address that holds code is mapped. false where there is no code. */
static bool locate(pid_t pid, struct backtrace_frame *frame)
{
	char name[64], line[512];
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		uint64_t start, end, offset;
		char executable, path[256] = "";
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%*c%c%*c %" SCNx64 " %*s %*s %255[^\n]", &start, &end,
			   &executable, &offset, path) < 4 ||
		    frame->address < start || frame->address >= end)
			continue;
		if (path[0] == '/' || path[0] == '[') {
			(void)snprintf(frame->module, sizeof(frame->module), "%s", path);
			frame->module_offset = frame->address - start + offset;
		}
		return executable == 'x';
	}
	return false;
}

/*
 * At the end of a call the C library's wrapper has nothing of its own on the stack: what lies there is where it was
 * called from. Elsewhere it may be anything, so it counts only where there is code.
 */
static void take_plain(pid_t pid, pid_t tid, struct backtrace *ret)
{
	struct __ptrace_syscall_info info;
	uint64_t caller = 0;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return;
	ret->frame[0] = (struct backtrace_frame){.address = info.instruction_pointer};
	(void)locate(pid, &ret->frame[0]);
	ret->count = 1;
	struct iovec local = {&caller, sizeof(caller)};
	struct iovec remote = {(void *)(uintptr_t)info.stack_pointer, sizeof(caller)};
	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(caller))
		return;
	ret->frame[1] = (struct backtrace_frame){.address = caller};
	ret->count += locate(pid, &ret->frame[1]);
}

void backtrace_take(pid_t pid, pid_t tid, struct backtrace *ret)
{
	memset(ret, 0, sizeof(*ret));
	backtrace_unwind(pid, tid, ret);
	ret->unwound = ret->count > 1;
	if (!ret->unwound)
		take_plain(pid, tid, ret);
}
