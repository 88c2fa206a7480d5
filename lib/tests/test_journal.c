// SPDX-License-Identifier: MIT
/*
 * The journal and what recover makes of it: holders killed at each step, lines that are cut, wrong or hostile, values
 * that others changed, journals of the living.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/wait.h>

#include "cgroup-internal.h"
#include "journal-internal.h"
#include "state-dir.h"

#define SECOND UINT64_C(1000000000)

/* What recover told, as text: "sysctl:1:vm.x:1>0:0:needed\n". */
static char told[4096];

static void hear(const struct recovered *r, void *data)
{
	static const char *const kinds[] = {"sysctl", "cgroup", "controllers", "journal", "bad"};
	size_t n = strlen(told);
	assert_ptr_equal(data, told);
	assert_non_null(r->journal);
	(void)snprintf(told + n, sizeof(told) - n, "%s:%u:%s:%s>%s:%d%s\n", kinds[r->kind], r->line, r->what,
		       r->from ? r->from : "", r->to ? r->to : "", r->error, r->needed ? ":needed" : "");
}

static int recover(bool dry_run)
{
	told[0] = '\0';
	return journal_recover(dry_run, hear, told);
}

static void write_file(const char *name, const char *text, size_t length)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	(void)close(fd);
}

#define journal_text(text) write_file("99-1.journal", text, sizeof(text) - 1)

static void lines(void **state)
{
	(void)state;
	struct journal_line l;
	char buf[JOURNAL_LINE_MAX];
	static const char *const bad[] = {
		"",
		"cgroup",
		"cgroup ",
		"cgroup /sys/fs/cgroup/other",
		"cgroup /sys/fs/cgroup/enomem-1 ",
		"cgroup /sys/fs/cgroup/enomem-1 more",
		"cgroup  /sys/fs/cgroup/enomem-1",
		"cgroup /sys/../enomem-1",
		"cgroup enomem-1",
		"cgroups /sys/fs/cgroup/enomem-1",
		"cgroup /sys/fs/cgroup/enomem-\\000",
		"cgroup /sys/fs/cgroup/enomem-\\4",
		"cgroup /sys/fs/cgroup/enomem-\\800",
		"cgroup /sys/fs/cgroup/enomem-\t",
		"sysctl vm.x",
		"sysctl vm.x 1",
		"sysctl vm.x 1 ",
		"sysctl vm.x 1 2 3",
		"sysctl vm.x  1 2",
		"sysctl ../../etc/passwd 1 2",
		"sysctl /etc/passwd 1 2",
		"restored",
		"restored vm.x 1",
		"removed /etc",
		"Sysctl vm.x 1 2",
		"enabled /sys/fs/cgroup",
		"enabled /sys/fs/cgroup memory+",
		"enabled /sys/fs/cgroup +memory",
		"enabled /sys/fs/cgroup \\-",
		"enabled /sys/fs/cgroup io",
		"enabled /sys/fs/cgroup memory pids",
		"enabled /sys/../etc memory",
		"enabled sys memory",
	};
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(journal_parse_line(bad[i], &l), -EBADMSG);
	assert_int_equal(journal_parse_line("sysctl vm.x \\- a\\011b\\134\\040", &l), 0);
	assert_string_equal(l.what, "vm.x");
	assert_string_equal(l.old_value, "");
	assert_string_equal(l.new_value, "a\tb\\ ");
	int n = journal_format_line(buf, sizeof(buf), JOURNAL_SYSCTL, "vm.x", "", "a\tb\\ ");
	assert_int_equal(n, 30);
	assert_memory_equal(buf, "sysctl vm.x \\- a\\011b\\134\\040\n", 30);
	n = journal_format_line(buf, sizeof(buf), JOURNAL_CGROUP, "/a b/enomem-\xff", "", "");
	buf[n - 1] = '\0';
	assert_string_equal(buf, "cgroup /a\\040b/enomem-\\377");
	assert_int_equal(journal_parse_line(buf, &l), 0);
	assert_string_equal(l.what, "/a b/enomem-\xff");
	assert_int_equal(journal_format_line(buf, 20, JOURNAL_CGROUP, "/a b/enomem-\xff", "", ""), -ENAMETOOLONG);
	assert_int_equal(journal_parse_line("enabled /sys/fs/cgroup memory+pids", &l), 0);
	assert_string_equal(l.what, "/sys/fs/cgroup");
	assert_int_equal(l.controllers, 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS);
}

/* From the moment it is abandoned, although a child holds the descriptor still; what is no v2 group is left alone. */
static void abandoned_journal(void **state)
{
	(void)state;
	struct journal j;
	int end[2];
	char byte;
	assert_int_equal(journal_open(&j), 0);
	assert_int_equal(journal_enabled(&j, state_dir, 1U << CGROUP_MEMORY | 1U << CGROUP_PIDS), 0);
	assert_int_equal(pipe(end), 0);
	pid_t child = fork();
	if (child == 0) {
		(void)close(end[1]);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "");
	journal_abandon(&j);
	assert_int_equal(j.fd, -1);
	assert_int_equal(recover(false), 0);
	assert_int_equal(count_files(".journal"), 0);
	assert_int_equal(count_files(".bad"), 1);
	(void)close(end[0]);
	(void)close(end[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void own_journal(void **state)
{
	(void)state;
	struct journal j, again;
	char text[512] = "";
	journal_init(&j);
	assert_int_equal(j.fd, -1);
	assert_int_equal(journal_open(&j), 0);
	assert_int_equal(count_files(".journal"), 1);
	assert_int_equal(count_files(".new"), 0);
	assert_int_equal(strncmp(j.path, state_dir, strlen(state_dir)), 0);
	journal_init(&again);
	assert_int_equal(journal_open(&again), -EEXIST); /* never two under one name */
	assert_int_equal(again.fd, -1);
	assert_int_equal(journal_cgroup(&j, "/sys/fs/cgroup/enomem-1"), 0);
	assert_int_equal(journal_cgroup(&j, "/sys/fs/cgroup/other"), -EINVAL);
	assert_int_equal(journal_cgroup_removed(&j, "/sys/fs/cgroup/enomem-1"), 0);
	assert_true(pread(j.fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "cgroup /sys/fs/cgroup/enomem-1\nremoved /sys/fs/cgroup/enomem-1\n");
	assert_int_equal(journal_enabled(&j, "/sys/fs/cgroup", 0), -EINVAL);
	/* We live: not recover's business. */
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "");
	assert_int_equal(access(j.path, F_OK), 0);
	journal_close(&j);
	assert_int_equal(count_files(".journal"), 0);
	assert_int_equal(j.fd, -1);
	journal_close(&j);
}

static void state_directory(void **state)
{
	(void)state;
	struct journal j;
	char path[128];
	journal_init(&j);
	(void)snprintf(path, sizeof(path), "%s/new", state_dir);
	assert_int_equal(setenv("ENOMEM_STATE_DIR", path, 1), 0);
	assert_int_equal(recover(false), 0); /* nothing there, and nothing is made */
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(journal_open(&j), 0); /* made */
	journal_close(&j);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(journal_open(&j), -EPERM); /* others could write it */
	assert_int_equal(recover(false), -EPERM);
	assert_int_equal(chmod(path, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 12345, 12345), 0);
		assert_int_equal(recover(false), -EPERM);
		assert_int_equal(journal_open(&j), -EPERM);
	}
	(void)snprintf(path, sizeof(path), "%s/sys/vm/overcommit_memory", state_dir);
	assert_int_equal(setenv("ENOMEM_STATE_DIR", path, 1), 0);
	assert_int_equal(recover(false), -ENOTDIR);
	assert_int_equal(journal_open(&j), -ENOTDIR);
	assert_int_equal(j.fd, -1);
	(void)snprintf(path, sizeof(path), "%s/link", state_dir);
	assert_int_equal(symlink("new", path), 0);
	assert_int_equal(setenv("ENOMEM_STATE_DIR", path, 1), 0);
	assert_int_not_equal(journal_open(&j), 0);
}

static void undoes_sysctls(void **state)
{
	(void)state;
	journal_text("sysctl vm.overcommit_memory 0 2\nsysctl vm.lowmem 256\\011256\\01132 1\\0402\\0403\n"
		     "sysctl vm.overcommit_memory 2 1\n");
	put("vm/overcommit_memory", "1\n");
	put("vm/lowmem", "1\t2\t3\n");
	assert_int_equal(recover(true), 2); /* the oldest line fits only once the newest is undone */
	assert_string_equal(told, "sysctl:3:vm.overcommit_memory:1>2:0:needed\n"
				  "sysctl:1:vm.overcommit_memory:1>0:-116\n"
				  "sysctl:2:vm.lowmem:1\t2\t3>256\t256\t32:0:needed\n");
	assert_value("vm.overcommit_memory", "1");
	assert_int_equal(recover(false), 3);
	assert_value("vm.overcommit_memory", "0");
	assert_value("vm.lowmem", "256\t256\t32");
	assert_non_null(strstr(told, "journal:0:removed:>:0\n"));
	assert_int_equal(count_files(".journal"), 0);
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "");
}

/* The mode before its ratio, whichever was changed first: the other way round nobody could promise a byte for a moment.
 */
static void lifts_the_commit_limit_first(void **state)
{
	(void)state;
	journal_text("sysctl vm.overcommit_memory 0 2\nsysctl vm.max_map_count 65530 100\n");
	put("vm/overcommit_memory", "2\n");
	put("vm/max_map_count", "100\n");
	assert_int_equal(recover(false), 2);
	assert_non_null(strstr(told, "sysctl:1:vm.overcommit_memory:2>0:0:needed\n"
				     "sysctl:2:vm.max_map_count:100>65530:0:needed\n"));
}

static void respects_later_changes(void **state)
{
	(void)state;
	journal_text("sysctl vm.overcommit_memory 0 2\nsysctl vm.max_map_count 65530 100\n");
	put("vm/overcommit_memory", "1\n"); /* neither the one nor the other; max_map_count is back already */
	assert_int_equal(recover(false), 0);
	assert_value("vm.overcommit_memory", "1");
	assert_string_equal(told, "sysctl:1:vm.overcommit_memory:1>0:-116\n"
				  "sysctl:2:vm.max_map_count:65530>65530:0\n"
				  "journal:0:removed:>:0\n");
	/* Taken back by the run itself: a later change to the same value is somebody else's. */
	journal_text("sysctl vm.overcommit_memory 0 1\nrestored vm.overcommit_memory\nrestored vm.max_map_count\n");
	assert_int_equal(recover(false), 0);
	assert_value("vm.overcommit_memory", "1");
	assert_string_equal(told, "journal:0:removed:>:0\n");
	/* Only the newest one is taken back. */
	journal_text(
		"sysctl vm.overcommit_memory 0 1\nsysctl vm.overcommit_memory 1 2\nrestored vm.overcommit_memory\n");
	assert_int_equal(recover(false), 1);
	assert_value("vm.overcommit_memory", "0");
}

static void cut_last_line(void **state)
{
	(void)state;
	put("vm/overcommit_memory", "2\n");
	put("vm/max_map_count", "1\n");
	journal_text("sysctl vm.overcommit_memory 0 2\nsysctl vm.max_map_count 65530 1");
	assert_int_equal(recover(false), 1); /* it was never begun: the file was to get 100 */
	assert_value("vm.overcommit_memory", "0");
	assert_value("vm.max_map_count", "1");
	assert_int_equal(count_files(".journal"), 0);
	assert_int_equal(count_files(".bad"), 0);
	journal_text("sysctl vm.overcommit_memory 0 2\n\0\0\0\0");
	assert_int_equal(recover(false), 0);
	assert_int_equal(count_files(".bad"), 0);
	journal_text("");
	assert_int_equal(recover(false), 0);
	assert_int_equal(count_files(".journal"), 0);
}

static void bad_lines_are_kept(void **state)
{
	(void)state;
	put("vm/overcommit_memory", "2\n");
	journal_text("hello\nsysctl vm.overcommit_memory 0 2\ncgroup /etc\nsysctl ../../etc/passwd a b\n\0\n\n");
	assert_int_equal(recover(true), 1);
	assert_int_equal(count_files(".bad"), 0);
	assert_int_equal(recover(false), 1);
	assert_value("vm.overcommit_memory", "0");
	assert_string_equal(told, "bad:1:hello:>:-74\nbad:3:cgroup /etc:>:-74\n"
				  "bad:4:sysctl ../../etc/passwd a b:>:-74\nbad:5::>:-74\nbad:6::>:-74\n"
				  "sysctl:2:vm.overcommit_memory:2>0:0:needed\n"
				  "journal:0:kept:>99-1.journal.bad:0\n");
	assert_int_equal(count_files(".journal"), 0);
	assert_int_equal(recover(false), 0); /* told once */
	assert_string_equal(told, "");
	journal_text("hello\n");
	assert_int_equal(recover(false), 0);
	assert_non_null(strstr(told, "kept:>99-1.journal.1.bad:0\n")); /* the first one is not lost */
	assert_int_equal(count_files(".bad"), 2);
	/* A directory that only has the name of a group. */
	char line[256], path[128];
	(void)snprintf(path, sizeof(path), "%s/enomem-x", state_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file("99-1.journal", line, (size_t)snprintf(line, sizeof(line), "cgroup %s\n", path));
	(void)recover(false);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(count_files(".bad"), 3);
}

static void failures_stay(void **state)
{
	(void)state;
	journal_text("sysctl vm.nothing 0 2\nnonsense\n");
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "bad:2:nonsense:>:-74\nsysctl:1:vm.nothing:>0:-2\n");
	assert_int_equal(count_files(".journal"), 1); /* for the next time */
	put("vm/nothing", "2\n");
	assert_int_equal(recover(false), 1);
	assert_value("vm.nothing", "0");
	assert_int_equal(count_files(".bad"), 1);
}

static void hostile_files(void **state)
{
	(void)state;
	char path[128];
	write_file("1-1.journal.new", "", 0); /* died before it had a name */
	write_file("notes.txt", "sysctl vm.overcommit_memory 1 0\n", 32);
	(void)snprintf(path, sizeof(path), "%s/2-2.journal", state_dir);
	assert_int_equal(symlink("notes.txt", path), 0);
	(void)snprintf(path, sizeof(path), "%s/3-3.journal", state_dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	write_file("4-4.journal", "sysctl vm.overcommit_memory 1 0\n", 32);
	(void)snprintf(path, sizeof(path), "%s/4-4.journal", state_dir);
	assert_int_equal(chmod(path, 0622), 0);
	assert_int_equal(recover(false), 0);
	assert_value("vm.overcommit_memory", "0");
	assert_int_equal(count_files(".new"), 0);
	assert_int_equal(count_files(".journal"), 3);
	assert_non_null(strstr(told, "journal:0:cannot be read:>:-40\n")); /* ELOOP */
	assert_non_null(strstr(told, "journal:0:cannot be read:>:-1\n"));  /* EPERM */
	assert_null(strstr(told, "sysctl"));
}

enum step { OPENED, GROUP_ANNOUNCED, GROUP_MADE, GROUP_ENTERED, GROUP_REMOVED, VALUE_ANNOUNCED, VALUE_CHANGED };

static int announce(const char *path, unsigned enables, void *data)
{
	return enables ? journal_enabled(data, path, enables) : journal_cgroup(data, path);
}

/* A process for the group that has nothing to do with the journal: it lets go of it, as exec would, before this
 * returns. */
static pid_t start_member(int journal_fd)
{
	int released[2];
	char byte;
	if (pipe(released) < 0)
		_exit(9);
	pid_t child = fork();
	if (child == 0) {
		(void)close(journal_fd);
		(void)close(released[0]);
		(void)close(released[1]);
		(void)alarm(30);
		for (;;)
			(void)pause();
	}
	(void)close(released[1]);
	if (child < 0 || read(released[0], &byte, 1) != 0)
		_exit(10);
	(void)close(released[0]);
	return child;
}

/* A holder without a keeper, so that everything is left to recover. */
static void holder(enum step step, const struct cgroup_system *sys, const char *group, int ready)
{
	struct journal j;
	struct cgroup cg;
	journal_init(&j);
	cgroup_init(&cg);
	if (journal_open(&j) < 0)
		_exit(1);
	if (step == GROUP_ANNOUNCED && journal_cgroup(&j, "/sys/fs/cgroup/pids/enomem-never-made") < 0)
		_exit(2);
	if (step >= GROUP_MADE && step <= GROUP_REMOVED && group) {
		if (cgroup_create_announced(sys, group, 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY, announce, &j, &cg) < 0)
			_exit(3);
		if (step == GROUP_ENTERED && cgroup_attach(&cg, start_member(j.fd)) < 0)
			_exit(4);
		if (step == GROUP_REMOVED && cgroup_remove(&cg, SECOND) < 0)
			_exit(5);
	}
	if (step >= VALUE_ANNOUNCED && journal_append(j.fd, JOURNAL_SYSCTL, "vm.overcommit_memory", "0", "2") < 0)
		_exit(6);
	if (step == VALUE_CHANGED && sysctl_write("vm.overcommit_memory", "2") < 0)
		_exit(7);
	if (write(ready, "x", 1) != 1)
		_exit(8);
	for (;;)
		(void)pause();
}

static pid_t start_holder(enum step step, const struct cgroup_system *sys, const char *group)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0)
		holder(step, sys, group, ready[1]);
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void kill_holder(pid_t pid)
{
	int status;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static bool can_make_groups(struct cgroup_system *sys)
{
	struct cgroup cg;
	char probe[64];
	(void)snprintf(probe, sizeof(probe), "enomem-probe-%d", getpid());
	if (geteuid() != 0 || cgroup_detect_self(sys) < 0 ||
	    cgroup_create(sys, probe, 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY, &cg) < 0) {
		print_message("not root or no hierarchy to write to: no groups\n");
		return false;
	}
	return cgroup_remove(&cg, SECOND) == 0;
}

static void killed_at_every_step(void **state)
{
	(void)state;
	struct cgroup_system sys = {0};
	char group[64];
	bool groups = can_make_groups(&sys);
	unsigned hierarchies = 0;
	if (sys.at[CGROUP_PIDS].version)
		hierarchies = 1 + (sys.at[CGROUP_MEMORY].version &&
				   strcmp(sys.at[CGROUP_MEMORY].mount, sys.at[CGROUP_PIDS].mount) != 0);
	for (enum step step = OPENED; step <= VALUE_CHANGED; step++) {
		(void)snprintf(group, sizeof(group), "enomem-test-%d-%d", getpid(), (int)step);
		pid_t pid = start_holder(step, &sys, groups ? group : NULL);
		assert_int_equal(recover(false), 0); /* still alive */
		assert_string_equal(told, "");
		kill_holder(pid);
		bool group_left = groups && (step == GROUP_MADE || step == GROUP_ENTERED);
		int left = group_left ? (int)hierarchies : step == VALUE_CHANGED;
		assert_int_equal(recover(true), left);
		assert_int_equal(recover(false), left);
		assert_value("vm.overcommit_memory", "0");
		assert_int_equal(count_files(".journal"), 0);
		assert_int_equal(recover(false), 0);
		if (group_left) {
			struct cgroup cg;
			assert_int_equal(cgroup_create(&sys, group, 1U << CGROUP_PIDS | 1U << CGROUP_MEMORY, &cg), 0);
			assert_int_equal(cgroup_remove(&cg, SECOND), 0);
		}
	}
}

static void two_holders(void **state)
{
	(void)state;
	struct cgroup_system sys = {0};
	pid_t first = start_holder(VALUE_CHANGED, &sys, NULL), second = start_holder(OPENED, &sys, NULL);
	assert_int_equal(count_files(".journal"), 2);
	kill_holder(first);
	assert_int_equal(recover(false), 1);
	assert_value("vm.overcommit_memory", "0");
	assert_int_equal(count_files(".journal"), 1); /* the other one lives */
	kill_holder(second);
	assert_int_equal(recover(false), 0);
	assert_int_equal(count_files(".journal"), 0);
}

/* While a session is open, the values in force are its own, whatever an old journal says about them. */
static void live_session_is_left_alone(void **state)
{
	(void)state;
	struct journal j;
	struct sysctl_session s;
	journal_text("sysctl vm.overcommit_memory 0 2\n");
	journal_init(&j);
	assert_int_equal(journal_open(&j), 0);
	assert_int_equal(sysctl_session_open(&s, &j, SECOND), 0);
	assert_int_equal(sysctl_session_set(&s, "vm.overcommit_memory", "2"), 0);
	assert_int_equal(recover(true), 0);
	assert_string_equal(told, "sysctl:1:vm.overcommit_memory:>0:-16\n");
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "sysctl:1:vm.overcommit_memory:>0:-16\n");
	assert_value("vm.overcommit_memory", "2");
	assert_int_equal(count_files("99-1.journal"), 1);
	assert_int_equal(sysctl_session_restore(&s), 0);
	journal_close(&j);
	assert_int_equal(recover(false), 0);
	assert_string_equal(told, "sysctl:1:vm.overcommit_memory:0>0:0\njournal:0:removed:>:0\n");
}

int main(void)
{
#define WITH_STATE(f) cmocka_unit_test_setup_teardown(f, make_state, remove_state)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		WITH_STATE(own_journal),
		WITH_STATE(abandoned_journal),
		WITH_STATE(state_directory),
		WITH_STATE(undoes_sysctls),
		WITH_STATE(lifts_the_commit_limit_first),
		WITH_STATE(respects_later_changes),
		WITH_STATE(cut_last_line),
		WITH_STATE(bad_lines_are_kept),
		WITH_STATE(failures_stay),
		WITH_STATE(hostile_files),
		WITH_STATE(killed_at_every_step),
		WITH_STATE(two_holders),
		WITH_STATE(live_session_is_left_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
