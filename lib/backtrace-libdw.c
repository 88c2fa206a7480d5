// SPDX-License-Identifier: MIT
/*
 * Unwinding with libdw, from what the mapped files themselves say (.eh_frame, .debug_frame): the task waits for it.
 */
#include "backtrace-internal.h"

#ifndef ENOMEM_LIBDW

void backtrace_unwind(pid_t pid, pid_t tid, const struct code_map *code, struct backtrace *ret)
{
	(void)pid;
	(void)tid;
	(void)code;
	(void)ret;
}

bool backtrace_unwinds(void)
{
	return false;
}

#else

#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "backtrace-libdw.h"

const struct dw *dw_load(void)
{
	static struct dw dw;
	static enum { NOT_TRIED, MISSING, LOADED } state;
	if (state != NOT_TRIED)
		return state == LOADED ? &dw : NULL;
	state = MISSING;
	void *library = dlopen(ENOMEM_LIBDW, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return NULL;
#define X(name)                                                                                                        \
	dw.name = (__typeof__(dw.name))dlsym(library, #name);                                                          \
	if (!dw.name)                                                                                                  \
		return NULL;
	DW_FUNCTIONS(X)
#undef X
	state = LOADED;
	return &dw;
}

bool backtrace_unwinds(void)
{
	return dw_load();
}

#define REGISTERS 17 /* of x86-64, as DWARF numbers them */
enum { REGISTER_SP = 7, REGISTER_PC = 16 };

struct walk {
	const struct dw *dw;
	Dwfl *dwfl;
	pid_t pid, tid;
	const struct code_map *code;
	Dwarf_Word caller[REGISTERS]; /* of a call that is left out of the walk */
	bool from_caller;
	unsigned walked;
	struct backtrace *to;
};

static void add_frame(struct walk *w, Dwarf_Addr pc, bool returns)
{
	struct backtrace_frame *frame = &w->to->frame[w->to->count++];
	Dwarf_Addr start = 0, bias = 0;
	const char *main_file = NULL;
	*frame = (struct backtrace_frame){.address = pc, .returns = returns};
	/* A return address is behind the call, which may be the last instruction of its function. */
	Dwfl_Module *module = w->dw->dwfl_addrmodule(w->dwfl, pc - (returns && pc));
	if (!module)
		return;
	const char *name = w->dw->dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, &main_file, NULL);
	(void)snprintf(frame->module, sizeof(frame->module), "%s", main_file ? main_file : name ? name : "");
	/* What is loaded where its file says, as Go's programs are, has a start and no bias. */
	bool opened = w->dw->dwfl_module_getelf(module, &bias);
	frame->module_offset = pc - (opened ? bias : start);
	/* The kernel's own page is no file to be looked into later. */
	if (opened && frame->module[0] == '/')
		frame->file = backtrace_file_note(frame->module);
	else
		backtrace_describe(module, pc, frame);
}

static int on_frame(Dwfl_Frame *state, void *data)
{
	struct walk *w = data;
	Dwarf_Addr pc;
	bool is_activation;
	if (!w->dw->dwfl_frame_pc(state, &pc, &is_activation))
		return DWARF_CB_ABORT;
	/* Where nothing says how to unwind it is guessed, and what is found may be data. Where the task stands it
	 * stands. */
	if (w->to->count && !code_map_has(w->code, pc))
		return DWARF_CB_ABORT;
	add_frame(w, pc, !is_activation || w->to->count);
	w->walked++;
	return w->to->count == BACKTRACE_FRAMES ? DWARF_CB_ABORT : DWARF_CB_OK;
}

/* What is installed beside the files is large, and may even be fetched: not while a task waits. */
static int find_no_debuginfo(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, const char *file,
			     const char *debuglink, GElf_Word crc, char **ret_name)
{
	(void)module;
	(void)userdata;
	(void)name;
	(void)base;
	(void)file;
	(void)debuglink;
	(void)crc;
	(void)ret_name;
	return -1;
}

#ifdef __x86_64__

static bool cfi_covers(const struct dw *dw, Dwarf_CFI *cfi, Dwarf_Addr address)
{
	Dwarf_Frame *frame = NULL;
	bool covers = cfi && dw->dwarf_cfi_addrframe(cfi, address, &frame) == 0;
	free(frame);
	return covers;
}

/* Does the file say how to unwind from there? */
static bool says_how(const struct walk *w, Dwarf_Addr pc)
{
	Dwarf_Addr bias = 0;
	Dwfl_Module *module = w->dw->dwfl_addrmodule(w->dwfl, pc);
	if (!module)
		return false;
	Dwarf_CFI *cfi = w->dw->dwfl_module_eh_cfi(module, &bias);
	if (cfi_covers(w->dw, cfi, pc - bias))
		return true;
	cfi = w->dw->dwfl_module_dwarf_cfi(module, &bias);
	return cfi_covers(w->dw, cfi, pc - bias);
}

/*
 * A C library's clone() is not described from its system call on, for the child has another stack, with nothing on it
 * to return to. The one that was refused a child has its own, and nothing on it but where it returns to: the registers
 * of the caller, into w->caller. false where it is not so.
 */
static bool skip_clone(struct walk *w)
{
	struct user_regs_struct r;
	struct iovec all = {&r, sizeof(r)};
	/* Less is a 32-bit task's. */
	if (ptrace(PTRACE_GETREGSET, w->tid, (void *)NT_PRSTATUS, &all) < 0 || all.iov_len != sizeof(r) ||
	    (r.orig_rax != SYS_clone && r.orig_rax != SYS_clone3) || says_how(w, r.rip))
		return false;
	uint64_t caller = backtrace_word(w->pid, r.rsp);
	if (!code_map_has(w->code, caller))
		return false;
	const Dwarf_Word registers[REGISTERS] = {
		r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp + sizeof(caller), r.r8, r.r9,
		r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, caller};
	memcpy(w->caller, registers, sizeof(registers));
	add_frame(w, r.rip, false);
	return true;
}

static pid_t the_thread(Dwfl *dwfl, void *data, void **thread)
{
	struct walk *w = data;
	(void)dwfl;
	if (*thread)
		return 0;
	*thread = w;
	return w->tid;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr address, Dwarf_Word *ret, void *data)
{
	const struct walk *w = data;
	uint64_t word;
	struct iovec local = {&word, sizeof(word)};
	struct iovec remote = {(void *)(uintptr_t)address, sizeof(word)};
	(void)dwfl;
	if (process_vm_readv(w->pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(word))
		return false;
	*ret = word;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *data)
{
	const struct walk *w = data;
	return w->dw->dwfl_thread_state_registers(thread, 0, REGISTERS, w->caller);
}

static bool attach_to_caller(struct walk *w)
{
	static const Dwfl_Thread_Callbacks callbacks = {
		.next_thread = the_thread,
		.memory_read = read_memory,
		.set_initial_registers = set_registers,
	};
	return w->dw->dwfl_attach_state(w->dwfl, NULL, w->pid, &callbacks, w);
}

#else

static bool skip_clone(struct walk *w)
{
	(void)w;
	return false;
}

static bool attach_to_caller(struct walk *w)
{
	(void)w;
	return false;
}

#endif

/* Where no way was found: the place, and its caller where it has nothing of its own on the stack. */
static void add_place(struct walk *w)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, w->tid, sizeof(info), &info) <= 0)
		return;
	if (w->to->count == 0)
		add_frame(w, info.instruction_pointer, false);
	uint64_t caller = backtrace_word(w->pid, info.stack_pointer);
	if (w->to->count == 1 && code_map_has(w->code, caller))
		add_frame(w, caller, true);
}

void backtrace_unwind(pid_t pid, pid_t tid, const struct code_map *code, struct backtrace *ret)
{
	static char *path; /* the usual places */
	const struct dw *dw = dw_load();
	if (!dw)
		return;
	const Dwfl_Callbacks callbacks = {
		.find_elf = dw->dwfl_linux_proc_find_elf,
		.find_debuginfo = find_no_debuginfo,
		.debuginfo_path = &path,
	};
	struct walk w = {.dw = dw, .dwfl = dw->dwfl_begin(&callbacks), .pid = pid, .tid = tid, .code = code, .to = ret};
	if (!w.dwfl)
		return;
	if (dw->dwfl_linux_proc_report(w.dwfl, pid) == 0 && dw->dwfl_report_end(w.dwfl, NULL, NULL) == 0) {
		w.from_caller = skip_clone(&w);
		if (w.from_caller ? attach_to_caller(&w) : dw->dwfl_linux_proc_attach(w.dwfl, pid, true) == 0)
			(void)dw->dwfl_getthread_frames(w.dwfl, tid, on_frame, &w);
		ret->unwound = w.walked > 1;
		if (!ret->unwound)
			add_place(&w);
	}
	dw->dwfl_end(w.dwfl);
}

#endif
