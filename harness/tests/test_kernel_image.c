// SPDX-License-Identifier: MIT
/*
 * What images of kernels say of themselves: a bzImage and a vmlinux, each of them cut off everywhere and with every
 * byte of its header changed, and files that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "kernel-image.h"

#define RELEASE "6.12.117+deb12-cloud-amd64"

static unsigned char image[8192];
static char release[KERNEL_RELEASE_MAX], why[400];

static void set(size_t at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		image[at + i] = (unsigned char)(value >> (8 * i));
}

/* Two sectors of setup besides the first one, 64 times 16 bytes of kernel. */
static size_t make_bzimage(void)
{
	memset(image, 0, sizeof(image));
	set(0x1f1, 2, 1);
	set(0x1f4, 64, 4);
	set(0x1fe, 0xaa55, 2);
	memcpy(image + 0x202, "HdrS", 4);
	set(0x206, 0x20f, 2);
	set(0x20e, 0x300, 2);
	set(0x236, 1, 2);
	(void)strcpy((char *)image + 0x500, RELEASE " (somebody@somewhere) #1 SMP");
	return 3 * 512 + 64 * 16;
}

static size_t make_vmlinux(void)
{
	Elf64_Ehdr header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
			     .e_machine = EM_X86_64,
			     .e_phoff = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 2};
	Elf64_Phdr part[] = {{.p_type = PT_LOAD, .p_offset = 512, .p_filesz = 512},
			     {.p_type = PT_NOTE, .p_offset = 256, .p_filesz = 52}};
	const uint32_t note[] = {4, 8, 1, 0x554e47, 0, 0, 4, 8, 18, 0x6e6558, 0, 0, 0};
	memset(image, 0, sizeof(image));
	memcpy(image, &header, sizeof(header));
	memcpy(image + sizeof(header), part, sizeof(part));
	memcpy(image + 256, note, sizeof(note));
	(void)strcpy((char *)image + 600, "Linux version " RELEASE " (somebody");
	return 1024;
}

/* In memory of exactly this size, so that a read past its end is one. */
static int parse(size_t length)
{
	auto_free void *copy = malloc(length ? length : 1);
	assert_non_null(copy);
	memcpy(copy, image, length);
	(void)strcpy(release, "untouched");
	why[0] = '\0';
	return kernel_image_parse(copy, length, release, why, sizeof(why));
}

static void refused(size_t length, const char *expected)
{
	assert_int_equal(parse(length), -ENOEXEC);
	assert_string_equal(release, "untouched");
	if (!strstr(why, expected))
		fail_msg("'%s' is not in: %s", expected, why);
}

static void test_bzimage(void **state)
{
	size_t length = make_bzimage();
	(void)state;
	assert_int_equal(parse(length), 0);
	assert_string_equal(release, RELEASE);
	assert_int_equal(parse(length + 100), 0); /* a signature */
	refused(length - 1, "cut off: it has 2559 bytes of at least 2560");
	refused(0x210, "cut off");
	refused(0x203, "no kernel image");
	set(0x1fe, 0, 2);
	refused(length, "no kernel image: neither a bzImage");
	(void)make_bzimage();
	image[0x202] = 'h';
	refused(length, "no kernel image");
	(void)make_bzimage();
	set(0x206, 0x203, 2);
	refused(length, "too old");
	(void)make_bzimage();
	set(0x236, 0, 2);
	refused(length, "32-bit");
	(void)make_bzimage();
	set(0x1f4, UINT32_MAX, 4);
	refused(length, "cut off");
	/* no number of sectors means four */
	(void)make_bzimage();
	set(0x1f1, 0, 1);
	refused(length, "of at least 3584");
}

static void test_release(void **state)
{
	static const char *const none[] = {"../../../etc ", "x6.1 ", " ", "6.1/../x ", ".6 ", "6.1\n"};
	size_t length = make_bzimage();
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		(void)strcpy((char *)image + 0x500, none[i]);
		assert_int_equal(parse(length), 0);
		assert_string_equal(release, "");
	}
	memset(image + 0x500, '6', 256); /* longer than any */
	assert_int_equal(parse(length), 0);
	assert_string_equal(release, "");
	(void)make_bzimage();
	set(0x20e, 0, 2);
	assert_int_equal(parse(length), 0);
	assert_string_equal(release, "");
	set(0x20e, 0xffff, 2); /* beyond its setup */
	assert_int_equal(parse(length), 0);
	assert_string_equal(release, "");
}

static void test_vmlinux(void **state)
{
	size_t length = make_vmlinux();
	(void)state;
	assert_int_equal(parse(length), 0);
	assert_string_equal(release, RELEASE);
	refused(length - 1, "cut off: it has 1023 bytes of at least 1024");
	refused(100, "cut off");
	refused(10, "cut off");
	image[256 + 24 + 8] = 17; /* another note of Xen's */
	refused(length, "without the PVH entry");
	(void)make_vmlinux();
	set(256, UINT32_MAX, 4); /* a name that ends nowhere */
	refused(length, "without the PVH entry");
	(void)make_vmlinux();
	image[18] = EM_386;
	refused(length, "not of x86-64");
	(void)make_vmlinux();
	set(32, UINT64_MAX - 8, 8); /* parts that end where they wrap */
	refused(length, "cut off");
	(void)make_vmlinux();
	set(64 + 8, UINT64_MAX, 8);
	refused(length, "cut off");
	(void)make_vmlinux();
	set(56, UINT16_MAX, 2);
	refused(length, "no kernel");
}

static void test_others(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/bash\n";
	(void)state;
	refused(0, "no kernel image");
	memset(image, 0, sizeof(image));
	refused(sizeof(image), "no kernel image");
	memcpy(image, text, sizeof(text));
	refused(sizeof(text), "no kernel image");
	assert_int_equal(kernel_image_read("/nonexistent", release, why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "cannot be read (ENOENT)");
	assert_int_equal(kernel_image_read("/dev/null", release, why, sizeof(why)), -ENOEXEC);
	/* a program: an ELF file of this machine, and no kernel */
	assert_int_equal(kernel_image_read("/proc/self/exe", release, why, sizeof(why)), -ENOEXEC);
}

/* Whatever its bytes: nothing is read beyond them. Of use under a sanitizer. */
static void test_any_byte(void **state)
{
	size_t (*const make[])(void) = {make_bzimage, make_vmlinux};
	unsigned taken = 0;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(make); i++) {
		size_t length = make[i]();
		for (size_t at = 0; at < 0x310; at++)
			for (unsigned value = 0; value < 256; value += 51) {
				unsigned char before = image[at];
				image[at] = (unsigned char)value;
				taken += parse(length) == 0;
				image[at] = before;
			}
		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(parse(cut), -ENOEXEC);
	}
	assert_true(taken > 100);
}

/* A file of so many bytes that begins with the image. */
static int make_file(size_t length, size_t size, char path[64])
{
	int fd = memfd_create("image", 0);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, image, length, 0), length);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* What is found in memory is found in a file, wherever in it. */
static void test_file(void **state)
{
	static const char banner[] = "Linux version " RELEASE " (somebody";
	char path[64];
	size_t length = make_bzimage();
	(void)state;
	int fd = make_file(length, length, path);
	assert_int_equal(kernel_image_read(path, release, why, sizeof(why)), 0);
	assert_string_equal(release, RELEASE);
	assert_int_equal(ftruncate(fd, (off_t)length - 1), 0);
	assert_int_equal(kernel_image_read(path, release, why, sizeof(why)), -ENOEXEC);
	assert_non_null(strstr(why, "cut off: it has 2559 bytes of at least 2560"));
	(void)close(fd);
	length = make_vmlinux();
	memset(image + 600, 0, sizeof(banner));
	/* what is read at once ends somewhere here */
	for (size_t at = 65536 - sizeof(banner) - 2; at < 65536 + 4; at++) {
		fd = make_file(length, 200000, path);
		assert_int_equal(pwrite(fd, banner, sizeof(banner), (off_t)at), sizeof(banner));
		(void)strcpy(release, "untouched");
		assert_int_equal(kernel_image_read(path, release, why, sizeof(why)), 0);
		assert_string_equal(release, RELEASE);
		(void)close(fd);
	}
	/* it has none */
	fd = make_file(length, 200000, path);
	assert_int_equal(kernel_image_read(path, release, why, sizeof(why)), 0);
	assert_string_equal(release, "");
	(void)close(fd);
}

/* As `make` does it: what is being written may be cut off, and costs nobody his life. */
static void test_rewritten(void **state)
{
	const off_t size = 4 << 20;
	unsigned whole = 0;
	char path[64];
	size_t length = make_vmlinux();
	(void)state;
	memset(image + 600, 0, 40); /* it is searched to its end */
	int fd = make_file(length, (size_t)size, path);
	pid_t parent = getpid(), writer = fork();
	if (writer == 0)
		while (getppid() == parent)
			if (ftruncate(fd, 0) < 0 || pwrite(fd, image, length, 0) < 0 || ftruncate(fd, size) < 0)
				_exit(1);
	assert_true(writer > 0);
	/* On a busy machine it may take a while until one is whole. */
	for (unsigned i = 0; i < 1000 || (whole == 0 && i < 100000); i++) {
		int r = kernel_image_read(path, release, why, sizeof(why));
		assert_true(r == 0 || r == -ENOEXEC);
		whole += r == 0;
	}
	assert_int_equal(kill(writer, SIGKILL), 0);
	assert_int_equal(waitpid(writer, NULL, 0), writer);
	assert_true(whole > 0);
	(void)close(fd);
}

/* What we lack says nothing against an image. */
static void test_unreadable(void **state)
{
	struct rlimit before, none;
	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int r = kernel_image_read("/proc/self/exe", release, why, sizeof(why));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(r, -EMFILE);
	assert_string_equal(why, "cannot be read (EMFILE)");
	/* it opens, and cannot be read; a directory has a length on most file systems */
	if (kernel_image_read("/usr", release, why, sizeof(why)) != -EISDIR)
		fail_msg("%s", why);
	assert_string_equal(why, "cannot be read (EISDIR)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bzimage),   cmocka_unit_test(test_release),    cmocka_unit_test(test_vmlinux),
		cmocka_unit_test(test_others),    cmocka_unit_test(test_any_byte),   cmocka_unit_test(test_file),
		cmocka_unit_test(test_rewritten), cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests_name("kernel_image", tests, NULL, NULL);
}
