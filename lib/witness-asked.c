// SPDX-License-Identifier: MIT
/*
 * Reading a refused call's wish from its arguments, and for exec from the new image. See witness-asked.h.
 */
#include "witness-asked.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cleanup.h"
#include "limits.h"

#define PAGE_BYTES          4096
#define PROGRAM_HEADERS_MAX 64

/*
 * The span of the image a process executes now. After the point of no return /proc/PID/exe is the new image already,
 * and the kernel maps its whole span at once (total_mapping_size(), fs/binfmt_elf.c). Only 64-bit images; 0 when it
 * cannot be read.
 */
static uint64_t image_span(pid_t pid)
{
	char path[64];
	Elf64_Ehdr header;
	Elf64_Phdr program[PROGRAM_HEADERS_MAX];
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
	    header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > PROGRAM_HEADERS_MAX)
		return 0;
	size_t size = (size_t)header.e_phnum * sizeof(Elf64_Phdr);
	if (pread(fd, program, size, (off_t)header.e_phoff) != (ssize_t)size)
		return 0;
	uint64_t low = UINT64_MAX, high = 0;
	for (unsigned i = 0; i < header.e_phnum; i++) {
		uint64_t start = program[i].p_vaddr, end;
		if (program[i].p_type != PT_LOAD || __builtin_add_overflow(start, program[i].p_memsz, &end))
			continue;
		low = start < low ? start : low;
		high = end > high ? end : high;
	}
	return high > low ? high - low : 0;
}

uint64_t witness_asked(pid_t pid, const struct call_info *call, const uint64_t args[6], int64_t result)
{
	switch (call->family) {
	case CALL_MAP:
		return args[1];
	case CALL_REMAP:
		return args[2] > args[1] ? args[2] - args[1] : 0;
	case CALL_SPLIT:
	case CALL_ADVISE:
		return args[1];
	case CALL_BREAK:
		return args[0] > (uint64_t)result ? args[0] - (uint64_t)result : 0;
	case CALL_LOCK:
		return strcmp(call->name, "mlockall") == 0 ? 0 : args[1];
	case CALL_SHM:
		return strcmp(call->name, "shmget") == 0 ? args[1] : 0;
	case CALL_EXEC:
		return image_span(pid);
	case CALL_FILE:
		/* Punching a hole gives back. */
		return strcmp(call->name, "fallocate") == 0 && !(args[1] & FALLOC_FL_PUNCH_HOLE) ? args[3] : 0;
	case CALL_PIPE:
		/* The pipe's slots: its pages come only when somebody writes. */
		return strcmp(call->name, "fcntl") == 0 ? limit_pipe_slots_bytes((uint32_t)args[2], PAGE_BYTES) : 0;
	case CALL_TASK:
	case CALL_OBJECT:
		return 0;
	}
	return 0;
}

void witness_range(const struct refusal *r, uint64_t *ret_address, uint64_t *ret_length)
{
	*ret_address = *ret_length = 0;
	switch (r->call->family) {
	case CALL_MAP:
		/* Without MAP_FIXED the address is a hint; the kernel looks for any hole. */
		if (r->args[3] & MAP_FIXED) {
			*ret_address = r->args[0];
			*ret_length = r->args[1];
		}
		break;
	case CALL_REMAP:
	case CALL_SPLIT:
	case CALL_ADVISE:
		*ret_address = r->args[0];
		*ret_length = r->args[1];
		break;
	case CALL_LOCK:
		if (strcmp(r->call->name, "mlockall") != 0) {
			*ret_address = r->args[0];
			*ret_length = r->args[1];
		}
		break;
	case CALL_BREAK:
		/* The break that was kept: what lies above it tells whether there was room. */
		*ret_address = r->args[0] - r->asked_bytes;
		*ret_length = r->asked_bytes;
		break;
	case CALL_TASK:
	case CALL_EXEC:
	case CALL_SHM:
	case CALL_FILE:
	case CALL_PIPE:
	case CALL_OBJECT:
		break;
	}
}
