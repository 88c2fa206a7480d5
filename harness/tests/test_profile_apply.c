// SPDX-License-Identifier: MIT
/*
 * Profiles against a /proc/sys of plain files: which setting wins, what patterns match, what counts as a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "profile-internal.h"
#include "profile-tree.h"

#define FAILED_SIZE 256
static char failed[FAILED_SIZE];

static void resolve(const char *text, const char *sysctl, struct profile *ret)
{
	struct profile p = {0};
	put("p.conf", text);
	if (sysctl)
		assert_int_equal(add(&p, sysctl), 0);
	if (read_profile(&p, "p.conf") != 0)
		fail_msg("%s", messages);
	assert_int_equal(profile_resolve(&p, sys, ret), 0);
	profile_free(&p);
}

static void assert_resolved(const char *text, const char *sysctl, const char *expected)
{
	struct profile r = {0};
	resolve(text, sysctl, &r);
	assert_settings(&r, expected);
	profile_free(&r);
}

static int apply(const char *text)
{
	struct profile r = {0};
	memset(failed, 0, sizeof(failed));
	resolve(text, NULL, &r);
	int result = profile_apply(&r, sys, failed, sizeof(failed));
	profile_free(&r);
	return result;
}

/* What is told, behind the file's name. */
static void assert_failed(const char *expected)
{
	size_t length = strlen(in_tree("p.conf"));
	assert_memory_equal(failed, in_tree("p.conf"), length);
	assert_string_equal(failed + length, expected);
}

static void later_wins(void **state)
{
	(void)state;
	assert_resolved("vm.a=1\nvm.b=2\nvm/a=3\n", NULL, "vm/b=2\nvm/a=3\n");
	assert_resolved("-vm.a=1\nvm.a=1\n", NULL, "vm/a=1\n");
	assert_resolved("vm.a=1\n", "vm.a=2", "vm/a=2\n");
	assert_resolved("vm.a=1\nvm.b=1\n-vm.a\n", NULL, "vm/b=1\n");
	assert_resolved("-vm.a\nvm.a=1\n", NULL, "vm/a=1\n");
	assert_resolved("vm.a=1\n", "-vm.a", "");
	assert_resolved("", NULL, "");
}

static void patterns(void **state)
{
	(void)state;
#define CONF "net/ipv4/conf/"
	/* The example of sysctl.d(5). */
	assert_resolved("net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n"
			"-net.ipv4.conf.all.rp_filter\nnet.ipv4.conf.hub0.rp_filter = 1\n",
			NULL, CONF "default/rp_filter=2\n" CONF "enp3s0.200/rp_filter=2\n" CONF "hub0/rp_filter=1\n");
	assert_resolved("-net.ipv4.conf.[!ae]*.rp_f?lter=7\n", NULL,
			"-" CONF "default/rp_filter=7\n-" CONF "hub0/rp_filter=7\n");
	assert_resolved("net.*.*.*.rp_filter=7\n-net.ipv4.conf.all.rp_filter\n-net.ipv4.conf.default.rp_filter", NULL,
			CONF "enp3s0.200/rp_filter=7\n" CONF "hub0/rp_filter=7\n");
	/* Of two patterns the later one wins; explicit ones win wherever they are. */
	assert_resolved("net.ipv4.conf.[ah]*.rp_filter=1\nnet.ipv4.conf.a*.rp_filter=2\n", NULL,
			CONF "hub0/rp_filter=1\n" CONF "all/rp_filter=2\n");
	assert_resolved("vm.swappiness=1\nvm.swap*=2\n", NULL, "vm/swappiness=1\n");
	/* What is not there yet keeps nothing away from the pattern, and is not lost. */
	assert_resolved("vm.swapping=1\nvm.swap*=2\n", NULL, "vm/swapping=1\nvm/swappiness=2\n");
	/* A pattern with '-' takes back the same pattern, nothing else. */
	assert_resolved("vm.swap*=2\n-vm.swap*\n", NULL, "");
	assert_resolved("vm.swap*=2\n-vm.swa*\n", NULL, "vm/swappiness=2\n");
	/* One of the command line wins over a profile, not over its exclusions. */
	assert_resolved("vm.swappiness=1\n", "vm.swap*=2", "vm/swappiness=2\n");
	assert_resolved("-vm.swappiness\n", "vm.swap*=2", "");
	/* Nothing matches: told unless ignored. Directories are no settings, "." and ".." are no entries. */
	assert_resolved("vm.nothing*=1\n-vm.none*=1\n", NULL, "*vm/nothing*=1\n");
	assert_resolved("net.ipv4*=1\n", NULL, "*net/ipv4*=1\n");
	assert_resolved("vm/?./canary=1\nvm/.*/swappiness=1\nvm/\\../*=1\n", NULL,
			"*vm/?./canary=1\n*vm/.*/swappiness=1\n*vm/\\../*=1\n");
	struct profile p = {0}, r = {0};
	assert_int_equal(profile_resolve(&p, in_tree("nothing"), &r), -ENOENT);
}

static void patterns_follow_no_links(void **state)
{
	(void)state;
	assert_int_equal(symlink("../canary", in_tree("sys/vm/link")), 0);
	assert_int_equal(symlink("..", in_tree("sys/out")), 0);
	assert_resolved("vm.l*=1\no*.canary=1\nout.c*=1\n", NULL, "*vm/l*=1\n*o*/canary=1\n*out/c*=1\n");
	/* A name with a wildcard in it is a name once it is resolved. */
	put("sys/vm/a*", "0\n");
	put("sys/vm/ab", "0\n");
	assert_int_equal(apply("vm.a\\*=1\n"), 0);
	assert_file("sys/vm/a*", "1");
	assert_file("sys/vm/ab", "0");
}

static void applied(void **state)
{
	(void)state;
	assert_int_equal(apply("vm.swappiness=10\nnet.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.all.rp_filter\n"), 0);
	assert_string_equal(failed, "");
	assert_file("sys/vm/swappiness", "10");
	assert_file("sys/net/ipv4/conf/enp3s0.200/rp_filter", "2");
	assert_file("sys/net/ipv4/conf/all/rp_filter", "0");
	assert_int_equal(apply("vm.swappiness=\n"), 0);
	assert_file("sys/vm/swappiness", "");
	/* Two names of one file: writing the second changes the first, as with overcommit_ratio and _kbytes. */
	assert_int_equal(link(in_tree("sys/vm/overcommit_ratio"), in_tree("sys/vm/overcommit_kbytes")), 0);
	assert_int_equal(apply("vm.overcommit_ratio=80\nvm.overcommit_kbytes=0\n"), 0);
	assert_file("sys/vm/overcommit_ratio", "0");
}

static void stops_at_a_failure(void **state)
{
	(void)state;
	assert_int_equal(apply("vm.swappiness=1\nvm.nothing=2\nvm.overcommit_memory=1\n"), -ENOENT);
	assert_failed(":2: vm.nothing: cannot be set to 2: ENOENT (this kernel has no such setting)");
	assert_file("sys/vm/swappiness", "1");
	assert_file("sys/vm/overcommit_memory", "0");
	assert_int_equal(access(in_tree("sys/vm/nothing"), F_OK), -1); /* nothing is created */
	assert_int_equal(apply("-vm.nothing=2\n-vm.no*=1\nvm.overcommit_memory=1\n"), 0);
	assert_file("sys/vm/overcommit_memory", "1");
	assert_int_equal(apply("net.ipv4.conf.eth0/*.x=2\n"), -ENOENT);
	assert_failed(":1: net.ipv4.conf.eth0/*.x: matches no setting of this kernel: ENOENT");
	assert_int_equal(apply("net.ipv4=2\n"), -EISDIR);
	assert_failed(":1: net.ipv4: cannot be set to 2: EISDIR (it is a directory)");
	assert_int_equal(apply("vm.swappiness.x=2\n"), -ENOTDIR);
	assert_int_equal(mkfifo(in_tree("sys/vm/pipe"), 0600), 0);
	assert_int_equal(apply("vm.pipe=2\n"), -ENXIO); /* and does not hang */
	struct profile p = {0};
	assert_int_equal(add(&p, "vm.nothing=1"), 0);
	assert_int_equal(profile_apply(&p, sys, failed, sizeof(failed)), -ENOENT);
	assert_string_equal(failed,
			    "--sysctl: vm.nothing: cannot be set to 1: ENOENT (this kernel has no such setting)");
	char small[8];
	assert_int_equal(profile_apply(&p, sys, small, sizeof(small)), -ENOENT);
	assert_string_equal(small, "--sysct");
	assert_int_equal(profile_apply(&p, sys, NULL, 0), -ENOENT);
	assert_int_equal(profile_apply(&p, in_tree("nowhere"), failed, sizeof(failed)), -ENOENT);
	profile_free(&p);
}

static void never_leaves_the_root(void **state)
{
	(void)state;
	assert_int_equal(symlink("../../canary", in_tree("sys/vm/link")), 0);
	assert_int_equal(symlink("..", in_tree("sys/out")), 0);
	assert_int_equal(apply("vm.link=1\n"), -ELOOP);
	assert_int_equal(apply("out.canary=1\n"), -ENOTDIR);
	/* Settings that no reader of ours would have let in. */
	static const char *const names[] = {"../canary", "vm/../../canary", "/etc/hostname", "canary"};
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct profile_setting s = {.name = (char *)(uintptr_t)names[i],
					    .value = (char *)(uintptr_t) "1",
					    .file = (char *)(uintptr_t) "f",
					    .line = 1};
		struct profile p = {.item = &s, .count = 1};
		assert_int_equal(profile_apply(&p, sys, failed, sizeof(failed)), -EINVAL);
	}
	assert_file("canary", "untouched");
}

/* A device that takes every write and reads as empty stands for a kernel that does not take the value. */
static void not_taken(void **state)
{
	(void)state;
	if (mknod(in_tree("sys/vm/null"), S_IFCHR | 0600, (dev_t)(1 << 8 | 3)) < 0 ||
	    mknod(in_tree("sys/vm/compact_memory"), S_IFCHR | 0600, (dev_t)(1 << 8 | 3)) < 0 ||
	    mknod(in_tree("sys/vm/flush"), S_IFCHR | 0200, (dev_t)(1 << 8 | 3)) < 0 ||
	    mknod(in_tree("sys/vm/full"), S_IFCHR | 0600, (dev_t)(1 << 8 | 7)) < 0) {
		print_message("no device can be made here\n");
		return;
	}
	int r = apply("vm.null=1\n");
	if (r == -EACCES) {
		print_message("no device can be used here\n");
		return;
	}
	assert_int_equal(r, -EIO);
	assert_failed(":1: vm.null: was set to 1, but reads empty");
	assert_int_equal(apply("-vm.null=1\n"), 0);
	/* Write-only and trigger files hold nothing to compare. */
	assert_int_equal(apply("vm.compact_memory=1\nvm.flush=1\n"), 0);
	assert_int_equal(apply("vm.full=1\n"), -ENOSPC);
	assert_int_equal(apply("-vm.full=1\n"), 0);
}

/* What cannot be written but has the value already is no failure; root may write everything but /proc. */
static void has_it_already(void **state)
{
	(void)state;
	struct profile p = {0};
	char release[256] = "";
	auto_fclose FILE *f = fopen("/proc/sys/kernel/osrelease", "re");
	assert_non_null(f);
	assert_non_null(fgets(release, sizeof(release), f));
	char assignment[300];
	(void)snprintf(assignment, sizeof(assignment), "kernel.osrelease=%s", release);
	assert_int_equal(add(&p, assignment), 0);
	assert_int_equal(profile_apply(&p, "/proc/sys", failed, sizeof(failed)), 0);
	assert_int_equal(add(&p, "kernel.osrelease=0"), 0);
	assert_int_not_equal(profile_apply(&p, "/proc/sys", failed, sizeof(failed)), 0);
	assert_non_null(strstr(failed, "--sysctl: kernel.osrelease: cannot be set to 0: E"));
	assert_non_null(strstr(failed, "it may not be written"));
	profile_free(&p);
}

static void same_value(void **state)
{
	(void)state;
	static const char *const same[][2] = {
		{"1", "1\n"},
		{"1 2 3", "1\t2\t3\n"},
		{"", "\n"},
		{"0x10", "16\n"},
		{"010", "8\n"},
		{"-1", "-1"},
		{"3", "3 4 1 7\n"},
		{"8080,8081,9148", "8080-8081,9148\n"},
		{"cubic", "cubic\n"},
		{"a b", "a b"},
		{"18446744073709551615", "18446744073709551615"},
		{"1,2,3", "1-3\n"},
	};
	static const char *const different[][2] = {
		{"1", "0\n"},       {"1", "\n"}, {"", "0\n"},        {"1 2 3", "1 2\n"},
		{"1 2", "1 3 4\n"}, {"10", "8"}, {"0x10", "0x11"},   {"a", "a b"},
		{"12", "1 2"},      {"ab", "a"}, {"80,82", "80-82"}, {"80,81", "80"},
		{"80,99999", "80"}, {"1,", "1"}, {"1,-", "1"},       {"18446744073709551615", "18446744073709551614"},
	};
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		if (!profile_same_value(same[i][0], same[i][1]))
			fail_msg("%s / %s", same[i][0], same[i][1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
		if (profile_same_value(different[i][0], different[i][1]))
			fail_msg("%s / %s", different[i][0], different[i][1]);
	}
}

int main(void)
{
#define WITH_TREE(f) cmocka_unit_test_setup_teardown(f, make_tree, remove_tree)
	const struct CMUnitTest tests[] = {
		WITH_TREE(later_wins), WITH_TREE(patterns),           WITH_TREE(patterns_follow_no_links),
		WITH_TREE(applied),    WITH_TREE(stops_at_a_failure), WITH_TREE(never_leaves_the_root),
		WITH_TREE(not_taken),  WITH_TREE(has_it_already),     cmocka_unit_test(same_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
