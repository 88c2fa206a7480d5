// SPDX-License-Identifier: MIT
/*
 * What a learner's guest says that it is set to: what helps there is tried in a fresh guest, what no run sets is
 * refused, whoever says it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "guest-teach.h"
#include "hold-tool.h"

enum { TRIGGER, REMEDY, RUNS };

static char exits[] = "0";
static char messages[256];
static struct plan_run runs[RUNS];
static const struct plan plan = {.runs = runs, .run_count = RUNS};

static void set(struct environment_setting *all, unsigned *count, const char *name, const char *value)
{
	(void)snprintf(all[*count].name, sizeof(all->name), "%s", name);
	(void)snprintf(all[(*count)++].value, sizeof(all->value), "%s", value);
}

static void make(void)
{
	memset(runs, 0, sizeof(runs));
	for (unsigned i = 0; i < RUNS; i++) {
		environment_init(&runs[i].environment);
		(void)snprintf(runs[i].name, sizeof(runs[i].name), "%s", i == TRIGGER ? "trigger" : "remedy");
		runs[i].expect.exit = exits;
		set(runs[i].environment.sysctl, &runs[i].environment.sysctl_count, "vm.overcommit_memory", "2");
	}
	struct environment *remedy = &runs[REMEDY].environment;
	set(remedy->sysctl, &remedy->sysctl_count, "vm.overcommit_ratio", "100");
	set(remedy->live_sysctl, &remedy->live_sysctl_count, "vm.max_map_count", "100000");
	set(remedy->sys, &remedy->sys_count, "kernel/mm/ksm/run", "0");
	remedy->cgroup[CGROUP_MEMORY_MAX] = 1 << 20;
	remedy->cgroup_above[CGROUP_PIDS_MAX] = 8;
	remedy->tmpfs_bytes = 4096;
	set(remedy->namespace_sysctl, &remedy->namespace_sysctl_count, "kernel.shmmax", "65537");
	set(remedy->namespace_sysctl, &remedy->namespace_sysctl_count, "kernel.pid_max", "400");
}

/* The trigger is *ret after that. */
static int apply(const char *changed, struct plan_run *ret)
{
	char text[512];
	json_error_t error;
	(void)snprintf(text, sizeof(text), "{\"remedy\": \"remedy\", \"changed\": %s}", changed);
	json_t *request = json_loads(text, 0, &error);
	assert_non_null(request);
	*ret = runs[TRIGGER];
	int r = guest_state_apply(request, &plan, ret);
	json_decref(request);
	return r;
}

static const char *value_of(const struct plan_run *run, const char *name)
{
	const struct environment *env = &run->environment;
	for (unsigned i = 0; i < env->sysctl_count; i++)
		if (!strcmp(env->sysctl[i].name, name))
			return env->sysctl[i].value;
	return "none";
}

static void is_applied(void **state)
{
	struct plan_run got;
	(void)state;
	make();
	assert_int_equal(
		apply("{\"sysctl\": {\"vm.overcommit_memory\": \"1\", \"vm.max_map_count\": \"70000\"},"
		      " \"sys\": {\"kernel/mm/ksm/run\": \"1\"}, \"swap\": 8192, \"cgroup\": [], \"rlimit\": []}",
		      &got),
		0);
	assert_string_equal(value_of(&got, "vm.overcommit_memory"), "1");
	assert_string_equal(value_of(&got, "vm.max_map_count"), "70000");
	assert_int_equal(got.environment.sys_count, 1);
	assert_true(got.environment.swap_said && got.environment.swap_bytes == 8192);
	(void)snprintf(messages, sizeof(messages), "{\"cgroup\": [[%d, -1]], \"rlimit\": [[%d, 77]]}",
		       (int)CGROUP_MEMORY_MAX, RLIMIT_NOFILE);
	assert_int_equal(apply(messages, &got), 0);
	assert_true(got.environment.cgroup[CGROUP_MEMORY_MAX] == ENOMEM_UNLIMITED);
	assert_true(got.environment.rlimit[RLIMIT_NOFILE] == 77);
	(void)snprintf(messages, sizeof(messages),
		       "{\"cgroup_above\": [[%d, 9]], \"tmpfs_bytes\": 8192, \"tmpfs_inodes\": 7,"
		       " \"namespace\": {\"kernel.shmmax\": \"70000\"}}",
		       (int)CGROUP_PIDS_MAX);
	assert_int_equal(apply(messages, &got), 0);
	assert_true(got.environment.cgroup_above[CGROUP_PIDS_MAX] == 9);
	assert_true(got.environment.cgroup[CGROUP_PIDS_MAX] == ENVIRONMENT_NOT_SET);
	assert_true(got.environment.tmpfs_bytes == 8192 && got.environment.tmpfs_inodes == 7);
	assert_int_equal(got.environment.namespace_sysctl_count, 1);
	assert_string_equal(got.environment.namespace_sysctl[0].value, "70000");
}

static void of_no_run_is_refused(void **state)
{
	struct plan_run got;
	(void)state;
	make();
	assert_int_equal(apply("{\"sysctl\": {\"kernel.core_pattern\": \"|/x\"}}", &got), -EBADMSG);
	assert_int_equal(apply("{\"sysctl\": {\"../../tmp/x\": \"1\"}}", &got), -EBADMSG);
	assert_int_equal(apply("{\"sys\": {\"../proc/sys/vm/overcommit_memory\": \"1\"}}", &got), -EBADMSG);
	assert_int_equal(apply("{\"sys\": {\"vm.overcommit_memory\": \"1\"}}", &got), -EBADMSG);
	(void)snprintf(messages, sizeof(messages), "{\"cgroup\": [[%d, 5]]}", (int)CGROUP_PIDS_MAX);
	assert_int_equal(apply(messages, &got), -EBADMSG);
	assert_int_equal(apply("{\"cgroup\": [[100000, 5]]}", &got), -EBADMSG);
	(void)snprintf(messages, sizeof(messages), "{\"cgroup_above\": [[%d, 5]]}", (int)CGROUP_MEMORY_MAX);
	assert_int_equal(apply(messages, &got), -EBADMSG);
	assert_int_equal(apply("{\"namespace\": {\"kernel.shmall\": \"5\"}}", &got), -EBADMSG);
	/* set by a run, but of another namespace than the shell's guest tells of */
	assert_int_equal(apply("{\"namespace\": {\"kernel.pid_max\": \"500\"}}", &got), -EBADMSG);
	assert_int_equal(apply("{\"tmpfs_bytes\": 0}", &got), -EBADMSG);
	runs[REMEDY].environment.tmpfs_bytes = ENVIRONMENT_NOT_SET;
	assert_int_equal(apply("{\"tmpfs_bytes\": 8192}", &got), -EBADMSG);
	(void)snprintf(messages, sizeof(messages), "{\"rlimit\": [[%d, 5]]}", RLIMIT_CORE);
	assert_int_equal(apply(messages, &got), -EBADMSG);
}

static void two_sizes(void **state)
{
	struct plan_run got;
	(void)state;
	make();
	/* who sets one reads 0 of the other */
	assert_int_equal(
		apply("{\"sysctl\": {\"vm.overcommit_kbytes\": \"900\", \"vm.overcommit_ratio\": \"0\"}}", &got), 0);
	assert_string_equal(value_of(&got, "vm.overcommit_kbytes"), "900");
	assert_string_equal(value_of(&got, "vm.overcommit_ratio"), "none");
	/* nothing may be reserved: that is no fix */
	assert_int_equal(apply("{\"sysctl\": {\"vm.overcommit_ratio\": \"0\"}}", &got), 0);
	assert_string_equal(value_of(&got, "vm.overcommit_ratio"), "0");
	set(runs[TRIGGER].environment.sysctl, &runs[TRIGGER].environment.sysctl_count, "vm.overcommit_kbytes", "500");
	assert_int_equal(apply("{\"sysctl\": {\"vm.overcommit_kbytes\": \"0\"}}", &got), 0);
	assert_string_equal(value_of(&got, "vm.overcommit_kbytes"), "none");
	assert_string_equal(value_of(&got, "vm.overcommit_ratio"), "0");
	assert_int_equal(
		apply("{\"sysctl\": {\"vm.overcommit_kbytes\": \"0\", \"vm.overcommit_ratio\": \"60\"}}", &got), 0);
	assert_string_equal(value_of(&got, "vm.overcommit_kbytes"), "none");
	assert_string_equal(value_of(&got, "vm.overcommit_ratio"), "60");
}

/* What the shell of this desk reads; static */
static const char *rc_of(struct fix_desk desk)
{
	static char name[] = "lesson", program[] = "/bin/true", rc[8192];
	const struct scenario scenario = {.name = name};
	struct plan of = plan;
	make();
	runs[TRIGGER].argv[0] = program;
	of.program = program;
	const struct quiz quiz = {.scenario = &scenario, .plan = &of, .trigger = &runs[TRIGGER]};
	desk.quiz = &quiz;
	desk.directory_fd = -1;
	assert_int_equal(fix_make_desk(&desk), 0);
	int fd = openat(desk.directory_fd, "rc", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, rc, sizeof(rc) - 1);
	(void)close(fd);
	hold_remove_directory(desk.directory_fd, desk.directory);
	(void)close(desk.directory_fd);
	assert_true(n > 0);
	rc[n] = '\0';
	return rc;
}

/* What `try` does: a guest has no names of groups. */
static void user_is_numbers(void **state)
{
	static char user[] = "nobody";
	char expected[128];
	(void)state;
	const struct passwd *nobody = getpwnam(user);
	if (!nobody)
		skip();
	(void)snprintf(expected, sizeof(expected), "setpriv --reuid=%u --regid=%u --clear-groups \"$PROGRAM\"",
		       nobody->pw_uid, nobody->pw_gid);
	assert_non_null(strstr(rc_of((struct fix_desk){.program_identity = user}), expected));
}

/* Of a shell beside the limited group the program alone goes in, before it is anything that the group could refuse. */
static void program_goes_into_group(void **state)
{
	static const char asks[] = "try() { (_ask join || exit; ",
			  writes[] = "echo 0 >\"$_g/cgroup.procs\" || exit; done; echo ";
	(void)state;
	const char *plain = rc_of((struct fix_desk){.remounts = false});
	assert_null(strstr(plain, asks));
	assert_null(strstr(plain, "cgroup.procs"));
	assert_null(strstr(plain, "mount()"));
	assert_non_null(strstr(rc_of((struct fix_desk){.beside = true}), asks));
	assert_non_null(strstr(rc_of((struct fix_desk){.beside = true, .in_guest = true}), writes));
	assert_non_null(strstr(rc_of((struct fix_desk){.remounts = true}), "mount() { "));
}

/* Nothing but the two options of a tmpfs, and no more than a place may have: the process is none that has one. */
static void mounts_nothing_else(void **state)
{
	static const char *const others[] = {"remount,ro",   "remount,size=0",    "remount,nr_inodes=0",
					     "size=64k",     "remount,size=300M", "remount,size=-1",
					     "remount,bind", "remount,dev",       "remount,size=64k,rw"};
	const struct fix_room room = {.shell = -1};
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(fix_remount(&room, others[i]), -EINVAL);
	assert_int_equal(fix_remount(&room, "remount,size=64k,nr_inodes=9"), -ENOENT);
}

/* Who asks to be put into the group must be of the shell. */
static void nobody_else_joins(void **state)
{
	const struct fix_room room = {.place = {.inside = getpid()}, .shell = INT32_MAX};
	(void)state;
	assert_int_equal(fix_join_group(&room, getpid()), -ESRCH);
	assert_int_equal(fix_join_group(&room, 1 << 30), -ESRCH);
	struct fix_room own = {.place = {.inside = getpid()}, .shell = getpid()};
	char directory[] = "/tmp/test-teach-XXXXXX", expected[32], got[32] = "";
	(void)snprintf(expected, sizeof(expected), "%d", getpid());
	assert_non_null(mkdtemp(directory));
	int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(own.place.group[CGROUP_PIDS], sizeof(own.place.group[0]), "%s", directory);
	/* no such group: it must not be said that it is in there */
	assert_int_equal(fix_join_group(&own, getpid()), -ENOENT);
	int fd = openat(at, "cgroup.procs", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	own.shell = INT32_MAX;
	assert_int_equal(fix_join_group(&own, getpid()), -ESRCH);
	assert_int_equal(read(fd, got, sizeof(got) - 1), 0);
	own.shell = getpid();
	assert_int_equal(fix_join_group(&own, getpid()), 0);
	assert_true(read(fd, got, sizeof(got) - 1) > 0);
	assert_string_equal(got, expected);
	(void)close(fd);
	hold_remove_directory(at, directory);
	(void)close(at);
}

/* It is believed that a tmpfs is larger where it is, and the program writes there and nowhere else. */
static void a_link_is_no_size(void **state)
{
	char directory[] = "/tmp/test-teach-XXXXXX", why[256];
	struct environment trigger;
	(void)state;
	environment_init(&trigger);
	assert_non_null(mkdtemp(directory));
	int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct fix_room room = {.keeper = getpid(), .tmpfs_fd = at};
	trigger.tmpfs_bytes = 4096;
	assert_false(fix_tmpfs_is_as_before(&room, &trigger, why, sizeof(why)));
	trigger.tmpfs_bytes = UINT64_MAX / 4;
	assert_true(fix_tmpfs_is_as_before(&room, &trigger, why, sizeof(why)));
	assert_non_null(strstr(why, "no larger than before"));
	trigger.tmpfs_bytes = 4096;
	int fd = openat(at, "old", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_false(fix_tmpfs_is_as_before(&room, &trigger, why, sizeof(why)));
	assert_int_equal(linkat(at, "old", at, "new", 0), 0);
	assert_true(fix_tmpfs_is_as_before(&room, &trigger, why, sizeof(why)));
	assert_non_null(strstr(why, "no file of its own"));
	assert_int_equal(unlinkat(at, "new", 0), 0);
	assert_int_equal(symlinkat("/tmp/elsewhere", at, "new"), 0);
	assert_true(fix_tmpfs_is_as_before(&room, &trigger, why, sizeof(why)));
	assert_non_null(strstr(why, "/new is no file of its own"));
	(void)close(fd);
	hold_remove_directory(at, directory);
	(void)close(at);
}

/* Of the group something else is limited, and the remedy leaves it: a shell lives in there, as it takes none of that.
 */
static void shell_stands_in_a_group_it_can_live_in(void **state)
{
	static char word[] = "lesson";
	static const struct run_text helps = {.helps = true};
	static const struct machine machine;
	struct teach_fix fix;
	(void)state;
	make();
	for (unsigned i = 0; i < RUNS; i++) {
		runs[i].argv[0] = word;
		runs[i].run = &helps;
		runs[i].role = i == REMEDY ? ROLE_REMEDY : ROLE_TRIGGER;
		environment_init(&runs[i].environment);
		runs[i].environment.cgroup[CGROUP_MEMORY_HIGH] = 1 << 30;
		runs[i].environment.rlimit[RLIMIT_NOFILE] = i == REMEDY ? 64 : 8;
	}
	const struct quiz quiz = {.plan = (struct plan *)(uintptr_t)&plan, .trigger = &runs[TRIGGER]};
	fix_find(&machine, &quiz, &fix);
	assert_null(fix.why_not);
	assert_string_equal(fix.line[0], "ulimit -S -n 64");
	assert_false(fix.beside);
	for (unsigned i = 0; i < RUNS; i++)
		runs[i].environment.cgroup[CGROUP_PIDS_MAX] = 100;
	fix_find(&machine, &quiz, &fix);
	assert_true(fix.beside);
}

/* What is around every group is no group of the lesson's. */
static void group_above_is_named_where_limited(void **state)
{
	static struct fix_room room;
	struct cgroup above, cg;
	(void)state;
	cgroup_init(&above);
	cgroup_init(&cg);
	(void)snprintf(above.path[CGROUP_PIDS], sizeof(above.path[0]), "/above");
	(void)snprintf(cg.path[CGROUP_PIDS], sizeof(cg.path[0]), "/above/in");
	cg.above = &above;
	assert_int_equal(unsetenv("CGROUP_ABOVE"), 0);
	fix_tell_groups(&cg, CGROUP_CONTROLLERS, false, &room);
	assert_string_equal(getenv("CGROUP"), "/above/in");
	assert_null(getenv("CGROUP_ABOVE"));
	fix_tell_groups(&cg, CGROUP_CONTROLLERS, true, &room);
	assert_string_equal(getenv("CGROUP_ABOVE"), "/above");
}

/* What fix_introduce() prints; static */
static const char *introduced(const struct teach_fix *fix)
{
	static char text[4096];
	static const struct markdown_style style = {.width = 200};
	FILE *file = tmpfile();
	(void)fflush(stdout);
	int before = dup(STDOUT_FILENO);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	fix_introduce(&style, fix, true);
	(void)fflush(stdout);
	assert_true(dup2(before, STDOUT_FILENO) >= 0);
	(void)close(before);
	rewind(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	return text;
}

static void guest_names_what_the_key_uses(void **state)
{
	struct teach_fix fix = {.first = CGROUP_PIDS};
	(void)state;
	assert_true(fix_add_line(&fix, "echo 9 > $CGROUP/pids.max"));
	assert_null(strstr(introduced(&fix), "$CGROUP_ABOVE"));
	assert_true(fix_add_line(&fix, "echo 9 > $CGROUP_ABOVE/pids.max"));
	assert_non_null(strstr(introduced(&fix), "$CGROUP_ABOVE that of the one above it"));
}

/* A limit that the kernel refuses, after the groups were made; needs groups that can be made. */
static void no_group_is_left(void **state)
{
	static struct machine machine;
	struct run_context context = {.machine = &machine, .owner = (unsigned long)getpid(), .runs = 77};
	struct cgroup cg;
	char why[256] = "", path[2048];
	struct journal journal;
	(void)state;
	make();
	if (geteuid() != 0 || cgroup_detect_self(&machine.cgroup) < 0 ||
	    machine.cgroup.at[CGROUP_PIDS].version == CGROUP_NONE)
		skip();
	char directory[] = "/tmp/test-teach-XXXXXX";
	assert_non_null(mkdtemp(directory));
	assert_int_equal(setenv("ENOMEM_STATE_DIR", directory, 1), 0);
	journal_init(&journal);
	assert_int_equal(journal_open(&journal), 0);
	context.journal = &journal;
	machine.cgroup_writable[CGROUP_PIDS] = true;
	runs[TRIGGER].environment.cgroup[CGROUP_PIDS_MAX] = UINT64_C(1) << 40; /* PIDS_MAX, kernel/cgroup/pids.c */
	runs[TRIGGER].environment.cgroup_above[CGROUP_PIDS_MAX] = 9;
	assert_int_equal(fix_make_group(&context, &plan, &runs[TRIGGER], &cg, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "pids.max cannot be set"));
	const struct cgroup_hierarchy *at_pids = &machine.cgroup.at[CGROUP_PIDS];
	(void)snprintf(path, sizeof(path), "%s%s/enomem-%d-0-77", at_pids->mount, at_pids->parent, getpid());
	assert_int_equal(access(path, F_OK), -1);
	journal_close(&journal);
	int at = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	hold_remove_directory(at, directory);
	(void)close(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_applied),
		cmocka_unit_test(of_no_run_is_refused),
		cmocka_unit_test(two_sizes),
		cmocka_unit_test(user_is_numbers),
		cmocka_unit_test(program_goes_into_group),
		cmocka_unit_test(mounts_nothing_else),
		cmocka_unit_test(nobody_else_joins),
		cmocka_unit_test(a_link_is_no_size),
		cmocka_unit_test(shell_stands_in_a_group_it_can_live_in),
		cmocka_unit_test(group_above_is_named_where_limited),
		cmocka_unit_test(guest_names_what_the_key_uses),
		cmocka_unit_test(no_group_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
