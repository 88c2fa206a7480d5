// SPDX-License-Identifier: MIT
/*
 * The headers of kernels. See kernel-image.h. What the file says is believed as far as the file goes: every place is
 * compared with its length, and nothing is allocated. Nor is it mapped: `make` writes an image in its place, and what a
 * mapped file loses under its reader ends the reader with SIGBUS.
 */
#include "kernel-image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
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
#define NOTES_MAX         (16U << 10) /* a kernel's are some hundred bytes */
#define CHUNK             (64U << 10)

/* In memory, or a file of which nothing has been read. */
struct bytes {
	const unsigned char *data;
	int fd;
	uint64_t length;
};

static bool holds(const struct bytes *b, uint64_t at, uint64_t length)
{
	return at <= b->length && length <= b->length - at;
}

/* As many of these bytes as there are; the count, or -errno. */
static ssize_t get(const struct bytes *b, uint64_t at, void *ret, size_t size)
{
	size_t n = 0;
	uint64_t left = at < b->length ? b->length - at : 0;
	if (left < size)
		size = (size_t)left;
	if (b->data) {
		memcpy(ret, b->data + at, size);
		return (ssize_t)size;
	}
	while (n < size) {
		ssize_t some = pread(b->fd, (char *)ret + n, size - n, (off_t)(at + n));
		if (some < 0 && errno != EINTR)
			return -errno;
		if (some == 0)
			break;
		n += some > 0 ? (size_t)some : 0;
	}
	return (ssize_t)n;
}

/* Little endian */
static uint32_t number(const unsigned char *data, unsigned size)
{
	uint32_t n = 0;
	for (unsigned i = size; i-- > 0;)
		n = n << 8 | data[i];
	return n;
}

/* It becomes part of a path: what no release has ends it, and what begins like a hidden file is none. */
static int take_release(const struct bytes *b, uint64_t at, char ret[KERNEL_RELEASE_MAX])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-+_~";
	char text[KERNEL_RELEASE_MAX];
	ssize_t there = get(b, at, text, sizeof(text));
	size_t n = 0;
	if (there < 0)
		return (int)there;
	while (n < (size_t)there && text[n] && strchr(allowed, text[n]))
		n++;
	if (n == 0 || n == (size_t)there || (text[n] != ' ' && text[n] != '\0') || text[0] < '0' || text[0] > '9')
		return 0;
	text[n] = '\0';
	(void)strcpy(ret, text);
	return 0;
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

/* All of these bytes, or the file ends before them. */
static int get_all(const struct bytes *b, uint64_t at, void *ret, size_t size, char *why, size_t why_size)
{
	ssize_t n = get(b, at, ret, size);
	if (n < 0)
		return (int)n;
	return (size_t)n == size ? 0 : cut_off(why, why_size, b->length < at ? b->length : at + (size_t)n, at + size);
}

static int parse_bzimage(const struct bytes *b, char release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	unsigned char header[HEADER_END];
	int r = get_all(b, 0, header, sizeof(header), why, size);
	if (r < 0)
		return r;
	uint32_t sectors = number(header + SETUP_SECTS, 1), version = number(header + VERSION, 2);
	if (version < SYSSIZE_IS_LONG)
		return wrong(why, size, "a kernel image too old to be booted here");
	if (version >= XLOADFLAGS_THERE && !(number(header + XLOADFLAGS, 2) & XLF_KERNEL_64))
		return wrong(why, size, "the image of a 32-bit kernel: guests need one of x86-64");
	uint64_t setup = ((sectors ? sectors : 4) + UINT64_C(1)) * SECTOR;
	uint64_t wanted = setup + number(header + SYSSIZE, 4) * UINT64_C(16);
	if (b->length < wanted)
		return cut_off(why, size, b->length, wanted);
	/* 0 for none; it lies in the part before the kernel */
	uint32_t name = number(header + KERNEL_VERSION, 2);
	if (name == 0 || name + UINT64_C(0x200) >= setup)
		return 0;
	return take_release(b, name + UINT64_C(0x200), release);
}

/* Is the note by which QEMU starts a vmlinux among these? Notes: two lengths, a type, name, text. 1, 0 or -errno */
static int has_pvh_note(const struct bytes *b, uint64_t at, uint64_t length)
{
	const uint64_t head = 12, name_length = 4;
	unsigned char notes[NOTES_MAX];
	if (!holds(b, at, length))
		return 0;
	ssize_t there = get(b, at, notes, length < sizeof(notes) ? (size_t)length : sizeof(notes));
	if (there < 0)
		return (int)there;
	for (uint64_t i = 0, end = (uint64_t)there; end - i >= head;) {
		uint64_t name = number(notes + i, 4), text = number(notes + i + 4, 4);
		uint64_t whole = head + (name + 3) / 4 * 4 + (text + 3) / 4 * 4;
		if (whole > end - i)
			return 0;
		if (number(notes + i + 8, 4) == NOTE_PVH && name == name_length &&
		    memcmp(notes + i + head, "Xen", name_length) == 0)
			return 1;
		i += whole;
	}
	return 0;
}

static int parse_parts(const struct bytes *b, const Elf64_Ehdr *header, char *why, size_t size)
{
	bool pvh = false;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr part;
		uint64_t at = header->e_phoff + (uint64_t)i * sizeof(part);
		if (header->e_phoff > b->length || !holds(b, at, sizeof(part)))
			return cut_off(why, size, b->length, at + sizeof(part));
		int r = get_all(b, at, &part, sizeof(part), why, size);
		if (r < 0)
			return r;
		if (part.p_type == PT_LOAD && !holds(b, part.p_offset, part.p_filesz))
			return cut_off(why, size, b->length, part.p_offset + part.p_filesz);
		r = part.p_type == PT_NOTE ? has_pvh_note(b, part.p_offset, part.p_filesz) : 0;
		if (r < 0)
			return r;
		pvh |= r > 0;
	}
	return pvh ? 0
		   : wrong(why, size,
			   "an ELF file without the PVH entry by which QEMU starts a vmlinux (CONFIG_PVH=y): name the "
			   "kernel's bzImage");
}

/* The first "Linux version ", which may lie across the end of what is read at once. */
static int find_banner(const struct bytes *b, char release[KERNEL_RELEASE_MAX])
{
	static const char banner[] = "Linux version ";
	const size_t overlap = sizeof(banner) - 2;
	unsigned char chunk[CHUNK];
	for (uint64_t at = 0;; at += sizeof(chunk) - overlap) {
		ssize_t n = get(b, at, chunk, sizeof(chunk));
		if (n < 0)
			return (int)n;
		const unsigned char *text = memmem(chunk, (size_t)n, banner, strlen(banner));
		if (text)
			return take_release(b, at + (uint64_t)(text - chunk) + strlen(banner), release);
		if ((size_t)n < sizeof(chunk))
			return 0;
	}
}

static int parse_elf(const struct bytes *b, char release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	Elf64_Ehdr header;
	int r = get_all(b, 0, &header, sizeof(header), why, size);
	if (r < 0)
		return r;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
	    header.e_machine != EM_X86_64)
		return wrong(why, size, "an ELF file, and not of x86-64");
	if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > PROGRAM_PARTS_MAX)
		return wrong(why, size, "an ELF file, and no kernel");
	r = parse_parts(b, &header, why, size);
	return r < 0 ? r : find_banner(b, release);
}

static int parse(const struct bytes *b, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	unsigned char magic[MAGIC + 4];
	char release[KERNEL_RELEASE_MAX] = "";
	ssize_t there = get(b, 0, magic, sizeof(magic));
	int r;
	if (there < 0)
		r = (int)there;
	else if (there >= SELFMAG && memcmp(magic, ELFMAG, SELFMAG) == 0)
		r = parse_elf(b, release, why, size);
	else if (there == sizeof(magic) && number(magic + BOOT_FLAG, 2) == 0xaa55 &&
		 memcmp(magic + MAGIC, "HdrS", 4) == 0)
		r = parse_bzimage(b, release, why, size);
	else
		r = wrong(why, size, "no kernel image: neither a bzImage of x86 nor an ELF vmlinux");
	if (r == 0)
		memcpy(ret_release, release, sizeof(release));
	return r;
}

int kernel_image_parse(const void *data, size_t length, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	return parse(&(struct bytes){.data = data, .fd = -1, .length = length}, ret_release, why, size);
}

int kernel_image_read(const char *path, char ret_release[KERNEL_RELEASE_MAX], char *why, size_t size)
{
	struct stat st = {0};
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
	if (r == 0)
		r = parse(&(struct bytes){.fd = fd, .length = (uint64_t)st.st_size}, ret_release, why, size);
	if (r < 0 && r != -ENOEXEC)
		(void)snprintf(why, size, "cannot be read (%s)", strerrorname_np(-r));
	return r;
}
