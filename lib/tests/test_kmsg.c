// SPDX-License-Identifier: MIT
/*
 * Records of the kernel log and the OOM killer's lines: captured kills of processes with hostile names, lines of
 * several kernels, records that are none, and the errors that reading /dev/kmsg is known for.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include <cmocka.h>

#include "cleanup.h"
#include "kmsg.h"
#include "procfs.h"

#define UNTOUCHED 0x5a

/* kmsg_next() calls this read(): errors a pipe does not have are served first, in this order. */
static int errors[8];
static unsigned error_count;
static bool fail_always;

ssize_t read(int fd, void *buf, size_t size)
{
	if (error_count || fail_always) {
		errno = error_count ? errors[--error_count] : EPIPE;
		return -1;
	}
	return syscall(SYS_read, fd, buf, size);
}

static char text[65536];

static void load(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), TEST_DATA "/kmsg/%s", name);
	if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
		fail_msg("cannot read %s", path);
}

static int parse(const char *record, struct kmsg_record *ret)
{
	return kmsg_parse(record, strlen(record), ret);
}

static void test_parse(void **state)
{
	struct kmsg_record r;

	(void)state;
	assert_int_equal(parse("6,1234,5678,-;text of it\n SUBSYSTEM=memory\n DEVICE=+x\n", &r), 0);
	assert_int_equal(r.level, 6);
	assert_true(r.from_kernel);
	assert_int_equal(r.sequence, 1234);
	assert_int_equal(r.time_us, 5678);
	assert_string_equal(r.text, "text of it");
	/* A facility above the level, fields of newer kernels, no text at all. */
	assert_int_equal(parse("30,18446744073709551614,1,c,caller=T1,more=1;a;b,c\n", &r), 0);
	assert_int_equal(r.level, 6);
	assert_false(r.from_kernel);
	assert_true(r.sequence == 18446744073709551614ULL);
	assert_string_equal(r.text, "a;b,c");
	assert_int_equal(parse("0,0,0,-;", &r), 0);
	assert_string_equal(r.text, "");
}

static void test_escapes(void **state)
{
	struct kmsg_record r;

	(void)state;
	assert_int_equal(parse("6,1,1,-;tab\\x09\\x5c\\xc3\\xbc\\x41\n", &r), 0);
	assert_string_equal(r.text, "tab?\\\xc3\xbc"
				    "A");
	/* NUL, newline, escape and delete would end or disturb what is shown later. */
	assert_int_equal(parse("6,1,1,-;a\\x00b\\x0ac\\x1b[31m\\x7f\n", &r), 0);
	assert_string_equal(r.text, "a?b?c?[31m?");
	assert_int_equal(parse("6,1,1,-;raw\tand\x1b\n", &r), 0);
	assert_string_equal(r.text, "raw?and?");
	/* Undone once only, and only where it is one. */
	assert_int_equal(parse("6,1,1,-;\\x5cx41 \\xg1 \\x4 \\n \\\n", &r), 0);
	assert_string_equal(r.text, "\\x41 \\xg1 \\x4 \\n \\");
	assert_int_equal(parse("6,1,1,-;cut \\x4", &r), 0);
	assert_string_equal(r.text, "cut \\x4");
}

static void test_long(void **state)
{
	static char record[KMSG_RECORD_MAX];
	struct kmsg_record r;

	(void)state;
	strcpy(record, "6,1,1,-;");
	memset(record + 8, 'x', sizeof(record) - 9);
	assert_int_equal(kmsg_parse(record, sizeof(record) - 1, &r), 0);
	assert_int_equal(strlen(r.text), sizeof(r.text) - 1);
}

static void test_parse_bad(void **state)
{
	static const char *const bad[] = {
		"",
		"\n",
		"6",
		"6,",
		"6,1,1;text\n",
		"6,1,1\n",
		"6,1,1,-\n",
		"6,1,1,-\n;x\n",
		"x,1,1,-;t\n",
		"6,x,1,-;t\n",
		"6,1,x,-;t\n",
		"-6,1,1,-;t\n",
		",1,1,-;t\n",
		"6 ,1,1,-;t\n",
		"6,1,,-;t\n",
		"6,1,1,;t\n",
		"[    1.0] oom\n",
		"6,1,1.5,-;t\n",
	};
	struct kmsg_record r;

	(void)state;
	memset(&r, UNTOUCHED, sizeof(r));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (parse(bad[i], &r) != -EBADMSG)
			fail_msg("accepted: %s", bad[i]);
	}
	/* The bytes beyond the record's length are not looked at. */
	assert_int_equal(kmsg_parse("6,1,1,-;t\n", 7, &r), -EBADMSG);
	for (size_t i = 0; i < sizeof(r); i++)
		assert_int_equal(((unsigned char *)&r)[i], UNTOUCHED);
}

/* A pipe in packet mode hands out records like /dev/kmsg does. */
static void test_next(void **state)
{
	static const char first[] = "6,1,10,-;one\n", second[] = "4,3,30,-;three\n", broken[] = "no record\n";
	struct kmsg_record r;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_DIRECT | O_NONBLOCK | O_CLOEXEC), 0);
	auto_close int in = fds[0], out = fds[1];
	memset(&r, UNTOUCHED, sizeof(r));
	assert_int_equal(kmsg_next(in, &r), 0); /* EAGAIN */
	assert_int_equal(((unsigned char *)&r)[0], UNTOUCHED);
	assert_true(write(out, first, sizeof(first) - 1) > 0 && write(out, broken, sizeof(broken) - 1) > 0 &&
		    write(out, second, sizeof(second) - 1) > 0);
	assert_int_equal(kmsg_next(in, &r), 1);
	assert_string_equal(r.text, "one");
	assert_int_equal(kmsg_next(in, &r), -EBADMSG);
	assert_string_equal(r.text, "one");
	/* Overwritten twice, interrupted once: the record after that is what we get. */
	errors[0] = EPIPE;
	errors[1] = EINTR;
	errors[2] = EPIPE;
	error_count = 3;
	assert_int_equal(kmsg_next(in, &r), 1);
	assert_int_equal(error_count, 0);
	assert_true(r.sequence == 3 && r.level == 4);
	errors[0] = EAGAIN;
	errors[1] = EPIPE;
	error_count = 2;
	assert_int_equal(kmsg_next(in, &r), 0);
	errors[0] = EINVAL;
	error_count = 1;
	assert_int_equal(kmsg_next(in, &r), -EINVAL);
	/* A log that is overwritten faster than we read does not keep us here for ever. */
	fail_always = true;
	assert_int_equal(kmsg_next(in, &r), -EPIPE);
	fail_always = false;
	assert_int_equal(kmsg_next(-1, &r), -EBADF);
}

/* Where the log can be read, it is opened at its end: whatever comes is newer than now. */
static void test_open(void **state)
{
	struct kmsg_record r;
	struct timespec now;
	int fd = 4711;

	(void)state;
	int result = kmsg_open(&fd);
	if (result < 0) {
		assert_true(result == -EPERM || result == -EACCES || result == -ENOENT);
		assert_int_equal(fd, 4711);
		return;
	}
	auto_close int opened = fd;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	int got = kmsg_next(opened, &r);
	assert_true(got == 0 || (got == 1 && r.time_us + 1000000 > now_us));
}

static void test_captured_kills(void **state)
{
	static const char *const names[] = {"gt", "a,pid=1) b", ",task=x,pid=7", "tab?\\\xc3\xbc"};
	struct kmsg_record record;
	struct kmsg_oom kill;
	unsigned lines = 0, matched = 0;

	(void)state;
	load("oom-memcg-6.18");
	memset(&kill, 0, sizeof(kill));
	for (char *p = text; *p; p = strchr(p, '\n') + 1, lines++) {
		assert_int_equal(kmsg_parse(p, (size_t)(strchr(p, '\n') + 1 - p), &record), 0);
		if (!kmsg_oom_line(record.text, &kill))
			continue;
		/* Two lines per kill: the summary, and what was done. */
		assert_int_equal(kill.pid, 7177 + matched / 2);
		assert_string_equal(kill.comm, names[matched / 2]);
		assert_true(kill.memcg);
		assert_string_equal(kill.oom_memcg, "/enomem-capture");
		assert_string_equal(kill.task_memcg, "/enomem-capture");
		if (++matched % 2 == 0)
			memset(&kill, 0, sizeof(kill));
	}
	assert_int_equal(matched, 8);
	assert_int_equal(lines, 88);
}

struct oom_case {
	const char *line;
	struct kmsg_oom oom;
};

static void test_lines(void **state)
{
	static const struct oom_case cases[] = {
		{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/"
		 "gt1,task_memcg=/gt1/a,"
		 "task=gt,pid=119,uid=0",
		 {true, 119, "gt", "/gt1/a", "/gt1"}},
		{"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/"
		 ",task=gt,"
		 "pid=119,uid=0",
		 {false, 119, "gt", "/", ""}},
		{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=0-1,cpuset=x,mems_allowed=0-1,oom_memcg=/"
		 "a,b=c,task_memcg=/a,b=c/d,"
		 "task=,task=,pid=1,ui,pid=2,uid=-1",
		 {true, 2, ",task=,pid=1,ui", "/a,b=c/d", "/a,b=c"}},
		/* No comm this long exists today; a path with ",task=" in it then is not taken for one. */
		{"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/"
		 "x,task=0123456789012345,"
		 "task_memcg=/x,task=abcdefghijklmnopq,pid=3,uid=0",
		 {true, 3, "abcdefghijklmnopq", "/x", "/x,task=0123456789012345"}},
		{"Memory cgroup out of memory: Killed process 119 (gt) total-vm:65600kB, anon-rss:16000kB, "
		 "file-rss:0kB, "
		 "shmem-rss:0kB, UID:0 pgtables:56kB oom_score_adj:0",
		 {true, 119, "gt", "", ""}},
		{"Out of memory: Killed process 119 (a,pid=1) b) total-vm:65600kB, anon-rss:16000kB",
		 {false, 119, "a,pid=1) b", "", ""}},
		{"Out of memory: Killed process 119 () total-vm:1) total-vm:65600kB, anon-rss:16000kB",
		 {false, 119, ") total-vm:1", "", ""}},
		{"Out of memory (oom_kill_allocating_task): Killed process 7 (gt) total-vm:65600kB",
		 {false, 7, "gt", "", ""}},
		{"Killed process 8 (gt), UID 0, total-vm:65600kB, anon-rss:1kB", {false, 8, "gt", "", ""}},
		{"Killed process 9 () total-vm:65600kB", {false, 9, "", "", ""}},
		{"Tasks in /x y are going to be killed due to memory.oom.group set", {false, 0, "", "/x y", ""}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kmsg_oom oom = {0};
		const struct kmsg_oom *want = &cases[i].oom;

		if (!kmsg_oom_line(cases[i].line, &oom))
			fail_msg("not taken: %s", cases[i].line);
		assert_int_equal(oom.pid, want->pid);
		assert_int_equal(oom.memcg, want->memcg);
		assert_string_equal(oom.comm, want->comm);
		assert_string_equal(oom.task_memcg, want->task_memcg);
		assert_string_equal(oom.oom_memcg, want->oom_memcg);
	}
}

static void test_other_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"gt invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
		"memory: usage 8192kB, limit 8192kB, failcnt 31",
		"Memory cgroup out of memory: OOM victim 119 (gt) is already exiting. Skip killing the task",
		"Out of memory: Kill process 119 (gt) score 900 or sacrifice child",
		"Out of memory and no killable processes...",
		"oom_reaper: reaped process 119 (gt), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
		"systemd[1]: Out of memory: Killed process 119 (gt) total-vm:65600kB",
		"x oom-kill:constraint=CONSTRAINT_NONE,task=gt,pid=119,uid=0",
		/* A name of at most 15 bytes at the start of a line cannot forge a kill. */
		"Killed process  invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
		"Killed process  (x) total-vm:1kB",
		"Killed process 0 (x) total-vm:1kB",
		"Killed process -1 (x) total-vm:1kB",
		"Killed process 2147483648 (x) total-vm:1kB",
		"Killed process 119 x total-vm:1kB",
		"Killed process 119 (x",
		"Killed process 119 (x total-vm:1kB",
		"Killed process 119",
		"oom-kill:constraint=",
		"oom-kill:constraint=CONSTRAINT_NONE,task=gt",
		"oom-kill:constraint=CONSTRAINT_NONE,task=gt,pid=11",
		"oom-kill:constraint=CONSTRAINT_NONE,task=gt,pid=0,uid=0",
		"oom-kill:constraint=CONSTRAINT_NONE,task=gt,pid=119x,uid=0",
		"Tasks in  are going to be killed due to memory.oom.group set",
		"Tasks in /x are going home",
	};
	struct kmsg_oom oom;

	(void)state;
	memset(&oom, UNTOUCHED, sizeof(oom));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (kmsg_oom_line(lines[i], &oom))
			fail_msg("taken: %s", lines[i]);
	}
	for (size_t i = 0; i < sizeof(oom); i++)
		assert_int_equal(((unsigned char *)&oom)[i], UNTOUCHED);
}

static void test_merge(void **state)
{
	static const char summary[] =
		"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/g,"
		"task_memcg=/g/child,task=gt,pid=5,uid=0";
	struct kmsg_oom oom = {0};

	(void)state;
	assert_true(kmsg_oom_line(summary, &oom));
	assert_true(kmsg_oom_line("Memory cgroup out of memory: Killed process 5 (gt) total-vm:1kB", &oom));
	assert_string_equal(oom.task_memcg, "/g/child");
	/* The group's line names an ancestor: what is known better stays. */
	assert_true(kmsg_oom_line("Tasks in /g are going to be killed due to memory.oom.group set", &oom));
	assert_string_equal(oom.task_memcg, "/g/child");
	/* Another process: nothing of the first kill is left in it. */
	assert_true(kmsg_oom_line("Out of memory: Killed process 6 (other) total-vm:1kB", &oom));
	assert_true(oom.pid == 6 && !oom.memcg && oom.task_memcg[0] == '\0' && oom.oom_memcg[0] == '\0');
	assert_string_equal(oom.comm, "other");
	/* A bare line says nothing about what was short: the summary's word stays. */
	memset(&oom, 0, sizeof(oom));
	assert_true(kmsg_oom_line(summary, &oom));
	assert_true(kmsg_oom_line("Killed process 5 (gt) total-vm:1kB", &oom));
	assert_true(oom.memcg);
}

static void test_long_fields(void **state)
{
	static char line[4096];
	struct kmsg_oom oom = {0};

	(void)state;
	char name[1001];
	memset(name, 'c', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(line, sizeof(line), "Killed process 5 (%s) total-vm:1kB", name);
	assert_true(kmsg_oom_line(line, &oom));
	assert_int_equal(strlen(oom.comm), sizeof(oom.comm) - 1);
	snprintf(line, sizeof(line), "Tasks in /%s are going to be killed due to memory.oom.group set", name);
	assert_true(kmsg_oom_line(line, &oom));
	assert_int_equal(strlen(oom.task_memcg), sizeof(oom.task_memcg) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),          cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_long),           cmocka_unit_test(test_parse_bad),
		cmocka_unit_test(test_next),           cmocka_unit_test(test_open),
		cmocka_unit_test(test_captured_kills), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_other_lines),    cmocka_unit_test(test_merge),
		cmocka_unit_test(test_long_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
