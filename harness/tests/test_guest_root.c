// SPDX-License-Identifier: MIT
/*
 * What is told of a root directory before an image is made of it: a hash that every change changes, and how much it is;
 * and which file a command is in there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest-root.h"
#include "launch.h"
#include "root-command.h"
#include "say.h"

static char root[64];

static const char *in_root(const char *name)
{
	static char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static void put(const char *name, mode_t mode, const char *text)
{
	int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static int prepare(void **state)
{
	(void)state;
	(void)strcpy(root, "/tmp/enomem-root-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(mkdir(in_root("usr"), 0755), 0);
	assert_int_equal(mkdir(in_root("usr/bin"), 0755), 0);
	assert_int_equal(mkdir(in_root("etc"), 0755), 0);
	put("usr/bin/program", 0755, "x");
	put("etc/file", 0644, "x");
	assert_int_equal(symlink("/usr/bin", in_root("bin")), 0);
	assert_int_equal(symlink("/etc/passwd", in_root("usr/bin/out")), 0);
	assert_int_equal(symlink("../../../../../usr/bin/program", in_root("usr/bin/up")), 0);
	return 0;
}

static int clear(void **state)
{
	static const char *const all[] = {"usr/bin/program", "usr/bin/more", "usr/bin/out", "usr/bin/up",
					  "etc/file",        "etc/other",    "bin"};
	static const char *const directories[] = {"usr/bin", "usr", "etc", ""};
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)unlink(in_root(all[i]));
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		(void)rmdir(in_root(directories[i]));
	return access(root, F_OK) == 0 ? -1 : 0;
}

static struct guest_root_tree walk(void)
{
	struct guest_root_tree tree;
	int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(guest_root_walk(fd, root, &tree), 0);
	assert_int_equal(close(fd), 0);
	return tree;
}

static void every_change_is_seen(void **state)
{
	char old[256];
	(void)state;
	struct guest_root_tree first = walk(), now = walk();
	assert_int_equal(first.hash, now.hash);
	assert_int_equal(first.inodes, 9);
	(void)usleep(50000);               /* times of files are those of the last tick */
	put("usr/bin/program", 0755, "y"); /* as long, another content */
	now = walk();
	assert_int_not_equal(first.hash, now.hash);
	first = now;
	assert_int_equal(chmod(in_root("etc/file"), 04644), 0);
	now = walk();
	assert_int_not_equal(first.hash, now.hash);
	first = now;
	(void)strcpy(old, in_root("etc/file"));
	assert_int_equal(rename(old, in_root("etc/other")), 0);
	now = walk();
	assert_int_not_equal(first.hash, now.hash);
	first = now;
	put("usr/bin/more", 0644, "more");
	now = walk();
	assert_int_not_equal(first.hash, now.hash);
	assert_int_equal(now.inodes, first.inodes + 1);
	assert_true(now.blocks > first.blocks);
}

static void finds(const char *name, const char *inside, const char *outside)
{
	struct root_command c;
	char path[256];
	assert_int_equal(root_command_find(root, name, &c), 0);
	(void)snprintf(path, sizeof(path), "%s%s", root, outside);
	assert_string_equal(c.directory, root);
	assert_string_equal(c.inside, inside);
	assert_string_equal(c.outside, path);
	assert_int_equal(close(c.fd), 0);
}

static void commands_are_looked_for_in_there(void **state)
{
	(void)state;
	finds("program", "/usr/bin/program", "/usr/bin/program");
	finds("/bin/program", "/bin/program", "/usr/bin/program");
	finds("bin/program", "/bin/program", "/usr/bin/program");
	finds("up", "/usr/bin/up", "/usr/bin/program");
}

static void what_is_none_is_told(void **state)
{
	struct root_command c;
	(void)state;
	assert_int_equal(root_command_find(root, "sh", &c), EXIT_NOT_FOUND);
	assert_int_equal(root_command_find(root, "/bin/sh", &c), EXIT_NOT_FOUND);
	assert_int_equal(root_command_find(root, "out", &c), EXIT_NOT_FOUND); /* there is no passwd in there */
	assert_int_equal(root_command_find(root, "/etc/file", &c), EXIT_NOT_EXECUTABLE);
	assert_int_equal(root_command_find(root, "/etc", &c), EXIT_NOT_EXECUTABLE);
	assert_int_equal(root_command_find("/nonexistent", "sh", &c), EXIT_USAGE);
	assert_int_equal(root_command_find("/bin/sh", "sh", &c), EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_change_is_seen, prepare, clear),
		cmocka_unit_test_setup_teardown(commands_are_looked_for_in_there, prepare, clear),
		cmocka_unit_test_setup_teardown(what_is_none_is_told, prepare, clear),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
