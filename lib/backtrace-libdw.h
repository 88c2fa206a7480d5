// SPDX-License-Identifier: MIT
/*
 * libdw is loaded when it is first needed: few commands are in want of it, and it must not slow down the others, nor be
 * missed by them.
 */
#pragma once

#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <stdbool.h>

#include "backtrace-internal.h"

#define DW_FUNCTIONS(X)                                                                                                \
	X(dwfl_begin)                                                                                                  \
	X(dwfl_end)                                                                                                    \
	X(dwfl_linux_proc_report)                                                                                      \
	X(dwfl_report_offline)                                                                                         \
	X(dwfl_report_end)                                                                                             \
	X(dwfl_linux_proc_attach)                                                                                      \
	X(dwfl_linux_proc_find_elf)                                                                                    \
	X(dwfl_standard_find_debuginfo)                                                                                \
	X(dwfl_attach_state)                                                                                           \
	X(dwfl_thread_state_registers)                                                                                 \
	X(dwfl_getthread_frames)                                                                                       \
	X(dwfl_frame_pc)                                                                                               \
	X(dwfl_addrmodule)                                                                                             \
	X(dwfl_module_info)                                                                                            \
	X(dwfl_module_addrinfo)                                                                                        \
	X(dwfl_module_getelf)                                                                                          \
	X(dwfl_module_getsrc)                                                                                          \
	X(dwfl_module_nextcu)                                                                                          \
	X(dwfl_module_eh_cfi)                                                                                          \
	X(dwfl_module_dwarf_cfi)                                                                                       \
	X(dwfl_lineinfo)                                                                                               \
	X(dwarf_haspc)                                                                                                 \
	X(dwarf_getsrc_die)                                                                                            \
	X(dwarf_linesrc)                                                                                               \
	X(dwarf_lineno)                                                                                                \
	X(dwarf_cfi_addrframe)

struct dw {
#define X(name) __typeof__(&(name)) name;
	DW_FUNCTIONS(X)
#undef X
};

/* NULL where it is not installed. */
const struct dw *dw_load(void);

/* The name and the line of a frame, from the module; address: where that has it. Leaves what cannot be found. */
void backtrace_describe(Dwfl_Module *module, Dwarf_Addr address, struct backtrace_frame *frame);
