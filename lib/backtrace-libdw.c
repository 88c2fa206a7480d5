// SPDX-License-Identifier: MIT
/*
 * Unwinding with libdw. It is loaded when it is first needed: few commands are in want of it, and it must not slow down
 * the others, nor be missed by them.
 */
#include "backtrace-internal.h"

#ifndef ENOMEM_LIBDW

void backtrace_unwind(pid_t pid, pid_t tid, struct backtrace *ret)
{
	(void)pid;
	(void)tid;
	(void)ret;
}

bool backtrace_unwinds(void)
{
	return false;
}

#else

#include <dlfcn.h>
#include <elfutils/libdwfl.h>
#include <stdio.h>
#include <string.h>

#include "demangle.h"

#define FUNCTIONS(X)                                                                                                   \
	X(dwfl_begin)                                                                                                  \
	X(dwfl_end)                                                                                                    \
	X(dwfl_linux_proc_report)                                                                                      \
	X(dwfl_report_end)                                                                                             \
	X(dwfl_linux_proc_attach)                                                                                      \
	X(dwfl_linux_proc_find_elf)                                                                                    \
	X(dwfl_standard_find_debuginfo)                                                                                \
	X(dwfl_getthread_frames)                                                                                       \
	X(dwfl_frame_pc)                                                                                               \
	X(dwfl_addrmodule)                                                                                             \
	X(dwfl_module_info)                                                                                            \
	X(dwfl_module_addrinfo)                                                                                        \
	X(dwfl_module_getelf)                                                                                          \
	X(dwfl_module_getsrc)                                                                                          \
	X(dwfl_lineinfo)

static struct {
#define X(name) __typeof__(&(name)) name;
	FUNCTIONS(X)
#undef X
} dw;

static bool load(void)
{
	static enum { NOT_TRIED, MISSING, LOADED } state;
	if (state != NOT_TRIED)
		return state == LOADED;
	state = MISSING;
	void *library = dlopen(ENOMEM_LIBDW, RTLD_LAZY | RTLD_LOCAL);
	if (!library)
		return false;
#define X(name)                                                                                                        \
	dw.name = (__typeof__(dw.name))dlsym(library, #name);                                                          \
	if (!dw.name)                                                                                                  \
		return false;
	FUNCTIONS(X)
#undef X
	state = LOADED;
	return true;
}

bool backtrace_unwinds(void)
{
	return load();
}

struct walk {
	Dwfl *dwfl;
	struct backtrace *to;
};

static void describe(Dwfl *dwfl, Dwarf_Addr pc, bool is_return, struct backtrace_frame *frame)
{
	/* A return address is behind the call, which may be the last instruction of its function. */
	Dwarf_Addr at = is_return && pc ? pc - 1 : pc, start = 0, bias = 0;
	const char *main_file = NULL;
	GElf_Off offset = 0;
	GElf_Sym symbol;
	int line = 0;
	frame->address = pc;
	Dwfl_Module *module = dw.dwfl_addrmodule(dwfl, at);
	if (!module)
		return;
	const char *name = dw.dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, &main_file, NULL);
	(void)snprintf(frame->module, sizeof(frame->module), "%s", main_file ? main_file : name ? name : "");
	/* What is loaded where its file says, as Go's programs are, has a start and no bias. */
	frame->module_offset = pc - (dw.dwfl_module_getelf(module, &bias) ? bias : start);
	const char *function = dw.dwfl_module_addrinfo(module, at, &offset, &symbol, NULL, NULL, NULL);
	if (function) {
		demangle(function, frame->symbol, sizeof(frame->symbol));
		frame->symbol_offset = offset + (pc - at);
	}
	Dwfl_Line *source = dw.dwfl_module_getsrc(module, at);
	const char *file = source ? dw.dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL) : NULL;
	if (file) {
		(void)snprintf(frame->source, sizeof(frame->source), "%s", file);
		frame->line = line;
	}
}

static int on_frame(Dwfl_Frame *state, void *data)
{
	struct walk *walk = data;
	Dwarf_Addr pc;
	bool is_activation;
	if (!dw.dwfl_frame_pc(state, &pc, &is_activation))
		return DWARF_CB_ABORT;
	describe(walk->dwfl, pc, !is_activation, &walk->to->frame[walk->to->count++]);
	return walk->to->count == BACKTRACE_FRAMES ? DWARF_CB_ABORT : DWARF_CB_OK;
}

void backtrace_unwind(pid_t pid, pid_t tid, struct backtrace *ret)
{
	static char *path; /* the usual places */
	if (!load())
		return;
	const Dwfl_Callbacks callbacks = {
		.find_elf = dw.dwfl_linux_proc_find_elf,
		.find_debuginfo = dw.dwfl_standard_find_debuginfo,
		.debuginfo_path = &path,
	};
	Dwfl *dwfl = dw.dwfl_begin(&callbacks);
	if (!dwfl)
		return;
	if (dw.dwfl_linux_proc_report(dwfl, pid) == 0 && dw.dwfl_report_end(dwfl, NULL, NULL) == 0 &&
	    dw.dwfl_linux_proc_attach(dwfl, pid, true) == 0) {
		struct walk walk = {dwfl, ret};
		(void)dw.dwfl_getthread_frames(dwfl, tid, on_frame, &walk);
	}
	dw.dwfl_end(dwfl);
}

#endif
