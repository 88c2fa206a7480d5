// SPDX-License-Identifier: MIT
/*
 * What guests read from their disk: all that a scenario needs and nothing else, each content once, unloaded as it was;
 * what is missing, too much or garbled is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>

#include "guest-cargo.h"
#include "guest-tree.h"

static char manifest[700]; /* of scenario two; this program, which is in scenario one, has no such text */
static struct scenario scenarios[2];
static struct scenario *selected[2] = {&scenarios[0], &scenarios[1]};

static void scenario(size_t i, const char *name)
{
	static char directory[2][600];
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
	put("one/empty", "");
	put("one/tool.sh", "#!/bin/sh\n");
	put("one/sub/ignored", "");
	(void)snprintf(manifest, sizeof(manifest), "name: two # %s\n", tree);
	put("two/scenario.yaml", manifest);
	put("two/same.txt", "1234567");
	scenario(0, "one");
	scenario(1, "two");
	if (symlink(self, in_tree("one/program")) < 0)
		return -1;
	return chmod(in_tree("one/tool.sh"), 0755);
}

static int pack(size_t count, struct guest_cargo *ret)
{
	FILE *errors = open_messages();
	int r = guest_cargo_pack(selected, count, errors, ret);
	(void)fclose(errors);
	return r;
}

static void packed(size_t count, struct guest_cargo *ret)
{
	int r = pack(count, ret);
	if (r != 0)
		fail_msg("%d: %s", r, messages);
	assert_string_equal(messages, "");
}

static int unload(const struct guest_cargo *cargo, const json_t *files, char *why)
{
	char disk[64];
	(void)snprintf(disk, sizeof(disk), "/proc/self/fd/%d", cargo->fd);
	return guest_cargo_unload(disk, in_tree("out"), files, why, 400);
}

static json_t *entry_of(const struct guest_cargo *cargo, const char *name, const char *file)
{
	json_t *entry;
	size_t i;
	json_array_foreach (json_object_get(cargo->files, name), i, entry)
		if (strstr(json_string_value(json_array_get(entry, 0)), file))
			return entry;
	return NULL;
}

static json_int_t offset_of(const struct guest_cargo *cargo, const char *name, const char *file)
{
	json_t *entry = entry_of(cargo, name, file);
	assert_non_null(entry);
	return json_integer_value(json_array_get(entry, 2));
}

static void test_contents(void **state)
{
	static const char *const out[] = {"one.c", "lesson.md", "CMakeLists.cmake", "sub", "ignored"};
	struct guest_cargo cargo;
	struct stat st;
	(void)state;
	packed(2, &cargo);
	assert_int_equal(fstat(cargo.fd, &st), 0);
	assert_int_equal(st.st_size, GUEST_CARGO_BYTES);
	assert_true(st.st_blocks * 512 < 64 << 20);
	for (size_t i = 0; i < ARRAY_SIZE(out); i++)
		assert_null(entry_of(&cargo, "one", out[i]));
	assert_non_null(entry_of(&cargo, "one", "/libcmocka.so")); /* what the program links to */
	assert_non_null(entry_of(&cargo, "one", "/ld-linux"));
	assert_null(entry_of(&cargo, "two", "/ld-linux"));
	assert_int_equal(json_array_size(json_object_get(cargo.files, "two")), 2);
	/* once, however many have it */
	assert_int_equal(offset_of(&cargo, "one", "/data.txt"), offset_of(&cargo, "two", "/same.txt"));
	/* a manifest is no part of the disk */
	const json_t *text = json_array_get(entry_of(&cargo, "two", "/scenario.yaml"), 2);
	assert_true(json_is_string(text));
	assert_string_equal(json_string_value(text), manifest);
	char *disk = mmap(NULL, 8 << 20, PROT_READ, MAP_SHARED, cargo.fd, 0);
	assert_true(disk != MAP_FAILED);
	assert_null(memmem(disk, 8 << 20, manifest, strlen(manifest)));
	assert_non_null(memmem(disk, 8 << 20, "1234567", 7));
	(void)munmap(disk, 8 << 20);
	assert_int_equal(guest_cargo_bytes(&cargo, "two"), 7);
	assert_int_equal(guest_cargo_bytes(&cargo, "three"), 0);
	/* where the kernel looks for partitions there is nothing */
	char first[4096], zeroes[4096] = {0};
	assert_int_equal(pread(cargo.fd, first, sizeof(first), 0), sizeof(first));
	assert_memory_equal(first, zeroes, sizeof(first));
	guest_cargo_close(&cargo);
	assert_int_equal(cargo.fd, -1);
	assert_null(cargo.files);
	guest_cargo_close(&cargo);
}

static void holds(const char *command)
{
	char line[1600];
	(void)snprintf(line, sizeof(line), "cd %s/out && %s", tree, command);
	if (system(line) != 0)
		fail_msg("%s", command);
}

static void test_unload(void **state)
{
	struct guest_cargo cargo;
	char why[400] = "";
	(void)state;
	packed(2, &cargo);
	mode_t before = umask(077);
	assert_int_equal(unload(&cargo, json_object_get(cargo.files, "one"), why), 0);
	(void)umask(before);
	holds("cmp scenarios/one/data.txt ../one/data.txt && cmp scenarios/one/scenario.yaml ../one/scenario.yaml && "
	      "test -f scenarios/one/empty && test ! -s scenarios/one/empty && test ! -e scenarios/two");
	holds("test \"$(stat -c %a scenarios/one/tool.sh scenarios/one/data.txt | paste -sd' ')\" = '755 644'");
	/* without what only debuggers read, a program still runs */
	holds("test $(stat -c %s scenarios/one/program) -lt $(stat -L -c %s ../one/program) && "
	      "scenarios/one/program --is-stripped");
	/* what is there stays, and what is not is put beside it */
	put("out/scenarios/one/data.txt", "other");
	(void)remove(in_tree("out/scenarios/one/tool.sh"));
	assert_int_equal(unload(&cargo, json_object_get(cargo.files, "one"), why), 0);
	holds("test \"$(cat scenarios/one/data.txt)\" = other && test -x scenarios/one/tool.sh");
	assert_int_equal(unload(&cargo, json_object_get(cargo.files, "two"), why), 0);
	holds("cmp scenarios/two/same.txt ../two/same.txt");
	assert_string_equal(why, "");
	guest_cargo_close(&cargo);
}

static void refuses(const struct guest_cargo *cargo, const char *files, int error, const char *told)
{
	char why[400] = "";
	json_auto_t *garbled = json_loads(files, 0, NULL);
	assert_non_null(garbled);
	assert_int_equal(unload(cargo, garbled, why), error);
	if (!strstr(why, told))
		fail_msg("%s: %s", files, why);
}

static void test_garbled(void **state)
{
	struct guest_cargo cargo;
	char why[400] = "";
	(void)state;
	packed(1, &cargo);
	refuses(&cargo, "[[\"a\", false, 4096, 1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a/../../b\", false, 4096, 1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, 4097, 1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, -4096, 1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, 4096, -1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, 4096]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, 4096, 1, 2]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"a\", false, \"text\"]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a/../../b\", false, \"text\"]]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/a\", false, \"text\", 1]]", -EBADMSG, "garbled");
	refuses(&cargo, "[7]", -EBADMSG, "garbled");
	refuses(&cargo, "[[\"/short\", false, 268435456, 1]]", -EIO, "/short: cannot be unloaded (EIO)");
	put("out/file", "");
	refuses(&cargo, "[[\"/file/below\", false, 4096, 1]]", -ENOTDIR, "/file/below: cannot be unloaded (ENOTDIR)");
	assert_int_equal(guest_cargo_unload(in_tree("nowhere"), in_tree("out"), json_object_get(cargo.files, "one"),
					    why, sizeof(why)),
			 -ENOENT);
	assert_non_null(strstr(why, "nowhere: cannot be opened (ENOENT)"));
	guest_cargo_close(&cargo);
}

static void fails(int error, const char *told)
{
	struct guest_cargo cargo = {.fd = 77};
	assert_int_equal(pack(2, &cargo), error);
	assert_told(told);
	assert_int_equal(cargo.fd, 77); /* untouched */
}

/* Selected twice, or by another path: packed once. Two directories are not the same scenario. */
static void test_twice(void **state)
{
	struct guest_cargo cargo;
	char path[700];
	(void)state;
	scenarios[1] = scenarios[0];
	packed(2, &cargo);
	assert_int_equal(json_object_size(cargo.files), 1);
	assert_non_null(entry_of(&cargo, "one", "/data.txt"));
	guest_cargo_close(&cargo);
	(void)snprintf(path, sizeof(path), "%s/../one/.", scenarios[0].directory);
	scenarios[1].directory = path;
	packed(2, &cargo);
	assert_int_equal(json_object_size(cargo.files), 1);
	guest_cargo_close(&cargo);
	scenario(1, "two");
	scenarios[1].name = scenarios[0].name;
	fails(-EEXIST, "one: two scenarios have this name: ");
	assert_told(scenarios[0].directory);
	assert_told(scenarios[1].directory);
}

static void test_missing(void **state)
{
	(void)state;
	scenario(1, "gone");
	fails(-ENOENT, "gone: No such file or directory");
	scenario(1, "two");
	put("two/large", "");
	assert_int_equal(truncate(in_tree("two/large"), (off_t)GUEST_CARGO_BYTES), 0);
	fails(-EFBIG, "two/large: more than a guest's disk holds");
	(void)remove(in_tree("two/large"));
	put("two/odd", "\177ELF\2\1\1"); /* cut short */
	assert_int_equal(chmod(in_tree("two/odd"), 0755), 0);
	struct guest_cargo cargo;
	packed(2, &cargo);
	guest_cargo_close(&cargo);
	char line[1400];
	(void)snprintf(line, sizeof(line), "sed 's,/lib64/ld-linux-x86-64,/lib64/no-linux-x86-64,' %s >%s",
		       in_tree("one/program"), in_tree("two/odd"));
	assert_int_equal(system(line), 0);
	fails(-ENOENT, "two/odd: what it links to cannot be found");
}

/* What is brought lies where it lies here, with what it links to and what interprets it; all of it, or nothing. */
static void test_bring(void **state)
{
	char *bring[] = {(char *)(uintptr_t)in_tree("brought"), (char *)(uintptr_t) "/enomem/no-such-file"};
	char link[1400];
	struct guest_cargo cargo;
	(void)state;
	put("brought/below/data", "some");
	put("brought/script", "#!/bin/sh\n");
	assert_int_equal(chmod(in_tree("brought/script"), 0755), 0);
	(void)snprintf(link, sizeof(link), "%s", in_tree("one/program"));
	assert_int_equal(symlink(link, in_tree("brought/program")), 0);
	scenarios[1].bring = (struct strings){bring, 1};
	packed(2, &cargo);
	assert_string_equal(json_string_value(json_array_get(entry_of(&cargo, "two", "/below/data"), 0)),
			    in_tree("brought/below/data"));
	assert_non_null(entry_of(&cargo, "two", "/brought/program"));
	assert_non_null(entry_of(&cargo, "two", "/libcmocka.so"));
	assert_non_null(entry_of(&cargo, "two", "/brought/script"));
	assert_non_null(entry_of(&cargo, "two", "/bin/sh"));
	assert_null(entry_of(&cargo, "one", "/brought/"));
	assert_true(guest_cargo_bytes(&cargo, "two") > 4096);
	guest_cargo_close(&cargo);
	scenarios[1].bring.count = 2;
	packed(2, &cargo);
	assert_null(entry_of(&cargo, "two", "/brought/"));
	assert_non_null(entry_of(&cargo, "two", "/same.txt"));
	guest_cargo_close(&cargo);
	scenarios[1].bring = (struct strings){.count = 0};
}

/* Of a second program that links to the same, only itself is more. */
static void test_bring_once(void **state)
{
	char *bring[] = {(char *)(uintptr_t)in_tree("brought")};
	char link[1400];
	struct guest_cargo cargo;
	(void)state;
	put("brought/data", "some");
	(void)snprintf(link, sizeof(link), "%s", in_tree("one/program"));
	assert_int_equal(symlink(link, in_tree("brought/program")), 0);
	scenarios[1].bring = (struct strings){bring, 1};
	packed(2, &cargo);
	uint64_t before = guest_cargo_bytes(&cargo, "two");
	size_t entries = json_array_size(json_object_get(cargo.files, "two"));
	guest_cargo_close(&cargo);
	assert_int_equal(symlink(link, in_tree("brought/second")), 0);
	packed(2, &cargo);
	json_int_t second = json_integer_value(json_array_get(entry_of(&cargo, "two", "/brought/second"), 3));
	assert_true(second > 0);
	assert_int_equal(guest_cargo_bytes(&cargo, "two"), before + (uint64_t)second);
	assert_int_equal(json_array_size(json_object_get(cargo.files, "two")), entries + 1);
	guest_cargo_close(&cargo);
	scenarios[1].bring = (struct strings){.count = 0};
}

/* Of what one scenario brings, nothing is packed, and the other one has all of its own. */
static void only_second_brings(const char *told)
{
	struct guest_cargo cargo;
	char why[400] = "";
	packed(2, &cargo);
	assert_null(entry_of(&cargo, "one", "/bad/"));
	assert_non_null(entry_of(&cargo, "one", "/data.txt"));
	const char *reason = guest_cargo_not_brought(&cargo, "one");
	if (!reason || !strstr(reason, told))
		fail_msg("'%s' is not in: %s", told, reason ? reason : "nothing");
	assert_null(guest_cargo_not_brought(&cargo, "two"));
	assert_non_null(entry_of(&cargo, "two", "/good/data"));
	assert_int_equal(unload(&cargo, json_object_get(cargo.files, "two"), why), 0);
	assert_int_equal(unload(&cargo, json_object_get(cargo.files, "one"), why), 0);
	char line[1400];
	(void)snprintf(line, sizeof(line), "cmp .%s ../good/data && cmp scenarios/one/data.txt ../one/data.txt",
		       in_tree("good/data"));
	holds(line);
	holds("rm -rf ../out/*");
	guest_cargo_close(&cargo);
}

static void test_bring_bad(void **state)
{
	char *good[] = {strdup(in_tree("good"))}, *bad[] = {strdup(in_tree("bad"))};
	char line[1400];
	(void)state;
	put("good/data", "what the other one brings");
	put("bad/a", "packed before the bad one");
	scenarios[0].bring = (struct strings){bad, 1};
	scenarios[1].bring = (struct strings){good, 1};
	put("bad/odd", "");
	(void)snprintf(line, sizeof(line), "sed 's,/lib64/ld-linux-x86-64,/lib64/no-linux-x86-64,' %s >%s",
		       in_tree("one/program"), in_tree("bad/odd"));
	assert_int_equal(system(line), 0);
	assert_int_equal(chmod(in_tree("bad/odd"), 0755), 0);
	only_second_brings("bad/odd: what it links to cannot be found");
	assert_int_equal(chmod(in_tree("bad/odd"), 0644), 0);
	assert_int_equal(truncate(in_tree("bad/odd"), (off_t)GUEST_CARGO_BYTES), 0);
	only_second_brings("bad/odd: more than a guest's disk holds");
	(void)remove(in_tree("bad/odd"));
	for (unsigned i = 0; i < 4096; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "bad/%u", i);
		put(name, name);
	}
	only_second_brings(": more than a guest's disk holds");
	free(good[0]);
	free(bad[0]);
}

int main(int argc, char *argv[])
{
	/* The copy that was unloaded, asked whether it can still be loaded. */
	if (argc == 2 && strcmp(argv[1], "--is-stripped") == 0)
		return 0;
#define TEST(name) cmocka_unit_test_setup_teardown(name, prepare, remove_tree)
	const struct CMUnitTest tests[] = {TEST(test_contents),   TEST(test_unload),   TEST(test_garbled),
					   TEST(test_twice),      TEST(test_missing),  TEST(test_bring),
					   TEST(test_bring_once), TEST(test_bring_bad)};
	return cmocka_run_group_tests_name("guest_cargo", tests, NULL, NULL);
}
