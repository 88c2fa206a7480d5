// SPDX-License-Identifier: MIT
/*
 * Profiles as they are read: lines, files, directories, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "profile-tree.h"

static void assert_line(const char *text, const char *expected)
{
	struct profile p = {0};
	put("p.conf", text);
	if (read_profile(&p, "p.conf") != 0)
		fail_msg("%s", messages);
	assert_settings(&p, expected);
	assert_string_equal(messages, "");
	profile_free(&p);
}

static void assert_refused(const char *text, size_t length, const char *told)
{
	struct profile p = {0};
	put_bytes("bad.conf", text, length);
	assert_int_equal(read_profile(&p, "bad.conf"), -EINVAL);
	assert_int_equal(p.count, 0);
	assert_told(told);
	profile_free(&p);
}

static void lines(void **state)
{
	(void)state;
	assert_line("", "");
	assert_line("# vm.swappiness = 1\n ; vm.swappiness = 1\n\n \t\n", "");
	assert_line("# caf\xe9 in a comment\nvm.swappiness=1", "vm/swappiness=1\n");
	assert_line("  vm.swappiness\t=  1 \r\n", "vm/swappiness=1\n");
	assert_line("kernel.sem = 1 2\t3\n", "kernel/sem=1 2\t3\n");
	assert_line("kernel.modprobe = a=b # c\n", "kernel/modprobe=a=b # c\n");
	assert_line("kernel.core_pattern =\n", "kernel/core_pattern=\n");
	assert_line("- vm.swappiness = 1\n-vm.swappiness\n", "-vm/swappiness=1\nvm/swappiness\n");
	assert_line("vm.x = -1\n", "vm/x=-1\n");
	assert_line("net.ipv4.conf.enp3s0/200.forwarding=1\nnet/ipv4/conf/enp3s0.200/forwarding=2\n",
		    "net/ipv4/conf/enp3s0.200/forwarding=1\nnet/ipv4/conf/enp3s0.200/forwarding=2\n");
	assert_line("net.ipv4.conf.*.rp_filter=1\n-net.ipv4.conf.[ab].x=1\n-net.*.x\n",
		    "*net/ipv4/conf/*/rp_filter=1\n-*net/ipv4/conf/[ab]/x=1\n*net/*/x\n");
}

#define REFUSED(text, told) assert_refused(text, sizeof(text) - 1, told)

static void refused_lines(void **state)
{
	(void)state;
	REFUSED("vm.x=1\n\nvm.swappiness\n",
		"bad.conf:3: error: no '=': vm.swappiness\n      = hint: write KEY = VALUE");
	REFUSED("= 1", "bad.conf:1: error: the name is missing");
	REFUSED("-", "bad.conf:1: error: the name is missing");
	REFUSED("vm.swap piness = 1", "a name has no blanks");
	REFUSED("/proc/sys/vm/swappiness = 1",
		"bad.conf:1: error: an absolute path is no name: /proc/sys/vm/swappiness");
	REFUSED("vm/../../etc/passwd = 1", "a part of the name is empty, '.' or '..'");
	REFUSED("-../canary = 1", "a part of the name is empty, '.' or '..'");
	REFUSED("vm.//.canary = 1", "a part of the name is empty, '.' or '..'");
	REFUSED("vm.swappiness. = 1", "a part of the name is empty");
	REFUSED("swappiness = 1", "the name has only one part: swappiness");
	REFUSED("* = 1", "the name has only one part");
	REFUSED("-#vm.x = 1", "a comment is no name");
	REFUSED("vm.x = 1\nvm.y = \0002\n", "bad.conf:2: error: a NUL byte");
	REFUSED("vm.x = \xff\n", "bad.conf:1: error: the setting is not UTF-8");
	REFUSED("\xef\xbb\xbfvm.x = 1\n", "a byte order mark");
	REFUSED("vm.x = \033[2J\n", "control character 27");
	REFUSED("vm.x = 1\rvm.y = 2\n", "control character 13");
	assert_null(strchr(messages, '\r'));
	/* All of them are told. */
	REFUSED("a\nvm.x = 1\nb\n", "bad.conf:1: error: no '=': a");
	assert_told("bad.conf:3: error: no '=': b");
	REFUSED("a\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\na\n",
		"bad.conf: more errors follow");
	assert_told("bad.conf:20:");
	assert_null(strstr(messages, "bad.conf:21:"));
}

static char *repeated(const char *start, char c, size_t length)
{
	char *text = malloc(length + 1);
	assert_non_null(text);
	memset(text, c, length);
	text[length] = '\0';
	memcpy(text, start, strlen(start));
	return text;
}

static void caps(void **state)
{
	(void)state;
	struct profile p = {0};
	auto_free char *longest = repeated("vm.x=", '1', PROFILE_LINE_MAX);
	put("p.conf", longest);
	assert_int_equal(read_profile(&p, "p.conf"), 0);
	assert_int_equal(strlen(p.item[0].value), PROFILE_LINE_MAX - 5);
	profile_free(&p);
	auto_free char *longer = repeated("\nvm.x=", '1', PROFILE_LINE_MAX + 2);
	assert_refused(longer, PROFILE_LINE_MAX + 2,
		       "bad.conf:2: error: the line has 65537 bytes; at most 65536 are read");
	assert_int_equal(add(&p, longer + 1), -EINVAL);
	assert_told("too long");

	auto_free char *name = repeated("vm.", 'x', PROFILE_NAME_MAX + 2);
	memcpy(name + PROFILE_NAME_MAX, "=1", 2);
	assert_refused(name, PROFILE_NAME_MAX + 2, "the name is too long");
	put("p.conf", name + 1); /* "m.xxx": one less */
	assert_int_equal(read_profile(&p, "p.conf"), 0);
	profile_free(&p);

	auto_free char *large = repeated("vm.x=1\n", '\n', PROFILE_FILE_MAX + 1);
	put_bytes("p.conf", large, PROFILE_FILE_MAX);
	assert_int_equal(read_profile(&p, "p.conf"), 0);
	assert_int_equal(p.count, 1);
	profile_free(&p);
	assert_refused(large, PROFILE_FILE_MAX + 1, "error: the file is larger than 1048576 bytes");
}

static void too_many_settings(void **state)
{
	(void)state;
	struct profile p = {0};
	auto_free char *many = malloc(8 * (PROFILE_SETTINGS_MAX + 1) + 1);
	assert_non_null(many);
	for (size_t i = 0; i <= PROFILE_SETTINGS_MAX; i++)
		memcpy(many + 8 * i, "vm.ab=1\n", 9);
	put_bytes("p.conf", many, 8 * PROFILE_SETTINGS_MAX);
	assert_int_equal(read_profile(&p, "p.conf"), 0);
	assert_int_equal(p.count, PROFILE_SETTINGS_MAX);
	put("one.conf", "vm.x=1\n");
	assert_int_equal(read_profile(&p, "one.conf"), -EINVAL);
	assert_told("more than 65536 settings together");
	assert_int_equal(add(&p, "vm.x=1"), -EINVAL);
	assert_told("more than 65536 settings");
	assert_int_equal(p.count, PROFILE_SETTINGS_MAX);
	profile_free(&p);
	assert_refused(many, 8 * (PROFILE_SETTINGS_MAX + 1), "bad.conf:65537: error: more than 65536 settings");
}

static void command_line(void **state)
{
	(void)state;
	struct profile p = {0};
	assert_int_equal(add(&p, " vm.swappiness = 1 "), 0);
	assert_int_equal(add(&p, "-vm.x=2"), 0);
	assert_int_equal(add(&p, "-vm.y"), 0);
	assert_string_equal(p.item[0].file, "--sysctl");
	assert_int_equal(p.item[0].line, 0);
	/* A profile that is read later comes first all the same, and profiles keep their order. */
	put("one.conf", "vm.one=1\n");
	put("two.conf", "# two\nvm.two=2\n");
	assert_int_equal(read_profile(&p, "one.conf"), 0);
	assert_int_equal(read_profile(&p, "two.conf"), 0);
	assert_settings(&p, "vm/one=1\nvm/two=2\nvm/swappiness=1\n-vm/x=2\nvm/y\n");
	assert_string_equal(p.item[1].file, in_tree("two.conf"));
	assert_int_equal(p.item[1].line, 2);
	static const char *const bad[][2] = {
		{"", "--sysctl: error: the setting is empty"},
		{" ", "the setting is empty"},
		{"vm.swappiness", "--sysctl: error: no '=': vm.swappiness"},
		{"vm.x=1\nvm.y=2", "control character 10"},
		{"#vm.x=1", "a comment is no name"},
		{"../x=1", "a part of the name"},
		{"vm.x=\xff", "not UTF-8"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(add(&p, bad[i][0]), -EINVAL);
		assert_told(bad[i][1]);
	}
	assert_int_equal(p.count, 5);
	profile_free(&p);
}

static void plain_directory(void **state)
{
	(void)state;
	struct profile p = {0};
	assert_int_equal(mkdir(in_tree("d"), 0755), 0);
	assert_int_equal(read_profile(&p, "d"), -EINVAL);
	assert_told("no *.conf file in it");
	put("d/20.conf", "vm.c=3\n");
	put("d/10-b.conf", "vm.b=2\n");
	put("d/10-a.conf", "vm.a=1\n");
	put("d/05.conf.bak", "vm.no=1\n");
	put("d/.hidden.conf", "vm.no=1\n");
	put("d/README", "vm.no\n");
	put("sysctl.conf", "vm.link=1\n");
	assert_int_equal(symlink("../sysctl.conf", in_tree("d/99.conf")), 0);
	assert_int_equal(symlink("/dev/null", in_tree("d/15.conf")), 0);
	assert_int_equal(read_profile(&p, "d"), 0);
	assert_settings(&p, "vm/a=1\nvm/b=2\nvm/c=3\nvm/link=1\n");
	assert_string_equal(p.item[2].file, in_tree("d/20.conf"));
	profile_free(&p);

	/* Errors of all files are told, and nothing is taken. */
	put("d/20.conf", "x\n");
	put("d/30.conf", "y\n");
	assert_int_equal(add(&p, "vm.keep=1"), 0);
	assert_int_equal(read_profile(&p, "d/"), -EINVAL);
	assert_told("d/20.conf:1: error");
	assert_told("d/30.conf:1: error");
	assert_settings(&p, "vm/keep=1\n");
	put("d/20.conf", "");
	put("d/30.conf", "");
	assert_int_equal(mkfifo(in_tree("d/40.conf"), 0600), 0);
	assert_int_equal(read_profile(&p, "d"), -EINVAL);
	assert_told("d/40.conf: error: not a regular file");
	assert_int_equal(unlink(in_tree("d/40.conf")), 0);
	assert_int_equal(symlink("nowhere", in_tree("d/40.conf")), 0);
	assert_int_equal(read_profile(&p, "d"), -ENOENT);
	assert_told("d/40.conf: error: cannot be read: No such file or directory (ENOENT)");
	profile_free(&p);
}

static void root_directory(void **state)
{
	(void)state;
	struct profile p = {0};
	static const char *const dirs[] = {"lib", "usr/lib", "usr/local/lib", "run", "etc"};
	char name[128], text[128];
	/* Each directory hides the same name in those before it; names are sorted whatever their directory. */
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		for (size_t k = i; k < ARRAY_SIZE(dirs); k++) {
			(void)snprintf(name, sizeof(name), "r/%s/sysctl.d/%zu.conf", dirs[i], 9 - k);
			(void)snprintf(text, sizeof(text), "vm.%zu=%s\n", 9 - k, dirs[i]);
			put(name, text);
		}
	}
	assert_int_equal(read_profile(&p, "r"), 0);
	assert_settings(&p, "vm/5=etc\nvm/6=run\nvm/7=usr/local/lib\nvm/8=usr/lib\nvm/9=lib\n");
	profile_free(&p);

	/* An empty file and a link to /dev/null hide as well; a link in a root starts there. */
	put("r/run/sysctl.d/9.conf", "");
	assert_int_equal(symlink("/dev/null", in_tree("r/etc/sysctl.d/8.conf")), 0);
	assert_int_equal(symlink("../../dev/null", in_tree("r/etc/sysctl.d/7.conf")), 0);
	put("r/etc/target", "vm.target=1\n");
	assert_int_equal(unlink(in_tree("r/etc/sysctl.d/5.conf")), 0);
	assert_int_equal(symlink("/etc/target", in_tree("r/etc/sysctl.d/5.conf")), 0);
	put("r/etc/sysctl.conf", "vm.last=1\n");
	put("r/etc/sysctl.d/zz.conf", "vm.zz=1\n");
	assert_int_equal(read_profile(&p, "r"), 0);
	assert_settings(&p, "vm/target=1\nvm/6=run\nvm/zz=1\nvm/last=1\n");
	profile_free(&p);

	/* A link cannot leave it. */
	put("secret", "vm.secret=1\n");
	assert_int_equal(symlink("../../../secret", in_tree("r/etc/sysctl.d/6.conf")), 0);
	assert_int_equal(read_profile(&p, "r"), -ENOENT);
	assert_told("r/etc/sysctl.d/6.conf: error: cannot be read");
	/* etc/sysctl.conf alone makes a root. */
	put("s/etc/sysctl.conf", "vm.x=1\n");
	put("s/no.conf", "vm.no=1\n");
	assert_int_equal(read_profile(&p, "s"), 0);
	assert_settings(&p, "vm/x=1\n");
	profile_free(&p);
}

static void unreadable(void **state)
{
	(void)state;
	struct profile p = {0};
	assert_int_equal(read_profile(&p, "nothing"), -ENOENT);
	assert_told("nothing: error: cannot be read: No such file or directory (ENOENT)\n      = hint: name a file");
	assert_int_equal(profile_read("/dev/null", NULL, &p), 0);
	assert_int_equal(p.count, 0);
	assert_int_equal(profile_read("/dev/zero", NULL, &p), -EINVAL);
	/* A name that is not UTF-8 is told and sent with '?'. */
	put("caf\xe9.conf", "vm.x=1\nvm.y\n");
	assert_int_equal(read_profile(&p, "caf\xe9.conf"), -EINVAL);
	assert_told("caf?.conf:2: error");
	put("caf\xe9.conf", "vm.x=1\n");
	assert_int_equal(read_profile(&p, "caf\xe9.conf"), 0);
	assert_string_equal(p.item[0].file, in_tree("caf?.conf"));
	json_auto_t *j = profile_json(&p);
	assert_non_null(j);
	profile_free(&p);
}

static void json(void **state)
{
	(void)state;
	struct profile p = {0}, back = {0};
	put("p.conf", "vm.a=1\n-vm.b=\n-vm.c\nvm.*=\xc3\xa9\n");
	assert_int_equal(read_profile(&p, "p.conf"), 0);
	assert_int_equal(add(&p, "vm.d=4"), 0);
	json_auto_t *j = profile_json(&p);
	assert_int_equal(profile_from_json(j, &back), 0);
	assert_settings(&back, "vm/a=1\n-vm/b=\nvm/c\n*vm/*=\xc3\xa9\nvm/d=4\n");
	assert_string_equal(back.item[3].file, in_tree("p.conf"));
	assert_int_equal(back.item[3].line, 4);
	assert_int_equal(back.item[4].line, 0);
	json_auto_t *again = profile_json(&back);
	assert_true(json_equal(j, again));
	profile_free(&p);
	profile_free(&back);
}

static void bad_json(void **state)
{
	(void)state;
	static const char good[] =
		"{'name':'vm/x','value':'1','ignore_failure':false,'glob':false,'file':'f','line':1}";
	static const struct {
		const char *from, *to;
	} bad[] = {
		{"vm/x", "../x"},
		{"vm/x", "/x"},
		{"vm/x", "vm.x"},
		{"vm/x", "vm//x"},
		{"vm/x", "vm"},
		{"'vm/x'", "1"},
		{"vm/x", "vm/\\u0000x"},
		{"'1'", "1"},
		{"'1'", "true"},
		{"'1'", "'1\\n'"},
		{"'ignore_failure':false", "'ignore_failure':0"},
		{"'glob':false", "'glob':true"},
		{"'glob':false", "'glob':null"},
		{"'f'", "null"},
		{"'line':1", "'line':-1"},
		{"'line':1", "'line':4294967297"},
		{"'line':1", "'line':'1'"},
		{"'line':1", "'lines':1"},
		{"'line':1", "'line':1,'more':1"},
		{",'line':1", ""},
	};
	struct profile p = {0};
	for (size_t i = 0; i <= ARRAY_SIZE(bad); i++) {
		char text[256];
		const char *at = i < ARRAY_SIZE(bad) ? strstr(good, bad[i].from) : good;
		assert_non_null(at);
		(void)snprintf(text, sizeof(text), "[%.*s%s%s]", (int)(at - good), good,
			       i < ARRAY_SIZE(bad) ? bad[i].to : "",
			       i < ARRAY_SIZE(bad) ? at + strlen(bad[i].from) : good);
		for (char *c = text; (c = strchr(c, '\''));)
			*c = '"';
		json_auto_t *j = json_loads(text, JSON_ALLOW_NUL, NULL);
		if (!j)
			fail_msg("%s", text);
		if (profile_from_json(j, &p) != (i < ARRAY_SIZE(bad) ? -EBADMSG : 0))
			fail_msg("%s", text);
	}
	assert_settings(&p, "vm/x=1\n");
	json_auto_t *object = json_object(), *list = json_pack("[i]", 1);
	assert_int_equal(profile_from_json(object, &p), -EBADMSG);
	assert_int_equal(profile_from_json(list, &p), -EBADMSG);
	assert_int_equal(profile_from_json(NULL, &p), -EBADMSG);
	assert_int_equal(p.count, 1);
	profile_free(&p);
}

int main(void)
{
#define WITH_TREE(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		WITH_TREE(lines),          WITH_TREE(refused_lines),
		WITH_TREE(caps),           WITH_TREE(too_many_settings),
		WITH_TREE(command_line),   WITH_TREE(plain_directory),
		WITH_TREE(root_directory), WITH_TREE(unreadable),
		WITH_TREE(json),           WITH_TREE(bad_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
