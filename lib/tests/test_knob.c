// SPDX-License-Identifier: MIT
/*
 * Knobs of a made-up /proc/sys and /sys: what is written, what is taken for written, and what must not be reached.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "knob.h"
#include "sysctl.h"

static char root[] = "/tmp/enomem-knob-XXXXXX";
static char sys_root[64], outside[64];

static const char *in_root(const char *name)
{
	static char path[2][256];
	static unsigned which;
	which ^= 1;
	(void)snprintf(path[which], sizeof(path[which]), "%s/%s", root, name);
	return path[which];
}

static void make_file(const char *name, const char *text, mode_t mode)
{
	auto_close int fd = open(in_root(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static void assert_file(const char *name, const char *wanted)
{
	char text[256] = "";
	auto_close int fd = open(in_root(name), O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	assert_string_equal(text, wanted);
}

static int setup(void **state)
{
	(void)state;
	strcpy(root + sizeof(root) - 7, "XXXXXX");
	if (!mkdtemp(root))
		return -1;
	(void)mkdir(in_root("vm"), 0700);
	(void)mkdir(in_root("sys"), 0700);
	(void)mkdir(in_root("sys/mm"), 0700);
	(void)snprintf(sys_root, sizeof(sys_root), "%s/sys", root);
	(void)snprintf(outside, sizeof(outside), "%s/outside", root);
	sysctl_root = root;
	knob_sys_root = sys_root;
	return 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {"vm/a", "sys/mm/a", "sys/mm/link", "sys/mm/out", "outside"};
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
		(void)unlink(in_root(files[i]));
	(void)rmdir(in_root("sys/mm"));
	(void)rmdir(in_root("sys"));
	(void)rmdir(in_root("vm"));
	return rmdir(root);
}

static void test_sysctl(void **state)
{
	(void)state;
	make_file("vm/a", "0\n", 0600);
	assert_int_equal(knob_set_sysctl("vm.a", "250  32000"), 0);
	assert_file("vm/a", "250  32000\n");
	assert_int_equal(knob_set_sysctl("vm.b", "1"), -ENOENT);
	assert_int_equal(knob_set_sysctl("vm.../a", "1"), -EINVAL);
	assert_int_equal(knob_set_sysctl("vm.a", "1\n2"), -EINVAL);
	assert_file("vm/a", "250  32000\n");
}

/* A file of /proc that understands octal, and so does not say again what was said. */
static void test_not_kept(void **state)
{
	char name[32];
	(void)state;
	sysctl_root = "/proc";
	(void)snprintf(name, sizeof(name), "%d/oom_score_adj", getpid());
	assert_int_equal(knob_set_sysctl(name, "900"), 0);
	assert_int_equal(knob_set_sysctl(name, "01734"), -EIO);
	assert_int_equal(knob_set_sysctl(name, "many"), -EINVAL);
}

/* In mounts of its own; 77 where there may be none. */
static int set_octal(const char *file, const char *name)
{
	char own[64];
	(void)snprintf(own, sizeof(own), "/proc/%d/oom_score_adj", getpid());
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(own, in_root(file), NULL, MS_BIND, NULL) < 0)
		return 77;
	return -knob_set_sysctl(name, "01734");
}

static int set_octal_apart(const char *file, const char *name)
{
	int status;
	make_file(file, "", 0600);
	pid_t pid = fork();
	if (pid == 0)
		_exit(set_octal(file, name));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	(void)unlink(in_root(file));
	return WEXITSTATUS(status);
}

/* A file that does not say what was written: of the number that the kernel itself counts on, that is no error. */
static void test_moves_by_itself(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_root("kernel"), 0700), 0);
	int other = set_octal_apart("kernel/pid_max", "kernel.pid_max");
	int moving = set_octal_apart("kernel/ns_last_pid", "kernel.ns_last_pid");
	assert_int_equal(rmdir(in_root("kernel")), 0);
	if (other == 77)
		skip();
	assert_int_equal(other, EIO);
	assert_int_equal(moving, 0);
}

static void test_sys(void **state)
{
	(void)state;
	make_file("sys/mm/a", "0\n", 0600);
	make_file("outside", "0\n", 0600);
	assert_int_equal(knob_set_sys("mm/a", "1"), 0);
	assert_file("sys/mm/a", "1");
	assert_int_equal(knob_set_sys("mm/b", "1"), -ENOENT);
	/* Links as /sys has them: inside is inside. */
	assert_int_equal(symlink("../mm/a", in_root("sys/mm/link")), 0);
	assert_int_equal(knob_set_sys("mm/link", "2"), 0);
	assert_file("sys/mm/a", "2");
	assert_int_equal(symlink("../../outside", in_root("sys/mm/out")), 0);
	assert_int_equal(knob_set_sys("mm/out", "3"), -EXDEV);
	assert_int_equal(knob_set_sys("../outside", "3"), -EXDEV);
	assert_int_equal(knob_set_sys(outside, "3"), -EXDEV);
	assert_file("outside", "0\n");
}

/* What cannot be read is taken at its word; what can be and differs is not. */
static void test_read_back(void **state)
{
	(void)state;
	make_file("sys/mm/a", "", 0200);
	assert_int_equal(knob_set_sys("mm/a", "1"), 0);
	assert_int_equal(unlink(in_root("sys/mm/a")), 0);
	assert_int_equal(symlink("/dev/null", in_root("sys/mm/a")), 0);
	assert_int_equal(knob_set_sys("mm/a", "1"), -EXDEV);
	/* A file in which every choice shows, as the kernel shows them. */
	assert_true(knob_shows("always [madvise] never\n", "madvise"));
	assert_false(knob_shows("always [madvise] never\n", "always"));
	assert_false(knob_shows("always [madvise] never\n", "always [madvise] never"));
	assert_true(knob_shows("[always] madvise never\n", "always"));
	assert_true(knob_shows("100\n", "100"));
	assert_false(knob_shows("100\n", "10"));
	assert_false(knob_shows("", "10"));
	assert_true(knob_shows("a [b\n", "a [b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sysctl, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moves_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_back, setup, teardown),
	};
	return cmocka_run_group_tests_name("knob", tests, NULL, NULL);
}
