// SPDX-License-Identifier: MIT
/*
 * The dynamic section of a 64-bit program, every offset checked. See guest-elf-needs.h.
 */
#include "guest-elf-needs.h"

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"

struct file {
	const char *data;
	size_t length;
	const Elf64_Phdr *part;
	unsigned part_count;
};

static const void *at(const struct file *f, uint64_t offset, uint64_t size)
{
	return offset <= f->length && size <= f->length - offset && offset % 8 == 0 ? f->data + offset : NULL;
}

static bool read_headers(struct file *f)
{
	const Elf64_Ehdr *header = at(f, 0, sizeof(*header));
	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_phentsize != sizeof(Elf64_Phdr))
		return false;
	f->part_count = header->e_phnum;
	f->part = at(f, header->e_phoff, f->part_count * sizeof(Elf64_Phdr));
	return f->part != NULL;
}

/* An address of the program as text in the file, which ends in it; NULL. */
static const char *text_at(const struct file *f, uint64_t address)
{
	for (unsigned i = 0; i < f->part_count; i++) {
		const Elf64_Phdr *part = &f->part[i];
		if (part->p_type != PT_LOAD || address < part->p_vaddr || address - part->p_vaddr >= part->p_filesz)
			continue;
		uint64_t offset = part->p_offset + (address - part->p_vaddr);
		return offset < f->length && memchr(f->data + offset, '\0', f->length - offset) ? f->data + offset
												: NULL;
	}
	return NULL;
}

static bool decides_more(const Elf64_Dyn *entry)
{
	switch (entry->d_tag) {
	case DT_RPATH:
	case DT_RUNPATH:
	case DT_AUDIT:
	case DT_DEPAUDIT:
	case DT_FILTER:
	case DT_AUXILIARY:
		return true;
	case DT_FLAGS_1:
		return entry->d_un.d_val & DF_1_NODEFLIB;
	default:
		return false;
	}
}

static size_t names_of(const struct file *f, const Elf64_Dyn *entry, size_t count, char *ret, size_t size)
{
	uint64_t texts = 0;
	size_t length = 0;
	for (size_t i = 0; i < count && entry[i].d_tag != DT_NULL; i++) {
		if (decides_more(&entry[i]))
			return 0;
		if (entry[i].d_tag == DT_STRTAB)
			texts = entry[i].d_un.d_ptr;
	}
	for (size_t i = 0; texts && i < count && entry[i].d_tag != DT_NULL; i++) {
		if (entry[i].d_tag != DT_NEEDED)
			continue;
		const char *name = text_at(f, texts + entry[i].d_un.d_val);
		size_t bytes = name ? strlen(name) + 1 : 0;
		if (!name || bytes > size - length)
			return 0;
		memcpy(ret + length, name, bytes);
		length += bytes;
	}
	return length;
}

size_t elf_needs(const char *program, char *ret, size_t size)
{
	struct stat st;
	struct file f = {0};
	size_t length = 0;
	auto_close int fd = open(program, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return 0;
	f.length = (size_t)st.st_size;
	void *data = mmap(NULL, f.length, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return 0;
	f.data = data;
	bool sane = read_headers(&f);
	for (unsigned i = 0; sane && i < f.part_count; i++) {
		const Elf64_Phdr *part = &f.part[i];
		const Elf64_Dyn *entry = part->p_type == PT_DYNAMIC ? at(&f, part->p_offset, part->p_filesz) : NULL;
		if (entry) {
			length = names_of(&f, entry, part->p_filesz / sizeof(*entry), ret, size);
			break;
		}
	}
	(void)munmap(data, f.length);
	return length;
}
