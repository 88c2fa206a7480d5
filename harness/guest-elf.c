// SPDX-License-Identifier: MIT
/*
 * The loader is asked itself (ld.so --list), so that search paths, caches and RUNPATH are its business; once for all
 * programs that ask it for the same. Only its own name and that are read from the file.
 */
#include "guest-elf.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "cleanup.h"
#include "guest-elf-needs.h"

#define PROGRAM_HEADERS_MAX 64
#define ANSWERS_MAX         16

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

/* What a loader said, and to what: it takes some 15 ms to say it, and most programs ask for the C library alone. */
struct answer {
	char loader[PATH_MAX], needs[512];
	size_t needs_length;
	char *text;
};

static struct answer *answers[ANSWERS_MAX];
static size_t answer_count;

static const char *remembered(const char *loader, const char *needs, size_t length)
{
	for (size_t i = 0; i < answer_count; i++)
		if (answers[i]->needs_length == length && memcmp(answers[i]->needs, needs, length) == 0 &&
		    strcmp(answers[i]->loader, loader) == 0)
			return answers[i]->text;
	return NULL;
}

static void remember(const char *loader, const char *needs, size_t length, const char *text)
{
	struct answer *a = answer_count < ANSWERS_MAX ? calloc(1, sizeof(*a)) : NULL;
	char *copy = a ? strdup(text) : NULL;
	if (!copy) {
		free(a);
		return;
	}
	a->text = copy;
	a->needs_length = length;
	memcpy(a->needs, needs, length);
	(void)snprintf(a->loader, sizeof(a->loader), "%s", loader);
	answers[answer_count++] = a;
}

/* "/opt/a/bin/../lib/b.so", of a RUNPATH with $ORIGIN, is in /opt/a/lib. The file keeps its name, also where that is a
 * link's: it is looked for by it. */
static const char *without_dots(char *path, char tidy[PATH_MAX])
{
	char *name = strrchr(path, '/'), directory[PATH_MAX];
	if (!name || (!strstr(path, "/../") && !strstr(path, "/./")))
		return path;
	*name = '\0';
	bool known = realpath(path, directory) != NULL;
	*name = '/';
	if (!known || strlen(directory) + strlen(name) >= PATH_MAX)
		return path;
	(void)strcat(strcpy(tidy, directory), name);
	return tidy;
}

/* "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f...)"; the vDSO has no path. */
static int take_line(const char *line, size_t length, void (*found)(const char *path, void *data), void *data)
{
	char text[2 * PATH_MAX], tidy[PATH_MAX];
	(void)snprintf(text, sizeof(text), "%.*s", (int)length, line);
	char *arrow = strstr(text, " => "), *path = arrow ? arrow + 4 : text + strspn(text, " \t");
	path[strcspn(path, " ")] = '\0';
	if (arrow && strcmp(path, "not") == 0) /* found */
		return -ENOENT;
	if (path[0] == '/')
		found(without_dots(path, tidy), data);
	return 0;
}

static int take_answer(const char *text, void (*found)(const char *path, void *data), void *data)
{
	int result = 0;
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		int r = take_line(line, length, found, data);
		result = result ? result : r;
		line += length + (line[length] == '\n');
	}
	return result;
}

/* All that the loader says of this program, to be freed. -ENOENT when it cannot have what it asks for. */
static int ask(const char *loader, const char *program, char **ret)
{
	pid_t pid = -1;
	int fd = -1, status;
	size_t size = 0;
	char *text = NULL;
	int r = list(loader, program, &pid, &fd);
	if (r < 0)
		return r;
	FILE *lines = fdopen(fd, "r");
	ssize_t n = lines ? getdelim(&text, &size, '\0', lines) : -1;
	if (lines)
		(void)fclose(lines);
	else
		(void)close(fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			free(text);
			return -errno;
		}
	if (n <= 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		free(text);
		return -ENOENT;
	}
	*ret = text;
	return 0;
}

int elf_libraries(const char *program, void (*found)(const char *path, void *data), void *data)
{
	char loader[PATH_MAX], real[PATH_MAX], needs[sizeof(answers[0]->needs)];
	auto_free char *text = NULL;
	int r = read_loader(program, loader);
	if (r <= 0)
		return r;
	if (!realpath(program, real)) /* /proc/self/exe is another program to the loader */
		return -errno;
	size_t length = elf_needs(real, needs, sizeof(needs));
	const char *known = length > 0 ? remembered(loader, needs, length) : NULL;
	if (!known) {
		r = ask(loader, real, &text);
		if (r < 0 || !text)
			return r < 0 ? r : -ENOENT;
	}
	found(loader, data);
	r = take_answer(known ? known : text, found, data);
	if (r == 0 && !known && length > 0)
		remember(loader, needs, length, text);
	return r;
}
