// SPDX-License-Identifier: MIT
/*
 * The loader is asked itself (ld.so --list), so that search paths, caches and RUNPATH are its business. Only its own
 * name is read from the file.
 */
#include "guest-elf.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"

#define PROGRAM_HEADERS_MAX 64

/* PT_INTERP of a 64-bit program. 1 when there is one, 0 for what has none or is no ELF file. */
static int read_loader(const char *program, char ret[PATH_MAX])
{
	Elf64_Ehdr header;
	Elf64_Phdr part;
	auto_close int fd = open(program, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64)
		return 0;
	for (unsigned i = 0; i < header.e_phnum && i < PROGRAM_HEADERS_MAX; i++) {
		off_t at = (off_t)(header.e_phoff + (uint64_t)i * header.e_phentsize);
		if (pread(fd, &part, sizeof(part), at) != (ssize_t)sizeof(part))
			return -EBADMSG;
		if (part.p_type != PT_INTERP)
			continue;
		if (part.p_filesz == 0 || part.p_filesz >= PATH_MAX ||
		    pread(fd, ret, part.p_filesz, (off_t)part.p_offset) != (ssize_t)part.p_filesz)
			return -EBADMSG;
		ret[part.p_filesz] = '\0';
		return 1;
	}
	return 0;
}

size_t elf_strip(void *data, size_t length)
{
	Elf64_Ehdr *header = data;
	uint64_t end = sizeof(*header);
	if (length < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 || (header->e_type != ET_EXEC && header->e_type != ET_DYN) ||
	    header->e_phnum == 0 || header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff % 8 != 0 ||
	    header->e_phoff > length || header->e_phnum > (length - header->e_phoff) / sizeof(Elf64_Phdr))
		return length;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(const void *)((char *)data + header->e_phoff);
	for (unsigned i = 0; i <= header->e_phnum; i++) {
		uint64_t begin = i == header->e_phnum ? header->e_phoff : part[i].p_offset;
		uint64_t size = i == header->e_phnum ? (uint64_t)i * sizeof(*part) : part[i].p_filesz;
		if (begin > length || size > length - begin)
			return length; /* makes no sense: as it is */
		end = begin + size > end ? begin + size : end;
	}
	header->e_shoff = 0;
	header->e_shnum = header->e_shstrndx = 0;
	return end;
}

/* Start "LOADER --list PROGRAM"; its output comes through *ret_fd. */
static int list(const char *loader, const char *program, pid_t *ret_pid, int *ret_fd)
{
	int out[2];
	posix_spawn_file_actions_t actions;
	char *argv[] = {(char *)(uintptr_t)loader, (char *)(uintptr_t) "--list", (char *)(uintptr_t)program, NULL};
	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	int r = posix_spawn(ret_pid, loader, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(out[1]);
	if (r != 0) {
		(void)close(out[0]);
		return -r;
	}
	*ret_fd = out[0];
	return 0;
}

/* "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)"; the vDSO has no path. */
static int take_line(char *line, void (*found)(const char *path, void *data), void *data)
{
	char *arrow = strstr(line, " => "), *path = arrow ? arrow + 4 : line + strspn(line, " \t");
	path[strcspn(path, " \n")] = '\0';
	if (arrow && strcmp(path, "not") == 0) /* found */
		return -ENOENT;
	if (path[0] == '/')
		found(path, data);
	return 0;
}

int elf_libraries(const char *program, void (*found)(const char *path, void *data), void *data)
{
	char loader[PATH_MAX], line[2 * PATH_MAX];
	pid_t pid = -1;
	int fd = -1, status, result = 0;
	int r = read_loader(program, loader);
	if (r <= 0)
		return r;
	r = list(loader, program, &pid, &fd);
	if (r < 0)
		return r;
	found(loader, data);
	FILE *lines = fdopen(fd, "r");
	while (lines && fgets(line, sizeof(line), lines)) {
		r = take_line(line, found, data);
		result = result ? result : r;
	}
	if (lines)
		(void)fclose(lines);
	else
		(void)close(fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (result == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		result = -ENOENT;
	return result;
}
