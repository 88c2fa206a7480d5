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
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "guest-bring.h"
#include "guest-elf-needs.h"
#include "guest-elf.h"
#include "guest-image.h"
#include "guest-modules.h"
#include "guest-tree.h"

static int prepare(void **state)
{
	char self[PATH_MAX] = "";
	if (make_tree(state) < 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -1;
	put("brought/data.txt", "1234567");
	put("brought/tool.sh", "#!/bin/sh\n");
	put("modules/order", "b.ko\na.ko\n");
	put("modules/a.ko", "module a");
	put("modules/b.ko", "module b");
	put("modules/c.ko", "not in the order");
	if (symlink(self, in_tree("brought/program")) < 0)
		return -1;
	return chmod(in_tree("brought/tool.sh"), 0755);
}

static int pack(const char *modules, struct guest_image *ret)
{
	struct guest_bring bring = {.path = {in_tree("brought")}, .count = 1};
	FILE *errors = open_messages();
	int r = guest_image_pack("/proc/self/exe", modules, &bring, errors, ret);
	(void)fclose(errors);
	return r;
}

static void packed(const char *modules, struct guest_image *ret)
{
	int r = pack(modules, ret);
	if (r != 0)
		fail_msg("%d: %s", r, messages);
	assert_string_equal(messages, "");
}

/* What a command makes of the archive. */
static char *output(const struct guest_image *image, const char *command)
{
	char line[1600], *text = calloc(1, 65536);
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
	static const char *const in[] = {"init",           "bin",        "usr/bin/enomem", "usr/bin/mkswap",
					 "usr/bin/mkswap", "usr/bin/sh", "usr/bin/true",   "usr/bin/sleep",
					 "dev/console",    "etc/passwd", "modules/order",  "modules/a.ko",
					 "modules/b.ko"};
	static const char *const out[] = {"modules/c.ko", "scenarios", "TRAILER!!!"};
	struct guest_image image;
	char line[1200];
	(void)state;
	if (system("command -v cpio >/dev/null") != 0)
		skip();
	packed(in_tree("modules"), &image);
	char *text = output(&image, "cpio -t --quiet");
	for (size_t i = 0; i < ARRAY_SIZE(in); i++)
		if (!lists(text, in[i]))
			fail_msg("%s is not in:%s", in[i], text);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		if (lists(text, out[i]))
			fail_msg("%s is in:%s", out[i], text);
	assert_true(lists(text, in_tree("brought/data.txt") + 1)); /* where it is here */
	assert_non_null(strstr(text, "libc.so"));                  /* of the tools, and of this program */
	assert_non_null(strstr(text, "libcmocka.so"));
	assert_non_null(strstr(text, "/ld-linux"));
	free(text);
	free(output(&image, "mkdir out && cd out && cpio -i --quiet --nonmatching 'dev/*'"));
	(void)snprintf(line, sizeof(line),
		       "cd out%s && cmp ../../../modules/a.ko ../../modules/a.ko && cmp ../../../brought/data.txt "
		       "brought/data.txt && test -x brought/tool.sh && test ! -x brought/data.txt && "
		       "test \"$(readlink ../../init)\" = usr/bin/enomem",
		       tree);
	free(output(&image, line));
	/* What is there twice is stored once; without what only debuggers read, a program still runs. */
	(void)snprintf(line, sizeof(line),
		       "test out%s/brought/program -ef out/usr/bin/enomem && "
		       "test $(stat -c %%s out/usr/bin/enomem) -lt $(stat -L -c %%s brought/program) && "
		       "out/usr/bin/sleep 0 && out/usr/bin/enomem --is-stripped",
		       tree);
	free(output(&image, line));
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

static uint64_t hash_of(const char *modules)
{
	struct guest_image image;
	packed(modules, &image);
	guest_image_close(&image);
	return image.hash;
}

/* The same whenever and in whatever order the files were made; another when any byte of them is. */
static void test_hash(void **state)
{
	(void)state;
	uint64_t first = hash_of(in_tree("modules"));
	assert_int_equal(hash_of(in_tree("modules")), first);
	static const char *const name[] = {"z.txt", "a.txt", "m.txt", "k.txt", "b.txt", "y.txt"};
	char path[64];
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		(void)snprintf(path, sizeof(path), "brought/%s", name[i]);
		put(path, name[i]);
	}
	uint64_t more = hash_of(in_tree("modules"));
	assert_int_not_equal(more, first);
	for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
		(void)snprintf(path, sizeof(path), "brought/%s", name[i]);
		(void)remove(in_tree(path));
	}
	for (size_t i = ARRAY_SIZE(name); i-- > 0;) {
		(void)snprintf(path, sizeof(path), "brought/%s", name[i]);
		put(path, name[i]);
	}
	assert_int_equal(hash_of(in_tree("modules")), more);
	put("brought/a.txt", "A.txt");
	assert_int_not_equal(hash_of(in_tree("modules")), more);
	put("brought/a.txt", "a.txt");
	assert_int_equal(hash_of(in_tree("modules")), more);
	assert_int_equal(chmod(in_tree("brought/tool.sh"), 0644), 0);
	assert_int_not_equal(hash_of(in_tree("modules")), more);
	assert_int_not_equal(hash_of(""), hash_of(in_tree("modules")));
}

static void fails(int error, const char *told)
{
	struct guest_image image = {.fd = 77};
	assert_int_equal(pack(in_tree("modules"), &image), error);
	assert_told(told);
	assert_int_equal(image.fd, 77); /* untouched */
}

static void test_missing(void **state)
{
	struct guest_image image;
	(void)state;
	/* a directory without modules is none: everything may be built in */
	packed(in_tree("nowhere"), &image);
	guest_image_close(&image);
	(void)remove(in_tree("modules/a.ko"));
	fails(-ENOENT, "modules/a.ko: No such file or directory");
	put("modules/order", "../brought/data.txt\n\nb.ko\n"); /* names of files, not paths */
	packed(in_tree("modules"), &image);
	char *text = output(&image, "cpio -t --quiet");
	assert_false(lists(text, "modules/../brought/data.txt"));
	assert_false(lists(text, "brought/data.txt"));
	free(text);
	guest_image_close(&image);
}

/* "NUL depends=..." as in a module's .modinfo */
static void put_module(const char *path, const char *depends, const char *content)
{
	char name[300], bytes[200];
	int n = snprintf(bytes, sizeof(bytes), "%s%cdepends=%s", content, 0, depends);
	(void)snprintf(name, sizeof(name), "lib/modules/6.9/kernel/%s", path);
	put_bytes(name, bytes, (size_t)n + 1);
}

static void run(const char *command)
{
	char line[700];
	(void)snprintf(line, sizeof(line), "cd %s/lib/modules/6.9/kernel && %s", tree, command);
	if (system(line) != 0)
		fail_msg("%s", line);
}

static char *order_of(const struct guest_image *image)
{
	free(output(image, "rm -rf out && mkdir out && cd out && cpio -id --quiet 'modules/*'"));
	return output(image, "cat out/modules/order");
}

/* A whole lib/modules/RELEASE: what is wanted and what that depends on, in order, unpacked. */
static void test_module_tree(void **state)
{
	struct guest_image image;
	(void)state;
	if (system("command -v cpio >/dev/null && command -v xz >/dev/null && command -v gzip >/dev/null") != 0)
		skip();
	put_module("drivers/block/virtio_blk.ko", "virtio_ring,virtio", "the disk");
	put_module("drivers/virtio/virtio_ring.ko", "virtio", "the ring");
	put_module("drivers/virtio/virtio.ko", "", "virtio");
	put_module("drivers/virtio/virtio_pci.ko", "virtio-ring,built_in", "the bus");
	put_module("drivers/block/loop.ko", "", "not wanted");
	put_module("crypto/lzo-rle.ko", "", "a compressor");
	put_module("lib/lz4_all.ko", "lz4_all", "on itself");
	put_module("drivers/block/zram.ko", "lz4_all", "zram");
	run("xz drivers/block/virtio_blk.ko && gzip drivers/virtio/virtio.ko");
	packed(in_tree("lib/modules/6.9"), &image);
	char *text = order_of(&image);
	if (!strstr(text,
		    "\nlzo_rle.ko\nlz4_all.ko\nzram.ko\nvirtio.ko\nvirtio_ring.ko\nvirtio_blk.ko\nvirtio_pci.ko\n"))
		fail_msg("order:%s", text);
	free(text);
	run("grep -q '^the disk' ../../../../out/modules/virtio_blk.ko");
	run("cmp ../../../../out/modules/virtio_ring.ko drivers/virtio/virtio_ring.ko && test ! -e "
	    "../../../../out/modules/loop.ko");
	guest_image_close(&image);
	/* Its configuration says which compressor; the image is another one when a module is. */
	uint64_t before = hash_of(in_tree("lib/modules/6.9"));
	put("lib/modules/6.9/config", "# one\nCONFIG_ZRAM_DEF_COMP=\"lz4-all\"\n");
	uint64_t configured = hash_of(in_tree("lib/modules/6.9"));
	assert_int_not_equal(configured, before);
	put_module("drivers/block/zram.ko", "lz4_all", "zrbm");
	assert_int_not_equal(hash_of(in_tree("lib/modules/6.9")), configured);
	/* One that cannot be unpacked is told, and so is a tool that is missing. */
	put("lib/modules/6.9/kernel/drivers/block/virtio_blk.ko.xz", "garbage");
	FILE *errors = open_messages();
	assert_int_equal(guest_image_pack("/proc/self/exe", in_tree("lib/modules/6.9"), NULL, errors, &image),
			 -EBADMSG);
	(void)fclose(errors);
	assert_told("virtio_blk.ko.xz: xz cannot unpack it");
	const char *usual = getenv("PATH");
	auto_free char *path = strdup(usual ? usual : "");
	(void)setenv("PATH", tree, 1);
	errors = open_messages();
	int r = guest_image_pack("/proc/self/exe", in_tree("lib/modules/6.9"), NULL, errors, &image);
	(void)fclose(errors);
	(void)setenv("PATH", path, 1);
	assert_int_equal(r, -ENOENT);
	assert_told("needs xz: apt install xz-utils");
}

static void append(const char *name, const void *data, size_t length, void *to)
{
	char *all = to;
	size_t used = strlen(all);
	(void)snprintf(all + used, 2048 - used, "%s:%.*s ", name, (int)strnlen(data, length), (const char *)data);
}

/* "virtio.ko:content ..." of a tree; what is told is in `messages`. */
static int each(char ret[2048])
{
	FILE *errors = open_messages();
	ret[0] = '\0';
	int r = guest_modules_each(in_tree("lib/modules/6.9"), append, ret, errors);
	(void)fclose(errors);
	return r;
}

static void refuses(int error, const char *told)
{
	char all[2048];
	assert_int_equal(each(all), error);
	assert_told(told);
}

static void put_few(void)
{
	put_module("a/b/c/virtio_blk.ko", "virtio", "disk");
	put_module("a/d/virtio.ko", "", "bus");
	put_module("e/zram.ko", "", "zram");
}

#define FEW "zram.ko:zram virtio.ko:bus virtio_blk.ko:disk "

/* A list that is cut short for want of something is not taken for all there is. */
static void test_cut_short(void **state)
{
	struct rlimit before, few;
	char all[2048], depends[1100];
	unsigned failed = 0, listing = 0;
	(void)state;
	put_few();
	assert_int_equal(each(all), 0);
	assert_string_equal(all, FEW);
	int first = open("/dev/null", O_RDONLY | O_CLOEXEC); /* and of those after it there are so many: */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned more = 0; more < 12; more++) {
		few = (struct rlimit){(rlim_t)first + 1 + more, before.rlim_max};
		FILE *errors = open_messages();
		all[0] = '\0';
		const char *tree_of = in_tree("lib/modules/6.9");
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		int r = guest_modules_each(tree_of, append, all, errors);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		(void)fclose(errors);
		if (r == 0) {
			assert_string_equal(all, FEW);
			continue;
		}
		assert_int_equal(r, -EMFILE);
		assert_told("Too many open files");
		failed++;
		listing += strstr(messages, "/kernel: ") != NULL;
	}
	assert_in_range(failed, 2, 11);
	assert_in_range(listing, 1, failed);
	(void)close(first);
	memset(depends, 'x', sizeof(depends));
	depends[sizeof(depends) - 1] = '\0';
	FILE *f = fopen(in_tree("lib/modules/6.9/kernel/e/zram.ko"), "we");
	assert_non_null(f);
	assert_true(fprintf(f, "zram%cdepends=%s%c", 0, depends, 0) > 1100);
	(void)fclose(f);
	refuses(-E2BIG, "kernel/e/zram.ko: depends on too many modules");
	put_bytes("lib/modules/6.9/kernel/e/zram.ko", "zram\0depends=virt", 17);
	refuses(-EBADMSG, "kernel/e/zram.ko: no module");
	/* what would have been there is elsewhere */
	assert_int_equal(rename(in_tree("lib/modules/6.9/kernel"), in_tree("elsewhere")), 0);
	assert_int_equal(each(all), 0);
	assert_string_equal(all, "");
	assert_int_equal(symlink("../../../elsewhere", in_tree("lib/modules/6.9/kernel")), 0);
	refuses(-ELOOP, "lib/modules/6.9/kernel: Too many levels");
}

/* Nothing in the tree that somebody else could have written is given to a kernel. */
static void test_not_ours(void **state)
{
	static const char *const part[] = {"", "/kernel", "/kernel/a/d", "/kernel/e/zram.ko"};
	char all[2048], path[300], told[400];
	struct stat st;
	(void)state;
	put_few();
	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		(void)snprintf(path, sizeof(path), "%s/lib/modules/6.9%s", tree, part[i]);
		(void)snprintf(told, sizeof(told), "%s: belongs to somebody else, or others may write to it", path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(chmod(path, st.st_mode | S_IWGRP), 0);
		refuses(-EPERM, told);
		assert_int_equal(chmod(path, st.st_mode), 0);
		if (geteuid() != 0 || i == 0)
			continue;
		assert_int_equal(chown(path, 65534, 65534), 0);
		refuses(-EPERM, told);
		/* who owns the whole tree has been looked at before */
		assert_int_equal(chown(in_tree("lib/modules/6.9"), 65534, 65534), 0);
		assert_int_equal(each(all), 0);
		assert_string_equal(all, FEW);
		assert_int_equal(chown(in_tree("lib/modules/6.9"), 0, 0), 0);
		assert_int_equal(chown(path, 0, 0), 0);
	}
	put_module("e/lzo_rle.ko", "", "not wanted otherwise");
	assert_int_equal(rename(in_tree("lib/modules/6.9/kernel/e/lzo_rle.ko"), in_tree("lzo_rle.ko")), 0);
	assert_int_equal(symlink(in_tree("lzo_rle.ko"), in_tree("lib/modules/6.9/kernel/e/lzo_rle.ko")), 0);
	assert_int_equal(each(all), 0);
	assert_string_equal(all, FEW);
}

static void put_unpacker(const char *script, mode_t mode)
{
	(void)unlink(in_tree("bin/xz"));
	put("bin/xz", script);
	assert_int_equal(chmod(in_tree("bin/xz"), mode), 0);
}

/* What the unpacker did not do is not told of it, nor of the module. */
static void test_unpacker(void **state)
{
	char all[2048];
	const char *usual = getenv("PATH");
	auto_free char *path = strdup(usual ? usual : "");
	(void)state;
	put_few();
	run("mv e/zram.ko e/zram.ko.xz");
	(void)setenv("PATH", in_tree("bin"), 1);
	put_unpacker("#!/bin/sh\nkill -INT $$\n", 0755);
	refuses(-EINTR, "kernel/e/zram.ko.xz: interrupted");
	put_unpacker("#!/bin/sh\nkill -KILL $$\n", 0755);
	refuses(-EIO, "kernel/e/zram.ko.xz: xz was killed by SIGKILL");
	put_unpacker("#!/bin/sh\nkill -XFSZ $$\n", 0755);
	refuses(-EFBIG, "xz makes more of it than a file may have here: 64 MiB, or ulimit -f");
	put_unpacker("#!/bin/sh\nexit 3\n", 0755);
	refuses(-EBADMSG, "xz cannot unpack it (exit status 3)");
	put_unpacker("#!/bin/sh\nexit 0\n", 0644);
	refuses(-EACCES, "xz cannot be started (EACCES)");
	/* within limits */
	put_unpacker("#!/bin/sh\necho \"$* $(ulimit -c) $(ulimit -H -c)\"\n", 0755);
	assert_int_equal(each(all), 0);
	(void)setenv("PATH", path, 1);
	assert_non_null(strstr(all, "zram.ko:-dcq --memlimit-decompress=256MiB 0 0\n"));
	/* A lower limit of ours is no obstacle; only root could exceed it. */
	if (geteuid() != 0 || system("command -v xz >/dev/null") != 0)
		return;
	put_module("e/zram.ko", "", "zram");
	run("rm e/zram.ko.xz && xz e/zram.ko");
	assert_int_equal(chmod(tree, 0755), 0);
	pid_t pid = fork();
	if (pid == 0) {
		const struct rlimit limit = {1 << 20, 1 << 20};
		if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		int r = each(all);
		(void)fputs(messages, stderr);
		_exit(r == 0 && strcmp(all, FEW) == 0 ? 0 : 1);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_no_program(void **state)
{
	struct guest_image image = {.fd = 77};
	FILE *errors = open_messages();
	(void)state;
	assert_int_equal(guest_image_pack(in_tree("no-enomem"), "", NULL, errors, &image), -ENOENT);
	(void)fclose(errors);
	assert_told("no-enomem: No such file or directory");
	assert_int_equal(image.fd, 77);
	/* a program that names a loader which is not there, and one that is cut short */
	put("brought/odd", "\177ELF\2\1\1");
	assert_int_equal(chmod(in_tree("brought/odd"), 0755), 0);
	packed("", &image);
	guest_image_close(&image);
	free(output(&(struct guest_image){.fd = open("/dev/null", O_RDONLY)},
		    "sed 's,/lib64/ld-linux-x86-64,/lib64/no-linux-x86-64,' brought/program >brought/odd; cat"));
	fails(-ENOENT, "brought/odd: what it links to cannot be found");
}

static void collect_path(const char *path, void *data)
{
	char *all = data;
	(void)snprintf(all + strlen(all), 4096 - strlen(all), "%s\n", path);
}

/* A second time the loader is not asked: a program that asks for the same is told the same. */
static void test_libraries(void **state)
{
	(void)state;
	char first[4096] = "", again[4096] = "";
	assert_int_equal(elf_libraries("/proc/self/exe", collect_path, first), 0);
	assert_non_null(strstr(first, "/libc.so.6\n"));
	assert_non_null(strstr(first, "/ld-linux"));
	assert_int_equal(elf_libraries("/proc/self/exe", collect_path, again), 0);
	assert_string_equal(again, first);
	again[0] = '\0';
	assert_int_equal(elf_libraries(in_tree("brought/tool.sh"), collect_path, again), 0);
	assert_int_equal(elf_libraries(in_tree("no such file"), collect_path, again), -ENOENT);
	assert_string_equal(again, "");
}

static bool names(const char *needs, size_t length, const char *name)
{
	for (const char *p = needs; p < needs + length; p += strlen(p) + 1)
		if (strcmp(p, name) == 0)
			return true;
	return false;
}

/* This program, with each entry of one kind in its dynamic section made one of another kind. */
static void write_changed(const char *name, Elf64_Sxword from, Elf64_Sxword to)
{
	size_t length = 0;
	auto_close int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	auto_close int out = open(in_tree(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	auto_free char *data = calloc(1, 16U << 20);
	for (ssize_t n; data && (n = read(in, data + length, 65536)) > 0;)
		length += (size_t)n;
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)(const void *)data;
	const Elf64_Phdr *part = (const Elf64_Phdr *)(const void *)(data + header->e_phoff);
	unsigned changed = 0;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Dyn *entry = (Elf64_Dyn *)(void *)(data + part[i].p_offset);
		for (size_t k = 0; part[i].p_type == PT_DYNAMIC && k < part[i].p_filesz / sizeof(*entry); k++)
			if (entry[k].d_tag == from) {
				entry[k].d_tag = to;
				changed++;
			}
	}
	assert_true(changed > 0);
	assert_int_equal(write(out, data, length), length);
}

/* Only what the names alone decide is remembered. */
static void test_needs(void **state)
{
	(void)state;
	static const Elf64_Sxword deciding[] = {DT_RPATH, DT_RUNPATH, DT_AUDIT, DT_FILTER};
	char needs[1024];
	size_t length = elf_needs("/proc/self/exe", needs, sizeof(needs));
	assert_true(length > 0);
	assert_true(names(needs, length, "libc.so.6"));
	assert_false(names(needs, length, "libc.so"));
	assert_int_equal(elf_needs("/proc/self/exe", needs, length), length);
	assert_int_equal(elf_needs("/proc/self/exe", needs, length - 1), 0);
	assert_int_equal(elf_needs(in_tree("brought/tool.sh"), needs, sizeof(needs)), 0);
	assert_int_equal(elf_needs(in_tree("no such file"), needs, sizeof(needs)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(deciding); i++) {
		write_changed("changed", DT_DEBUG, deciding[i]);
		assert_int_equal(elf_needs(in_tree("changed"), needs, sizeof(needs)), 0);
	}
	write_changed("changed", DT_DEBUG, DT_LOOS); /* means nothing */
	assert_int_equal(elf_needs(in_tree("changed"), needs, sizeof(needs)), length);
	write_changed("changed", DT_STRTAB, DT_LOOS); /* no names to be found */
	assert_int_equal(elf_needs(in_tree("changed"), needs, sizeof(needs)), 0);
	assert_int_equal(truncate(in_tree("changed"), 100), 0);
	assert_int_equal(elf_needs(in_tree("changed"), needs, sizeof(needs)), 0);
}

int main(int argc, char *argv[])
{
	/* The copy in the image, asked whether it can still be loaded. */
	if (argc == 2 && strcmp(argv[1], "--is-stripped") == 0)
		return 0;
	(void)umask(022); /* what others may write to is not taken */
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, remove_tree)
	const struct CMUnitTest tests[] = {
		TEST(test_contents),  cmocka_unit_test(test_strip), TEST(test_libraries),  TEST(test_needs),
		TEST(test_hash),      TEST(test_missing),           TEST(test_no_program), TEST(test_module_tree),
		TEST(test_cut_short), TEST(test_not_ours),          TEST(test_unpacker),
	};
	return cmocka_run_group_tests_name("guest_image", tests, NULL, NULL);
}
