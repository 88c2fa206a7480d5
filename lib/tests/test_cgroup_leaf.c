// SPDX-License-Identifier: MIT
/*
 * Leaving a delegated group, with directories in the place of groups.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup-internal.h"

static struct cgroup_leaf leaf;

static const char *in_parent(const char *name)
{
	static char path[1200];
	(void)snprintf(path, sizeof(path), "%s/%s", leaf.parent, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_parent(name), "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void expect(const char *name, const char *text)
{
	char is[64] = "";
	FILE *f = fopen(in_parent(name), "re");
	assert_non_null(f);
	(void)fgets(is, sizeof(is), f);
	(void)fclose(f);
	assert_string_equal(is, text);
}

static int prepare(void **state)
{
	(void)state;
	(void)strcpy(leaf.parent, "/tmp/enomem-leaf-XXXXXX");
	assert_non_null(mkdtemp(leaf.parent));
	(void)snprintf(leaf.path, sizeof(leaf.path), "%s/enomem-1-leaf", leaf.parent);
	leaf.pid = getpid();
	leaf.enabled_before = 0;
	assert_int_equal(mkdir(leaf.path, 0755), 0);
	put("cgroup.procs", "");
	put("cgroup.subtree_control", "memory pids\n");
	return 0;
}

static int clear(void **state)
{
	static const char *const directories[] = {"enomem-1-leaf", "mine", ""};
	(void)state;
	(void)unlink(in_parent("cgroup.procs"));
	(void)unlink(in_parent("cgroup.subtree_control"));
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		(void)rmdir(in_parent(directories[i]));
	return 0;
}

static void alone(void **state)
{
	(void)state;
	assert_int_equal(cgroup_leaf_leave(&leaf), 0);
	expect("cgroup.subtree_control", "-memory -pids");
	expect("cgroup.procs", "0");
	assert_int_equal(access(in_parent("enomem-1-leaf"), F_OK), -1);
	assert_int_equal(cgroup_leaf_leave(&leaf), 0);
}

/* Only what was enabled since. */
static void enabled_before(void **state)
{
	(void)state;
	leaf.enabled_before = 1U << CGROUP_PIDS;
	assert_int_equal(cgroup_leaf_leave(&leaf), 0);
	expect("cgroup.subtree_control", "-memorypids\n"); /* a file keeps what is not written over */
}

/* Somebody made a group meanwhile, and limits it. */
static void others(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_parent("mine"), 0755), 0);
	assert_int_equal(cgroup_leaf_leave(&leaf), -EBUSY);
	expect("cgroup.subtree_control", "memory pids\n");
	expect("cgroup.procs", "");
	assert_int_equal(access(in_parent("enomem-1-leaf"), F_OK), 0);
}

static void another_process(void **state)
{
	(void)state;
	leaf.pid = getppid();
	assert_int_equal(cgroup_leaf_leave(&leaf), 0);
	expect("cgroup.subtree_control", "memory pids\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(alone, prepare, clear),
		cmocka_unit_test_setup_teardown(enabled_before, prepare, clear),
		cmocka_unit_test_setup_teardown(others, prepare, clear),
		cmocka_unit_test_setup_teardown(another_process, prepare, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
