// SPDX-License-Identifier: MIT
/*
 * The names and lines of frames, from the files alone: each is opened once, however many processes had it mapped.
 */
#include "backtrace-internal.h"

#ifndef ENOMEM_LIBDW

#include <stddef.h>

struct backtrace_file *backtrace_file_note(const char *path)
{
	(void)path;
	return NULL;
}

void backtrace_name(struct backtrace *b)
{
	(void)b;
}

#else

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backtrace-libdw.h"
#include "cleanup.h"
#include "demangle.h"

/* Kept to the end: few, and frames point at them. */
struct backtrace_file {
	struct backtrace_file *next;
	char *path;
	struct stat stat;
	bool tried;
	Dwfl_Module *module; /* NULL: it could not be opened, or is another one now */
};

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

struct backtrace_file *backtrace_file_note(const char *path)
{
	static struct backtrace_file *files;
	struct stat now;
	if (stat(path, &now) < 0)
		return NULL;
	for (struct backtrace_file *f = files; f; f = f->next)
		if (strcmp(f->path, path) == 0 && is_same(&f->stat, &now))
			return f;
	struct backtrace_file *f = calloc(1, sizeof(*f));
	char *copy = strdup(path);
	if (!f || !copy) {
		free(f);
		free(copy);
		return NULL;
	}
	*f = (struct backtrace_file){.next = files, .path = copy, .stat = now};
	files = f;
	return f;
}

static void open_file(const struct dw *dw, struct backtrace_file *f)
{
	static char *path;               /* the usual places */
	static Dwfl_Callbacks callbacks; /* libdw keeps their address, and asks them when it is in need of them */
	callbacks = (Dwfl_Callbacks){
		.find_elf = dw->dwfl_linux_proc_find_elf,
		.find_debuginfo = dw->dwfl_standard_find_debuginfo,
		.debuginfo_path = &path,
	};
	struct stat now;
	f->tried = true;
	auto_close int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0 || !is_same(&f->stat, &now))
		return;
	Dwfl *dwfl = dw->dwfl_begin(&callbacks);
	if (!dwfl)
		return;
	Dwfl_Module *module = dw->dwfl_report_offline(dwfl, f->path, f->path, fd);
	if (module)
		(void)steal_fd(fd);
	if (!module || dw->dwfl_report_end(dwfl, NULL, NULL) != 0) {
		dw->dwfl_end(dwfl);
		return;
	}
	f->module = module;
}

/*
 * libdw finds the unit of an address by .debug_aranges, which GCC writes and Clang does not: there each unit is asked
 * whether it has the address.
 */
static const char *source_by_unit(const struct dw *dw, Dwfl_Module *module, Dwarf_Addr at, int *ret_line)
{
	Dwarf_Addr bias = 0;
	for (Dwarf_Die *unit = NULL; (unit = dw->dwfl_module_nextcu(module, unit, &bias));) {
		if (dw->dwarf_haspc(unit, at - bias) <= 0)
			continue;
		Dwarf_Line *line = dw->dwarf_getsrc_die(unit, at - bias);
		const char *file = line ? dw->dwarf_linesrc(line, NULL, NULL) : NULL;
		if (file && dw->dwarf_lineno(line, ret_line) == 0)
			return file;
	}
	return NULL;
}

void backtrace_describe(Dwfl_Module *module, Dwarf_Addr address, struct backtrace_frame *frame)
{
	const struct dw *dw = dw_load();
	Dwarf_Addr at = address - (frame->returns && address);
	GElf_Off offset = 0;
	GElf_Sym symbol;
	int line = 0;
	const char *function = dw->dwfl_module_addrinfo(module, at, &offset, &symbol, NULL, NULL, NULL);
	/* What is nearest may be data. */
	if (function && (GELF_ST_TYPE(symbol.st_info) == STT_FUNC || GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC)) {
		demangle(function, frame->symbol, sizeof(frame->symbol));
		frame->symbol[strcspn(frame->symbol, "@")] = '\0'; /* a version: "pthread_create@GLIBC_2.2.5" */
		frame->symbol_offset = offset + (address - at);
	}
	Dwfl_Line *source = dw->dwfl_module_getsrc(module, at);
	const char *file = source ? dw->dwfl_lineinfo(source, NULL, &line, NULL, NULL, NULL)
				  : source_by_unit(dw, module, at, &line);
	if (file) {
		(void)snprintf(frame->source, sizeof(frame->source), "%s", file);
		frame->line = line;
	}
}

void backtrace_name(struct backtrace *b)
{
	const struct dw *dw = dw_load();
	for (unsigned i = 0; dw && i < b->count; i++) {
		struct backtrace_file *f = b->frame[i].file;
		Dwarf_Addr bias = 0;
		if (f && !f->tried)
			open_file(dw, f);
		if (f && f->module && dw->dwfl_module_getelf(f->module, &bias))
			backtrace_describe(f->module, b->frame[i].module_offset + bias, &b->frame[i]);
	}
}

#endif
