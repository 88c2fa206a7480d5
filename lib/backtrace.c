// SPDX-License-Identifier: MIT
/*
 * The way without libdw: the place, from the kernel, and the files mapped there, from /proc. See backtrace.h.
 */
#include "backtrace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "backtrace-internal.h"
#include "cleanup.h"

/* Where the file behind an address is mapped. */
static void locate(pid_t pid, struct backtrace_frame *frame)
{
	char name[64], line[512];
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		uint64_t start, end, offset;
		char path[256] = "";
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %255[^\n]", &start, &end, &offset,
			   path) < 3 ||
		    frame->address < start || frame->address >= end)
			continue;
		if (path[0] == '/' || path[0] == '[') {
			(void)snprintf(frame->module, sizeof(frame->module), "%s", path);
			frame->module_offset = frame->address - start + offset;
		}
		return;
	}
}

void code_map_read(pid_t pid, struct code_map *ret)
{
	char name[64], line[512];
	unsigned room = 0;
	bool continued = false; /* the rest of a line that was longer than ours */
	*ret = (struct code_map){0};
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		struct code_range r;
		char executable;
		bool begins = !continued;
		continued = !strchr(line, '\n');
		if (!begins || sscanf(line, "%" SCNx64 "-%" SCNx64 " %*c%*c%c", &r.start, &r.end, &executable) != 3 ||
		    executable != 'x')
			continue;
		if (ret->count && ret->range[ret->count - 1].end == r.start) {
			ret->range[ret->count - 1].end = r.end;
			continue;
		}
		if (ret->count == room) {
			room = room ? 2 * room : 64;
			struct code_range *more = reallocarray(ret->range, room, sizeof(*more));
			if (!more)
				return;
			ret->range = more;
		}
		ret->range[ret->count++] = r;
	}
}

bool code_map_has(const struct code_map *m, uint64_t address)
{
	for (unsigned i = 0; i < m->count; i++)
		if (address >= m->range[i].start && address < m->range[i].end)
			return true;
	return false;
}

uint64_t backtrace_word(pid_t pid, uint64_t address)
{
	uint64_t word;
	struct iovec local = {&word, sizeof(word)};
	struct iovec remote = {(void *)(uintptr_t)address, sizeof(word)};
	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(word) ? word : 0;
}

/*
 * At the end of a call the C library's wrapper has nothing of its own on the stack: what lies there is where it was
 * called from. Elsewhere it may be anything, so it counts only where there is code.
 */
static void take_plain(pid_t pid, pid_t tid, const struct code_map *code, struct backtrace *ret)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0)
		return;
	ret->frame[ret->count++] = (struct backtrace_frame){.address = info.instruction_pointer};
	uint64_t caller = backtrace_word(pid, info.stack_pointer);
	if (code_map_has(code, caller))
		ret->frame[ret->count++] = (struct backtrace_frame){.address = caller, .returns = true};
	for (unsigned i = 0; i < ret->count; i++)
		locate(pid, &ret->frame[i]);
}

void backtrace_take(pid_t pid, pid_t tid, struct backtrace *ret)
{
	struct code_map code;
	memset(ret, 0, sizeof(*ret));
	code_map_read(pid, &code);
	backtrace_unwind(pid, tid, &code, ret);
	if (ret->count == 0)
		take_plain(pid, tid, &code, ret);
	free(code.range);
}
