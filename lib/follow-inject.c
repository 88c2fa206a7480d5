// SPDX-License-Identifier: MIT
/*
 * Calls that are taken away from whoever is followed, from where on, and what has to be known for it: where the break
 * is, and where a program begins. See follow.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call-asks.h"
#include "cleanup.h"
#include "follow-internal.h"
#include "limits.h"
#include "procfs.h"
#include "witness-asked.h"
#include "witness-inject.h"

/* --- the break --------------------------------------------------------------------------------------------------- */

/* Where the heap of a program that has none yet would begin: field 47 of its stat. 0: unknown. */
static uint64_t start_of_heap(pid_t pid)
{
	char name[64], text[1024];
	(void)snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	if (procfs_read_at(AT_FDCWD, name, text, sizeof(text)) <= 0)
		return 0;
	const char *at = strrchr(text, ')');
	for (unsigned field = 2; at && field < 47; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/*
 * The end of the heap's last page, where the break of a process was not followed from the beginning (a fork's):
 * near enough, for up to there nothing can be refused.
 */
static uint64_t break_of(pid_t pid)
{
	char name[64], line[512];
	uint64_t end = 0;
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		const char *dash = strchr(line, '-');
		bool heap = strstr(line, "[heap]") != NULL;
		if (heap && dash)
			end = strtoull(dash + 1, NULL, 16);
		else if (end)
			break;
	}
	return end ? end : start_of_heap(pid);
}

/* --- calls ------------------------------------------------------------------------------------------------------- */

/* Where that cannot be told it is open. */
static bool is_open(pid_t pid, int fd)
{
	char name[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, fd);
	return fd >= 0 && (faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT);
}

/*
 * Does the kernel find nothing to split, whatever there is? Rights that all areas of the range have already
 * (mprotect_fixup(), mm/mprotect.c), and a range without an area (do_vmi_munmap(), mm/mmap.c).
 */
static bool changes_no_area(pid_t pid, const struct call_info *call, const uint64_t args[6])
{
	const bool unmaps = strcmp(call->name, "munmap") == 0;
	if (!unmaps &&
	    (strcmp(call->name, "mprotect") != 0 || args[2] & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC)))
		return false;
	uint64_t at = args[0], end = at + limit_round_up_to_page(args[1], (uint64_t)getpagesize()), start, next;
	char name[64], line[512], rights[5];
	(void)snprintf(name, sizeof(name), "/proc/%d/maps", pid);
	auto_fclose FILE *maps = fopen(name, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &next, rights) != 3 || next <= at)
			continue;
		if (unmaps)
			return start >= end;
		if (start > at || (rights[0] == 'r') != !!(args[2] & PROT_READ) ||
		    (rights[1] == 'w') != !!(args[2] & PROT_WRITE) || (rights[2] == 'x') != !!(args[2] & PROT_EXEC))
			return false;
		at = next;
		if (at >= end)
			return true;
	}
	return unmaps && maps;
}

/* Does the call ask for anything? What gives back, or only asks where the break is, cannot be refused; neither can what
 * the kernel has refused for its arguments before it looks for anything. */
static bool asks(struct follow_task *t, uint64_t *ret_bytes)
{
	struct follow_process *p = t->process;
	struct tracee asks = {.tid = t->tid, .tgid = p->pid, .call = t->call};
	memcpy(asks.args, t->args, sizeof(asks.args));
	int fd;
	*ret_bytes = 0;
	if (!call_asks(t->call, t->args) || (call_names_descriptor(t->call, t->args, &fd) && !is_open(p->pid, fd)))
		return false;
	if (t->call->family == CALL_SPLIT && changes_no_area(p->pid, t->call, t->args))
		return false;
	switch (t->call->family) {
	case CALL_EXEC: /* what is executed now is not what is asked for */
		return true;
	case CALL_BREAK:
		if (t->args[0] && !p->last_break)
			p->last_break = break_of(p->pid);
		/* Up to the end of the page there is memory already: that is never refused (brk(), mm/mmap.c). */
		if (!p->last_break || t->args[0] <= limit_round_up_to_page(p->last_break, (uint64_t)getpagesize()))
			return false;
		*ret_bytes = t->args[0] - p->last_break;
		return true;
	default:
		*ret_bytes = witness_asked(&asks, 0);
		return true;
	}
}

void follow_begin_call(struct follow *f, struct follow_task *t)
{
	uint64_t bytes;
	bool waits = t->process->entry && !t->process->entry_is_copy;
	if (waits || !witness_can_inject() || !asks(t, &bytes))
		return;
	int error = f->handlers.calling(t->process, t->call, bytes, f->data);
	struct tracee call = {.tid = t->tid, .tgid = t->process->pid, .call = t->call};
	memcpy(call.args, t->args, sizeof(call.args));
	if (error && witness_take_away(&call, error))
		t->injected = error;
}

void follow_keep_from_killing(struct follow *f, const struct follow_task *t)
{
	static const struct call_info kill_call = {.name = "kill", .family = CALL_TASK};
	const struct tracee call = {.tid = t->tid, .tgid = t->process->pid, .call = &kill_call};
	/* Where it cannot be taken away it is the task that is. */
	if (!witness_take_away(&call, EPERM))
		(void)kill(t->process->pid, SIGKILL);
	f->numbers.kills_kept_from++;
}

void follow_end_call(struct follow_task *t, int64_t result, bool is_error)
{
	if (t->injected) {
		struct tracee call = {.tid = t->tid, .call = t->call};
		memcpy(call.args, t->args, sizeof(call.args));
		witness_inject_done(&call);
	}
	if (t->call->family == CALL_BREAK && !is_error)
		t->process->last_break = (uint64_t)result;
}

/* --- the entry --------------------------------------------------------------------------------------------------- */

#if defined(__x86_64__)
#include <sys/user.h>

#define BREAKPOINT 0xccL /* int3 */

/* What the kernel told the new program of itself; 0 where it is none of this architecture. */
static uint64_t entry_of(pid_t pid)
{
	char name[64];
	ElfW(auxv_t) vector[64];
	(void)snprintf(name, sizeof(name), "/proc/%d/auxv", pid);
	auto_close int fd = open(name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, vector, sizeof(vector));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(vector[0]); i++)
		if (vector[i].a_type == AT_ENTRY)
			return vector[i].a_un.a_val;
	return 0;
}

static bool read_memory(pid_t pid, uint64_t at, void *ret, size_t size)
{
	const struct iovec here = {ret, size}, there = {(void *)(uintptr_t)at, size};
	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static bool set_breakpoint(struct follow_task *t, uint64_t at, bool is_main)
{
	struct follow_process *p = t->process;
	errno = 0;
	long word = at ? ptrace(PTRACE_PEEKTEXT, t->tid, at, NULL) : 0;
	if (!at || errno != 0 || ptrace(PTRACE_POKETEXT, t->tid, at, (word & ~0xffL) | BREAKPOINT) != 0)
		return false;
	p->entry = at;
	p->entry_word = word;
	p->entry_is_main = is_main;
	p->entry_is_copy = false;
	return true;
}

static void wait_for_entry(struct follow_task *t)
{
	(void)set_breakpoint(t, entry_of(t->process->pid), false);
}

/* The instruction that puts an address into a register, as compilers and linkers write it; 0 bytes: another one. */
static size_t address_loaded(const unsigned char *code, uint64_t at, unsigned char modrm_immediate,
			     unsigned char modrm_relative, uint64_t *ret_value, bool *ret_indirect)
{
	int32_t operand;
	memcpy(&operand, code + 3, sizeof(operand));
	*ret_indirect =
		code[1] == 0x8b && code[2] == modrm_relative; /* mov main@GOTPCREL(%rip): main is in a library */
	if (code[1] == 0xc7 && code[2] == modrm_immediate)    /* mov $main: not position-independent */
		*ret_value = (uint64_t)(int64_t)operand;
	else if (*ret_indirect || (code[1] == 0x8d && code[2] == modrm_relative)) /* lea main(%rip) */
		*ret_value = at + 7 + (uint64_t)(int64_t)operand;
	else
		return 0;
	return 7;
}

/*
 * What is handed to __libc_start_main() by _start (glibc, sysdeps/x86_64/start.S). Asked when _start is reached: before
 * that the loader has not filled in where main() of a library is. 0: it starts in another way.
 */
static uint64_t main_of(pid_t pid, uint64_t entry)
{
	static const unsigned char begin[] = {0x31, 0xed, 0x49, 0x89, 0xd1, 0x5e, 0x48, 0x89,
					      0xe2, 0x48, 0x83, 0xe4, 0xf0, 0x50, 0x54};
	static const unsigned char no_constructors[] = {0x45, 0x31, 0xc0, 0x31, 0xc9},
				   endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned char code[64];
	uint64_t value = 0;
	bool indirect = false;
	if (!read_memory(pid, entry, code, sizeof(code)))
		return 0;
	size_t n = memcmp(code, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64) : 0;
	if (memcmp(code + n, begin, sizeof(begin)) != 0)
		return 0;
	n += sizeof(begin);
	if (memcmp(code + n, no_constructors, sizeof(no_constructors)) == 0) {
		n += sizeof(no_constructors);
	} else { /* before glibc 2.34: __libc_csu_fini and __libc_csu_init in r8 and rcx */
		n += code[n] == 0x49 || code[n] == 0x4c ? address_loaded(code + n, 0, 0xc0, 0x05, &value, &indirect)
							: 0;
		n += code[n] == 0x48 ? address_loaded(code + n, 0, 0xc1, 0x0d, &value, &indirect) : 0;
	}
	if (code[n] != 0x48 || address_loaded(code + n, entry + n, 0xc7, 0x3d, &value, &indirect) == 0)
		return 0;
	return indirect && !read_memory(pid, value, &value, sizeof(value)) ? 0 : value;
}

bool follow_at_entry(struct follow *f, struct follow_task *t)
{
	struct follow_process *p = t->process;
	errno = 0;
	long at = p->entry ? ptrace(PTRACE_PEEKUSER, t->tid, offsetof(struct user, regs.rip), NULL) : 0;
	if (!p->entry || errno != 0 || (uint64_t)at != p->entry + 1)
		return false;
	uint64_t entry = p->entry;
	(void)ptrace(PTRACE_POKETEXT, t->tid, entry, p->entry_word);
	(void)ptrace(PTRACE_POKEUSER, t->tid, offsetof(struct user, regs.rip), entry);
	p->entry = 0;
	if (f->from == FOLLOW_FROM_MAIN && !p->entry_is_main && !p->entry_is_copy)
		(void)set_breakpoint(t, main_of(p->pid, entry), true);
	return true;
}

void follow_shed_copy(struct follow_task *t)
{
	struct follow_process *p = t->process;
	if (!p->entry || !p->entry_is_copy)
		return;
	(void)ptrace(PTRACE_POKETEXT, t->tid, p->entry, p->entry_word);
	p->entry = 0;
}

#else

static void wait_for_entry(struct follow_task *t)
{
	(void)t;
}

bool follow_at_entry(struct follow *f, struct follow_task *t)
{
	(void)f;
	(void)t;
	return false;
}

void follow_shed_copy(struct follow_task *t)
{
	(void)t;
}

#endif

void follow_begin_child(struct follow *f, const struct follow_task *parent, pid_t child, bool shares_memory)
{
	const struct follow_process *from = parent->process;
	struct follow_process *p = follow_find_process(f, child);
	/* In memory that is shared the breakpoint is still the parent's. */
	if (!from->entry || !p || p == from || p->entry || shares_memory)
		return;
	p->entry = from->entry;
	p->entry_word = from->entry_word;
	p->entry_is_main = from->entry_is_main;
	p->entry_is_copy = true;
}

void follow_renew(struct follow *f, struct follow_task *t)
{
	t->process->last_break = 0;
	t->process->entry = 0;
	if (f->from != FOLLOW_FROM_EXEC)
		wait_for_entry(t);
}
