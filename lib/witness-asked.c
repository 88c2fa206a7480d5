// SPDX-License-Identifier: MIT
/*
 * Reading a refused call's wish from its arguments, and for exec from the new image. See witness-asked.h.
 */
#include "witness-asked.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/falloc.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/uio.h>

#include "cleanup.h"
#include "ipc-namespace.h"
#include "limits.h"
#include "number.h"

#define PAGE_BYTES          4096
#define PROGRAM_HEADERS_MAX 64
#define FILTER_INSTRUCTION  8ULL
#define BUFFERS_COUNTED     1024          /* IORING_MAX_REG_BUFFERS of older kernels */
#define ARGUMENTS_COUNTED   (16ULL << 20) /* far above what any limit lets through: counted no further */

/* One part of an image that is loaded, widening the span so far. */
static void add_part(uint64_t start, uint64_t bytes, uint64_t *low, uint64_t *high)
{
	uint64_t end;
	if (__builtin_add_overflow(start, bytes, &end))
		return;
	*low = start < *low ? start : *low;
	*high = end > *high ? end : *high;
}

/*
 * The span of the image a process executes now. After the point of no return /proc/PID/exe is the new image already,
 * and the kernel maps its whole span at once (total_mapping_size(), fs/binfmt_elf.c). 0 when it cannot be read.
 */
static uint64_t image_span(pid_t pid)
{
	char path[64];
	union {
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} header;
	union {
		Elf64_Phdr wide[PROGRAM_HEADERS_MAX];
		Elf32_Phdr narrow[PROGRAM_HEADERS_MAX];
	} program;
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.wide.e_ident, ELFMAG, SELFMAG) != 0)
		return 0;
	bool narrow = header.wide.e_ident[EI_CLASS] == ELFCLASS32;
	size_t count = narrow ? header.narrow.e_phnum : header.wide.e_phnum;
	size_t each = narrow ? sizeof(program.narrow[0]) : sizeof(program.wide[0]);
	uint64_t low = UINT64_MAX, high = 0, offset = narrow ? header.narrow.e_phoff : header.wide.e_phoff;
	if (each != (narrow ? header.narrow.e_phentsize : header.wide.e_phentsize) || count > PROGRAM_HEADERS_MAX ||
	    pread(fd, &program, count * each, (off_t)offset) != (ssize_t)(count * each))
		return 0;
	for (size_t i = 0; i < count; i++) {
		if (narrow && program.narrow[i].p_type == PT_LOAD)
			add_part(program.narrow[i].p_vaddr, program.narrow[i].p_memsz, &low, &high);
		else if (!narrow && program.wide[i].p_type == PT_LOAD)
			add_part(program.wide[i].p_vaddr, program.wide[i].p_memsz, &low, &high);
	}
	return high > low ? high - low : 0;
}

/* Up to the end of the page, so that what comes behind it need not be there. Bytes read, 0 when none can be. */
static size_t read_page(pid_t pid, uint64_t address, void *buf)
{
	struct iovec local = {buf, PAGE_BYTES - address % PAGE_BYTES};
	struct iovec remote = {(void *)(uintptr_t)address, local.iov_len}; // NOLINT(performance-no-int-to-ptr)
	ssize_t length = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	return length > 0 ? (size_t)length : 0;
}

/* A string of another process, with its end. */
static uint64_t string_bytes(pid_t pid, uint64_t address)
{
	static char text[PAGE_BYTES];
	uint64_t bytes = 0;
	while (bytes < ARGUMENTS_COUNTED) {
		size_t length = read_page(pid, address + bytes, text);
		const char *end = memchr(text, '\0', length);
		if (end)
			return bytes + (uint64_t)(end - text) + 1;
		if (length == 0)
			break;
		bytes += length;
	}
	return bytes;
}

/*
 * A list of strings as argv is, with a pointer for each of them; the kernel counts at least so many pointers. Those of
 * a 32-bit call are half as wide, but counted as the kernel's own.
 */
static uint64_t strings_bytes(const struct tracee *t, uint64_t list, uint64_t least)
{
	static union {
		uint64_t wide[PAGE_BYTES / sizeof(uint64_t)];
		uint32_t narrow[PAGE_BYTES / sizeof(uint32_t)];
	} pointer;
	const size_t width = t->ia32 ? sizeof(pointer.narrow[0]) : sizeof(pointer.wide[0]);
	uint64_t bytes = 0, count = 0;
	size_t read = 0, at = 0;
	for (; list && bytes < ARGUMENTS_COUNTED; count++, at++) {
		if (at == read) {
			read = read_page(t->tgid, list + count * width, &pointer) / width;
			at = 0;
		}
		uint64_t string = read == 0 ? 0 : t->ia32 ? pointer.narrow[at] : pointer.wide[at];
		if (string == 0)
			break;
		bytes += string_bytes(t->tgid, string);
	}
	return bytes + (count > least ? count : least) * sizeof(pointer.wide[0]);
}

/* bprm_stack_limits() and copy_strings(), fs/exec.c: the name, arguments and environment, and a pointer to each of
 * these but the name. */
static uint64_t arguments_bytes(const struct tracee *t)
{
	unsigned name = strcmp(t->call->name, "execveat") == 0;
	return string_bytes(t->tgid, t->args[name]) + strings_bytes(t, t->args[name + 1], 1) +
	       strings_bytes(t, t->args[name + 2], 0);
}

/* The pages of all buffers of an IORING_REGISTER_BUFFERS; both ends count when one is not aligned. */
static uint64_t pinned_bytes(const struct tracee *t)
{
	static union {
		struct iovec wide[BUFFERS_COUNTED];
		struct {
			uint32_t base, length;
		} narrow[BUFFERS_COUNTED];
	} buffer;
	const uint64_t *args = t->args;
	uint64_t bytes = 0;
	if ((uint32_t)args[1] != IORING_REGISTER_BUFFERS)
		return 0;
	size_t count = (uint32_t)args[3] < BUFFERS_COUNTED ? (uint32_t)args[3] : BUFFERS_COUNTED;
	struct iovec local = {&buffer, count * (t->ia32 ? sizeof(buffer.narrow[0]) : sizeof(buffer.wide[0]))};
	struct iovec remote = {(void *)(uintptr_t)args[2], local.iov_len}; // NOLINT(performance-no-int-to-ptr)
	if (process_vm_readv(t->tgid, &local, 1, &remote, 1, 0) != (ssize_t)local.iov_len)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint64_t base = t->ia32 ? buffer.narrow[i].base : (uint64_t)(uintptr_t)buffer.wide[i].iov_base;
		uint64_t length = t->ia32 ? buffer.narrow[i].length : buffer.wide[i].iov_len;
		bytes = limit_add(bytes, limit_round_up_to_page(limit_add(length, base % PAGE_BYTES), PAGE_BYTES));
	}
	return bytes;
}

/*
 * bpf_prog_size(), include/linux/filter.h, of a filter once it is converted: no instruction becomes less than one, so
 * that this is the least it can be. sock_fprog is a number and a pointer, of which only the first is read.
 */
static uint64_t filter_bytes(const struct tracee *t)
{
	uint16_t instructions = 0;
	struct iovec local = {&instructions, sizeof(instructions)};
	struct iovec remote = {(void *)(uintptr_t)t->args[3],
			       sizeof(instructions)}; // NOLINT(performance-no-int-to-ptr)
	if (process_vm_readv(t->tgid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(instructions))
		return 0;
	return instructions * FILTER_INSTRUCTION;
}

/* Of a segment only its number is told. 0 when its namespace cannot be asked. */
static uint64_t segment_bytes(pid_t pid, int id)
{
	uint64_t bytes = 0;
	return ipc_namespace_segment_bytes(pid, id, &bytes) == 0 ? bytes : 0;
}

/* key_alloc(), security/keys/key.c, and __key_link_begin(): description, payload, and the link in the keyring. */
static uint64_t key_bytes(const struct tracee *t)
{
	const uint64_t link = 4; /* KEYQUOTA_LINK_BYTES */
	return limit_add(limit_add(string_bytes(t->tgid, t->args[1]), t->args[3]), link);
}

/*
 * array_map_alloc() and its like, kernel/bpf: what is asked for at least, without what the kernel keeps beside it. Only
 * of the kinds for which it is all there from the start, and which may be made by those whom maps are allowed at all.
 */
static uint64_t map_bytes(const struct tracee *t)
{
	struct {
		uint32_t type, key, value, entries, flags;
	} map = {0};
	uint32_t size = (uint32_t)t->args[2] < sizeof(map) ? (uint32_t)t->args[2] : (uint32_t)sizeof(map);
	struct iovec local = {&map, size}; /* what lies behind it is nought for the kernel too */
	struct iovec remote = {(void *)(uintptr_t)t->args[1], size}; // NOLINT(performance-no-int-to-ptr)
	if (process_vm_readv(t->tgid, &local, 1, &remote, 1, 0) != (ssize_t)size)
		return 0;
	uint64_t value = ((uint64_t)map.value + 7) / 8 * 8;
	switch (map.type) {
	case BPF_MAP_TYPE_ARRAY:
		return value * map.entries;
	case BPF_MAP_TYPE_HASH:
		return map.flags & BPF_F_NO_PREALLOC ? 0 : (value + map.key) * map.entries;
	case BPF_MAP_TYPE_RINGBUF:
		return map.entries;
	default:
		return 0;
	}
}

uint64_t witness_asked(const struct tracee *t, int64_t result)
{
	const struct call_info *call = t->call;
	const uint64_t *args = t->args;
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
		if (strcmp(call->name, "shmctl") == 0)
			return segment_bytes(t->tgid, (int)args[0]);
		return strcmp(call->name, "mlockall") == 0 ? 0 : args[1];
	case CALL_PIN:
		return pinned_bytes(t);
	case CALL_SHM:
		return strcmp(call->name, "shmget") == 0 ? args[1] : segment_bytes(t->tgid, (int)args[0]);
	case CALL_EXEC:
		return result == -E2BIG ? arguments_bytes(t) : image_span(t->tgid);
	case CALL_FILE:
		/* Punching a hole gives back. */
		return strcmp(call->name, "fallocate") == 0 && !(args[1] & FALLOC_FL_PUNCH_HOLE) ? args[3] : 0;
	case CALL_PIPE:
		if (strcmp(call->name, "fcntl") != 0)
			return 0;
		/* The pipe's slots: its pages come only when somebody writes. What is permitted or not is the size. */
		return result == -EPERM || result > 0 ? limit_block_bytes((uint32_t)args[2], PAGE_BYTES)
						      : limit_pipe_slots_bytes((uint32_t)args[2], PAGE_BYTES);
	case CALL_TRANSFER:
		/* What was left when the space ran out is asked for again. */
		return result > 0 ? (uint64_t)result : args[2];
	case CALL_OPTION:
		return filter_bytes(t);
	case CALL_KEY:
		return key_bytes(t);
	case CALL_BPF:
		return map_bytes(t);
	case CALL_TASK:
	case CALL_OBJECT:
	case CALL_NAMESPACE:
	case CALL_WATCH:
	case CALL_TIMER:
	case CALL_AIO: /* requests, no bytes */
	case CALL_CREATE:
	case CALL_SWAP:
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
		if (strcmp(r->call->name, "mlockall") != 0 && strcmp(r->call->name, "shmctl") != 0) {
			*ret_address = r->args[0];
			*ret_length = r->args[1];
		}
		break;
	case CALL_BREAK:
		/* The break that was kept: what lies above it tells whether there was room. */
		*ret_address = r->args[0] - r->asked_bytes;
		*ret_length = r->asked_bytes;
		break;
	case CALL_TRANSFER:
		if (strcmp(r->call->name, "read") == 0) {
			*ret_address = r->args[1];
			*ret_length = r->args[2];
		}
		break;
	case CALL_TASK:
	case CALL_NAMESPACE:
	case CALL_WATCH:
	case CALL_TIMER:
	case CALL_AIO:
	case CALL_KEY:
	case CALL_BPF:
	case CALL_OPTION:
	case CALL_CREATE:
	case CALL_EXEC:
	case CALL_SHM:
	case CALL_FILE:
	case CALL_PIPE:
	case CALL_OBJECT:
	case CALL_PIN:
	case CALL_SWAP:
		break;
	}
}

bool witness_asks_for_addresses(enum call_family family)
{
	switch (family) {
	case CALL_TASK:
	case CALL_NAMESPACE:
	case CALL_WATCH:
	case CALL_TIMER:
	case CALL_AIO:
	case CALL_KEY:
	case CALL_BPF:
	case CALL_OPTION:
	case CALL_FILE:
	case CALL_PIPE:
	case CALL_OBJECT:
	case CALL_TRANSFER:
	case CALL_CREATE:
	case CALL_PIN:
	case CALL_SWAP:
		return false;
	default:
		return true;
	}
}

void witness_request(const struct refusal *r, struct snapshot_request *ret)
{
	static char path[256];
	bool maps_file = r->call->family == CALL_MAP && r->error == ENOMEM && !(r->args[3] & MAP_ANONYMOUS);
	*ret = (struct snapshot_request){
		.pid = r->tgid,
		.maps = witness_asks_for_addresses(r->call->family),
		.ia32 = r->ia32,
		.commit =
			r->call->family == CALL_TASK && !(r->clone_flags & 0x100 /* CLONE_VM */) && r->error == ENOMEM,
		.pidns = r->call->family == CALL_TASK && r->error != EAGAIN,
		.uid_tasks = (r->call->family == CALL_TASK || r->call->family == CALL_EXEC) && r->error == EAGAIN,
		.file = maps_file ||
			((r->call->family == CALL_FILE || r->call->family == CALL_TRANSFER) && r->error == ENOSPC),
		.area_file = (r->call->family == CALL_LOCK && r->error == ENOMEM) || r->error == EFAULT,
		.group_limit = r->call->family == CALL_TRANSFER && r->error == EBUSY,
		.fd = (int)r->args[maps_file ? 4 : 0],
		.open_files = r->error == EMFILE,
		.shm = r->call->family == CALL_SHM && (r->error == EINVAL || r->error == ENOSPC),
		.sysv = call_makes_sysv(r->call) && (r->error == EINVAL || r->error == ENOSPC),
		.pid_ids = r->call->family == CALL_TASK && r->error == EAGAIN,
		.epoll = strcmp(r->call->name, "epoll_ctl") == 0 && r->error == ENOSPC,
		.keys = r->call->family == CALL_KEY && r->error == EDQUOT,
		.bpf = r->call->family == CALL_BPF,
		.queue = call_makes_queue(r->call),
		.inotify = (strcmp(r->call->name, "inotify_add_watch") == 0 && r->error == ENOSPC) ||
			   (call_makes_inotify(r->call) && r->error == EMFILE),
	};
	ret->aio = r->call->family == CALL_AIO;
	ret->pipe = r->call->family == CALL_PIPE && (r->error == EPERM || r->error == ENFILE);
	if (ret->pipe && strcmp(r->call->name, "fcntl") != 0)
		ret->fd = -1; /* it has none yet */
	ret->optmem = r->call->family == CALL_OPTION;
	ret->ring = r->call->family == CALL_MAP && r->error == EPERM && !(r->args[3] & MAP_ANONYMOUS);
	if (r->call->family == CALL_MAP && r->error == EINVAL)
		ret->huge_size = r->args[3] >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	else if (r->call->family == CALL_SHM && r->error == EINVAL && r->args[2] & SHM_HUGETLB)
		ret->huge_size = r->args[2] >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
	if (r->error == ENOSPC && (r->call->family == CALL_TASK || r->call->family == CALL_NAMESPACE))
		ret->namespaces = r->call->family == CALL_TASK ? r->clone_flags : r->args[0];
	if (r->call->family == CALL_CREATE && r->error == ENOSPC)
		ret->create = witness_path(r, path, sizeof(path));
	witness_range(r, &ret->address, &ret->length);
}
