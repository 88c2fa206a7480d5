// SPDX-License-Identifier: MIT
/*
 * Manifests in their directories: the program that must be there, links that must not leave, names that must agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "manifest.h"

struct outcome {
	int result;
	struct scenario *scenario;
	char messages[8192];
};

static char *load(const char *name, size_t *ret_length)
{
	char path[512];
	snprintf(path, sizeof(path), "%s/manifests/%s.yaml", TEST_DATA, name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	char *text = calloc(1, 65536 + 1);
	assert_non_null(text);
	*ret_length = fread(text, 1, 65536, f);
	fclose(f);
	return text;
}

/* A directory for manifest_read(): made and removed by each test. */
static int setup(void **state)
{
	static char directory[] = "/tmp/enomem-test-XXXXXX";
	strcpy(directory + sizeof(directory) - 7, "XXXXXX");
	*state = mkdtemp(directory);
	return *state ? 0 : -1;
}

static const char *at(void **state, const char *name)
{
	static char path[2][512];
	static unsigned which;
	which ^= 1;
	snprintf(path[which], sizeof(path[which]), "%s/%s", (const char *)*state, name);
	return path[which];
}

static int teardown(void **state)
{
	static const char *const files[] = {
		"small/scenario.yaml", "small/small", "small/small.c", "outside", "smaller", "small"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)remove(at(state, files[i]));
	return rmdir(*state);
}

static void put(const char *path, const char *text, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), (ssize_t)length);
	close(fd);
}

static void put_manifest(void **state)
{
	size_t length;
	char *text = load("good-small", &length);
	assert_int_equal(mkdir(at(state, "small"), 0755), 0);
	put(at(state, "small/scenario.yaml"), text, length, 0644);
	free(text);
}

static struct outcome read_directory(const char *directory)
{
	struct outcome o = {.scenario = NULL};
	FILE *f = fmemopen(o.messages, sizeof(o.messages), "w");
	assert_non_null(f);
	o.result = manifest_read(directory, f, &o.scenario);
	fclose(f);
	return o;
}

static void assert_refused(void **state, int result, const char *message)
{
	struct outcome o = read_directory(at(state, "small"));
	assert_null(o.scenario);
	if (o.result != result || !strstr(o.messages, message))
		fail_msg("wanted %d and '%s', got %d and\n%s", result, message, o.result, o.messages);
}

static void test_read(void **state)
{
	put_manifest(state);
	put(at(state, "small/small"), "#!/bin/sh\n", 10, 0755);
	struct outcome o = read_directory(at(state, "small"));
	assert_string_equal(o.messages, "");
	assert_int_equal(o.result, 0);
	assert_string_equal(o.scenario->directory, at(state, "small"));
	assert_string_equal(o.scenario->file, at(state, "small/scenario.yaml"));
	scenario_free(o.scenario);
	/* However the directory is written, it is the same one. */
	o = read_directory(at(state, "small/../small///"));
	assert_int_equal(o.result, 0);
	scenario_free(o.scenario);
	/* A link inside the directory is fine. */
	assert_int_equal(rename(at(state, "small/small"), at(state, "small/small.c")), 0);
	assert_int_equal(symlink("small.c", at(state, "small/small")), 0);
	o = read_directory(at(state, "small"));
	assert_int_equal(o.result, 0);
	scenario_free(o.scenario);
}

static void test_program_missing(void **state)
{
	char wanted[1024];
	put_manifest(state);
	assert_refused(state, -EINVAL, "small/scenario.yaml:1:7: error: missing program: there is no 'small' in ");
	assert_refused(state, -EINVAL, "hint: put it there, or name another one with 'program:'");
	put(at(state, "small/small.c"), "int main;", 9, 0644);
	const char *d = at(state, "small");
	snprintf(wanted, sizeof(wanted), "      = hint: build it with 'cc -o %s/small %s/small.c' or 'cmake --build'\n",
		 d, d);
	assert_refused(state, -EINVAL, wanted);
	put(at(state, "small/small"), "#!/bin/sh\n", 10, 0644);
	assert_refused(state, -EINVAL, "scenario.yaml:1:7: error: program 'small' is not executable");
	assert_int_equal(remove(at(state, "small/small")), 0);
	assert_int_equal(mkdir(at(state, "small/small"), 0755), 0);
	assert_refused(state, -EINVAL, "scenario.yaml:1:7: error: program 'small' is no file");
}

static void test_links_leave(void **state)
{
	put_manifest(state);
	put(at(state, "outside"), "#!/bin/sh\n", 10, 0755);
	assert_int_equal(symlink("../outside", at(state, "small/small")), 0);
	assert_refused(state, -EINVAL, "scenario.yaml:1:7: error: program 'small' is a link that leaves the directory");
	/* A neighbour whose name begins with ours is outside, too. */
	assert_int_equal(rename(at(state, "outside"), at(state, "smaller")), 0);
	assert_int_equal(remove(at(state, "small/small")), 0);
	assert_int_equal(symlink("../smaller", at(state, "small/small")), 0);
	assert_refused(state, -EINVAL, "scenario.yaml:1:7: error: program 'small' is a link that leaves the directory");
	assert_int_equal(rename(at(state, "small/scenario.yaml"), at(state, "outside")), 0);
	assert_int_equal(symlink("../outside", at(state, "small/scenario.yaml")), 0);
	assert_refused(state, -EINVAL, "scenario.yaml:1:1: error: a link that leaves the directory");
}

static void test_read_errors(void **state)
{
	assert_refused(state, -ENOENT, "/small: No such file or directory (ENOENT)\n");
	assert_int_equal(mkdir(at(state, "small"), 0755), 0);
	assert_refused(state, -ENOENT, "/small/scenario.yaml: No such file or directory (ENOENT)\n");
	assert_int_equal(mkdir(at(state, "small/scenario.yaml"), 0755), 0);
	assert_refused(state, -EISDIR, "/small/scenario.yaml: Is a directory (EISDIR)\n");
	assert_int_equal(rmdir(at(state, "small/scenario.yaml")), 0);
	assert_int_equal(mkfifo(at(state, "small/scenario.yaml"), 0644), 0);
	assert_refused(state, -ENXIO,
		       "/small/scenario.yaml: No such device or address (ENXIO)\n"); /* and does not hang */
	assert_int_equal(remove(at(state, "small/scenario.yaml")), 0);
	char *big = malloc(MANIFEST_MAX_BYTES + 10);
	assert_non_null(big);
	memset(big, '\n', MANIFEST_MAX_BYTES + 10);
	put(at(state, "small/scenario.yaml"), big, MANIFEST_MAX_BYTES + 10, 0644);
	free(big);
	assert_refused(state, -EINVAL, "scenario.yaml:1:1: error: larger than 256 KiB");
}

/* The directory is the scenario's name. */
static void test_other_name(void **state)
{
	size_t length;
	char *text = load("good-small", &length);
	assert_int_equal(mkdir(at(state, "small"), 0755), 0);
	memcpy(strstr(text, "small"), "smell", 5);
	put(at(state, "small/scenario.yaml"), text, length, 0644);
	free(text);
	assert_refused(state, -EINVAL,
		       "scenario.yaml:1:7: error: the scenario is named 'smell', but its directory 'small'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_program_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_name, setup, teardown),
	};
	return cmocka_run_group_tests_name("manifest-read", tests, NULL, NULL);
}
