// SPDX-License-Identifier: MIT
/*
 * The initramfs: cpio(1) can read it, everything that is needed is in it, the same files make the same image, and what
 * is missing is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <limits.h>

#include "guest-elf.h"
#include "guest-image.h"
#include "guest-tree.h"

static struct scenario scenarios[3];
static struct scenario *selected[3] = {&scenarios[0], &scenarios[1], &scenarios[2]};

static void scenario(size_t i, const char *name)
{
	static char directory[3][600];
	(void)snprintf(directory[i], sizeof(directory[i]), "%s/%s", tree, name);
	scenarios[i] = (struct scenario){.name = (char *)(uintptr_t)name, .directory = directory[i]};
}

static int prepare(void **state)
{
	char self[PATH_MAX] = "";
	if (make_tree(state) < 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	put("one/scenario.yaml", "name: one\n");
	put("one/one.c", "int main;");
	put("one/lesson.md", "# One");
	put("one/CMakeLists.cmake", "");
	put("one/data.txt", "1234567");
	put("one/tool.sh", "#!/bin/sh\n");
	put("one/sub/ignored", "");
	put("two/scenario.yaml", "name: two\n");
	put("modules/order", "b.ko\na.ko\n");
	put("modules/a.ko", "module a");
	put("modules/b.ko", "module b");
	put("modules/c.ko", "not in the order");
	scenario(0, "one");
	scenario(1, "two");
	if (symlink(self, in_tree("one/program")) < 0)
		return -1;
	return chmod(in_tree("one/tool.sh"), 0755);
}

static int pack(size_t count, const char *modules, struct guest_image *ret)
{
	FILE *errors = open_messages();
	int r = guest_image_pack("/proc/self/exe", selected, count, modules, errors, ret);
	(void)fclose(errors);
	return r;
}

static void packed(size_t count, const char *modules, struct guest_image *ret)
{
	int r = pack(count, modules, ret);
	if (r != 0)
		fail_msg("%d: %s", r, messages);
	assert_string_equal(messages, "");
}

/* What a command makes of the archive. */
static char *output(const struct guest_image *image, const char *command)
{
	char line[300], *text = calloc(1, 65536);
	(void)snprintf(line, sizeof(line), "cd %s && %s </proc/%d/fd/%d 2>&1", tree, command, (int)getpid(), image->fd);
	FILE *f = popen(line, "r");
	assert_non_null(f);
	text[0] = '\n';
	size_t n = fread(text + 1, 1, 65534, f);
	text[n + 1] = '\0';
	assert_int_equal(pclose(f), 0);
	return text;
}

static bool lists(const char *text, const char *name)
{
	char line[300];
	(void)snprintf(line, sizeof(line), "\n%s\n", name);
	return strstr(text, line) != NULL;
}

static void test_contents(void **state)
{
	static const char *const in[] = {"init",
					 "bin",
					 "usr/bin/enomem",
					 "usr/bin/unshare",
					 "usr/bin/mkswap",
					 "usr/bin/sh",
					 "usr/bin/true",
					 "usr/bin/sleep",
					 "dev/console",
					 "etc/passwd",
					 "scenarios/one/scenario.yaml",
					 "scenarios/one/data.txt",
					 "scenarios/one/tool.sh",
					 "scenarios/one/program",
					 "scenarios/two/scenario.yaml",
					 "modules/order",
					 "modules/a.ko",
					 "modules/b.ko"};
	static const char *const out[] = {
		"scenarios/one/one.c", "scenarios/one/lesson.md",   "scenarios/one/CMakeLists.cmake",
		"scenarios/one/sub",   "scenarios/one/sub/ignored", "modules/c.ko",
		"TRAILER!!!"};
	struct guest_image image;
	(void)state;
	if (system("command -v cpio >/dev/null") != 0)
		skip();
	packed(2, in_tree("modules"), &image);
	char *text = output(&image, "cpio -t --quiet");
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		if (!lists(text, in[i]))
			fail_msg("%s is not in:%s", in[i], text);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		if (lists(text, out[i]))
			fail_msg("%s is in:%s", out[i], text);
	assert_non_null(strstr(text, "libc.so")); /* of the tools, and of this program */
	assert_non_null(strstr(text, "libcmocka.so"));
	assert_non_null(strstr(text, "/ld-linux"));
	free(text);
	free(output(&image, "mkdir out && cd out && cpio -i --quiet --nonmatching 'dev/*'"));
	free(output(&image, "cmp modules/a.ko out/modules/a.ko && cmp one/data.txt out/scenarios/one/data.txt && "
			    "test -x out/scenarios/one/tool.sh && "
			    "test ! -x out/scenarios/one/data.txt && test \"$(readlink out/init)\" = usr/bin/enomem"));
	/* What is there twice is stored once; without what only debuggers read, a program still runs. */
	free(output(&image, "test out/scenarios/one/program -ef out/usr/bin/enomem && "
			    "test $(stat -c %s out/usr/bin/enomem) -lt $(stat -L -c %s one/program) && "
			    "out/usr/bin/sleep 0 && out/usr/bin/enomem --is-stripped"));
	guest_image_close(&image);
	assert_int_equal(image.fd, -1);
}

static void test_strip(void **state)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr part[2];
		char rest[64];
	} elf, start = {.header = {.e_type = ET_DYN,
				   .e_phoff = sizeof(Elf64_Ehdr),
				   .e_phentsize = sizeof(Elf64_Phdr),
				   .e_phnum = 2,
				   .e_shoff = 200,
				   .e_shnum = 3,
				   .e_shstrndx = 2}};
	const size_t headers = sizeof(start) - sizeof(start.rest);
	(void)state;
	memcpy(start.header.e_ident, ELFMAG, SELFMAG);
	start.header.e_ident[EI_CLASS] = ELFCLASS64;
	start.part[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_offset = headers, .p_filesz = 10};
	elf = start;
	assert_int_equal(elf_strip(&elf, sizeof(elf)), headers + 10);
	assert_int_equal(elf.header.e_shoff + elf.header.e_shnum + elf.header.e_shstrndx, 0);
	elf = start;
	elf.part[0].p_filesz = 0; /* the headers themselves are read */
	assert_int_equal(elf_strip(&elf, sizeof(elf)), headers);

	/* What makes no sense, or is no program, stays as it is. */
#define STAYS(change)                                                                                                  \
	do {                                                                                                           \
		elf = start;                                                                                           \
		change;                                                                                                \
		assert_int_equal(elf_strip(&elf, sizeof(elf)), sizeof(elf));                                           \
		assert_int_equal(elf.header.e_shoff, 200);                                                             \
	} while (0)
	STAYS(elf.part[1].p_offset = sizeof(elf) + 1);
	STAYS(elf.part[1].p_filesz = UINT64_MAX);
	STAYS(elf.header.e_phoff = UINT64_MAX - 7);
	STAYS(elf.header.e_phoff = 65);
	STAYS(elf.header.e_phnum = 4);
	STAYS(elf.header.e_phnum = 0);
	STAYS(elf.header.e_phentsize = 8);
	STAYS(elf.header.e_type = ET_REL);
	STAYS(elf.header.e_ident[EI_CLASS] = ELFCLASS32);
	STAYS(elf.header.e_ident[0] = '#');
	elf = start;
	assert_int_equal(elf_strip(&elf, sizeof(elf.header) - 1), sizeof(elf.header) - 1);
}

static uint64_t hash_of(size_t count, const char *modules)
{
	struct guest_image image;
	packed(count, modules, &image);
	guest_image_close(&image);
	return image.hash;
}

/* The same whenever and in whatever order the files were made; another when any byte of them is. */
static void test_hash(void **state)
{
	(void)state;
	uint64_t first = hash_of(2, in_tree("modules"));
	assert_int_equal(hash_of(2, in_tree("modules")), first);
	static const char *const name[] = {"z.txt", "a.txt", "m.txt", "k.txt", "b.txt", "y.txt"};
	char path[64];
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		(void)snprintf(path, sizeof(path), "two/%s", name[i]);
		put(path, name[i]);
	}
	uint64_t more = hash_of(2, in_tree("modules"));
	assert_int_not_equal(more, first);
	(void)remove(in_tree("two/scenario.yaml"));
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		(void)snprintf(path, sizeof(path), "two/%s", name[i]);
		(void)remove(in_tree(path));
	}
	for (size_t i = ARRAY_SIZE(name); i-- > 0;) {
		(void)snprintf(path, sizeof(path), "two/%s", name[i]);
		put(path, name[i]);
	}
	put("two/scenario.yaml", "name: two\n");
	assert_int_equal(hash_of(2, in_tree("modules")), more);
	put("two/a.txt", "A.txt");
	assert_int_not_equal(hash_of(2, in_tree("modules")), more);
	put("two/a.txt", "a.txt");
	assert_int_equal(hash_of(2, in_tree("modules")), more);
	assert_int_equal(chmod(in_tree("one/tool.sh"), 0644), 0);
	assert_int_not_equal(hash_of(2, in_tree("modules")), more);
	assert_int_not_equal(hash_of(2, ""), hash_of(2, in_tree("modules")));
	assert_int_not_equal(hash_of(1, ""), hash_of(2, ""));
}

static void fails(int error, const char *told)
{
	struct guest_image image = {.fd = 77};
	assert_int_equal(pack(2, in_tree("modules"), &image), error);
	assert_told(told);
	assert_int_equal(image.fd, 77); /* untouched */
}

static void test_missing(void **state)
{
	struct guest_image image;
	(void)state;
	/* a directory without modules is none: everything may be built in */
	packed(2, in_tree("nowhere"), &image);
	guest_image_close(&image);
	(void)remove(in_tree("modules/a.ko"));
	fails(-ENOENT, "modules/a.ko: No such file or directory");
	put("modules/order", "../one/one.c\n\nb.ko\n"); /* names of files, not paths */
	packed(2, in_tree("modules"), &image);
	char *text = output(&image, "cpio -t --quiet");
	assert_null(strstr(text, "one.c"));
	free(text);
	guest_image_close(&image);
	scenario(1, "gone");
	fails(-ENOENT, "gone: No such file or directory");
	scenarios[1] = scenarios[0];
	fails(-EEXIST, "one: two scenarios have this name");
}

static void test_no_program(void **state)
{
	struct guest_image image = {.fd = 77};
	FILE *errors = open_messages();
	(void)state;
	assert_int_equal(guest_image_pack(in_tree("no-enomem"), selected, 2, "", errors, &image), -ENOENT);
	(void)fclose(errors);
	assert_told("no-enomem: No such file or directory");
	assert_int_equal(image.fd, 77);
	/* a program that names a loader which is not there, and one that is cut short */
	put("one/odd", "\177ELF\2\1\1");
	assert_int_equal(chmod(in_tree("one/odd"), 0755), 0);
	packed(2, "", &image);
	guest_image_close(&image);
	free(output(&(struct guest_image){.fd = open("/dev/null", O_RDONLY)},
		    "sed 's,/lib64/ld-linux-x86-64,/lib64/no-linux-x86-64,' one/program >one/odd; cat"));
	fails(-ENOENT, "one/odd: what it links to cannot be found");
}

int main(int argc, char *argv[])
{
	/* The copy in the image, asked whether it can still be loaded. */
	if (argc == 2 && strcmp(argv[1], "--is-stripped") == 0)
		return 0;
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, remove_tree)
	const struct CMUnitTest tests[] = {
		TEST(test_contents), cmocka_unit_test(test_strip), TEST(test_hash),
		TEST(test_missing),  TEST(test_no_program),
	};
	return cmocka_run_group_tests_name("guest_image", tests, NULL, NULL);
}
