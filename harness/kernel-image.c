// SPDX-License-Identifier: MIT
/*
 * The headers of kernels. See kernel-image.h. What the file says is believed as far as the file goes: every place is
 * compared with its length, and nothing is allocated.
 */
#include "kernel-image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cleanup.h"

/* The header's places, boot.rst. */
#define SETUP_SECTS       0x1f1
#define SYSSIZE           0x1f4
#define BOOT_FLAG         0x1fe
#define MAGIC             0x202
#define VERSION           0x206
#define KERNEL_VERSION    0x20e
#define XLOADFLAGS        0x236
#define HEADER_END        0x238

#define SECTOR            512
#define SYSSIZE_IS_LONG   0x204 /* before, its upper half means nothing */
#define XLOADFLAGS_THERE  0x20c
#define XLF_KERNEL_64     1
#define NOTE_PVH          18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PROGRAM_PARTS_MAX 64

struct bytes {
	const unsigned char *data;
	size_t length;
};

static bool holds(const struct bytes *b, uint64_t at, uint64_t length)
{
	return at <= b->length && length <= b->length - at;
}

/* Little endian; the caller knows that it is there. */
static uint32_t number(const struct bytes *b, size_t at, unsigned size)
{
	uint32_t n = 0;
	for (unsigned i = size; i-- > 0;)
		n = n << 8 | b->data[at + i];
	return n;
}

/* It becomes part of a path: what no release has ends it, and what begins like a hidden file is none. */
static void take_release(const struct bytes *b, uint64_t at, char ret[KERNEL_RELEASE_MAX])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+_~";
	size_t n = 0;
	while (holds(b, at + n, 1) && n < KERNEL_RELEASE_MAX - 1 && b->data[at + n] && strchr(allowed, b->data[at + n]))
		n++;
	bool ended = holds(b, at + n, 1) && (b->data[at + n] == ' ' || b->data[at + n] == '\0');
	if (n == 0 || !ended || b->data[at] < '0' || b->data[at] > '9')
		return;
	memcpy(ret, b->data + at, n);
	ret[n] = '\0';
}

static int wrong(char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	return -ENOEXEC;
}

static int cut_off(char *why, size_t size, uint64_t length, uint64_t wanted)
{
	(void)snprintf(why, size, "a kernel image that is cut off: it has %" PRIu64 " bytes of at least %" PRIu64,
		       length, wanted);
	return -ENOEXEC;
}

static int parse_bzimage(const struct bytes *b, char release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	if (b->length < HEADER_END)
		return cut_off(why, size, b->length, HEADER_END);
	uint32_t sectors = number(b, SETUP_SECTS, 1), version = number(b, VERSION, 2);
	if (version < SYSSIZE_IS_LONG)
		return wrong(why, size, "a kernel image too old to be booted here");
	if (version >= XLOADFLAGS_THERE && !(number(b, XLOADFLAGS, 2) & XLF_KERNEL_64))
		return wrong(why, size, "the image of a 32-bit kernel: guests need one of x86-64");
	uint64_t setup = ((sectors ? sectors : 4) + UINT64_C(1)) * SECTOR;
	uint64_t wanted = setup + number(b, SYSSIZE, 4) * UINT64_C(16);
	if (b->length < wanted)
		return cut_off(why, size, b->length, wanted);
	/* 0 for none; it lies in the part before the kernel */
	uint32_t name = number(b, KERNEL_VERSION, 2);
	if (name != 0 && name + UINT64_C(0x200) < setup)
		take_release(b, name + UINT64_C(0x200), release);
	return 0;
}

/* Is the note by which QEMU starts a vmlinux in this part of the file? Notes: two lengths, a type, name, text. */
static bool has_pvh_note(const struct bytes *b, uint64_t at, uint64_t length)
{
	const uint64_t head = 12, name_length = 4;
	if (!holds(b, at, length))
		return false;
	for (uint64_t end = at + length; end - at >= head;) {
		uint64_t name = number(b, at, 4), text = number(b, at + 4, 4);
		uint64_t whole = head + (name + 3) / 4 * 4 + (text + 3) / 4 * 4;
		if (whole > end - at)
			return false;
		if (number(b, at + 8, 4) == NOTE_PVH && name == name_length &&
		    memcmp(b->data + at + head, "Xen", name_length) == 0)
			return true;
		at += whole;
	}
	return false;
}

static int parse_parts(const struct bytes *b, const Elf64_Ehdr *header, char *why, size_t size)
{
	bool pvh = false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr part;
		uint64_t at = header->e_phoff + (uint64_t)i * sizeof(part);
		if (header->e_phoff > b->length || !holds(b, at, sizeof(part)))
			return cut_off(why, size, b->length, at + sizeof(part));
		memcpy(&part, b->data + at, sizeof(part));
		if (part.p_type == PT_LOAD && !holds(b, part.p_offset, part.p_filesz))
			return cut_off(why, size, b->length, part.p_offset + part.p_filesz);
		pvh |= part.p_type == PT_NOTE && has_pvh_note(b, part.p_offset, part.p_filesz);
	}
	return pvh ? 0
		   : wrong(why, size,
			   "an ELF file without the PVH entry by which QEMU starts a vmlinux (CONFIG_PVH=y): name the "
			   "kernel's bzImage");
}

static int parse_elf(const struct bytes *b, char release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	static const char banner[] = "Linux version ";
	Elf64_Ehdr header;
	if (b->length < sizeof(header))
		return cut_off(why, size, b->length, sizeof(header));
	memcpy(&header, b->data, sizeof(header));
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return wrong(why, size, "an ELF file, and not of x86-64");
	if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > PROGRAM_PARTS_MAX)
		return wrong(why, size, "an ELF file, and no kernel");
	int r = parse_parts(b, &header, why, size);
	const unsigned char *text = r == 0 ? memmem(b->data, b->length, banner, strlen(banner)) : NULL;
	if (text)
		take_release(b, (uint64_t)(text - b->data) + strlen(banner), release);
	return r;
}

int kernel_image_parse(const void *data, size_t length, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	const struct bytes b = {data, length};
	char release[KERNEL_RELEASE_MAX] = "";
	int r;
	if (length >= SELFMAG && memcmp(data, ELFMAG, SELFMAG) == 0)
		r = parse_elf(&b, release, why, size);
	else if (holds(&b, MAGIC, 4) && number(&b, BOOT_FLAG, 2) == 0xaa55 && memcmp(b.data + MAGIC, "HdrS", 4) == 0)
		r = parse_bzimage(&b, release, why, size);
	else
		r = wrong(why, size, "no kernel image: neither a bzImage of x86 nor an ELF vmlinux");
	if (r == 0)
		memcpy(ret_release, release, sizeof(release));
	return r;
}

int kernel_image_read(const char *path, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	struct stat st = {0};
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	size_t length = r == 0 ? (size_t)st.st_size : 0;
	void *data = length > 0 ? mmap(NULL, length, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	if (data == MAP_FAILED)
		r = -errno;
	if (r < 0) {
		(void)snprintf(why, size, "cannot be read (%s)", strerrorname_np(-r));
		return r;
	}
	r = kernel_image_parse(data ? data : "", length, ret_release, why, size);
	if (data)
		(void)munmap(data, length);
	return r;
}
